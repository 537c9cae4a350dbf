/**
 * Where a delivery belongs if its place was other rooms before (CS API §Room upgrades): a room is replaced, and what was said in it stays there.
 * It can be taken back there, but nothing in the new room can refer to it.
 */
import type { Place } from '../../../model/address'
import { Refused } from '../../../model/errors'
import type { Delivery } from '../../../model/message'
import type { Memory } from '../../../model/network'
import { saidEvent } from '../contents'
import type { Homeserver } from '../homeserver'
import { isThere } from '../relations'

const FORMER_MAX = 20 // rooms of one place

const keyOf = (place: Place): string => `former ${place.id}`

/** The rooms that the place was before, newest first. */
export const formerOf = (memory: Memory, place: Place): string[] => memory.get(keyOf(place))?.split(' ') ?? []

/** `room`: the place was this until now. Undefined: the place is over. */
export const keepFormer = (memory: Memory, place: Place, room: string | undefined): Promise<void> => room === undefined
  ? memory.delete(keyOf(place)) : memory.set(keyOf(place), [room, ...formerOf(memory, place)].slice(0, FORMER_MAX).join(' '))

/** What it takes back or away. */
const goneBy = ({ action, target }: Delivery): string | undefined =>
  action.kind === 'deletion' ? target?.[0] : action.kind === 'removal' ? action.said[0] : undefined

/** The events that must be in the room in which it is said. */
const referredBy = (delivery: Delivery): (string | undefined)[] => {
  const { action, target, root } = delivery
  switch (action.kind) {
    case 'edit': return [target?.[0]]
    case 'reaction': case 'vote': return [saidEvent(action.to, delivery)]
    case 'message': return [saidEvent(action.reply?.said, delivery), saidEvent(action.reply?.thread?.root, root ? { answered: root } : {})]
    default: return []
  }
}

interface FormerWorld { homeserver: Homeserver; rooms: { roomOf (place: Place): string, former (place: Place): string[] } }

/** The room for a delivery. Throws Refused if it refers to what is in an earlier one. */
export const makeRoomFor = ({ homeserver, rooms }: FormerWorld) => async (delivery: Delivery, signal: AbortSignal): Promise<string> => {
  const { place } = delivery
  const now = rooms.roomOf(place)
  const former = rooms.former(place)
  if (former.length === 0) return now

  const roomOf = async (event: string): Promise<string> => {
    for (const room of [now, ...former]) if (await isThere(homeserver, room, event, { signal })) return room
    return now
  }

  const gone = goneBy(delivery)
  if (gone !== undefined) return await roomOf(gone)
  for (const event of referredBy(delivery)) {
    if (event === undefined || await roomOf(event) === now) continue
    throw new Refused('what it refers to is in a room that was replaced', undefined, 'replaced')
  }
  return now
}
