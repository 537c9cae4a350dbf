/** Opens the store of a config: a file, which other users of this machine cannot read, or a database of PostgreSQL. */
import { hkdfSync } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf } from '../model/errors'
import type { Clock } from '../lib/clock'
import { openPostgres } from './postgres'
import { nameOf, type Wait } from './postgres-lock'
import { lookAt } from './postgres-look'
import { openSqlite } from './sqlite'
import type { Store } from './store'

/** Where a store is: in a file, or in a database, whose URL may hold a password. */
export type StoreAt = { path: string, postgres?: undefined } | { postgres: string, path?: undefined }

/** As it is shown to the operator. */
export const storeName = ({ path, postgres }: StoreAt): string => postgres === undefined ? path : nameOf(postgres)

/** The files hold what people wrote. An earlier version made them readable for everybody. */
const closeToOthers = (path: string): void => {
  for (const file of ['', '-wal', '-shm'].map(ending => path + ending)) {
    try { chmodSync(file, 0o600) } catch { /* not there, or somebody else's: check says so */ }
  }
}

/** Derived from the secret, so that this key serves for nothing else. */
const sealKey = (secret: string): string => Buffer.from(hkdfSync('sha256', secret, '', 'zentrale logbook', 32)).toString('hex')

/**
 * Makes the folder of the store, and none above it: making all of a path never ends where Node is told again and again that something is
 * missing, as below /proc. Throws with a text for the operator.
 */
export const makeStoreFolder = (path: string): void => {
  const folder = dirname(path)
  if (existsSync(folder)) return
  const missing = firstMissing(dirname(folder))
  if (missing !== undefined) throw new Error(`cannot make ${folder}: ${missing} is not there. Make it first, or correct store.path`)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    throw new Error(`cannot make ${folder}, the folder of store.path: ${messageOf(error)}`)
  }
}

/** The uppermost folder of a path that is not there. */
const firstMissing = (folder: string): string | undefined => existsSync(folder) ? undefined : firstMissing(dirname(folder)) ?? folder

/** Where a copy of the store lies for as long as it is made and sent. One that a crash has left is removed at the next start. */
export const copyBeside = (path: string): string => `${path}.copy`

/** Whether a store has been made there. Rejects if that cannot be found out. */
export const isMade = async ({ path, postgres }: StoreAt): Promise<boolean> =>
  postgres === undefined ? existsSync(path) : (await lookAt(postgres)).schema !== undefined

const openFile = (path: string, logbookSecret: string, clock: Clock, failed: (error: unknown) => void): Store => {
  makeStoreFolder(path)
  closeToOthers(path) // before SQLite makes the log beside it, which gets the same mode
  const store = openSqlite(path, clock, failed, sealKey(logbookSecret))
  rmSync(copyBeside(path), { force: true })
  return store
}

/**
 * `logbookSecret` seals the logbook. `wait`: until nobody else is active on a database. Throws with a text for the operator: in use, too new, not
 * writable.
 */
export const openStore = async (
  { path, postgres }: StoreAt, logbookSecret: string, clock: Clock, failed: (error: unknown) => void, wait?: Wait
): Promise<Store> =>
  postgres === undefined ? openFile(path, logbookSecret, clock, failed)
    : await openPostgres(postgres, clock, failed, { sealKey: sealKey(logbookSecret), ...wait && { wait } })
