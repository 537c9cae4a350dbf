/**
 * Rooms that must be open to all: those that are mirrored because somebody on another network asked for them. They are shown to people who
 * could have entered them; when such a room is closed, the bot leaves it.
 */
import { createHash } from 'node:crypto'
import type { Log } from '../../../lib/log'
import type { Place } from '../../../model/address'
import type { Memory } from '../../../model/network'
import type { RoomEvent } from '../events/events'
import { roomPath, unlessRejected, type Homeserver } from '../homeserver'
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

/** The place is over. */
export const needNotBeOpen = (memory: Memory, place: Place): Promise<void> => memory.delete(key(place))

/** Whether this event closes a room. */
export const closes = ({ type, stateKey, content }: RoomEvent): boolean =>
  type === 'm.room.join_rules' && stateKey === '' && content.join_rule !== 'public'

const RULES = 'm.room.join_rules'
const isPublic = async (homeserver: Homeserver, room: string): Promise<boolean> =>
  (await stateOf(homeserver, room, RULES, '', {}))?.join_rule === 'public'

/** The languages of the people there are not known. */
const CLOSED = 'Dieser Raum ist nicht mehr für alle offen. Darum verbindet Zentrale ihn nicht mehr mit anderen: Was hier geschrieben wird, bleibt ' +
  'hier.\n' +
  'This room is no longer open to all. So Zentrale no longer connects it with others: what is written here stays here.'

/** Said once for each time that it is closed. */
const tell = async (homeserver: Homeserver, room: string): Promise<void> => {
  const { event_id: closing } = await stateOf(homeserver, room, RULES, '', { query: { format: 'event' } }) ?? {}
  const id = createHash('sha256').update(`closed ${String(closing)}`).digest('base64url')
  const body = { msgtype: 'm.notice', body: CLOSED, 'm.mentions': {} }
  await homeserver.call('PUT', `${roomPath(room)}/send/m.room.message/${id}`, { body }).catch(unlessRejected)
}

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
  await tell(homeserver, room)
  await homeserver.call('POST', `${roomPath(room)}/leave`, { body: {} })
  return true
}
