/**
 * Rooms that must be open to all: those that are mirrored because somebody on another network asked for them. They are shown to people who
 * could have entered them; when such a room is closed, the bot leaves it.
 */
import type { Log } from '../../../lib/log'
import type { Place } from '../../../model/address'
import type { Memory } from '../../../model/network'
import type { RoomEvent } from '../events/events'
import { roomPath, type Homeserver } from '../homeserver'
import { stateOf } from './state'

const key = ({ id }: Place): string => `open ${id}`

const NEW = '1'
const LOOKED_AT = 'looked at'

export const keepOpen = (memory: Memory, place: Place): Promise<void> => memory.set(key(place), NEW)

/** Whether nobody has looked yet at what it shows. */
export const isNew = (memory: Memory, place: Place): boolean => memory.get(key(place)) === NEW
export const lookedAt = (memory: Memory, place: Place): Promise<void> => memory.set(key(place), LOOKED_AT)

/** Whether this place is one of them. */
export const mustBeOpen = (memory: Memory, place: Place): boolean => memory.get(key(place)) !== undefined

/** Whether this event closes a room. */
export const closes = ({ type, stateKey, content }: RoomEvent): boolean =>
  type === 'm.room.join_rules' && stateKey === '' && content.join_rule !== 'public'

const isPublic = async (homeserver: Homeserver, room: string): Promise<boolean> =>
  (await stateOf(homeserver, room, 'm.room.join_rules', '', {}))?.join_rule === 'public'

/** Whether anybody may enter this room, and it is one for messages that can be read. Throws Unavailable. */
export const isOpenToAll = async (homeserver: Homeserver, room: string): Promise<boolean> => {
  const [encryption, create] = await Promise.all(['m.room.encryption', 'm.room.create'].map(type => stateOf(homeserver, room, type, '', {})))
  return encryption === undefined && create !== undefined && create.type === undefined && await isPublic(homeserver, room)
}

/** Leaves a room in which we may no longer be. Resolves with whether we did. */
export const leaveIfClosed = async (
  { homeserver, memory, log }: { homeserver: Homeserver, memory: Memory, log: Log }, place: Place, room: string
): Promise<boolean> => {
  if (!mustBeOpen(memory, place) || await isPublic(homeserver, room)) return false
  log.warn({ place: place.id, room }, 'a room that people of other networks asked for was closed; the bot leaves it')
  await homeserver.call('POST', `${roomPath(room)}/leave`, { body: {} })
  return true
}
