/**
 * The store inside the process: SQLite, WAL, synchronous=FULL, one process per file. Jobs that wait together share one commit,
 * and so one fsync (see store.ts for the promise).
 */
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../lib/clock'
import { Unavailable, messageOf } from '../model/errors'
import { MIGRATIONS } from './schema'
import { makeTx } from './tx'
import type { Store, Tx } from './store'

/** How many jobs share one commit at most, so that the first of them does not wait long for the last. */
const COMMIT_JOBS_MAX = 512

interface Waiting { job: (tx: Tx) => Promise<unknown>; resolve: (value: unknown) => void; reject: (error: unknown) => void }

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
}

const open = (path: string): DatabaseSync => {
  const db = new DatabaseSync(path)
  try {
    for (const pragma of ['locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON', 'busy_timeout = 0']) {
      db.exec('PRAGMA ' + pragma)
    }
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

/** Opens or makes the database file. Throws with a text for the operator. `failed`: see Store; the process must stop. */
export const openSqlite = (path: string, clock: Clock, failed: (error: unknown) => void): Store => {
  const db = open(path)
  const tx = makeTx(db)
  let waiting: Waiting[] = []
  let running: Promise<void> | undefined
  let closed: Error | undefined

  const commit = async (batch: Waiting[]): Promise<void> => {
    const answers: (() => void)[] = []
    db.exec('BEGIN IMMEDIATE')
    for (const { job, resolve, reject } of batch) {
      db.exec('SAVEPOINT job')
      try {
        const value = await job(tx)
        answers.push(() => resolve(value))
      } catch (error) {
        db.exec('ROLLBACK TO job')
        answers.push(() => reject(error))
      }
      db.exec('RELEASE job')
    }
    db.exec('COMMIT')
    for (const answer of answers) answer()
  }

  const work = async (): Promise<void> => {
    while (waiting.length > 0 && closed === undefined) {
      const batch = waiting.splice(0, COMMIT_JOBS_MAX)
      try {
        await commit(batch)
      } catch (error) {
        closed = new Unavailable(`the store failed: ${messageOf(error)}`)
        for (const { reject } of [...batch, ...waiting]) reject(closed)
        waiting = []
        failed(error)
      }
    }
  }

  const wake = (): void => {
    running ??= new Promise<void>(resolve => clock.soon(() => {
      void work().finally(() => { running = undefined; resolve(); if (waiting.length > 0) wake() })
    }))
  }

  return {
    run: job => new Promise((resolve, reject) => {
      if (closed !== undefined) return reject(closed)
      waiting.push({ job, resolve: resolve as (value: unknown) => void, reject })
      wake()
    }),
    async close () {
      while (running !== undefined) await running
      if (closed === undefined) {
        closed = new Unavailable('the store is closed')
        db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      }
      if (db.isOpen) db.close()
    }
  }
}
