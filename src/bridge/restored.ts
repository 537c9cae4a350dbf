/**
 * After a copy of the store was put back, networks bring again what was said since the copy was made. What is carried already is kept where the
 * operator sees it, and goes nowhere. A deletion takes effect once more: that changes nothing, or makes the copy forget.
 */
import type { Arrival } from '../model/message'
import type { Plan } from '../plan/plan'

const SAID: ReadonlySet<Arrival['kind']> = new Set(['message', 'edit', 'reaction', 'vote'])

export const restoredRule = ({ kind, at }: Arrival, carriedBefore: number): Plan | undefined => at < carriedBefore && SAID.has(kind)
  ? { outcome: 'unrouted', deliveries: [], changes: [], why: 'said before the store was put back' }
  : undefined
