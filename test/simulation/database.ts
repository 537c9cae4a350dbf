/**
 * A store in a real PostgreSQL, under the same faults as the disk, at the same crossings: so a seed is the same story on both, until the power fails.
 * Simulated time stands still while an answer is under way. The end of a life destroys its socket, and the next one connects again. What it has left
 * is copied into a file, so that it is looked at as a disk is. The beat is no part of a story.
 */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { SQLInputValue } from 'node:sqlite'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import type { Postgres } from '../../sandbox/servers/postgres'
import type { Clock } from '../../src/lib/clock'
import type { Ahead } from '../../src/store/ahead'
import * as jobs from '../../src/store/jobs'
import * as postgres from '../../src/store/postgres'
import * as bundle from '../../src/store/postgres-bundle'
import * as lock from '../../src/store/postgres-lock'
import { openFile } from '../../src/store/sqlite'
import type { Sql } from '../../src/store/sql'
import type { Store } from '../../src/store/store'
import * as tx from '../../src/store/tx'
import { around } from '../support/around'
import { COUNTS, type Disk, type Files, type Trouble } from './disk'
import { Gone, type Life } from './life'
import type { Random } from './random'
import { nextTurn, type Timeline } from './timeline'

/** So much a file is told before its lock is taken, which is a commit, and behind it. */
const OPENING = [8, 2] as const
/** The clock of the beat is so much slower, because nobody dies of that here, and hours are long. */
const SLOWER = 10

/** What stands between the process and its session. */
interface Border {
  /** A statement, unless the life ends there, or the session. */
  reading<T>(run: () => Promise<T>): Promise<T>
  counting<T>(run: () => Promise<T>): Promise<T>
  committing (run: () => Promise<void>): Promise<void>
  /** What is under way holds the time. */
  held<T>(work: Promise<T>): Promise<T>
  /** The word to commit goes over the session; perhaps the session ends there. */
  wording<T>(asks: () => Promise<T>): Promise<T>
  taken (held: lock.Held): void
  clock: Clock // which is no part of the story
}

let opening: Border | undefined // while a store is opened

around(lock, 'takeLock', former => async (...given) => {
  const border = opening
  const taken = await former(...given)
  if (border === undefined) return taken
  border.taken(taken)
  const { client } = taken
  const query = client.query.bind(client) as (asked: unknown) => Promise<unknown>
  const end = client.end.bind(client)
  Object.assign(client, {
    end: () => border.held(end()),
    query: (asked: unknown) => border.held(Promise.resolve(query(asked)))
  })
  return taken
})

around(lock, 'watch', former => (held, clock, lost) => former(held, opening?.clock ?? clock, lost))

const crossing = ({ all, one, run, change, insert }: Sql, { reading, counting }: Border): Sql => {
  const part = <T>(asks: (text: string, ...values: SQLInputValue[]) => Promise<T>) => (text: string, ...values: SQLInputValue[]): Promise<T> =>
    COUNTS.test(text) ? counting(() => asks(text, ...values)) : reading(() => asks(text, ...values))
  return { all: part(all) as Sql['all'], one: part(one) as Sql['one'], run: part(run), change: part(change), insert: part(insert) }
}

around(bundle, 'makeSending', former => client => {
  const [sending, border] = [former(client), opening]
  if (border === undefined) return sending
  return statements => border.held(statements.some(({ text }) => text === 'COMMIT') ? border.wording(() => sending(statements)) : sending(statements))
    .catch((error: unknown) => ({ answers: [], error }))
})

/** What was asked ahead would be asked at its own crossing of a file. */
const crossingAhead = (ahead: Ahead, { reading }: Border): Ahead => {
  const no = async (isNone: Promise<boolean>): Promise<boolean> => await isNone && await reading(async () => true)
  return { ...ahead, noArrival: (...what) => no(ahead.noArrival(...what)), noReceipt: (...what) => no(ahead.noReceipt(...what)) }
}

around(tx, 'makeTx', former => (sql, sealKey, tally, ahead) => opening && ahead
  ? former(crossing(sql, opening), sealKey, tally, crossingAhead(ahead, opening)) : former(sql, sealKey, tally, ahead))

around(jobs, 'makeJobs', former => (engine, ...rest) => {
  if (opening === undefined) return former(engine, ...rest)
  const { reading, committing } = opening
  return former({
    ...engine, begin: about => reading(() => engine.begin(about)), savepoint: failed => reading(() => engine.savepoint(failed)),
    rollback: () => reading(engine.rollback), release: () => reading(engine.release), end: last => committing(() => engine.end(last))
  }, ...rest)
})

export interface Database { url: string, drop (): Promise<void> }

let made = 0

/** A new one on this server. */
export const makeDatabase = async (server: Postgres): Promise<Database> => {
  const name = `seed${++made}`
  const url = await server.createDatabase(name)
  return {
    url,
    async drop () {
      const client = new Client({ connectionString: url.replace(/[^/]*$/, 'postgres') })
      await client.connect()
      await client.query(['DROP DATABASE', name, 'WITH (FORCE)'].join(' '))
      await client.end()
    }
  }
}

const NOTHING: Files = { db: Buffer.alloc(0), wal: Buffer.alloc(0) }

const columnsOf = (db: DatabaseSync): { name: string, columns: string[] }[] =>
  db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all().map(({ name }) =>
    ({ name: String(name), columns: db.prepare('SELECT name FROM pragma_table_info(?)').all(name!).map(column => String(column['name'])) }))

/** Waits until the session of the life that is over has ended, and copies all rows into a file. */
const copied = async (url: string, path: string): Promise<Files> => {
  const { client, socket } = await lock.connect(url, 'simulation')
  await client.query('SET lock_timeout = 0')
  await client.query('SELECT pg_advisory_lock($1)', [lock.LOCK])
  openFile(path).db.close()
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: false })
  for (const { name } of db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all()) db.exec(`DROP TRIGGER ${String(name)}`)
  db.exec('BEGIN')
  for (const { name, columns } of columnsOf(db)) {
    const list = columns.map(column => `"${column}"`).join()
    const { rows } = await client.query<SQLInputValue[]>({ text: ['SELECT', list, 'FROM', name].join(' '), rowMode: 'array' })
    db.exec(`DELETE FROM ${name}`)
    const insert = db.prepare(['INSERT INTO', name, '(', list, ') VALUES (', columns.map(() => '?').join(), ')'].join(' '))
    for (const row of rows) insert.run(...row)
  }
  db.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)')
  db.close()
  const file = readFileSync(path)
  for (const ending of ['', '-wal', '-shm']) rmSync(path + ending, { force: true })
  socket.destroy()
  await once(socket, 'close')
  return { db: file, wal: Buffer.alloc(0) }
}

export const makeServed = (random: Random, timeline: Timeline, folder: string, { url, drop }: Database): Disk => {
  const home = mkdtempSync(join(folder, 'zentrale-simulation-'))
  const path = join(home, 'copy.db')
  let trouble: { kind: Trouble, left: number, struck: (how: string) => void } | undefined
  let misreading: { left: number, struck: () => void } | undefined
  let session: lock.Held | undefined // of the life that is on
  let left = NOTHING
  let breaksAt: 'word' | 'answer' | undefined // of the commit that is made now
  let lives = 0
  let underWay = 0
  let rest = Promise.withResolvers<void>()

  const held = async <T>(work: Promise<T>): Promise<T> => {
    underWay++
    try { return await work } finally {
      if (--underWay === 0) {
        rest.resolve()
        rest = Promise.withResolvers<void>()
      }
    }
  }

  /** The connection breaks, and everybody has heard of it. */
  const broken = async (): Promise<never> => {
    breaksAt = undefined
    if (session !== undefined && !session.socket.closed) {
      session.socket.destroy()
      await held(once(session.socket, 'close'))
    }
    throw new Error('the connection broke')
  }

  let beat: { at: number, run: () => void } | undefined // the next
  let beatAt: number | undefined // while one happens

  /** Its only timer is the beat, which is no event of the story: it happens behind the event that it would precede, but at its own time. */
  const aside = (life: Life): Clock => {
    const now = (): number => beatAt ?? timeline.ms / SLOWER
    return {
      ...life.clock, tick: now,
      after (ms, run) {
        const mine = beat = { at: now() + ms, run }
        return { cancel () { if (beat === mine) beat = undefined } }
      }
    }
  }

  const makeBorder = (life: Life, clock: Clock): Border => {
    let unanswered = 0 // words to commit

    /** No time passes while PostgreSQL answers, so the auditor would not notice if nobody waited for that. */
    const commit = async (run: () => Promise<void>): Promise<void> => {
      await run()
      if (unanswered === 0) return
      life.damaged = false // that is no excuse
      throw new Error('it counts as committed, and PostgreSQL has not said so')
    }

    return {
      held, clock,
      async wording (asks) {
        unanswered++
        if (breaksAt === 'word') return await broken()
        const answer = await asks()
        if (breaksAt !== undefined) return await broken()
        unanswered--
        return answer
      },
      taken: held => { session = held },
      async reading (run) {
        if (!life.cross()) throw new Gone('at a statement')
        if (misreading === undefined || --misreading.left > 0) return await run()
        const { struck } = misreading
        misreading = undefined
        life.damaged = true
        struck()
        return await broken()
      },
      async counting (run) {
        if (!life.alive) throw new Gone('while it counts')
        return await run()
      },
      async committing (run) {
        if (!life.cross()) throw new Gone('before a commit')
        if (trouble !== undefined && --trouble.left <= 0) {
          const { kind, struck } = trouble
          trouble = undefined
          const isKept = random.happens(0.5)
          if (kind === 'disk error') {
            life.damaged = true
            breaksAt = isKept ? 'answer' : 'word'
            struck(isKept ? 'after it was written' : 'before it was written')
            await commit(run)
            return await broken()
          }
          if (isKept) await commit(run)
          life.end()
          struck('in a commit')
          throw new Gone('the power is off')
        }
        await commit(run)
        if (!life.cross()) throw new Gone('after a commit')
      }
    }
  }

  const opened = async (life: Life, failed: (error: unknown) => void, border: Border): Promise<Store> => {
    const nothing = async (): Promise<void> => {}
    for (let said = 0; said < OPENING[0]; said++) await border.reading(nothing)
    await border.committing(nothing)
    for (let said = 0; said < OPENING[1]; said++) await border.reading(nothing)
    opening = border
    const store = await postgres.openPostgres(url, life.clock, failed).finally(() => { opening = undefined })
    return {
      ...store,
      compact: () => held(store.compact()),
      async close () {
        await store.close()
        await border.reading(nothing).catch(() => { /* as a file, which is closed then too */ })
      }
    }
  }

  const answered = async (): Promise<void> => {
    do {
      if (underWay > 0) await rest.promise
      await nextTurn()
    } while (underWay > 0)
  }

  let seizing: Promise<unknown> = Promise.resolve()

  return {
    path,
    open: (life, failed) => held(seizing.then(() => opened(life, failed, makeBorder(life, aside(life))))),
    expect: (kind, left, struck) => { trouble = { kind, left, struck } },
    misread: (left, struck) => { misreading = { left, struck } },
    calm () { trouble = undefined; misreading = undefined },
    seize () {
      session?.socket.destroy()
      session = beat = undefined
      trouble = undefined
      misreading = undefined
      seizing = held(seizing.then(async () => { left = await copied(url, `${path}-${++lives}`) }))
    },
    files: () => left,
    async atRest () {
      await answered()
      while (beat !== undefined && beat.at <= timeline.ms / SLOWER) {
        const { at, run } = beat
        beatAt = at
        beat = undefined
        run()
        await answered()
        beatAt = undefined
      }
    },
    async remove () {
      session?.socket.destroy()
      await drop()
      rmSync(home, { recursive: true, force: true })
    }
  }
}
