/** What came for a delivery before its remote id was known: receipts, and removals by moderators. */
import type { Place } from '../model/address'
import type { Directory } from '../plan/directory'
import type { Plan } from '../plan/plan'
import type { Cause, EarlyReceipt, Tx } from '../store/store'
import { removedBy } from './copied'
import { originAsLeft } from './left'
import { moderationRule } from './moderation'
import { confirmed } from './receipt'

/** What it causes now; undefined if nothing. `cause`: absent for the delivery's own. */
export const planOfEarly = async (tx: Tx, place: Place, { id, outcome, because, detail }: EarlyReceipt, directory: Directory):
  Promise<{ plan: Plan, cause?: Cause } | undefined> => {
  if (outcome !== 'removed') {
    const found = await originAsLeft(tx, await tx.confirmable(place, [id]))
    return found && { plan: confirmed(found, { outcome, ...because && { because }, ...detail !== undefined && { detail } }, directory) }
  }
  const removal = detail === undefined ? undefined : await tx.recorded(place.network, detail)
  if (removal?.arrival.kind !== 'deletion') return undefined
  const plan = moderationRule(removal.arrival, await removedBy(tx, removal.arrival), directory)
  return plan && { plan, cause: { journal: removal.seq, from: place } }
}
