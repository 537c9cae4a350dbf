/** The store, for commands while no Zentrale runs that could be asked. */
import { existsSync } from 'node:fs'
import type { Config } from '../config/config'
import type { Clock } from '../lib/clock'
import { Refused } from '../model/errors'
import { openStore } from '../store/open'
import type { Store } from '../store/store'

/** Throws Refused if there is no store, and with a text for the operator if it is in use. */
export const withStore = async <T>(config: Pick<Config, 'store' | 'operate'>, clock: Clock, use: (store: Store) => Promise<T>): Promise<T> => {
  const { path } = config.store
  if (!existsSync(path)) throw new Refused(`There is no store at ${path}: Zentrale has not run with this config yet, or the path is wrong`)
  return await withAnyStore(config, clock, use)
}

/** The same, and makes the store if there is none. */
export const withAnyStore = async <T>(
  { store: { path }, operate: { token, logbookKey = token } }: Pick<Config, 'store' | 'operate'>, clock: Clock, use: (store: Store) => Promise<T>
): Promise<T> => {
  const store = openStore(path, logbookKey, clock, () => {}) // a failing store rejects the job itself
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}
