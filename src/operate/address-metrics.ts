/**
 * Metrics of function addresses. There is one label value for each address that the config has, or had. What is counted stands in the store,
 * so it is the same after a restart.
 */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Clock } from '../lib/clock'
import type { CaseState } from '../store/desk'
import type { ToCount, What } from '../store/tally'
import { KeptTimes, type KeptTime } from './kept-times'

export interface OpenCases { address: string; state: CaseState; count: number; oldestAt: number | null }
export type Total = Required<ToCount>

/** The names of the addresses in the config, whose counters exist from the start; their open cases; all that was ever counted. */
interface Sources { addresses: string[]; open (): Promise<OpenCases[]>; totals (): Promise<Total[]> }

export interface AddressMetrics {
  /** Reads the open cases, and what was counted. */
  read (): Promise<void>
}

const ANSWER_BUCKETS = [5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400, 28_800, 86_400, 259_200]
const CLOSING_BUCKETS = [300, 1800, 3600, 14_400, 28_800, 86_400, 259_200, 604_800, 2_592_000]
const OPEN_STATES: CaseState[] = ['new', 'claimed', 'waiting', 'snoozed']
const MESSAGES: readonly What[] = ['in', 'out', 'unsaid', 'automatic', 'failed', 'claim lost']
const CASES: readonly What[] = ['opened', 'reopened', 'closed']

const timesOf = (totals: Total[], wall: What, business: What): KeptTime[] => totals.filter(({ what }) => what === wall || what === business)
  .map(({ name, what, detail, count }) => ({ address: name, hours: what === wall ? 'wall' : 'business', seconds: Number(detail), count }))

const counters = (registers: Registry[]) => ({
  messages: new Counter({
    name: 'zentrale_address_messages_total', registers, labelNames: ['address', 'what'],
    help: 'Messages of a function address: in, out, unsaid (of those out, taken back before they left), automatic, failed (did not reach the ' +
      'contact), claim lost (held, because somebody else had the case).'
  }),
  parts: new Counter({
    name: 'zentrale_address_parts_total', registers, labelNames: ['address', 'network'],
    help: 'What the messages of a function address became where that is paid for, such as segments.'
  }),
  opened: new Counter({
    name: 'zentrale_address_cases_total', registers, labelNames: ['address', 'what'],
    help: 'Cases of a function address that were opened, reopened, closed.'
  }),
  answers: new KeptTimes({
    name: 'zentrale_address_first_answer_seconds', registers, buckets: ANSWER_BUCKETS,
    help: 'From the message that opened a case to the first answer: by the clock (wall), and within opening hours (business).'
  }),
  closings: new KeptTimes({
    name: 'zentrale_address_closing_seconds', registers, buckets: CLOSING_BUCKETS,
    help: 'From the message that opened a case until it was done: by the clock (wall), and within opening hours (business).'
  })
})

export const makeAddressMetrics = (registry: Registry, { addresses, open, totals }: Sources, clock: Clock): AddressMetrics => {
  const registers = [registry]
  const { messages, parts, opened, answers, closings } = counters(registers)
  const cases = new Gauge({ name: 'zentrale_address_cases', registers, labelNames: ['address', 'state'], help: 'Cases that are not done, by state.' })
  const waiting = new Gauge({
    name: 'zentrale_address_waiting_age_seconds', registers, labelNames: ['address'],
    help: 'How long the contact who waits longest for an answer has waited.'
  })
  const retired = new Gauge({
    name: 'zentrale_address_retired', registers, labelNames: ['address'],
    help: '1 for each address that is not in the config any more and still has open cases.'
  })

  const readTotals = async (): Promise<void> => {
    const counted = await totals()
    for (const counter of [messages, parts, opened]) counter.reset()
    for (const address of addresses) {
      for (const what of MESSAGES) messages.inc({ address, what }, 0)
      for (const what of CASES) opened.inc({ address, what }, 0)
    }
    for (const { name: address, what, network, count } of counted) {
      if (MESSAGES.includes(what)) messages.inc({ address, what }, count)
      if (CASES.includes(what)) opened.inc({ address, what }, count)
      if (what === 'parts') parts.inc({ address, network }, count)
    }
    answers.keep(timesOf(counted, 'first answer', 'first answer open'))
    closings.keep(timesOf(counted, 'closing', 'closing open'))
  }

  return {
    async read () {
      await readTotals()
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
