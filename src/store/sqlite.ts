/**
 * The store inside the process: SQLite, WAL, synchronous=FULL, one process per file. Jobs that wait at the same time share one commit,
 * and so one fsync. store.ts says what is promised.
 */
import { closeSync, openSync, readSync, rmSync } from 'node:fs'
import { backup, DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Clock, Timer } from '../lib/clock'
import { Unavailable, messageOf } from '../model/errors'
import { MIGRATIONS } from './schema'
import { makeSql } from './sql'
import { makeTally } from './tally-tx'
import { makeTx } from './tx'
import type { Store, Tx } from './store'

/** At most so many jobs share one commit, so that the first does not wait long for the last. */
const COMMIT_JOBS_MAX = 512

/**
 * temp_store: savepoints keep their undo data in memory; in a file it cost more than everything else together.
 * wal_autocheckpoint, in pages: with a longer log, one write of a page into the file serves more changes.
 */
const PRAGMAS = [
  'locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON', 'busy_timeout = 0', 'temp_store = MEMORY',
  'wal_autocheckpoint = 4000', 'secure_delete = ON' // deleted rows are overwritten in the file
]

type S = StatementSync
interface Waiting { job: (tx: Tx) => Promise<unknown>; resolve: (value: unknown) => void; reject: (error: unknown) => void }

/** Memory, read-only, input or output, damage, full, cannot open, no database: SQLite's primary result codes. */
const DISK_CODES: ReadonlySet<number> = new Set([7, 8, 10, 11, 13, 14, 26])

/** The disk failed. No job caused this, and no rollback of one job undoes it. */
const isDiskError = (error: unknown): boolean => DISK_CODES.has(((error as { errcode?: number } | null)?.errcode ?? 0) & 0xff)

/** Which version of the schema this program makes. */
export const SCHEMA = MIGRATIONS.length

const VERSION_AT = 60 // of user_version in the header of SQLite's file format

/** The version of the schema of a store, also of one that another process has in use; in that process, closing the file here would drop its lock. */
export const schemaOf = (path: string): number => {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(4)
    readSync(file, bytes, 0, bytes.length, VERSION_AT)
    return bytes.readUInt32BE()
  } finally { closeSync(file) }
}

const migrate = (db: DatabaseSync): void => {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version > MIGRATIONS.length) {
    throw new Error(`its schema is version ${version}, made by a newer Zentrale; this one knows ${MIGRATIONS.length}. ` +
      'Start the newer one, or restore a backup')
  }
  MIGRATIONS.slice(version).forEach((migration, index) => {
    db.exec('BEGIN')
    db.exec(migration)
    db.exec('PRAGMA user_version = ' + String(version + index + 1))
    db.exec('COMMIT')
  })
  if (version < MIGRATIONS.length) db.exec('PRAGMA wal_checkpoint(TRUNCATE)') // schemaOf reads the file without its log
}

const openFile = (path: string, Engine: typeof DatabaseSync): DatabaseSync => {
  const db = new Engine(path)
  try {
    for (const pragma of PRAGMAS) db.exec('PRAGMA ' + pragma)
    db.exec('BEGIN IMMEDIATE; COMMIT') // takes the file's lock and keeps it
    migrate(db)
    return db
  } catch (error) {
    db.close()
    throw new Error(/locked|busy/i.test(messageOf(error))
      ? `${path} is in use by another process. Only one Zentrale may run on a database: stop the other one first`
      : `cannot open the store ${path}: ${messageOf(error)}`)
  }
}

/** What is wrong with a copy; undefined if it is sound. */
export const damageOf = (path: string): string | undefined => {
  const db = new DatabaseSync(path)
  try {
    const [found] = Object.values(db.prepare('PRAGMA integrity_check(1)').get() ?? {})
    return found === 'ok' ? undefined : String(found)
  } catch (error) {
    return messageOf(error)
  } finally {
    db.close()
  }
}

/** A larger file would hold up everybody for too long, and its copy would need too much memory. */
const COMPACT_BYTES_MAX = 512 * 2 ** 20

/**
 * Deleted bytes are overwritten at once, but a page that was split may hold a second copy of them. Writing the file anew drops these. Returns
 * whether that was done.
 */
const compactFile = (db: DatabaseSync): boolean => {
  const row = db.prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()').get()
  const isSmall = Number(row?.['bytes']) <= COMPACT_BYTES_MAX
  if (isSmall) db.exec('VACUUM')
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  return isSmall
}

/** SQLite copies page by page, and copies again what changes meanwhile. The copy is one file, without a log beside it. */
const copyOf = async (db: DatabaseSync, path: string): Promise<void> => {
  closeSync(openSync(path, 'wx', 0o600))
  try {
    await backup(db, path)
    const copy = new DatabaseSync(path)
    copy.exec('PRAGMA journal_mode = DELETE')
    copy.close()
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  }
}

/**
 * Opens or creates the database file. Throws with a text for the operator. `failed`: see Store; the process must stop.
 * `sealKey`: seals the logbook. `Engine`: a simulation gives one whose disk fails.
 */
export const openSqlite = (path: string, clock: Clock, failed: (error: unknown) => void, Engine = DatabaseSync, sealKey = ''): Store => {
  const db = openFile(path, Engine)
  const tally = makeTally(makeSql(db))
  const tx = makeTx(db, sealKey, tally)
  const [open, savepoint, rollback, release, end] =
    ['BEGIN IMMEDIATE', 'SAVEPOINT job', 'ROLLBACK TO job', 'RELEASE job', 'COMMIT'].map(sql => db.prepare(sql)) as [S, S, S, S, S]
  let waiting: Waiting[] = []
  let firsts = 0 // how many jobs at the front were called with `first`
  let patienceMs = Infinity // the shortest patience of the waiting jobs
  let timer: Timer | undefined
  let running: Promise<void> | undefined
  let committedAt = -Infinity // by clock.tick
  let commits = 0
  let closed: Error | undefined
  const compacting: { resolve (isWhole: boolean): void, reject (error: unknown): void }[] = []
  let copying: Promise<void> = Promise.resolve() // the last one

  const commit = async (batch: Waiting[]): Promise<void> => {
    const answers: (() => void)[] = []
    open.run()
    for (const { job, resolve, reject } of batch) {
      savepoint.run()
      try {
        const value = await job(tx)
        answers.push(() => resolve(value))
        tally.ended(true)
      } catch (error) {
        if (isDiskError(error)) throw error
        rollback.run()
        tally.ended(false)
        answers.push(() => reject(error))
      }
      release.run()
    }
    await tally.write(clock.now())
    end.run()
    committedAt = clock.tick()
    commits++
    for (const answer of answers) answer()
  }

  /** Between two commits, because it is no part of any. */
  const compact = (): void => {
    for (const { resolve, reject } of compacting.splice(0)) {
      try { resolve(compactFile(db)) } catch (error) { reject(error) }
    }
  }

  const work = async (): Promise<void> => {
    compact()
    const batch = waiting.splice(0, COMMIT_JOBS_MAX)
    firsts = Math.max(firsts - batch.length, 0)
    if (batch.length === 0) return
    patienceMs = waiting.length > 0 ? 0 : Infinity
    try {
      await commit(batch)
    } catch (error) {
      closed = new Unavailable(`the store failed: ${messageOf(error)}`)
      for (const { reject } of [...batch, ...waiting]) reject(closed)
      waiting = []
      failed(error)
    }
  }

  /** One commit per turn of the event loop: jobs that come during it share the next one. */
  const begin = (): void => {
    timer?.cancel()
    timer = undefined
    running ??= new Promise<void>(resolve => clock.soon(() => {
      void work().finally(() => { running = undefined; resolve(); wake() })
    }))
  }

  const wake = (): void => {
    if (closed !== undefined) return
    if (compacting.length > 0) return begin() // asked for while jobs ran
    if (waiting.length === 0) return
    const ms = patienceMs === 0 ? 0 : committedAt + patienceMs - clock.tick()
    if (ms <= 0) return begin()
    timer?.cancel()
    timer = clock.after(ms, begin)
  }

  return {
    run: (job, patience = 0, first = false) => new Promise((resolve, reject) => {
      if (closed !== undefined) return reject(closed)
      waiting.splice(first ? firsts++ : waiting.length, 0, { job, resolve: resolve as (value: unknown) => void, reject })
      if (patience >= patienceMs) return
      patienceMs = patience
      wake()
    }),
    commits: () => commits,
    compact: () => copying.then(() => new Promise((resolve, reject) => {
      if (closed !== undefined) return reject(closed)
      compacting.push({ resolve, reject })
      begin()
    })),
    copyTo (path) {
      const mine = copying.then(() => closed === undefined ? copyOf(db, path) : Promise.reject(closed))
      copying = mine.catch(() => {})
      return mine
    },
    async close () {
      while (running !== undefined || (waiting.length > 0 && closed === undefined)) {
        begin()
        await running
      }
      await copying
      if (closed === undefined) {
        closed = new Unavailable('the store is closed')
        try { db.exec('PRAGMA wal_checkpoint(TRUNCATE)') } catch { /* then the next start reads the log */ }
      }
      if (db.isOpen) db.close()
    }
  }
}
