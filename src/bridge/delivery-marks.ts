/**
 * Where the config asks for it, a writer in a mirror sees that what they said went out. A message that failed somewhere gets no mark; its
 * writer is told in words.
 * - read: Zentrale marks as read, where it was said, the newest message that has arrived in all other places. A mark stands for everything
 *   before it too, so one is shown only when nothing that was said there waits any more. It may be lost, but is never wrong.
 * - reaction: Zentrale reacts to each message that has arrived in all other places. That is a delivery, so it is never lost.
 */
import { coalesced } from '../lib/coalesced'
import { addressKey, type Place } from '../model/address'
import type { MessageArrival } from '../model/message'
import type { SignalOut } from '../model/signal'
import type { DeliveryMarking, Directory } from '../plan/directory'
import { delivery } from '../plan/plan'
import type { Cause, NewDelivery, Queued, Store, Tx } from '../store/store'

const AT_ONCE = 16
const PATIENCE_MS = 200
const GONE_OUT = '✅'

interface Parts { store: Pick<Store, 'run'>; directory: Mirrors; show (signal: SignalOut): void }

export interface DeliveryMarks {
  /** Nothing that was said there waits any more; this ended last. */
  drained (last: Cause): void
}

type Mirrors = Pick<Directory, 'mirrorAt'>

const isMarked = (place: Place, directory: Mirrors, as: DeliveryMarking): boolean => directory.mirrorAt(place)?.mirror.deliveryMarks === as

/** The message, if it has arrived everywhere. */
const arrivedAll = async (tx: Tx, { journal }: Cause): Promise<MessageArrival | undefined> => {
  const origin = await tx.origin(journal)
  if (origin?.kind !== 'message') return undefined
  const recorded = await tx.recorded(origin.place.network, origin.key)
  const deliveries = recorded?.deliveries.filter(({ notice }) => !notice) ?? []
  if (deliveries.length === 0 || deliveries.some(({ state }) => state !== 'done')) return undefined
  return origin
}

/** The reaction to the message, if `ended` was the last of its deliveries to arrive. To be committed with that. */
export const reactionMark = async (tx: Tx, ended: Queued, directory: Mirrors & Pick<Directory, 'can'>): Promise<NewDelivery[]> => {
  if (ended.notice || !isMarked(ended.from, directory, 'reaction') || directory.can(ended.from.network).reactions === 'none') return []
  const origin = await arrivedAll(tx, ended)
  if (origin === undefined) return []
  const to = { arrival: origin.named ?? origin.key }
  return [{ ...delivery(origin, origin.place, 0, { kind: 'reaction', to, emojis: [GONE_OUT] }), notice: true }]
}

export const makeDeliveryMarks = ({ store, directory, show }: Parts): DeliveryMarks => {
  const waiting = new Map<string, Cause>() // by place: as many as mirrors have
  const marked = new Map<string, number>() // the same: up to which arrival

  const look = coalesced(async () => {
    while (waiting.size > 0) {
      const some = [...waiting].slice(0, AT_ONCE)
      for (const [key] of some) waiting.delete(key)
      const messages = await store.run(async tx => {
        const found: [MessageArrival | undefined, Cause][] = []
        for (const [, cause] of some) found.push([await arrivedAll(tx, cause), cause])
        return found
      }, PATIENCE_MS)
      for (const [message, { from, journal }] of messages) {
        if (message === undefined || (marked.get(addressKey(from)) ?? -1) >= journal) continue
        marked.set(addressKey(from), journal)
        show({ place: from, does: { kind: 'read', upTo: { said: message.named ?? message.key } } })
      }
    }
  }, () => waiting.clear())

  return {
    drained ({ from, journal }) {
      if (!isMarked(from, directory, 'read')) return
      waiting.set(addressKey(from), { from, journal })
      look()
    }
  }
}
