/**
 * What a delivery to an encrypted place needs: whether it must be sealed, or may not be said at all, and what we said there before. Others may turn
 * encryption on at any moment, and we hear of that only later, so the homeserver is asked. It takes what is in the clear all the same: between its
 * answer and what we say then, and in rooms of mirrors for CLEAR_MS after it, one message may be too late.
 */
import { Refused, Unavailable } from '../../../model/errors'
import type { Clock } from '../../../lib/clock'
import type { Place } from '../../../model/address'
import type { Delivery } from '../../../model/message'
import type { Memory } from '../../../model/network'
import { isSecret, readDirect } from '../direct/chats'
import { type Json, stringOf } from '../events/json'
import { encode, Rejected, roomPath, type Homeserver } from '../homeserver'
import { setState } from '../rooms/state'
import { ENCRYPTED } from '../rooms/team-state'
import { type Encryption, isEncrypted, SEALED } from './encryption'
import type { Keeper } from './keeper'

export interface SealedPlaces {
  /**
   * Whether it must be sealed in this room. Asks each time where others may turn encryption on, because we hear of it only later. Throws Refused
   * if we cannot seal it. What is secret, and all that is said to whoever wrote encrypted last, turns encryption on where it is off; where it may
   * not, throws Unavailable: others may have made that room in the contact's name.
   */
  must (said: Pick<Delivery, 'place' | 'action'>, room: string, signal: AbortSignal): Promise<boolean>
  /** Throws Refused if this room of a mirror is encrypted, and may not be: what others say is not to stand there in the clear. Throws Unavailable. */
  mayBeSaid (place: Place, room: string, signal: AbortSignal): Promise<void>
  /** Who speaks there for Zentrale itself, as far as known: the bot gets no keys. */
  own (room: string): string
  /** What goes out in the place of these words: their type and content. */
  sealed (said: { key: string, place: Place, room: string, as: string, type: string, content: Json }, signal: AbortSignal): Promise<[string, Json]>
  /** An event that we said in this room, in the clear. */
  said (place: Place, said: { room: string, event: string, as: string }, signal: AbortSignal): Promise<Json>
  /** Who of ours said this, if not the one who speaks there now: perhaps the bot, before the room was encrypted. */
  author (room: string, now: string, event: string, signal: AbortSignal): Promise<string>
  /** Brings in again who reads there. Throws Refused or Unavailable. */
  repair (room: string, signal: AbortSignal): Promise<void>
}

interface SealedPlacesParts {
  homeserver: Homeserver; encryption: Encryption; keeper: Keeper; memory: Pick<Memory, 'get'>; clock: Clock; bot: string
  /** Whether nobody but us can turn encryption on there. */
  isMadeByUs (place: Place): boolean
  /** We found that this room is encrypted, perhaps before we hear of it. */
  turned (room: string): void
}

const CLEAR_MAX = 10_000
const CLEAR_MS = 2_000 // for so long, a room of a mirror stays unasked: a homeserver takes longer to come back

export const makeSealedPlaces = (
  { homeserver, encryption, keeper, memory, clock, bot, isMadeByUs, turned }: SealedPlacesParts
): SealedPlaces => {
  const clear = new Map<string, number>() // when a room was not encrypted last, of clock.tick

  /** What is known without asking. A room that was encrypted once stays so, also while the keeper is put out. */
  const isSurelyClear = (place: Place, room: string): boolean => {
    const at = clear.get(room)
    if (at === undefined || keeper.isIn(room) || encryption.wasOn(room)) return false
    return isMadeByUs(place) || clock.tick() - at < CLEAR_MS
  }

  const isOn = async (place: Place, room: string, signal: AbortSignal): Promise<boolean> => {
    const pair = readDirect(place)
    if (pair === undefined && isSurelyClear(place, room)) return false
    const [now, on] = [clock.tick(), await encryption.isOn(room, pair?.ours ?? bot, signal)]
    if (on) clear.delete(room)
    else if (pair === undefined && (clear.has(room) || clear.size < CLEAR_MAX)) clear.set(room, now)
    return on
  }

  const turnOn = (room: string, as: string, signal: AbortSignal): Promise<void> =>
    setState(homeserver, room, ENCRYPTED, { as, signal }).catch((error: unknown) => {
      if (!(error instanceof Rejected)) throw error
      throw new Unavailable('the contact wrote with encryption, and this room has none', { unsealed: 'clear', cause: error })
    })

  const mayBeSealed = (place: Place): boolean => readDirect(place) !== undefined || keeper.mayRead(place)

  const eventIn = (room: string, event: string, as: string, signal: AbortSignal): Promise<Json> =>
    homeserver.call('GET', `${roomPath(room)}/event/${encode(event)}`, { as, signal })

  return {
    async must ({ place, action }, room, signal) {
      const isClear = !mayBeSealed(place) || !await isOn(place, room, signal)
      if (isClear && (action.kind !== 'message' || (action.secret !== true && !isSecret(memory, place)))) return false
      const reader = readDirect(place)?.ours ?? keeper.mxid
      if (!encryption.mayServe(reader)) throw new Refused('this place is encrypted, and we cannot encrypt', undefined, 'encrypted')
      if (!encryption.serves(reader)) throw new Unavailable('encryption: the homeserver is not found yet')
      if (isClear) await turnOn(room, readDirect(place)?.ours ?? bot, signal) // only now that we can go on in it
      if (reader === keeper.mxid && !keeper.isIn(room)) await keeper.enter(room, signal)
      return true
    },
    async mayBeSaid (place, room, signal) {
      if (mayBeSealed(place) || !await isOn(place, room, signal)) return
      turned(room)
      throw new Refused('this room is encrypted, and its mirror does not allow that', undefined, 'encrypted')
    },
    own: room => keeper.reads(room) && encryption.wasOn(room) ? keeper.mxid : bot,
    async sealed ({ key, place, room, as, type, content }, signal) {
      return [SEALED, await encryption.seal({ key, room, as, contact: readDirect(place)?.theirs, type, content }, signal)]
    },
    async said (place, { room, event: id, as }, signal) {
      const event = await eventIn(room, id, as, signal)
      if (!isEncrypted(event)) return event
      const read = await encryption.open(readDirect(place)?.ours ?? keeper.mxid, { ...event, room_id: room }, true)
      if ('event' in read) return read.event
      throw new Unavailable(`our own event cannot be read: ${'why' in read ? read.why : read.later}`)
    },
    async author (room, now, event, signal) {
      return now === keeper.mxid && stringOf((await eventIn(room, event, bot, signal)).sender) === bot ? bot : now
    },
    repair: keeper.enter
  }
}
