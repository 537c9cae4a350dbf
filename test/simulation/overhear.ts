/** Overhears a real adapter for the auditor: when it begins to send, what the result is, and which messages it reports as stored. */
import { messageOf, Unavailable } from '../../src/model/errors'
import type { Arrival, Delivery, RoomState } from '../../src/model/message'
import type { Inbox, Network } from '../../src/model/network'
import type { Place } from '../../src/model/address'
import { never, type Life } from './life'
import { CAN } from './town'
import type { World } from './world'

export interface Ears {
  stored (arrival: Arrival): void
  /** The last stored key of a place, when the bridge is asked for it. */
  storedUpTo? (place: Place, key: string | undefined): void
  /** Whether this is something of the source that nobody can read. */
  isLost? (raw: string): boolean
  /** Whether a room of ours is visibly as it should be. */
  isMade (place: Place, room: RoomState): boolean
  /** Whether the destination may have the message although sending failed. */
  mayHave (delivery: Delivery, error: unknown): boolean
}

/** What a room itself says: a moderator has removed something. */
const isOfRoom = (arrival: Arrival): boolean => 'sender' in arrival && arrival.sender.id === arrival.place.id

export const overhear = ({ auditor, note }: World, life: Life, real: Network, ears: Ears): Network => {
  const inboxOf = (inbox: Inbox): Inbox => ({
    ...inbox,
    async accept (arrival) {
      const answer = await life.through(() => inbox.accept(arrival))
      if (arrival.kind === 'standing') auditor.stands(arrival.place, arrival.standing)
      else if (arrival.kind === 'expulsion') auditor.outs.stored(arrival)
      else if (arrival.kind !== 'profile' && !isOfRoom(arrival)) ears.stored(arrival) // the town's mirrors carry no topics
      return answer
    },
    async lastKey (place) {
      const last = await life.through(() => inbox.lastKey(place))
      ears.storedUpTo?.(place, last)
      return last
    },
    async quarantine (_, raw, why) {
      if (ears.isLost?.(raw) !== true) auditor.violation('bug', `to quarantine: ${why.message} ${raw}`)
    }
  })

  return {
    ...real, can: { ...real.can, textBytesMax: CAN[real.name]!.textBytesMax },
    start: inbox => real.start(inboxOf(inbox)),
    ...real.find && {
      async find (delivery, signal) {
        const found = await real.find!(delivery, signal)
        if (found !== undefined && life.alive) auditor.confirmed(delivery)
        return found
      }
    } satisfies Pick<Network, 'find'>,
    async send (delivery, signal) {
      if (!life.cross()) return never()
      auditor.began(delivery)
      try {
        const sent = await real.send(delivery, signal)
        if (!life.alive) return await never()
        const { key, place, action } = delivery
        auditor.confirmed(delivery)
        if (action.kind === 'room' && ears.isMade(place, action.room)) auditor.took(key)
        return sent
      } catch (error) {
        if (!life.alive) return never()
        note(`${delivery.key} not sent: ${messageOf(error)}`)
        if (ears.mayHave(delivery, error)) auditor.ambiguous(delivery)
        if (error instanceof Unavailable && error.unsealed !== undefined) auditor.unsealed(delivery)
        throw error
      }
    }
  }
}
