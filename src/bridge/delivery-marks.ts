/**
 * Where the config asks for it, a writer in a mirror sees that what they said went out: Zentrale marks as read, where it was said, the newest
 * message that has arrived in all other places. A mark stands for everything before it too, so one is shown only when nothing that was said
 * there waits any more. A message that failed somewhere gets none; its writer is told in words. A mark may be lost, but is never wrong.
 */
import { coalesced } from '../lib/coalesced'
import { addressKey, type Place } from '../model/address'
import type { SignalOut } from '../model/signal'
import type { Directory } from '../plan/directory'
import type { Cause, Store, Tx } from '../store/store'

const AT_ONCE = 16
const PATIENCE_MS = 200

interface Parts { store: Pick<Store, 'run'>; directory: Pick<Directory, 'mirrorAt'>; show (signal: SignalOut): void }

export interface DeliveryMarks {
  /** Nothing that was said there waits any more; this ended last. */
  drained (last: Cause): void
}

/** The message, if it has arrived everywhere. */
const arrivedAll = async (tx: Tx, { journal }: Cause): Promise<SignalOut | undefined> => {
  const origin = await tx.origin(journal)
  if (origin?.kind !== 'message') return undefined
  const recorded = await tx.recorded(origin.place.network, origin.key)
  const deliveries = recorded?.deliveries.filter(({ notice }) => !notice) ?? []
  if (deliveries.length === 0 || deliveries.some(({ state }) => state !== 'done')) return undefined
  return { place: origin.place, does: { kind: 'read', upTo: { said: origin.named ?? origin.key } } }
}

export const makeDeliveryMarks = ({ store, directory, show }: Parts): DeliveryMarks => {
  const waiting = new Map<string, Cause>() // by place: as many as mirrors have
  const marked = new Map<string, number>() // the same: up to which arrival

  const isMarked = (place: Place): boolean => directory.mirrorAt(place)?.mirror.deliveryMarks === 'read'

  const look = coalesced(async () => {
    while (waiting.size > 0) {
      const some = [...waiting].slice(0, AT_ONCE)
      for (const [key] of some) waiting.delete(key)
      const signals = await store.run(async tx => {
        const found: [SignalOut | undefined, Cause][] = []
        for (const [, cause] of some) found.push([await arrivedAll(tx, cause), cause])
        return found
      }, PATIENCE_MS)
      for (const [signal, { journal }] of signals) {
        if (signal === undefined || (marked.get(addressKey(signal.place)) ?? -1) >= journal) continue
        marked.set(addressKey(signal.place), journal)
        show(signal)
      }
    }
  }, () => waiting.clear())

  return {
    drained ({ from, journal }) {
      if (!isMarked(from)) return
      waiting.set(addressKey(from), { from, journal })
      look()
    }
  }
}
