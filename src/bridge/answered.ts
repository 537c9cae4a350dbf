/** The answer to somebody who ordered something, and whether the order changed anything. */
import { addressKey } from '../model/address'
import type { Arrival } from '../model/message'
import type { Answered } from '../model/network'
import { toPlain } from '../model/text'
import type { Plan } from '../plan/plan'

/** Changes that no order is meant to make. */
const BESIDE: ReadonlySet<string> = new Set(['count', 'log'])

export const answeredBy = ({ deliveries, changes }: Plan, { place }: Arrival): Answered => ({
  done: changes.some(change => change.kind === 'desk' && !BESIDE.has(change.change.what)),
  text: deliveries.flatMap(({ delivery: { place: where, action, as } }) =>
    action.kind === 'message' && as === undefined && addressKey(where) === addressKey(place) ? [toPlain(action.content.text)] : []).join('\n')
})
