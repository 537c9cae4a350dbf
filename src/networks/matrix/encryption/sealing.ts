/** What a delivery to an encrypted chat needs: whether it must be sealed, and what we said there before. */
import { Refused, Unavailable } from '../../../model/errors'
import type { Place } from '../../../model/address'
import { type DirectRoom, readDirect } from '../direct/chats'
import type { Json } from '../events/json'
import { encode, roomPath, type Homeserver } from '../homeserver'
import { type Encryption, isEncrypted } from './encryption'

export interface SealingChats {
  /**
   * The direct chat whose messages must be sealed; undefined if they go out as they are. Asks each time, because the contact may encrypt the
   * chat at any time, and we hear of it only later. Throws Refused if we cannot.
   */
  toSeal (place: Place, room: string, signal: AbortSignal): Promise<DirectRoom | undefined>
  /** An event that we said in this room, in the clear. */
  own (place: Place, said: { room: string, event: string, as: string }, signal: AbortSignal): Promise<Json>
}

export const makeSealingChats = (homeserver: Homeserver, encryption: Encryption): SealingChats => ({
  async toSeal (place, room, signal) {
    const pair = readDirect(place)
    if (pair === undefined || !await encryption.isOn(room, pair.ours, signal)) return undefined
    if (!encryption.mayServe(pair.ours)) throw new Refused('the contact has encrypted this chat', undefined, 'encrypted')
    if (!encryption.serves(pair.ours)) throw new Unavailable('encryption: the homeserver is not found yet')
    return { place, ...pair }
  },
  async own (place, { room, event: id, as }, signal) {
    const event = await homeserver.call('GET', `${roomPath(room)}/event/${encode(id)}`, { as, signal })
    const pair = readDirect(place)
    if (!isEncrypted(event) || pair === undefined) return event
    const read = await encryption.open({ place, ...pair }, { ...event, room_id: room }, true)
    if ('event' in read) return read.event
    throw new Unavailable(`our own event cannot be read: ${'why' in read ? read.why : read.later}`)
  }
})
