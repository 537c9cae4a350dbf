/** Metrics of function addresses. There is one label value for each address that the config has, or had. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Clock } from '../lib/clock'
import type { Counted } from '../plan/desk-change'
import type { CaseState } from '../store/desk'

export interface OpenCases { address: string; state: CaseState; count: number; oldestAt: number | null }

export interface AddressMetrics {
  counted (event: Counted): void
  /** Reads the open cases. */
  read (): Promise<void>
}

const ANSWER_BUCKETS = [5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400, 28_800, 86_400, 259_200]
const OPEN_STATES: CaseState[] = ['new', 'claimed', 'waiting', 'snoozed']

/** `addresses`: the names in the config; their counters exist from the start. */
export const makeAddressMetrics = (registry: Registry, addresses: string[], open: () => Promise<OpenCases[]>, clock: Clock): AddressMetrics => {
  const registers = [registry]
  const messages = new Counter({
    name: 'zentrale_address_messages_total', registers, labelNames: ['address', 'what'],
    help: 'Messages of a function address: in, out, failed (did not reach the contact), claim lost (held, because somebody else had the case).'
  })
  const seconds = new Histogram({
    name: 'zentrale_address_first_answer_seconds', registers, labelNames: ['address', 'hours'], buckets: ANSWER_BUCKETS,
    help: 'From the message that opened a case to the first answer: by the clock (wall), and within opening hours (business).'
  })
  const cases = new Gauge({ name: 'zentrale_address_cases', registers, labelNames: ['address', 'state'], help: 'Cases that are not done, by state.' })
  const waiting = new Gauge({
    name: 'zentrale_address_waiting_age_seconds', registers, labelNames: ['address'],
    help: 'How long the contact who waits longest for an answer has waited.'
  })
  const retired = new Gauge({
    name: 'zentrale_address_retired', registers, labelNames: ['address'],
    help: '1 for each address that is not in the config any more and still has open cases.'
  })
  for (const address of addresses) for (const what of ['in', 'out', 'failed', 'claim lost']) messages.inc({ address, what }, 0)

  return {
    counted (event) {
      const { address } = event
      switch (event.event) {
        case 'in': case 'out': case 'failed': case 'claim lost': return messages.inc({ address, what: event.event })
        case 'first answer':
          seconds.observe({ address, hours: 'wall' }, event.ms / 1000)
          seconds.observe({ address, hours: 'business' }, event.openMs / 1000)
      }
    },
    async read () {
      cases.reset()
      waiting.reset()
      retired.reset()
      for (const address of addresses) {
        waiting.set({ address }, 0)
        for (const state of OPEN_STATES) cases.set({ address, state }, 0)
      }
      const oldest = new Map<string, number>()
      for (const { address, state, count, oldestAt } of await open()) {
        cases.set({ address, state }, count)
        if (!addresses.includes(address)) retired.set({ address }, 1)
        if (oldestAt !== null) oldest.set(address, Math.min(oldest.get(address) ?? Infinity, oldestAt))
      }
      for (const [address, at] of oldest) waiting.set({ address }, Math.max(0, clock.now() - at) / 1000)
    }
  }
}
