/**
 * The store in PostgreSQL. One session does everything, and holds the lock (postgres-lock.ts): whoever loses it can commit nothing any more.
 * Statements whose answer nobody needs are sent ahead of the next one, so a job costs as many round trips as it asks questions, and one more.
 * store.ts says what is promised.
 */
import type { Client, QueryResult } from 'pg'
import type { SQLInputValue } from 'node:sqlite'
import type { Clock } from '../lib/clock'
import { Malformed } from '../model/errors'
import { makeJobs } from './jobs'
import { codeOf, connect, takeLock, type Wait, type Watch, watch } from './postgres-lock'
import type { Sql } from './sql'
import type { Store } from './store'
import { makeTally } from './tally-tx'
import { makeTx } from './tx'

/** SQLSTATE classes of what one job has asked wrongly: its data, a constraint, a statement, a trigger, and all that follows in its savepoint. */
const OF_A_JOB: ReadonlySet<string> = new Set(['21', '22', '23', '25', '42', '54', 'P0'])
/** What an index holds of a row ends at about 2700 bytes. SQLite has no such limit. */
const TOO_LONG = '54000'
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

export interface Session {
  sql: Sql
  /** Sends it, ahead of what is asked next. */
  send (text: string): void
  settled (): Promise<void>
  /** Waits for all that was sent, whatever became of it. */
  drained (): Promise<void>
  ask (text: string, values?: SQLInputValue[]): Promise<QueryResult<Row>>
  isFault (error: unknown): boolean
}

/** `asks`: called with each question, and what it gives with the answer. */
export const makeSession = (client: Client, asks: Watch['asks'] = () => () => {}): Session => {
  const names = new Map<string, string>() // of prepared statements, as many as there are in this folder
  const faults = new WeakSet<object>()
  let sent: Promise<unknown>[] = []
  const given = new Map<string, number[]>() // by table: numbers that no row has yet

  const ask: Session['ask'] = async (text, values = []) => {
    let name = names.get(text)
    if (name === undefined) names.set(text, name = `z${names.size}`)
    const heard = asks()
    try {
      const answer = await client.query<Row>({ name, text, values: values.map(bindable) })
      heard()
      return answer
    } catch (error) {
      if (codeOf(error) === TOO_LONG) throw new Malformed('an id in it is longer than PostgreSQL can find again')
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

/** `sealKey`: seals the logbook. `wait`: until this process is the active one; without it, another active one is an error. */
export interface PostgresOptions { sealKey?: string; wait?: Wait }

/** `failed`: see Store; the process must stop, also when the session is lost. */
export const openPostgres = async (
  url: string, clock: Clock, failed: (error: unknown) => void, { sealKey = '', wait }: PostgresOptions = {}
): Promise<Store> => {
  const held = await takeLock(url, clock, wait)
  const { asks, fence, stop } = watch(held, clock, error => { jobs.fail(error) })
  const { sql, send, settled, drained, ask, isFault } = makeSession(held.client, asks)
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
  }, clock, error => {
    held.socket.destroy()
    failed(error)
  })

  return {
    run: jobs.run,
    fence,
    commits: jobs.commits,
    async compact () {
      const beside = await connect(url) // it may take longer than an answer of the session may
      try {
        await beside.client.query('VACUUM')
        return 'What was deleted may be in the log of PostgreSQL, and in copies of the database, until they are gone.'
      } finally { beside.socket.destroy() }
    },
    copyTo: () => Promise.reject(new Error('a store in PostgreSQL is copied by pg_dump')),
    async close () {
      await jobs.close()
      await held.client.end().catch(() => { /* it is gone already */ })
      stop()
    }
  }
}
