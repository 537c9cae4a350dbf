/**
 * npm run bench -- --peers DIR: Zentrale beside the bridges that the folder holds, in one run: the same Prosody, a homeserver that answers at once,
 * one room with one person on each side, the same loads, taking turns. One table; the last column is Zentrale's best round to the best of the others.
 * Below it stands what Prosody allows: a bare component in a room with that person and two of its own.
 */
import { sleep, systemClock as clock } from '../src/lib/clock'
import type { Ground } from './ground'
import { fullSpeed, steady, type Outcome, type Way } from './load'
import { type Bridge, peersIn, startPeer } from './peers'
import { cpuSeconds, rssMiB } from './proc'

const OUT_COUNT = 5_000
const IN_COUNT = 2_000
const WARM_COUNT = 1_500
const STEADY_COUNT = 125
const STEADY_PER_SECOND = 50
const ROUNDS = 3
const SETTLE_MS = 750

/** `ms`: of processor for a message. */
interface Cost { perSecond: number; ms: number; p50Ms: number; wrong: number[] }

interface Measured { name: string; rest: number; after: number; out: Cost[]; in: Cost[] }

const WRONG = ['outOfOrder', 'lost', 'doubled'] as const
const wrongIn = (...outcomes: Outcome[]): number[] => WRONG.map(what => outcomes.reduce((sum, outcome) => sum + outcome[what], 0))

const measure = async ({ pid }: Bridge, way: Way, count: number): Promise<Cost> => {
  const before = cpuSeconds(pid)
  const full = await fullSpeed(way, count)
  const ms = (cpuSeconds(pid) - before) * 1000 / count
  await sleep(clock, SETTLE_MS)
  const paced = await steady(way, STEADY_COUNT, STEADY_PER_SECOND)
  await sleep(clock, SETTLE_MS)
  return { perSecond: full.perSecond, ms, p50Ms: paced.p50Ms, wrong: wrongIn(full, paced) }
}

interface Figure { name: string; of: (measured: Measured) => number[]; digits: number; isBetter?: 'more' | 'less' }

const figuresOf = (way: 'out' | 'in', name: string): Figure[] => [
  { name: `${name}: a second`, of: one => one[way].map(({ perSecond }) => perSecond), digits: 0, isBetter: 'more' },
  ...WRONG.map((what, index): Figure => ({
    name: `${name}: ${what === 'outOfOrder' ? 'out of order' : what}`, of: one => one[way].map(({ wrong }) => wrong[index]!), digits: 0
  })),
  { name: `${name}: p50 ms at ${STEADY_PER_SECOND}/s`, of: one => one[way].map(({ p50Ms }) => p50Ms), digits: 1, isBetter: 'less' },
  { name: `${name}: processor ms for a message`, of: one => one[way].map(({ ms }) => ms), digits: 2, isBetter: 'less' }
]

const FIGURES: Figure[] = [
  ...figuresOf('out', 'Matrix→XMPP'), ...figuresOf('in', 'XMPP→Matrix'),
  { name: 'MiB at rest', of: ({ rest }) => [rest], digits: 0, isBetter: 'less' },
  { name: 'MiB after', of: ({ after }) => [after], digits: 0, isBetter: 'less' }
]

const cell = (values: number[], digits: number): string =>
  [...new Set([Math.min(...values), Math.max(...values)].map(value => value.toFixed(digits)))].join('–')

/** Of the best rounds, because machines are noisy: Zentrale's to the better one of the others. */
const ratio = ([zentrale, ...others]: Measured[], { of, isBetter }: Figure): string => {
  if (isBetter === undefined) return ''
  const best = isBetter === 'more' ? Math.max : Math.min
  return `× ${(best(...of(zentrale!)) / best(...others.flatMap(of))).toFixed(2)}`
}

const tableOf = (all: Measured[]): string => {
  const heads = [`${ROUNDS} rounds, least–most`, ...all.map(({ name }) => name), 'Zentrale to the best of the others']
  const rows = FIGURES.map(figure => [figure.name, ...all.map(one => cell(figure.of(one), figure.digits)), ratio(all, figure)])
  const rule = heads.map((_, column) => column === 0 ? '---' : '---:')
  return [heads, rule, ...rows].map(row => `| ${row.join(' | ')} |\n`).join('')
}

const limitsOf = async (ground: Ground): Promise<string> => {
  const [out, into] = [await fullSpeed(ground.bareOut(), OUT_COUNT), await fullSpeed(ground.bareIn(), IN_COUNT)]
  return `\nLimit: a bare component sends ${out.perSecond} messages a second to the person, and hears ${into.perSecond} from them.\n`
}

/** Returns the table. Throws if Zentrale lost, doubled or reordered anything. */
export const beside = async (ground: Ground, folder: string, dir: string): Promise<string> => {
  const bridges: Bridge[] = [{
    name: 'Zentrale', pid: ground.pids.zentrale, toXmpp: ground.toXmpp(1), toMatrix: ground.toMatrix(1), stop: async () => { /* with its ground */ }
  }]
  try {
    for (const name of peersIn(folder)) bridges.push(await startPeer(ground, folder, name, dir))
    await sleep(clock, SETTLE_MS)
    const all = bridges.map(({ name, pid }): Measured => ({ name, rest: rssMiB(pid), after: 0, out: [], in: [] }))
    for (const { toXmpp, toMatrix } of bridges) for (const way of [toXmpp, toMatrix]) await fullSpeed(way, WARM_COUNT)
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, bridge] of bridges.entries()) {
        all[index]!.out.push(await measure(bridge, bridge.toXmpp, OUT_COUNT))
        all[index]!.in.push(await measure(bridge, bridge.toMatrix, IN_COUNT))
        process.stderr.write(`${bridge.name}: ${all[index]!.out.at(-1)!.perSecond}/s, ${all[index]!.in.at(-1)!.perSecond}/s\n`)
      }
    }
    for (const [index, { pid }] of bridges.entries()) all[index]!.after = rssMiB(pid)
    const table = tableOf(all) + await limitsOf(ground)
    if ([...all[0]!.out, ...all[0]!.in].some(({ wrong }) => wrong.some(count => count > 0))) throw new Error(`Zentrale is not whole\n${table}`)
    return table
  } finally {
    for (const bridge of bridges) await bridge.stop()
  }
}
