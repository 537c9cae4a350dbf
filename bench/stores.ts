/**
 * npm run bench:stores: what a message costs with its store in a file, in a file that holds a million messages already, and in PostgreSQL, in one
 * run. The homeserver and the rooms on XMPP cost nothing. All three stand at once and take turns, and the best round counts, because machines are
 * noisy. PostgreSQL is on the same machine, and syncs to disk. An argument says how many messages the full file holds.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ensure } from '../sandbox/servers/available'
import { startPostgres, type Postgres } from '../sandbox/servers/postgres'
import { sleep, systemClock as clock } from '../src/lib/clock'
import { FILE, type Ground, raiseGround, type StoreAt } from './ground'
import { fullSpeed, steady, type Way } from './load'
import { cpuSeconds, rssMiB } from './proc'

const FULL = Number(process.argv[2] ?? 1_000_000)
const WARM_COUNT = 2_000
const COUNT = 4_000
const STEADY_COUNT = 250
const STEADY_PER_SECOND = 50
const ROUNDS = 3
const SETTLE_MS = 2_000

/** `ms`: of Zentrale's processor for a message. */
interface Cost { perSecond: number; ms: number; commits: number; p50Ms: number; p95Ms: number }
interface Stand { name: string; ground: Ground; costs: Cost[][] } // by way

const tell = (text: string): void => { process.stderr.write(`${text}\n`) }

/** Column by column, what another message has where this one has that. */
const OTHER: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  journal: { seq: 'seq + turn * step', key: "key || '~' || turn" },
  outbox: { id: 'id + turn * step', key: "key || '~' || turn", journal: 'journal + turn * step' },
  remote: { id: "id || '~' || turn", outbox: 'outbox + turn * step' }
}

/** Writes what the store holds many times over, each time as other messages, until there are so many. */
const fill = (path: string, most: number): void => {
  const db = new DatabaseSync(path)
  db.exec('PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -200000; BEGIN')
  const { messages, step } = db.prepare('SELECT count(*) AS messages, max(seq) + (SELECT max(id) FROM outbox) AS step FROM journal').get() as
    Record<'messages' | 'step', number>
  const turns = Math.ceil(most / messages) - 1
  const counting = ['WITH RECURSIVE turns (turn) AS (SELECT 1 UNION ALL SELECT turn + 1 FROM turns WHERE turn < ', String(turns), ')'].join('')
  for (const [table, others] of Object.entries(OTHER)) {
    const columns = db.prepare('SELECT name FROM pragma_table_info(?)').all(table).map(({ name }) => String(name))
    const values = columns.map(name => others[name] ?? name).join().replaceAll('step', String(step))
    db.exec([`INSERT INTO ${table} (${columns.join()}) ${counting}`, `SELECT ${values} FROM ${table} CROSS JOIN turns`].join(' '))
  }
  db.exec('COMMIT')
  db.close()
}

const atFullSpeed = async ({ pids: { zentrale }, commits }: Ground, way: Way): Promise<Omit<Cost, 'p50Ms' | 'p95Ms'>> => {
  const [before, committed] = [cpuSeconds(zentrale), await commits()]
  const { perSecond, lost, doubled, outOfOrder } = await fullSpeed(way, COUNT)
  if (lost + doubled + outOfOrder > 0) throw new Error(`lost ${lost}, doubled ${doubled}, out of order ${outOfOrder}`)
  return { perSecond, ms: (cpuSeconds(zentrale) - before) * 1000 / COUNT, commits: (await commits() - committed) / COUNT }
}

const waysOf = (ground: Ground): Way[] => [ground.toXmpp(1), ground.toMatrix(1)]

const raise = async (dir: string, name: string, store: StoreAt, most = 0): Promise<Stand> => {
  const ground = await raiseGround(dir, 'free', { store })
  for (const way of waysOf(ground)) await fullSpeed(way, WARM_COUNT)
  if (most > 0) {
    await ground.again(async () => fill(join(dir, 'data', 'zentrale.db'), most))
    for (const way of waysOf(ground)) await fullSpeed(way, WARM_COUNT)
  }
  await sleep(clock, SETTLE_MS)
  return { name, ground, costs: waysOf(ground).map(() => []) }
}

const round = async ({ name, ground, costs }: Stand): Promise<void> => {
  for (const [index, way] of waysOf(ground).entries()) {
    const full = await atFullSpeed(ground, way)
    await sleep(clock, SETTLE_MS)
    const { p50Ms, p95Ms } = await steady(way, STEADY_COUNT, STEADY_PER_SECOND)
    costs[index]!.push({ ...full, p50Ms, p95Ms })
    tell(`${name}: ${full.perSecond}/s, ${p50Ms.toFixed(1)} ms`)
    await sleep(clock, SETTLE_MS)
  }
}

/** Of each figure, that of its best round. */
const best = (costs: Cost[]): Cost => ({
  perSecond: Math.max(...costs.map(({ perSecond }) => perSecond)), commits: Math.min(...costs.map(({ commits }) => commits)),
  ms: Math.min(...costs.map(({ ms }) => ms)), p50Ms: Math.min(...costs.map(({ p50Ms }) => p50Ms)), p95Ms: Math.min(...costs.map(({ p95Ms }) => p95Ms))
})

const row = (...cells: (string | number)[]): void => { process.stdout.write(`| ${cells.join(' | ')} |\n`) }
const beside = (value: number, first: number, digits: number): string => `${value.toFixed(digits)} (× ${(value / first).toFixed(2)})`

const cells = (cost: Cost, first: Cost): (string | number)[] => [
  beside(cost.perSecond, first.perSecond, 0), beside(cost.ms, first.ms, 2), cost.commits.toFixed(2), beside(cost.p50Ms, first.p50Ms, 1),
  cost.p95Ms.toFixed(1)
]

const main = async (): Promise<void> => {
  await ensure(['postgres'])
  const dir = mkdtempSync(join(tmpdir(), 'zentrale-stores-'))
  chmodSync(dir, 0o711) // PostgreSQL's own user must be able to enter it
  const stands: Stand[] = []
  let postgres: Postgres | undefined
  try {
    postgres = await startPostgres({ dir: join(dir, 'postgres'), fsync: true })
    stands.push(await raise(join(dir, 'file'), 'file', FILE))
    stands.push(await raise(join(dir, 'full'), `file with ${FULL} messages`, FILE, FULL))
    stands.push(await raise(join(dir, 'database'), 'PostgreSQL', { postgres: await postgres.createDatabase('bench') }))
    for (let turn = 0; turn < ROUNDS; turn++) for (const stand of stands) await round(stand)
    const figures = ['Matrix→XMPP', 'XMPP→Matrix'].flatMap(way => [`${way}: a second`, 'ms of Zentrale', 'commits', 'p50 ms at 50/s', 'p95'])
    const heads = ['store', ...figures, 'MiB']
    row(...heads)
    row(...heads.map((_, column) => column === 0 ? '---' : '---:'))
    const firsts = stands[0]!.costs.map(best)
    for (const { name, ground, costs } of stands) {
      row(name, ...costs.flatMap((of, way) => cells(best(of), firsts[way]!)), rssMiB(ground.pids.zentrale))
    }
  } finally {
    for (const { ground } of stands) await ground.stop()
    await postgres?.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

main().then(() => process.exit(0), (error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
})
