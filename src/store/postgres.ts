/**
 * The store in PostgreSQL. One session does everything. It holds the advisory lock, so no other Zentrale writes beside it: whoever loses the session
 * loses the lock, and can commit nothing any more. Statements whose answer nobody needs are sent ahead of the next one, so a job costs as many
 * round trips as it asks questions, and one more. store.ts says what is promised.
 */
import { Client, DatabaseError, types, type QueryResult } from 'pg'
import type { SQLInputValue } from 'node:sqlite'
import type { Clock } from '../lib/clock'
import { messageOf } from '../model/errors'
import { makeJobs } from './jobs'
import { POSTGRES_MIGRATIONS } from './postgres-schema'
import type { Sql } from './sql'
import type { Store } from './store'
import { makeTally } from './tally-tx'
import { makeTx } from './tx'

/** Whoever holds it in this database is the one Zentrale on it: "ZENT" in ASCII. */
const LOCK = 0x5a454e54
/** So long the session of a process that has just died may keep it. */
const LOCK_WAIT_MS = 5_000
const CONNECT_MS = 10_000

/**
 * The session ends when the server has heard nothing for so long, and with it the lock. Words of the server's own config could end a session that
 * only waits, or let a commit return before it is on disk.
 */
const SETTINGS = `SET search_path = zentrale; SET client_min_messages = warning; SET statement_timeout = 0; SET idle_session_timeout = 0;
  SET idle_in_transaction_session_timeout = 0; SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;
  SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')`

/** SQLSTATE classes of what one job has asked wrongly: its data, a constraint, a statement, a trigger, and all that follows in its savepoint. */
const OF_A_JOB: ReadonlySet<string> = new Set(['21', '22', '23', '25', '42', '54', 'P0'])
const LOCKED = '55P03'

/** Values as SQLite gives them, by their type: numbers as such, what is true as 1. Texts come as they are. */
const PARSERS: Readonly<Record<number, (text: string | Buffer) => unknown>> = {
  [types.builtins.INT4]: Number, [types.builtins.INT8]: Number, [types.builtins.NUMERIC]: Number,
  [types.builtins.BOOL]: text => text === 't' ? 1 : 0,
  [types.builtins.BYTEA]: text => new Uint8Array(Buffer.from(String(text).slice('\\x'.length), 'hex'))
}
const asItIs = (text: string | Buffer): unknown => text
const getTypeParser = (oid: number): ((text: string | Buffer) => unknown) => PARSERS[oid] ?? asItIs

const codeOf = (error: unknown): string => error instanceof DatabaseError ? error.code ?? '' : ''

const isOfAJob = (error: unknown): boolean => OF_A_JOB.has(codeOf(error).slice(0, 2))

/** Numbers the places of values; CROSS is a hint to SQLite's planner. */
const translated = (sql: string): string => {
  let last = 0
  return sql.replaceAll('CROSS JOIN', 'JOIN').replaceAll(/\?(\d*)/g, (_, number: string) => `$${number === '' ? ++last : number}`)
}

/** PostgreSQL keeps no U+0000 in a text. */
const bindable = (value: SQLInputValue): SQLInputValue =>
  typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\u{fffd}') : value

type Row = Record<string, unknown>

/** The columns that number the rows of tables whose new rows are told their number. */
const KEYS: Readonly<Record<string, string>> = { journal: 'seq', outbox: 'id' }

/** We are the only ones who write, so numbers may be had ahead, and nobody waits for that of a row. */
const NUMBERS_AT_ONCE = 256
const NEXT_NUMBERS = 'SELECT nextval(pg_get_serial_sequence(?, ?)) AS number FROM generate_series(1, CAST(? AS BIGINT))'

interface Session {
  sql: Sql
  /** Sends it, ahead of what is asked next. */
  send (text: string): void
  settled (): Promise<void>
  /** Waits for all that was sent, whatever became of it. */
  drained (): Promise<void>
  ask (text: string, values?: SQLInputValue[]): Promise<QueryResult<Row>>
  isFault (error: unknown): boolean
}

const makeSession = (client: Client): Session => {
  const names = new Map<string, string>() // of prepared statements, as many as there are in this folder
  const faults = new WeakSet<object>()
  let sent: Promise<unknown>[] = []
  const given = new Map<string, number[]>() // by table: numbers that no row has yet

  const ask: Session['ask'] = async (text, values = []) => {
    let name = names.get(text)
    if (name === undefined) names.set(text, name = `z${names.size}`)
    try {
      return await client.query<Row>({ name, text, values: values.map(bindable) })
    } catch (error) {
      if (!isOfAJob(error) && typeof error === 'object' && error !== null) faults.add(error)
      throw error
    }
  }
  const queue = (asked: Promise<unknown>): void => {
    asked.catch(() => { /* `settled` tells */ })
    sent.push(asked)
  }
  const settled = async (): Promise<void> => {
    const all = sent
    sent = []
    for (const one of all) await one
  }
  const answered = async (text: string, values: SQLInputValue[]): Promise<QueryResult<Row>> => {
    const asked = ask(translated(text), values)
    queue(asked)
    await settled()
    return await asked
  }

  const all = async <Row>(sql: string, ...values: SQLInputValue[]): Promise<Row[]> => (await answered(sql, values)).rows as Row[]

  const numberFor = async (table: string, key: string): Promise<number> => {
    const [next, ...rest] = given.get(table) ?? []
    if (next !== undefined) {
      given.set(table, rest)
      return next
    }
    const found = await all<{ number: number }>(NEXT_NUMBERS, table, key, NUMBERS_AT_ONCE)
    given.set(table, found.map(({ number }) => number))
    return await numberFor(table, key)
  }

  return {
    sql: {
      all,
      one: async (sql, ...values) => (await all<never>(sql, ...values))[0],
      run: async (sql, ...values) => queue(ask(translated(sql), values)),
      change: async (sql, ...values) => (await answered(sql, values)).rowCount ?? 0,
      async insert (sql, ...values) {
        const [, table = ''] = /^INSERT INTO (\w+) \(/.exec(sql) ?? []
        const key = KEYS[table] ?? ''
        const number = await numberFor(table, key)
        queue(ask(translated(sql.replace('(', `(${key}, `).replace('VALUES (', 'VALUES (?, ')), [number, ...values]))
        return number
      }
    },
    send: text => queue(ask(text)),
    settled,
    async drained () {
      const all = sent
      sent = []
      await Promise.allSettled(all)
    },
    ask,
    isFault: error => typeof error === 'object' && error !== null && faults.has(error)
  }
}

/** Where the database is, without the password. */
const nameOf = (url: string): string => {
  try {
    const { host, pathname } = new URL(url)
    return `PostgreSQL at ${host}${pathname}`
  } catch {
    return 'PostgreSQL'
  }
}

const migrate = async (client: Client): Promise<void> => {
  await client.query('BEGIN; CREATE SCHEMA IF NOT EXISTS zentrale; CREATE TABLE IF NOT EXISTS zentrale.version (version BIGINT NOT NULL)')
  const { rows: [found] } = await client.query<{ version: number }>('SELECT version FROM zentrale.version')
  const version = found?.version ?? 0
  if (version > POSTGRES_MIGRATIONS.length) {
    throw new Error(`its schema is version ${version}, made by a newer Zentrale; this one knows ${POSTGRES_MIGRATIONS.length}. Start the newer one`)
  }
  for (const migration of POSTGRES_MIGRATIONS.slice(version)) await client.query(migration)
  if (found === undefined) await client.query('INSERT INTO zentrale.version VALUES ($1)', [POSTGRES_MIGRATIONS.length])
  else await client.query('UPDATE zentrale.version SET version = $1', [POSTGRES_MIGRATIONS.length])
  await client.query('COMMIT')
}

/** Takes the lock, then looks at what is there. */
const prepare = async (client: Client): Promise<void> => {
  await client.connect()
  await client.query(SETTINGS)
  const { rows: [server] } = await client.query<{ encoding: string }>("SELECT current_setting('server_encoding') AS encoding")
  if (server?.encoding !== 'UTF8') throw new Error(`its encoding is ${server?.encoding ?? 'unknown'}; it must be UTF8`)
  await client.query("SELECT set_config('lock_timeout', $1, false)", [String(LOCK_WAIT_MS)])
  await client.query('SELECT pg_advisory_lock($1)', [LOCK])
  await client.query('SET lock_timeout = 0')
  await migrate(client)
}

/** Throws with a text for the operator, which holds no password. */
const connect = async (url: string, lost: (error: Error) => void): Promise<Client> => {
  const client = new Client({
    connectionString: url, application_name: 'zentrale', keepAlive: true, connectionTimeoutMillis: CONNECT_MS, types: { getTypeParser },
    pipeline: true
  })
  client.on('error', lost)
  try {
    await prepare(client)
    return client
  } catch (error) {
    await client.end().catch(() => { /* it is gone already */ })
    throw new Error(codeOf(error) === LOCKED
      ? `${nameOf(url)} is in use by another process. Only one Zentrale may run on a database: stop the other one first`
      : `cannot open the store in ${nameOf(url)}: ${messageOf(error)}`)
  }
}

/** `failed`: see Store; the process must stop, also when the session is lost. `sealKey`: seals the logbook. */
export const openPostgres = async (url: string, clock: Clock, failed: (error: unknown) => void, sealKey = ''): Promise<Store> => {
  const lost: { tell?: (error: Error) => void } = {}
  const client = await connect(url, error => lost.tell?.(error))
  const { sql, send, settled, drained, ask, isFault } = makeSession(client)
  const tally = makeTally(sql)
  const jobs = makeJobs({
    tx: makeTx(sql, sealKey, tally), tally, settled, isFault,
    begin: async () => send('BEGIN'),
    savepoint: async () => send('SAVEPOINT job'),
    async rollback () {
      await drained()
      send('ROLLBACK TO job')
    },
    release: async () => send('RELEASE job'),
    async end () {
      await settled()
      const { command } = await ask('COMMIT')
      if (command !== 'COMMIT') throw new Error(`the database answers ${command} to COMMIT`)
    }
  }, clock, failed)
  lost.tell = error => { jobs.fail(error) }

  return {
    run: jobs.run,
    commits: jobs.commits,
    compact: () => jobs.between(async () => {
      await ask('VACUUM')
      return false
    }),
    copyTo: () => Promise.reject(new Error('a store in PostgreSQL is copied by pg_dump')),
    async close () {
      await jobs.close()
      await client.end().catch(() => { /* it is gone already */ })
    }
  }
}
