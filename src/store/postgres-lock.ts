/**
 * The one session that a store in PostgreSQL is written over. It holds the advisory lock, so whoever has it is the active one; and when the session
 * ends, so does the right to write. It ends for whoever can no longer be heard of, and they stop before somebody else takes over:
 *
 * | of the active one              | what ends its session                          | after            | it stops                          |
 * |--------------------------------|------------------------------------------------|------------------|-----------------------------------|
 * | the process ends               | its machine closes the connection              | at once          | –                                 |
 * | the process is frozen          | whoever waits for the lock                     | SILENT_MS        | when it goes on, before it speaks |
 * | the host or the network is dead | the server, which hears nothing               | SILENT_MS        | after ANSWER_MS and one beat      |
 * | the server is frozen           | it cannot                                      | –                | after ANSWER_MS and one beat      |
 */
import { Socket } from 'node:net'
import type { Client, DatabaseError, QueryConfig, QueryResultRow } from 'pg'
import { type Clock, sleep, type Timer } from '../lib/clock'
import { pg } from '../lib/packages'
import { messageOf } from '../model/errors'
import { MARK } from './mark'
import { isStrange, MOVED_TO, strangeness, UNVERSIONED } from './moved'
import { POSTGRES_MIGRATIONS } from './postgres-schema'
import { inUse } from './sql'

/** Whoever holds it in this database is the one Zentrale on it: "ZENT" in ASCII. */
export const LOCK = 0x5a454e54
/** So long the session of a process that has just died may keep it. */
const LOCK_WAIT_MS = 5_000

/** What sessions are called in pg_stat_activity: those of the active one, of one that waits, of `check`, and others. */
const ACTIVE = 'zentrale'
const WAITS = 'zentrale, stands by'
export const TRIES = 'zentrale check'
export const LOOKS = 'zentrale, looks'

const CONNECT_MS = 10_000
/** What the active one says every BEAT_MS, however quiet it is. */
export const BEAT = 'SELECT 1'
const BEAT_MS = 2_000
/** So late an answer may come. Together with a beat it is less than SILENT_MS, so that nobody is still at work when their session ends. */
export const ANSWER_MS = 12_000
const SILENT_MS = 15_000
/** A server that is away is tried again so often. */
const AGAIN_MS = 1_000

/**
 * The keepalives come to SILENT_MS. Words of the server's own config could end a session that only waits, or let a commit return before it is on
 * disk.
 */
const SETTINGS = `SET search_path = zentrale; SET client_min_messages = warning; SET statement_timeout = 0; SET idle_session_timeout = 0;
  SET idle_in_transaction_session_timeout = 0; SET tcp_keepalives_idle = 6; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3;
  SET tcp_user_timeout = 15000; SET bytea_output = hex; SET standard_conforming_strings = on;
  SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')`

/** The version of our schema. */
export const VERSION = 'SELECT version FROM zentrale.version'

/**
 * A session at work on a statement is no silent one, unless it is its client that does not take the answer; or a standby server that does not: what
 * waits for that is committed here, and whoever asked has long stopped.
 */
const END_SILENT = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity JOIN pg_locks USING (pid)
  WHERE locktype = 'advisory' AND classid = 0 AND objid = $1 AND objsubid = 1 AND granted AND datname = current_database() AND usename = current_user
    AND database = datid AND (state <> 'active' OR wait_event_type = 'Client' OR wait_event = 'SyncRep')
    AND state_change < clock_timestamp() - $2 * interval '1 ms'`

/** For whom the session with the lock waits. */
const BLOCKER = `SELECT pid, coalesce(usename, 'unknown') AS role, application_name AS name FROM pg_stat_activity WHERE pid = ANY (
  SELECT unnest(pg_blocking_pids(pid)) FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = $1 AND objsubid = 1 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`

/** Values as SQLite gives them, by their type: numbers as such, what is true as 1. Texts come as they are. */
const makeParsers = ({ BOOL, BYTEA, INT4, INT8, NUMERIC } = pg().types.builtins): Readonly<Record<number, (text: string | Buffer) => unknown>> => ({
  [INT4]: Number, [INT8]: Number, [NUMERIC]: Number, [BOOL]: text => text === 't' ? 1 : 0,
  [BYTEA]: text => new Uint8Array(Buffer.from(String(text).slice('\\x'.length), 'hex'))
})
const asItIs = (text: string | Buffer): unknown => text
let parsers: ReturnType<typeof makeParsers> | undefined
export const parserOf = (oid: number): ((text: string | Buffer) => unknown) => (parsers ??= makeParsers())[oid] ?? asItIs

const isOfDatabase = (error: unknown): error is DatabaseError => error instanceof pg().DatabaseError

export const codeOf = (error: unknown): string => isOfDatabase(error) ? error.code ?? '' : ''

const LOCKED = '55P03'
const NO_TABLE = '42P01'
/** Connection, resources, operator's intervention: SQLSTATE classes of a server that is away for a while. */
const AWAY: ReadonlySet<string> = new Set(['08', '53', '57'])
export const ONLY_READS = '25006' // it stands by for another server, or its disk is nearly full

/** It will be no better later. */
class Unfit extends Error {}
class InUse extends Error {}

/** Also whatever is no word of the server's: the connection ended, or an answer did not come. */
const isPassing = (error: unknown): boolean => isOfDatabase(error)
  ? AWAY.has(codeOf(error).slice(0, 2)) || codeOf(error) === ONLY_READS
  : !(error instanceof Unfit)

/** Where the database is, without the password. */
export const nameOf = (url: string): string => {
  try {
    const { host, pathname } = new URL(url)
    return `PostgreSQL at ${host}${pathname}`
  } catch {
    return 'PostgreSQL'
  }
}

/** `socket`: what carries it, and may be destroyed without asking anybody. */
export interface Held { client: Client; socket: Socket }

/** Rejects, and ends the session, if the answer is late. */
const ask = async <Row extends QueryResultRow>({ client }: Held, text: string, values?: unknown[]): Promise<Row[]> => {
  const asked: QueryConfig & { query_timeout: number } = { text, ...values && { values }, query_timeout: ANSWER_MS }
  return (await client.query<Row>(asked)).rows
}

/** A pooler tells a number of its own, and gives the session with its lock to others too. */
const mustBeDirect = async (held: Held): Promise<void> => {
  const [server] = await ask<{ pid: number }>(held, 'SELECT pg_backend_pid() AS pid')
  const told: unknown = Reflect.get(held.client, 'processID')
  if (server?.pid !== told) {
    throw new Unfit('a pooler such as pgbouncer is in between, where the lock that lets only one Zentrale be active does not hold. ' +
      'Let store.postgres lead to the server itself')
  }
}

/**
 * The modes of TLS that `pg` takes for verify-full, but not without a warning between the lines of our log. Whoever wants no look at the certificate
 * writes no-verify.
 */
const withoutWarning = (url: string): string => url.replace(/([?&]sslmode=)(prefer|require|verify-ca)(?=&|$)/g, '$1verify-full')

/**
 * A session beside others, which holds no lock. Nothing is written over it. `name`: as PostgreSQL shows it. `answerMs`: so late may an answer come; 0
 * is without a limit.
 */
export const connect = async (url: string, name: string, answerMs = 0): Promise<Held> => {
  const socket = new Socket()
  const client = new (pg().Client)({
    connectionString: withoutWarning(url), application_name: name, keepAlive: true, connectionTimeoutMillis: CONNECT_MS,
    types: { getTypeParser: parserOf }, query_timeout: answerMs, stream: () => socket
  })
  client.on('error', () => { /* what was asked rejects, and `watch` tells */ })
  const held = { client, socket }
  try {
    await client.connect()
    await mustBeDirect(held)
    await ask(held, SETTINGS)
    await ask(held, "SELECT set_config('lock_timeout', $1, false)", [String(BEAT_MS)])
    return held
  } catch (error) {
    socket.destroy()
    throw error
  }
}

const mustBeUtf8 = async (held: Held): Promise<void> => {
  const [server] = await ask<{ encoding: string }>(held, "SELECT current_setting('server_encoding') AS encoding")
  if (server?.encoding !== 'UTF8') throw new Unfit(`its encoding is ${server?.encoding ?? 'unknown'}; it must be UTF8`)
}

/** Of a newer Zentrale. */
const mustBeKnown = (version: number): void => {
  if (version <= POSTGRES_MIGRATIONS.length || isStrange(version)) return
  throw new Unfit(`its schema is version ${version}, made by a newer Zentrale; this one knows ${POSTGRES_MIGRATIONS.length}. Start the newer one`)
}

/** Returns the version that was there, or is now. One that is none is left alone, if that is wanted. */
const migrate = async ({ client }: Held, takesStrange: boolean): Promise<number> => {
  await client.query('BEGIN; CREATE SCHEMA IF NOT EXISTS zentrale; CREATE TABLE IF NOT EXISTS zentrale.version (version BIGINT NOT NULL)')
  const { rows: [found] } = await client.query<{ version: number }>(VERSION)
  const version = found?.version ?? 0
  const { rows: tables } = await client.query("SELECT 1 FROM pg_tables WHERE schemaname = 'zentrale' AND tablename <> 'version'")
  if (version === 0 && tables.length > 0) throw new Unfit(UNVERSIONED)
  if (isStrange(version)) {
    await client.query('COMMIT')
    if (takesStrange) return version
    const { rows: [to] } = await client.query<{ value: string }>(MOVED_TO)
    throw new Unfit(strangeness(version, to?.value))
  }
  mustBeKnown(version)
  for (const migration of POSTGRES_MIGRATIONS.slice(version)) await client.query(migration)
  if (found === undefined) await client.query('INSERT INTO zentrale.version VALUES ($1)', [POSTGRES_MIGRATIONS.length])
  else if (version < POSTGRES_MIGRATIONS.length) await client.query('UPDATE zentrale.version SET version = $1', [POSTGRES_MIGRATIONS.length])
  await client.query('COMMIT')
  return POSTGRES_MIGRATIONS.length
}

/** False: somebody else had it all the time. If nothing was heard of them for SILENT_MS, their session ends now. */
const lock = async (held: Held): Promise<boolean> => {
  try {
    await ask(held, 'SELECT pg_advisory_lock($1)', [LOCK])
    return true
  } catch (error) {
    if (codeOf(error) !== LOCKED) throw error
    await ask(held, END_SILENT, [LOCK, SILENT_MS])
    return false
  }
}

/** Whoever stands by. `told`: what it waits for, whenever that changes. `seen`: the mark of the active one's config, at each look. */
export interface Wait { signal: AbortSignal; told (why: string): void; seen? (mark: string | undefined): void }

/** One that gives up when others are active; its signal never fires. */
const impatient = (url: string, clock: Clock): Wait => {
  const until = clock.tick() + LOCK_WAIT_MS
  return {
    signal: new AbortController().signal,
    told () {
      if (clock.tick() < until) return
      throw new InUse(inUse(nameOf(url)))
    }
  }
}

/** Undefined if there is nothing, no store yet, or somebody has locked it away from us. */
const look = async <Row extends QueryResultRow>(held: Held, text: string, values?: unknown[]): Promise<Row | undefined> => {
  try {
    return (await ask<Row>(held, text, values))[0]
  } catch (error) {
    if ([NO_TABLE, LOCKED].includes(codeOf(error))) return undefined
    throw error
  }
}

/** Looks at what the active one works on. Throws if we could never do that. Returns why we wait. */
const whyWaiting = async (held: Held, seen: Wait['seen']): Promise<string> => {
  mustBeKnown((await look<{ version: number }>(held, VERSION))?.version ?? 0)
  const marked = await look<{ value: string }>(held, MARK)
  if (marked !== undefined) seen?.(marked.value)
  const blocker = await look<{ pid: number, role: string, name: string }>(held, BLOCKER, [LOCK])
  return blocker === undefined ? 'another process is active'
    : `the session of another process waits for a table that somebody has locked: pid ${blocker.pid}, role ${blocker.role}, "${blocker.name}". ` +
      'Let that end, or SELECT pg_terminate_backend(…)'
}

/** Takes the lock, then looks at what is there. */
const take = async (url: string, { signal, told, seen }: Wait, reached: () => void, takesStrange: boolean): Promise<Taken> => {
  const held = await connect(url, WAITS)
  reached()
  const leave = (): void => { held.socket.destroy() }
  signal.addEventListener('abort', leave)
  try {
    await mustBeUtf8(held)
    while (!signal.aborted && !await lock(held)) {
      told(await whyWaiting(held, seen))
    }
    signal.throwIfAborted()
    await held.client.query(`SET lock_timeout = 0; SET application_name = '${ACTIVE}'`)
    return { ...held, version: await migrate(held, takesStrange) }
  } catch (error) {
    leave()
    throw error
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

/** Holds the lock if nobody does, so that nobody becomes active meanwhile. Undefined if somebody holds it. Call what it gives to end that. */
export const holdBack = async (url: string, clock: Clock): Promise<(() => Promise<void>) | undefined> => {
  const held = await connect(url, TRIES, ANSWER_MS)
  const [got] = await ask<{ ok: number }>(held, 'SELECT pg_try_advisory_lock($1) AS ok', [LOCK]).catch(() => [])
  if (got?.ok !== 1) return void held.socket.destroy()
  const { stop } = watch(held, clock, () => { /* then somebody else may be active, as without it */ })
  return async () => {
    stop()
    await ask(held, 'SELECT pg_advisory_unlock($1)', [LOCK]).catch(() => { /* nor does it hold then */ })
    held.socket.destroy()
  }
}

/** `version`: of the schema; or what stands instead, for whoever takes that too. */
interface Taken extends Held { version: number }

/** Throws with a text for the operator, which holds no password. */
export const takeLock = async (url: string, clock: Clock, wait?: Wait, takesStrange = false): Promise<Taken> => {
  const { signal, told, seen } = wait ?? impatient(url, clock)
  let last = ''
  const tell = (why: string): void => {
    if (why !== last || wait === undefined) told(last = why)
  }
  let wasThere = false
  for (;;) {
    try {
      return await take(url, { signal, told: tell, ...seen && { seen } }, () => { wasThere = true }, takesStrange)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof InUse) throw error
      if (wait === undefined || !wasThere || !isPassing(error)) throw new Error(`cannot open the store in ${nameOf(url)}: ${messageOf(error)}`)
      tell(`${nameOf(url)} is away: ${messageOf(error)}`)
    }
    await sleep(clock, AGAIN_MS, signal)
    signal.throwIfAborted()
  }
}

/**
 * `asks`: to be called with each question that is asked over the session; what it gives, with its answer. `fence`: throws once somebody else may hold
 * the lock. A process that was frozen finds first what came meanwhile, so it counts when a question was asked, not when its answer was found.
 */
export interface Watch { asks (): () => void; fence (): void; stop (): void }

/**
 * Says something every beat, so that whoever waits for the lock hears us, and ends the session when no answer comes, so that nothing waits for ever.
 * `lost` is called once the session is of no use.
 */
export const watch = ({ client, socket }: Held, clock: Clock, lost: (error: Error) => void): Watch => {
  let askedAt = clock.tick() // what was answered last
  let timer: Timer | undefined
  let isAsked = false // and not answered yet
  const asks = (): (() => void) => {
    const at = clock.tick()
    return () => { askedAt = at }
  }
  const stop = (): void => timer?.cancel()
  const end = (error: Error): void => {
    stop()
    socket.destroy()
    lost(error)
  }
  const silence = (): Error | undefined =>
    clock.tick() - askedAt > ANSWER_MS ? new Error(`the database has not answered for ${ANSWER_MS / 1000} seconds`) : undefined
  const beat = (): void => {
    const error = silence()
    if (error !== undefined) return end(error)
    if (!isAsked) {
      isAsked = true
      const heard = asks()
      client.query(BEAT).then(heard, (error: unknown) => {
        if (isOfDatabase(error)) heard() // in the middle of a job that fails, this fails too
      }).finally(() => { isAsked = false })
    }
    timer = clock.after(BEAT_MS, beat)
  }
  client.on('error', end)
  beat()
  return {
    asks, stop,
    fence () {
      const error = silence()
      if (error === undefined) return
      end(error)
      throw error
    }
  }
}
