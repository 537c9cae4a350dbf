/**
 * The rule for receipts: what became of a delivery after it was sent. A message of several parts has several receipts. The writer is told
 * of the first failure. A receipt that comes before the answer to its send is kept until that answer.
 */
import type { Arrival, ReceiptArrival } from '../model/message'
import type { Directory } from '../plan/directory'
import { failureNotice, type Plan } from '../plan/plan'
import { reasonOf } from '../plan/texts'
import type { Confirmable } from '../store/store'

type Told = Pick<ReceiptArrival, 'outcome' | 'because' | 'detail'>

/** The plan for a receipt whose delivery was found. */
export const confirmed = (found: Confirmable, { outcome, because, detail }: Told, directory: Directory): Plan => ({
  outcome: 'routed',
  changes: [{ kind: 'confirm', place: found.place, id: found.id, outcome }],
  deliveries: outcome === 'failed' && !found.outcomes.includes('failed') && !found.notice
    ? failureNotice(found.origin, { key: String(found.outbox), place: found.place }, directory, {
        kind: 'part', part: found.part + 1, parts: found.parts, why: texts => (because === undefined ? detail : undefined) ?? reasonOf(because, texts)
      })
    : []
})

export const receiptRule = (arrival: Arrival, found: Confirmable | undefined, directory: Directory): Plan | undefined => {
  if (arrival.kind !== 'receipt') return undefined
  const { outcome, because, detail } = arrival
  if (found === undefined) {
    return {
      outcome: 'routed', deliveries: [],
      changes: [{
        kind: 'early', place: arrival.place, ids: arrival.of, what: { outcome, ...because && { because }, ...detail !== undefined && { detail } }
      }]
    }
  }
  return confirmed(found, arrival, directory)
}
