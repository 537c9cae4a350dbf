/** What others do to our ghosts in rooms: put them out, ban them, let them in again (CS API §m.room.member). */
import type { Clock } from '../../../lib/clock'
import { Refused, Unavailable } from '../../../model/errors'
import type { Person } from '../../../model/address'
import type { ExpulsionArrival } from '../../../model/message'
import type { RoomEvent } from '../events/events'
import { type Homeserver, Rejected } from '../homeserver'
import type { Rooms } from '../rooms/rooms'
import { eventOf, stateOf } from '../rooms/state'

/** By the membership that others give a ghost. A ban that is lifted comes as a kick. */
const DONE: ReadonlyMap<unknown, ExpulsionArrival['how']> = new Map([['leave', 'kicked'], ['ban', 'banned'], ['invite', 'invited']])

const JUST_PUT_OUT = 'somebody has just put this ghost out'
const KICKS_MAX = 1000
const UNKNOWN_MS = 60_000

/** Kicks that are heard and not stored yet. Until then whoever speaks by a ghost does not know, and must not bring it in again. */
export interface Kicks {
  heard (mxid: string, room: string): void
  stored (mxid: string, room: string): void
  /** Throws Unavailable if there is such a kick. */
  mustBeKnown (mxid: string, room: string): void
}

export const makeKicks = (clock: Pick<Clock, 'tick'>): Kicks => {
  const at = new Map<string, number>()
  const keyOf = (mxid: string, room: string): string => `${room} ${mxid}`
  return {
    heard (mxid, room) {
      if (at.size >= KICKS_MAX) at.clear()
      at.set(keyOf(mxid, room), clock.tick())
    },
    stored (mxid, room) { at.delete(keyOf(mxid, room)) },
    mustBeKnown (mxid, room) {
      if (clock.tick() - (at.get(keyOf(mxid, room)) ?? -Infinity) < UNKNOWN_MS) throw new Unavailable(JUST_PUT_OUT)
    }
  }
}

/** Whom a ghost stands for in a room, and how it is called there. */
interface Who { personOf (mxid: string, room: string): Person | undefined; nameIn (mxid: string, room: string): string | undefined }

interface Parts {
  rooms: Pick<Rooms, 'placeOf' | 'isNow'>; ghosts: Who; clock: Pick<Clock, 'now'>
  isOurs: (mxid: string) => boolean
}

/** Reads from an event what somebody else did to a ghost of ours in a mirrored room. */
export const makeDoneToGhosts = ({ rooms, ghosts, clock, isOurs }: Parts) => (event: RoomEvent): ExpulsionArrival | undefined => {
  const { id: key, type, stateKey, sender, room, content, at = clock.now() } = event
  const how = type === 'm.room.member' ? DONE.get(content.membership) : undefined
  const place = rooms.placeOf(room)
  if (how === undefined || stateKey === undefined || isOurs(sender) || place === undefined || !rooms.isNow(room)) return undefined
  const person = ghosts.personOf(stateKey, room)
  return person && { kind: 'expulsion', key, place, at, how, person, name: ghosts.nameIn(stateKey, room) ?? person.id }
}

/** This ghost could not join. Throws what was thrown, unless an invitation may help; Refused if the room has banned it. */
export const mustBeForbidden = async (thrown: unknown, homeserver: Homeserver, room: string, mxid: string, signal: AbortSignal): Promise<void> => {
  if (!(thrown instanceof Rejected) || !['M_FORBIDDEN', 'M_BAD_STATE'].includes(thrown.errcode)) throw thrown // banned, Synapse says the latter
  const member = await stateOf(homeserver, room, 'm.room.member', mxid, { signal })
  if (member?.membership === 'ban') throw new Refused('the room has banned this ghost', undefined, 'expelled')
}

/** Throws Unavailable if somebody has put this ghost out and we have not heard of it yet: then it must not come back at once. */
export const mustNotBeKicked = async (homeserver: Homeserver, room: string, mxid: string): Promise<void> => {
  const member = await eventOf(homeserver, room, 'm.room.member', mxid)
  if (member?.content.membership === 'leave' && member.sender !== mxid) throw new Unavailable(JUST_PUT_OUT)
}
