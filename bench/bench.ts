/**
 * npm run bench: measures what Zentrale costs, and beside each figure the limit of what it depends on, all in one run. Prints a table.
 * `--json` prints JSON instead; `--out <file>` also writes the JSON to a file. Ends within four minutes, with exit status 1 if anything was
 * lost, doubled or out of order. `--peers <folder>` measures Zentrale beside the other bridges that are in that folder, and nothing else.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { cpus, tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { ensure } from '../sandbox/servers/available'
import { checkout, until } from '../sandbox/servers/process'
import { sleep, systemClock as clock } from '../src/lib/clock'
import { bare } from './bare'
import { beside } from './beside'
import { GATEWAY, type Ground, PHONES, raiseGround, ROOMS, type Rooms } from './ground'
import { fullSpeed, steady, type Way } from './load'
import { cpuSeconds, rssMiB, rssPeakMiB } from './proc'
import { type Row, table } from './table'

const { values: { json = false, out, peers } } =
  parseArgs({ options: { json: { type: 'boolean' }, out: { type: 'string' }, peers: { type: 'string' } } })

const COUNT = 5_000
const COUNT_ARCHIVE = 2_000
const WARM_COUNT = 1_500
const PER_ROOM_FIRST = 8
const STEADY_COUNT = 250
const STEADY_PER_SECOND = 50
const SMS_COUNT = 1_000
const PUTS_COUNT = 4_000
const PUTS_UNDER_WAY = 64
const SMPP_UNDER_WAY = 10 // the gateway's own preset
const SETTLE_MS = 1_500
const SMS_MS_MAX = 30_000

const tell = (text: string): void => { process.stderr.write(`${text}\n`) }

/** Runs `what`, and measures how busy Zentrale, Prosody and the bench itself (with the homeserver in it) are meanwhile. */
const watched = async (ground: Ground, what: () => Promise<Omit<Row, 'name' | 'busy'>>, name: string, limit?: string): Promise<Row> => {
  const pids = { ...ground.pids, bench: process.pid }
  const start = clock.tick()
  const before = Object.entries(pids).map(([who, pid]) => [who, cpuSeconds(pid)] as const)
  const committed = await ground.commits()
  const row = await what()
  const seconds = (clock.tick() - start) / 1000
  const commits = await ground.commits() - committed
  const busy = Object.fromEntries(before.map(([who, spent]) =>
    [who, Math.round(100 * (cpuSeconds(pids[who as 'bench']) - spent) / seconds)]))
  const done: Row = { name, ...limit === undefined ? {} : { limit }, ...row, busy, ...name.includes('limit') ? {} : { commits: commits / row.count } }
  tell(`${name}: ${row.perSecond ?? '-'}/s`)
  await sleep(clock, SETTLE_MS)
  return done
}

const full = (way: Way, count: number) => async () => {
  const { perSecond, outOfOrder, lost, doubled } = await fullSpeed(way, count)
  return { count, perSecond, outOfOrder, lost, doubled }
}

const paced = (way: Way) => async () => {
  const { p50Ms, p95Ms, outOfOrder, lost, doubled } = await steady(way, STEADY_COUNT, STEADY_PER_SECOND)
  return { count: STEADY_COUNT, p50Ms, p95Ms, outOfOrder, lost, doubled }
}

const toPhones = (ground: Ground, room: 'phone' | 'phones', count: number) => async () => {
  const each = room === 'phone' ? 1 : PHONES
  const way = ground.toPhones(room)
  const before = ground.smsc.counts.submits
  const start = clock.tick()
  for (let index = 0; index < count / each; index++) way.send(0, 0, index)
  await until('all SMS are out', SMS_MS_MAX, () => ground.smsc.counts.submits - before >= count)
  return { count, perSecond: Math.round(count / (clock.tick() - start) * 1000) }
}

const put = (ground: Ground, underWay: number) => async () => {
  const { homeserver } = ground
  const person = homeserver.person('bare')
  const task = { kind: 'http', url: homeserver.url, token: person.accessToken, room: person.createRoom(), count: PUTS_COUNT, underWay } as const
  return { count: PUTS_COUNT, perSecond: await bare(task) }
}

const submit = (ground: Ground, underWay: number) => async () => {
  const config = { ...GATEWAY, host: '127.0.0.1', port: ground.smsc.port }
  return { count: SMS_COUNT, perSecond: await bare({ kind: 'smpp', config, count: SMS_COUNT, underWay }) }
}

/** Warms up: every ghost is in its room, and every code path is compiled. */
const warm = async (ground: Ground): Promise<void> => {
  for (const way of [ground.toXmpp(ROOMS), ground.toMatrix(ROOMS)]) await fullSpeed(way, ROOMS * PER_ROOM_FIRST)
  for (const way of [ground.toXmpp(1), ground.toMatrix(1), ground.bareOut(), ground.bareIn()]) await fullSpeed(way, WARM_COUNT)
}

/** Whether nothing is lost, doubled or out of order. */
const isWhole = ({ lost = 0, doubled = 0, outOfOrder = 0 }: Row): boolean => lost + doubled + outOfOrder === 0

interface Memory { restMiB: number, afterMiB: number, peakMiB: number, databaseMiB: number }

const inTown = async (rooms: Rooms, play: (ground: Ground) => Promise<Row[]>): Promise<{ rows: Row[], memory: Memory }> => {
  mkdirSync(join(checkout, '.sandbox'), { recursive: true })
  const dir = mkdtempSync(join(checkout, '.sandbox', 'bench-'))
  const ground = await raiseGround(dir, rooms)
  let whole = false
  try {
    await sleep(clock, SETTLE_MS)
    const { zentrale } = ground.pids
    const restMiB = rssMiB(zentrale)
    await warm(ground)
    const rows = await play(ground)
    whole = rows.every(isWhole)
    const databaseMiB = Math.round(readFileSync(join(dir, 'data', 'zentrale.db')).length / 2 ** 20)
    return { rows, memory: { restMiB, afterMiB: rssMiB(zentrale), peakMiB: rssPeakMiB(zentrale), databaseMiB } }
  } finally {
    await ground.stop()
    if (whole) rmSync(dir, { recursive: true, force: true })
    else tell(`What Zentrale logged is in ${dir}`)
  }
}

/** Measures Zentrale beside the bridges in this folder. */
const amongPeers = async (folder: string): Promise<boolean> => {
  await ensure(['prosody'])
  const dir = mkdtempSync(join(tmpdir(), 'zentrale-peers-'))
  const ground = await raiseGround(dir, 'plain')
  try {
    process.stdout.write(await beside(ground, resolve(folder), dir))
  } catch (error) {
    tell(`What the bridges logged is in ${dir}`)
    throw error
  } finally {
    await ground.stop()
  }
  rmSync(dir, { recursive: true, force: true })
  return true
}

const OUT = 'limit: bare component out, one room'
const IN = 'limit: bare component in, one room'
const PUT_ONE = 'limit: bare HTTP client, one under way'
const PUT_MANY = `limit: bare HTTP client, ${PUTS_UNDER_WAY} under way`
const SMPP_ONE = 'limit: bare SMPP session, one under way'
const SMPP_MANY = `limit: bare SMPP session, ${SMPP_UNDER_WAY} under way`
const PACED = `limit: bare component at ${STEADY_PER_SECOND}/s`
const ARCHIVED = 'with archive: limit: bare component out'
const FREE_OUT = 'free rooms: limit: bare component out, one room'
const FREE_IN = 'free rooms: limit: bare component in, one room'
const FREE_PUT = 'free rooms: limit: bare HTTP client, one under way'

const headline = async (ground: Ground): Promise<Row[]> => [
  await watched(ground, full(ground.toXmpp(1), COUNT), 'Matrix→XMPP, one room', OUT),
  await watched(ground, full(ground.toXmpp(ROOMS), COUNT), `Matrix→XMPP, ${ROOMS} rooms`, OUT),
  await watched(ground, full(ground.bareOut(), COUNT), OUT),
  await watched(ground, full(ground.toMatrix(1), COUNT), 'XMPP→Matrix, one room', PUT_ONE),
  await watched(ground, full(ground.toMatrix(ROOMS), COUNT), `XMPP→Matrix, ${ROOMS} rooms`, IN),
  await watched(ground, full(ground.bareIn(), COUNT), IN),
  await watched(ground, put(ground, 1), PUT_ONE),
  await watched(ground, put(ground, PUTS_UNDER_WAY), PUT_MANY),
  await watched(ground, paced(ground.toXmpp(1)), `Matrix→XMPP at ${STEADY_PER_SECOND}/s`),
  await watched(ground, paced(ground.bareOut()), PACED),
  await watched(ground, paced(ground.toMatrix(1)), `XMPP→Matrix at ${STEADY_PER_SECOND}/s`),
  await watched(ground, toPhones(ground, 'phone', SMS_COUNT), 'Matrix→SMS, one phone', SMPP_ONE),
  await watched(ground, toPhones(ground, 'phones', SMS_COUNT * 4), `Matrix→SMS, ${PHONES} phones`, SMPP_MANY),
  await watched(ground, submit(ground, 1), SMPP_ONE),
  await watched(ground, submit(ground, SMPP_UNDER_WAY), SMPP_MANY)
]

/** Measures what Zentrale could do if the XMPP server cost nothing. */
const free = async (ground: Ground): Promise<Row[]> => [
  await watched(ground, full(ground.toXmpp(1), COUNT), 'free rooms: Matrix→XMPP, one room', FREE_OUT),
  await watched(ground, full(ground.toXmpp(ROOMS), COUNT), `free rooms: Matrix→XMPP, ${ROOMS} rooms`, FREE_OUT),
  await watched(ground, full(ground.bareOut(), COUNT), FREE_OUT),
  await watched(ground, full(ground.toMatrix(1), COUNT), 'free rooms: XMPP→Matrix, one room', FREE_PUT),
  await watched(ground, full(ground.toMatrix(ROOMS), COUNT), `free rooms: XMPP→Matrix, ${ROOMS} rooms`, FREE_IN),
  await watched(ground, full(ground.bareIn(), COUNT), FREE_IN),
  await watched(ground, put(ground, 1), FREE_PUT)
]

const withArchive = async (ground: Ground): Promise<Row[]> => [
  await watched(ground, full(ground.toXmpp(1), COUNT_ARCHIVE), 'with archive: Matrix→XMPP, one room', ARCHIVED),
  await watched(ground, full(ground.bareOut(), COUNT_ARCHIVE), ARCHIVED),
  await watched(ground, full(ground.toMatrix(1), COUNT_ARCHIVE), 'with archive: XMPP→Matrix, one room')
]

const main = async (): Promise<boolean> => {
  await ensure(['prosody'])
  const start = clock.tick()
  const { rows, memory } = await inTown('plain', headline)
  rows.push(...(await inTown('free', free)).rows, ...(await inTown('archive', withArchive)).rows)
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`
  const result = { at: new Date(clock.now()).toISOString(), machine, seconds: Math.round((clock.tick() - start) / 1000), rows, memory }
  const text = JSON.stringify(result, undefined, 2)
  if (out !== undefined) writeFileSync(out, `${text}\n`)
  process.stdout.write(json ? `${text}\n` : `${table(rows)}\n
Memory of Zentrale (RSS): ${memory.restMiB} MiB at rest, ${memory.afterMiB} MiB after, ${memory.peakMiB} MiB at most.
Its database: ${memory.databaseMiB} MiB.
${result.machine}; ${result.at}; ${result.seconds} s.\n`)
  return rows.every(isWhole)
}

(peers === undefined ? main() : amongPeers(peers)).then(ok => process.exit(ok ? 0 : 1), (error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
})
