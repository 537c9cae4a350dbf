/**
 * npm run bench:crowd -- 5/5 500/500: what a message costs in a mirror with few people and with many who say nothing. Each argument says how many
 * are on Matrix, and how many on XMPP; a third number is the mirror's `members_max`, and without it the default holds. Prosody's part is also
 * measured alone, in a room with the same people and without Zentrale. All sizes are there at once and take turns, and the median counts.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensure } from '../sandbox/servers/available'
import { checkout } from '../sandbox/servers/process'
import { sleep, systemClock as clock } from '../src/lib/clock'
import { LISTED_MAX } from '../src/networks/xmpp/muc/bringing'
import { type Ground, raiseGround } from './ground'
import { fullSpeed, type Outcome, steady, type Way } from './load'
import { cpuSeconds, rssMiB } from './proc'

const GIVEN = process.argv.slice(2)
const SIZES = (GIVEN.length > 0 ? GIVEN : ['5/5', '500/5', '5/500', '500/500'])
  .map(size => size.split('/').map(Number) as [matrix: number, xmpp: number, membersMax?: number])
const DEFAULT_MAX = 100
const WARM_COUNT = 500
const COUNT = 500
const UNDER_WAY = 64
/** Zentrale's own part is measured at a pace at which every size has the same to do: what comes together costs less. */
const PACED_COUNT = 200
const PER_SECOND = 20
const IDLE_MS = 10_000
const ROUNDS = 3

/** `ms`: of processor for each message. */
interface Cost { ms: number; perSecond: number }

const watched = async (pid: number | undefined, load: Promise<Outcome>): Promise<Cost> => {
  const now = (): number => pid === undefined ? NaN : cpuSeconds(pid)
  const before = now()
  const { count, perSecond, lost, doubled, outOfOrder } = await load
  if (lost + doubled + outOfOrder > 0) throw new Error(`lost ${lost}, doubled ${doubled}, out of order ${outOfOrder}`)
  return { ms: (now() - before) * 1000 / count, perSecond }
}

/** What it costs without messages, per message at PER_SECOND. */
const idleOf = async ({ pids: { zentrale } }: Ground): Promise<number> => {
  const before = cpuSeconds(zentrale)
  await sleep(clock, IDLE_MS)
  return (cpuSeconds(zentrale) - before) * 1000 / (IDLE_MS / 1000 * PER_SECOND)
}

const median = (all: number[]): number => all.toSorted((one, other) => one - other)[Math.floor(all.length / 2)]!

/** What a message costs Zentrale, in each round. */
interface Costs { ms: number[]; prosody: Cost; alone: Cost }

interface Size { name: string; dir: string; ground: Ground; seconds: number; rest: number; out: Costs; in: Costs }

const NONE: Cost = { ms: NaN, perSecond: NaN }

/** What is measured once: Prosody's part, with Zentrale and alone. */
const prosodyOf = async ({ pids }: Ground, way: Way, bare: Way, costs: Costs): Promise<void> => {
  await fullSpeed(way, WARM_COUNT, UNDER_WAY)
  costs.prosody = await watched(pids.prosody, fullSpeed(way, COUNT, UNDER_WAY))
  await fullSpeed(bare, WARM_COUNT, UNDER_WAY)
  costs.alone = await watched(pids.prosody, fullSpeed(bare, COUNT, UNDER_WAY))
}

const raise = async ([matrix, xmpp, membersMax]: typeof SIZES[number]): Promise<Size> => {
  const dir = mkdtempSync(join(checkout, '.sandbox', 'crowd-'))
  const ground = await raiseGround(dir, 'plain', { matrix, xmpp, membersMax })
  const start = clock.tick() // on each side, there is somebody who speaks besides those who are silent
  const shownOf = (people: number): number => people > (membersMax ?? DEFAULT_MAX) ? 0 : people
  await ground.allThere(matrix + 2 + shownOf(xmpp + 1), Math.min(shownOf(matrix + 1), LISTED_MAX))
  const costs = (): Costs => ({ ms: [], prosody: NONE, alone: NONE })
  return {
    name: `${matrix} / ${xmpp}${membersMax === undefined ? '' : `, \`members_max: ${membersMax}\``}`, dir, ground,
    seconds: (clock.tick() - start) / 1000, rest: rssMiB(ground.pids.zentrale), out: costs(), in: costs()
  }
}

const measure = async ({ ground, ...costs }: Size): Promise<void> => {
  const idle = await idleOf(ground)
  for (const [way, { ms }] of [[ground.toXmpp(1), costs.out], [ground.toMatrix(1), costs.in]] as const) {
    ms.push((await watched(ground.pids.zentrale, steady(way, PACED_COUNT, PER_SECOND))).ms - idle)
  }
}

const row = (...cells: (string | number)[]): void => { process.stdout.write(`| ${cells.join(' | ')} |\n`) }

/** `few`: the same with few people. */
const cells = ({ ms, prosody, alone }: Costs, few: Costs): string[] => [
  `${median(ms).toFixed(2)} (× ${(median(ms) / median(few.ms)).toFixed(2)})`, ms.map((one, round) => (one / few.ms[round]!).toFixed(2)).join(', '),
  `${prosody.ms.toFixed(2)}, ${alone.ms.toFixed(2)}`, `${prosody.perSecond}, ${alone.perSecond}`
]

const main = async (): Promise<void> => {
  await ensure(['prosody'])
  mkdirSync(join(checkout, '.sandbox'), { recursive: true })
  const each = ['ms of Zentrale', 'ratio of each round', 'ms of Prosody, alone', 'a second, Prosody alone']
  const heads = ['people on Matrix / XMPP', 'ghosts in the MUC', 'all there after', 'MiB at rest, after',
    ...['Matrix→XMPP', 'XMPP→Matrix'].flatMap(way => each.map(cell => `${way}: ${cell}`))]
  const sizes: Size[] = []
  try {
    for (const size of SIZES) sizes.push(await raise(size))
    for (const { ground, ...costs } of sizes) {
      await prosodyOf(ground, ground.toXmpp(1), ground.bareOut(), costs.out)
      await prosodyOf(ground, ground.toMatrix(1), ground.bareIn(), costs.in)
    }
    for (let round = 0; round < ROUNDS; round++) for (const size of sizes) await measure(size)
    row(...heads)
    row(...heads.map(() => '---:'))
    const [few] = sizes
    for (const { name, ground, seconds, rest, ...costs } of sizes) {
      row(name, ground.ghosts(), `${seconds.toFixed(1)} s`, `${rest}, ${rssMiB(ground.pids.zentrale)}`,
        ...cells(costs.out, few!.out), ...cells(costs.in, few!.in))
    }
  } finally {
    for (const { ground, dir } of sizes) {
      await ground.stop()
      rmSync(dir, { recursive: true, force: true })
    }
  }
}

main().then(() => process.exit(0), (error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
})
