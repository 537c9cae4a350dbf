/** The report of a run of seeds. */
import type { Violation } from './auditor'
import type { Outcome } from './simulation'

const TRACE_LINES_MAX = 60

/** A violation: the seed, the invariant, and the trace of the message concerned and of the process. */
export const tellViolation = ({ seed, trace }: Outcome, { invariant, what, tag }: Violation): string => {
  const concerns = (line: string): boolean => line.includes(' process: ') || (tag !== undefined && new RegExp(`${tag}(?!\\d)`).test(line))
  const lines = trace.filter(concerns)
  return [`seed ${seed} breaks ${invariant}: ${what}`, ...lines.slice(-TRACE_LINES_MAX).map(line => `    ${line}`),
    `    again: npm run simulate -- --seed ${seed} --trace`].join('\n')
}

export interface Tally {
  readonly violated: number // seeds
  add (outcome: Outcome): void
  text (): string
}

const sum = (into: Map<string, number>, more: Iterable<[string, number]>): void => {
  for (const [key, count] of more) into.set(key, (into.get(key) ?? 0) + count)
}

const list = (counts: Map<string, number>): string =>
  [...counts].sort(([one], [other]) => one < other ? -1 : 1).map(([what, count]) => `  ${String(count).padStart(8)}  ${what}`).join('\n')

export const makeTally = (): Tally => {
  const faults = new Map<string, number>()
  const settled = new Map<string, number>()
  const messages = new Map<string, number>()
  const doubles = new Map<string, number>()
  const broken = new Map<number, string>()
  let seeds = 0
  let hours = 0
  const begun = performance.now()
  return {
    get violated () { return broken.size },
    add (outcome) {
      seeds++
      hours += outcome.hours
      sum(faults, outcome.faults)
      sum(settled, outcome.settled)
      sum(messages, Object.entries(outcome.counts))
      for (const [network, { copies, allowed }] of outcome.doubles) {
        sum(doubles, [[`${network}: second copies`, copies], [`${network}: failures that left the outcome open`, allowed]])
      }
      const [first] = outcome.violations
      if (first !== undefined) broken.set(outcome.seed, `${first.invariant}: ${first.what}`)
    },
    text: () => [
      `${seeds} seeds, ${hours.toFixed(0)} h simulated in ${((performance.now() - begun) / 1000).toFixed(0)} s, ${broken.size} with violations`,
      ...[...broken].map(([seed, what]) => `  seed ${seed}  ${what}`),
      'faults', list(faults), 'messages, from outside', list(messages), 'deliveries, as the bridge counts them', list(settled),
      'doubles', list(doubles)
    ].join('\n')
  }
}
