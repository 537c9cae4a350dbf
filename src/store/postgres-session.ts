/**
 * A session of PostgreSQL in which jobs run one after the other. What they write is gathered, and goes with the next question, whichever job asks
 * it: a job waits for its questions alone. So a job may be over when the server says that a statement of it went wrong. Then only that job is taken
 * back: what came behind it was left out by the server, and is sent again.
 */
import type { Client } from 'pg'
import type { SQLInputValue } from 'node:sqlite'
import { Malformed } from '../model/errors'
import { type Answer, makeSending, type Statement } from './postgres-bundle'
import { codeOf, ONLY_READS, type Watch } from './postgres-lock'
import type { Sql } from './sql'

/** SQLSTATE classes of what one job has asked wrongly: its data, a constraint, a statement, a trigger, and all that follows in its savepoint. */
const OF_A_JOB: ReadonlySet<string> = new Set(['21', '22', '23', '25', '42', '54', 'P0'])
const isOfAJob = (code: string): boolean => code !== ONLY_READS && OF_A_JOB.has(code.slice(0, 2))
/** What an index holds of a row ends at about 2700 bytes. SQLite has no such limit. */
const TOO_LONG = '54000'

/** At most so many statements wait to be sent, and go together. */
const STATEMENTS_MAX = 64

/** Numbers the places of values; CROSS is a hint to SQLite's planner. */
const translated = (sql: string): string => {
  let last = 0
  return sql.replaceAll('CROSS JOIN', 'JOIN').replaceAll(/\?(\d*)/g, (_, number: string) => `$${number === '' ? ++last : number}`)
}

/** The columns that number the rows of tables whose new rows are told their number. */
const KEYS: Readonly<Record<string, string>> = { journal: 'seq', outbox: 'id' }

/** An INSERT that gives the new row its number as the first value. */
const numbered = (sql: string): { table: string, key: string, text: string } => {
  const [, table = ''] = /^INSERT INTO (\w+) \(/.exec(sql) ?? []
  const key = KEYS[table] ?? ''
  return { table, key, text: translated(sql.replace('(', `(${key}, `).replace('VALUES (', 'VALUES (?, ')) }
}

/** Works out something of a text once. */
const once = <T>(of: (text: string) => T): ((text: string) => T) => {
  const known = new Map<string, T>() // as many as there are statements in this folder
  return text => {
    const found = known.get(text) ?? of(text)
    known.set(text, found)
    return found
  }
}

/** We are the only ones who write, so numbers may be had ahead, and nobody waits for that of a row. */
const NUMBERS_AT_ONCE = 256
const NEXT_NUMBERS = 'SELECT nextval(pg_get_serial_sequence(?, ?)) AS number FROM generate_series(1, CAST(? AS BIGINT))'

/** `again`: it depends on all jobs before it, so it is not sent again when one of them is taken back, but told. */
interface Job { again: boolean; error?: { why: unknown }; failed (why: unknown): void }

/** Who waits for the answer, if anybody. */
interface Asked extends Statement { job: Job | undefined; resolve? (answer: Answer): void; reject? (why: unknown): void }

const AGAIN = new Error('a job before it was taken back')

export interface Session {
  sql: Sql
  ask (text: string): Promise<Answer>
  begin (): Promise<void>
  /** From now on, all belongs to a new job. `failed` is called when a statement of it went wrong, which may be after its end. */
  savepoint (failed: (why: unknown) => void): Promise<void>
  rollback (): Promise<void> // of the job
  release (): Promise<void>
  /** Commits. `last` is called again if it turns out that a job must be taken back. */
  end (last: () => Promise<void>): Promise<void>
  isFault (error: unknown): boolean
}

/** `asks`: called with each question, and what it gives with the answer. */
export const makeSession = (client: Client, asks: Watch['asks'] = () => () => {}): Session => {
  const sending = makeSending(client)
  const [textOf, numberedOf] = [once(translated), once(numbered)]
  const given = new Map<string, number[]>() // by table: numbers that no row has yet
  let gathered: Asked[] = []
  let job: Job | undefined
  let fault: { why: unknown } | undefined
  let working: Promise<void> | undefined

  const broken = (why: unknown, all: Asked[]): void => {
    fault ??= { why }
    for (const { reject } of all) reject?.(why)
    gathered = []
  }

  /** `rest`: the one that went wrong, and what was to be done behind it. */
  const takeBack = (error: unknown, rest: Asked[]): void => {
    const failed = rest[0]?.job
    if (failed === undefined || failed.again || !isOfAJob(codeOf(error))) return broken(error, rest)
    const why = codeOf(error) === TOO_LONG ? new Malformed('an id in it is longer than PostgreSQL can find again') : error
    failed.error = { why }
    failed.failed(why)
    const back = ['ROLLBACK TO job', 'RELEASE job'].map(text => ({ text, values: [], job: undefined }))
    gathered = [...back, ...rest.filter(({ job }) => job !== failed && job?.again !== true)]
    for (const { job, reject } of rest) {
      if (job === failed) reject?.(why)
      else if (job?.again === true) reject?.(AGAIN)
    }
  }

  const work = async (): Promise<void> => {
    await undefined // what is asked at the same time goes together
    while (gathered.length > 0) {
      const sent = gathered.splice(0, STATEMENTS_MAX)
      const heard = asks()
      const { answers, error } = await sending(sent)
      if (error === undefined) heard()
      for (const [index, answer] of answers.entries()) sent[index]?.resolve?.(answer)
      if (error !== undefined) takeBack(error, [...sent.slice(answers.length), ...gathered])
    }
    working = undefined
  }
  const send = (): Promise<void> => working ??= work()

  const put = (text: string, values: SQLInputValue[] = [], waiting: Pick<Asked, 'resolve' | 'reject'> = {}): void => {
    const wrong = fault ?? job?.error
    if (wrong !== undefined) throw wrong.why
    gathered.push({ text, values, job, ...waiting })
  }
  const ask = (text: string, values?: SQLInputValue[]): Promise<Answer> => new Promise((resolve, reject) => {
    put(text, values, { resolve, reject })
    void send()
  })
  const tell = async (text: string, values?: SQLInputValue[]): Promise<void> => {
    put(text, values)
    if (gathered.length >= STATEMENTS_MAX) await send()
  }

  const all = async <Row>(sql: string, ...values: SQLInputValue[]): Promise<Row[]> => (await ask(textOf(sql), values)).rows as Row[]

  const numberFor = async (table: string, key: string): Promise<number> => {
    const next = given.get(table)?.shift()
    if (next !== undefined) return next
    const found = await all<{ number: number }>(NEXT_NUMBERS, table, key, NUMBERS_AT_ONCE)
    given.set(table, found.map(({ number }) => number))
    return await numberFor(table, key)
  }

  return {
    sql: {
      all,
      one: async (sql, ...values) => (await all<never>(sql, ...values))[0],
      run: (sql, ...values) => tell(textOf(sql), values),
      change: async (sql, ...values) => (await ask(textOf(sql), values)).count,
      async insert (sql, ...values) {
        const { table, key, text } = numberedOf(sql)
        const number = await numberFor(table, key)
        await tell(text, [number, ...values])
        return number
      }
    },
    ask,
    begin: () => tell('BEGIN'),
    savepoint (failed) {
      job = { again: false, failed }
      return tell('SAVEPOINT job')
    },
    async rollback () { if (job?.error === undefined) await tell('ROLLBACK TO job') },
    async release () {
      if (job?.error === undefined) await tell('RELEASE job')
      job = undefined
    },
    async end (last) {
      for (;;) {
        job = { again: true, failed: () => {} }
        try {
          await last()
          const { command } = await ask('COMMIT')
          if (command !== 'COMMIT') throw new Error(`the database answers ${command} to COMMIT`)
          return
        } catch (error) {
          if (error !== AGAIN) throw error
        } finally { job = undefined }
      }
    },
    isFault: error => fault !== undefined && error === fault.why
  }
}
