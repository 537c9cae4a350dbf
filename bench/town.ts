/**
 * npm run bench:town -- 16 16/100000 1000 10000: what many mirrors cost that are silent. Each argument is a number of mirrors, and perhaps how many
 * people were shown before and are remembered; in sixteen mirrors something is said. The homeserver and the rooms on XMPP cost nothing, so it is
 * Zentrale that is measured. The towns stand one after the other.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { checkout } from '../sandbox/servers/process'
import { sleep, systemClock as clock } from '../src/lib/clock'
import { type Ground, raiseGround, ROOMS } from './ground'
import { fullSpeed, type Way } from './load'
import { cpuSeconds, rssMiB } from './proc'
import { profiled } from './profile'

const GIVEN = process.argv.slice(2)
const SIZES = GIVEN.length > 0 ? GIVEN : [`${ROOMS}`, `${ROOMS}/100000`, '1000', '9990']
const WARM_COUNT = 3_000
const COUNT = 6_000
const ROUNDS = 3 // the best counts, beside other work
const SETTLE_MS = 3_000
const IDLE_SECONDS = 35 // a look for what was not pushed comes so late
const IDLE_SECONDS_MAX = 300
const IDLE_SHARE = 0.1 // of one processor

interface Cost { ms: number; perSecond: number; fromReady: number }

/** How Zentrale started: with an empty store and with its own. `seconds`: of processor. */
interface Start { ms: number; seconds: number; commits: number }

interface Costs { first: Start; again: Start; mib: number; restMib: number; out: Cost; in: Cost }

const once = async ({ pids: { zentrale } }: Ground, way: Way, count: number): Promise<Omit<Cost, 'fromReady'>> => {
  const before = cpuSeconds(zentrale)
  const { perSecond, lost, doubled, outOfOrder } = await fullSpeed(way, count)
  if (lost + doubled + outOfOrder > 0) throw new Error(`lost ${lost}, doubled ${doubled}, out of order ${outOfOrder}`)
  return { ms: (cpuSeconds(zentrale) - before) * 1000 / count, perSecond }
}

/** Resolves when nothing of the start is under way any more, or when that takes long. */
const idle = async (pid: number): Promise<void> => {
  for (let before = -1, quiet = 0, all = 0; quiet < IDLE_SECONDS && all < IDLE_SECONDS_MAX; all++) {
    await sleep(clock, 1000)
    const now = cpuSeconds(pid)
    quiet = now - before < IDLE_SHARE ? quiet + 1 : 0
    before = now
  }
}

/** `fromReady`: messages a second just after the start, when ghosts come in and code is compiled. */
const costOf = async (ground: Ground, name: string, way: Way): Promise<Cost> => {
  const { perSecond: fromReady } = await once(ground, way, WARM_COUNT)
  await idle(ground.pids.zentrale)
  const rounds: Omit<Cost, 'fromReady'>[] = []
  await profiled(name, async () => { for (let round = 0; round < ROUNDS; round++) rounds.push(await once(ground, way, COUNT)) })
  return { ...rounds.reduce((one, other) => other.ms < one.ms ? other : one), fromReady }
}

/** Writes what is remembered on Matrix of somebody who was shown there, once more for each of so many others. */
const acquaint = (path: string, people: number): void => {
  const db = new DatabaseSync(path)
  const counting = `WITH RECURSIVE others (other) AS (SELECT 1 UNION ALL SELECT other + 1 FROM others WHERE other < ${people})`
  const { changes } = db.prepare(`INSERT INTO memory ${counting} SELECT owner, replace(key, 'raum0=40', 'gast' || other || '=40'), value || other
    FROM memory CROSS JOIN others WHERE owner = 'matrix' AND (key LIKE 'name @%raum0=40%' OR key LIKE 'stood for @%raum0=40%')`).run()
  db.close()
  if (Number(changes) < people) throw new Error('nobody was shown whose memory could be copied')
}

const measure = async (size: string): Promise<Costs> => {
  const [mirrors = ROOMS, people = 0] = size.split('/').map(Number)
  const dir = mkdtempSync(join(checkout, '.sandbox', 'town-'))
  const ground = await raiseGround(dir, 'free', { mirrors })
  try {
    const started = async (ms: number): Promise<Start> =>
      ({ ms, seconds: cpuSeconds(ground.pids.zentrale), commits: await ground.commits() })
    const first = await started(ground.startMs.first)
    if (people > 0) await once(ground, ground.toMatrix(ROOMS), WARM_COUNT)
    await sleep(clock, SETTLE_MS)
    await ground.again(async () => { if (people > 0) acquaint(join(dir, 'data', 'zentrale.db'), people) })
    const again = await started(ground.startMs.again)
    const out = await costOf(ground, `${mirrors}-out`, ground.toXmpp(ROOMS))
    const inwards = await costOf(ground, `${mirrors}-in`, ground.toMatrix(ROOMS))
    const mib = rssMiB(ground.pids.zentrale)
    await idle(ground.pids.zentrale)
    return { first, again, mib, restMib: rssMiB(ground.pids.zentrale), out, in: inwards }
  } finally {
    await ground.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

const row = (...cells: (string | number)[]): void => { process.stdout.write(`| ${cells.join(' | ')} |\n`) }

const cells = ({ ms, perSecond, fromReady }: Cost, few: Cost): (string | number)[] =>
  [fromReady, perSecond, `${ms.toFixed(3)} (× ${(ms / few.ms).toFixed(2)})`]

const startCell = ({ ms, seconds, commits }: Start): string => `${(ms / 1000).toFixed(1)} s, ${seconds.toFixed(1)} s, ${commits}`

const main = async (): Promise<void> => {
  mkdirSync(join(checkout, '.sandbox'), { recursive: true })
  const heads = ['mirrors', 'first start: ready after, processor, commits', 'start: the same', 'MiB after all, and at rest again',
    ...['Matrix→XMPP', 'XMPP→Matrix'].flatMap(way => ['a second at first', 'a second', 'ms for a message'].map(cell => `${way}: ${cell}`))]
  row(...heads)
  row(...heads.map(() => '---:'))
  let few: Costs | undefined
  for (const size of SIZES) {
    const costs = await measure(size)
    few ??= costs
    row(size, startCell(costs.first), startCell(costs.again), `${costs.mib}, ${costs.restMib}`,
      ...cells(costs.out, few.out), ...cells(costs.in, few.in))
  }
}

main().then(() => process.exit(0), (error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
})
