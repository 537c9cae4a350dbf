/** Opens the store file of a config. Other users of this machine cannot read it. */
import { hkdfSync } from 'node:crypto'
import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../lib/clock'
import { openSqlite } from './sqlite'
import type { Store } from './store'

/** The files hold what people wrote. An earlier version made them readable for everybody. */
const closeToOthers = (path: string): void => {
  for (const file of ['', '-wal', '-shm'].map(ending => path + ending)) {
    try { chmodSync(file, 0o600) } catch { /* not there, or somebody else's: check says so */ }
  }
}

/** Derived from the secret, so that this key serves for nothing else. */
const sealKey = (secret: string): string => Buffer.from(hkdfSync('sha256', secret, '', 'zentrale logbook', 32)).toString('hex')

/** `logbookSecret` seals the logbook. Throws with a text for the operator: in use, too new, not writable. */
export const openStore = (path: string, logbookSecret: string, clock: Clock, failed: (error: unknown) => void): Store => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeToOthers(path) // before SQLite makes the log beside it, which gets the same mode
  return openSqlite(path, clock, failed, undefined, sealKey(logbookSecret))
}
