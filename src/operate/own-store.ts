/** The store, for commands while no Zentrale runs that could be asked. */
import type { Config } from '../config/config'
import type { Clock } from '../lib/clock'
import { Refused } from '../model/errors'
import { isMade, openStore, storeName } from '../store/open'
import { lookAt, readPostgres } from '../store/postgres-look'
import type { Store, Tx } from '../store/store'

type Where = Pick<Config, 'store' | 'operate'>

/** Throws Refused if there is no store, and with a text for the operator if it is in use. */
export const withStore = async <T>(config: Where, clock: Clock, use: (store: Store) => Promise<T>): Promise<T> => {
  if (!await isMade(config.store)) {
    throw new Refused(`There is no store at ${storeName(config.store)}: Zentrale has not run with this config yet, or the path is wrong`)
  }
  return await withAnyStore(config, clock, use)
}

/** A database is seen on other machines too, and whoever starts waits for it; a command does not. */
const mustBeFree = async (url: string): Promise<void> => {
  const { holder } = await lookAt(url)
  if (holder === undefined) return
  throw new Refused(`${storeName({ postgres: url })} is in use by the Zentrale at ${holder.from}, which does not answer here. Give this command ` +
    'there')
}

/** The same, and makes the store if there is none. */
export const withAnyStore = async <T>({ store: at, operate: { logbookKey } }: Where, clock: Clock,
  use: (store: Store) => Promise<T>): Promise<T> => {
  if (at.postgres !== undefined) await mustBeFree(at.postgres)
  const store = await openStore(at, logbookKey, clock, () => {}) // a failing store rejects the job itself
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

/** What is read from a store; undefined if there is none yet. From a database also while another machine's Zentrale works on it. */
export const readStore = async <T>(config: Where, clock: Clock, use: (tx: Tx) => Promise<T>): Promise<T | undefined> => {
  const { postgres } = config.store
  if (!await isMade(config.store)) return undefined
  return postgres === undefined ? await withStore(config, clock, store => store.run(use)) : await readPostgres(postgres, use)
}
