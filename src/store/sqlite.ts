/**
 * The store inside the process: SQLite, WAL, one process per file. Jobs that share one commit share one sync of the log. SQLite does not wait for
 * that, so others than jobs go on meanwhile; but no job begins, and nobody is told anything, before it is done. store.ts says what is promised.
 */
import { closeSync, fdatasync, openSync, readSync, rmSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import type { Clock } from '../lib/clock'
import { messageOf } from '../model/errors'
import { makeJobs } from './jobs'
import { isStrange, MOVED_TO, strangeness, UNVERSIONED } from './moved'
import { EXCUSE } from './outbox-rows'
import { MIGRATIONS } from './schema'
import { inUse, makeSql } from './sql'
import { makeTally } from './tally-tx'
import { makeTx } from './tx'
import type { Store } from './store'

/**
 * temp_store: savepoints keep their undo data in memory; in a file it cost more than everything else together.
 * wal_autocheckpoint, in pages: with a longer log, one write of a page into the file serves more changes.
 */
const PRAGMAS = [
  'locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON', 'busy_timeout = 0', 'temp_store = MEMORY',
  'wal_autocheckpoint = 4000', 'secure_delete = ON' // deleted rows are overwritten in the file
]

const codeOf = (error: unknown): number => Number(error instanceof Error && Reflect.get(error, 'errcode')) & 0xff

const DISK_FAILS = 10 // input or output

/** Memory, read-only, input or output, damage, full, cannot open, no database: SQLite's primary result codes. */
const DISK_CODES: ReadonlySet<number> = new Set([7, 8, 10, 11, 13, 14, 26])

/** The disk failed. No job caused this, and no rollback of one job undoes it. */
const isDiskError = (error: unknown): boolean => DISK_CODES.has(codeOf(error))

/** Read-only, input or output, full, cannot open: it is the disk, whatever was written. */
const AWAY_CODES: ReadonlySet<number> = new Set([8, 10, 13, 14])

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

export const movedTo = (db: DatabaseSync): string | undefined => {
  const value = db.prepare(MOVED_TO).get()?.['value']
  return typeof value === 'string' ? value : undefined
}

/** Where the store went that was in this file. */
export const movedFrom = (path: string): string | undefined => {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return movedTo(db)
  } catch {
    return undefined // it is not what we think
  } finally { db.close() }
}

/** Returns the version that was there, or is now. One that is none is left alone, if that is wanted. */
const migrate = (db: DatabaseSync, takesStrange: boolean): number => {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (isStrange(version)) {
    if (takesStrange) return version
    throw new Error(strangeness(version, movedTo(db)))
  }
  if (version === 0 && db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table'").get() !== undefined) throw new Error(UNVERSIONED)
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
  if (version === MIGRATIONS.length) return version
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)') // schemaOf reads the file without its log
  } catch { /* then that takes it for an older one, and all is in the log */ }
  return MIGRATIONS.length
}

/** `takesStrange`: also one that was moved, or has not wholly come. */
export const openFile = (path: string, Engine = DatabaseSync, takesStrange = false): { db: DatabaseSync, version: number } => {
  const db = new Engine(path)
  try {
    for (const pragma of PRAGMAS) db.exec('PRAGMA ' + pragma)
    db.exec('BEGIN IMMEDIATE; COMMIT') // takes the file's lock and keeps it
    return { db, version: migrate(db, takesStrange) }
  } catch (error) {
    db.close()
    throw new Error(/locked|busy/i.test(messageOf(error)) ? inUse(path)
      : `cannot open the store ${path}: ${messageOf(error)}`)
  }
}

/** The file that SQLite writes each commit into. It is there for as long as the database is open. */
export interface Log {
  /** Resolves when all that was written into it is on disk. */
  sync (): Promise<void>
  close (): void
}

const syncing = promisify(fdatasync)

/** A descriptor of our own: a sync is of the file, whoever wrote into it. */
const logOf = (path: string): Log => {
  const file = openSync(`${path}-wal`, 'r+')
  return {
    async sync () {
      try { await syncing(file) } catch (error) {
        throw Object.assign(new Error(`the disk cannot keep what was written: ${messageOf(error)}`), { errcode: DISK_FAILS })
      }
    },
    close () { closeSync(file) }
  }
}

/** If that fails, the database is closed again: another try would find it in use. */
const openedBeside = (db: DatabaseSync, open: () => Log): Log => {
  try {
    return open()
  } catch (error) {
    db.close()
    throw error
  }
}

interface Disk { Engine: typeof DatabaseSync; openLog (path: string): Log }
const DISK: Disk = { Engine: DatabaseSync, openLog: logOf }

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
 * what is left if that was not done.
 */
const compactFile = (db: DatabaseSync): string | undefined => {
  const row = db.prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()').get()
  const isSmall = Number(row?.['bytes']) <= COMPACT_BYTES_MAX
  if (isSmall) db.exec('VACUUM')
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  return isSmall ? undefined
    : 'The file of the store is large and was not written anew: single pages may hold remains until they are used again.'
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
 * The next start counts a crash for each delivery that is being sent now; this takes one off, because the disk is to blame. There is room for that
 * when a commit has failed, because that has left its pages.
 */
const excuse = (db: DatabaseSync, error: unknown): void => {
  if (!AWAY_CODES.has(codeOf(error))) return
  try {
    if (db.isTransaction) db.exec('ROLLBACK')
    db.exec(EXCUSE)
  } catch { /* then it counts as a crash */ }
}

/**
 * Opens or creates the database file. Throws with a text for the operator. `failed`: see Store; the process must stop.
 * `sealKey`: seals the logbook. `disk`: a simulation gives one that fails.
 */
export const openSqlite = (path: string, clock: Clock, failed: (error: unknown) => void, sealKey = '', disk: Partial<Disk> = {}): Store => {
  const { Engine, openLog } = { ...DISK, ...disk }
  const { db } = openFile(path, Engine)
  db.exec('PRAGMA synchronous = NORMAL') // SQLite still syncs the log before it copies it into the file, and then the file
  const log = openedBeside(db, () => openLog(path))
  const sql = makeSql(db)
  const tally = makeTally(sql)
  const part = (sql: string): (() => Promise<void>) => {
    const statement = db.prepare(sql)
    return async () => { statement.run() }
  }
  const commit = part('COMMIT')
  const jobs = makeJobs({
    tx: makeTx(sql, sealKey, tally), tally, isFault: isDiskError,
    begin: part('BEGIN IMMEDIATE'), savepoint: part('SAVEPOINT job'), rollback: part('ROLLBACK TO job'), release: part('RELEASE job'),
    async end (last) {
      await last()
      await commit()
      await log.sync()
    }
  }, clock, error => {
    excuse(db, error)
    failed(error)
  })
  let copying: Promise<void> = Promise.resolve() // the last one

  return {
    run: jobs.run,
    fence () { /* nobody else has the file for as long as we have it open */ },
    commits: jobs.commits,
    compact: () => copying.then(() => jobs.between(async () => compactFile(db))),
    copyTo (path) {
      const mine = copying.then(() => {
        const closed = jobs.closed()
        return closed === undefined ? copyOf(db, path) : Promise.reject(closed)
      })
      copying = mine.catch(() => {})
      return mine
    },
    async close () {
      const isFirst = await jobs.close()
      await copying
      if (isFirst) {
        try { db.exec('PRAGMA wal_checkpoint(TRUNCATE)') } catch { /* then the next start reads the log */ }
      }
      if (!db.isOpen) return
      log.close()
      db.close()
    }
  }
}
