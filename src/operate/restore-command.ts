/**
 * `zentrale restore`: puts a backup back. By itself, nothing that may have gone out since the copy was made is sent again: docs/operating.md says
 * what that means. The store is there whole, or it is not there; one in PostgreSQL was put there by PostgreSQL's own tools.
 */
import { copyFileSync, existsSync, linkSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config } from '../config/config'
import type { Clock } from '../lib/clock'
import { Refused } from '../model/errors'
import { type PutBack, putBack } from '../plan/restored'
import { isMade, makeStoreFolder, openStore, type StoreAt, storeName } from '../store/open'
import type { Store } from '../store/store'
import { type Backup, readBackup, sync, writeConfig } from './backup-folder'
import { devicesRestored } from './devices'
import { notYetRestored } from './dump'
import { withStore } from './own-store'
import { readiness, urlOf } from './remote-queue'

/** `stopped`: when the lost Zentrale stopped, as written; `ask`: asks for what is not given, on a terminal. */
export interface RestoreOrder {
  folder: string; config: string; stopped?: string | undefined; sends?: boolean | undefined; replaces: boolean
  ask?: ((question: string) => Promise<string>) | undefined
}

const ENDINGS = ['', '-wal', '-shm']

/** Ms since 1970. Without a time zone, that of this machine. Throws Refused. */
const timeOf = (written: string, { made }: Backup, now: number): number => {
  const at = written === 'now' ? now : Date.parse(written)
  if (Number.isNaN(at)) throw new Refused(`${written} is no time. Write it like this: 2026-11-29T14:30`)
  if (at > now) throw new Refused(`${written} is in the future`)
  if (at < Date.parse(made)) throw new Refused(`${written} is before this backup was made (${made}). Zentrale ran at that time`)
  return at
}

const WHEN = 'When did the Zentrale stop whose store is lost? What people said before that counts as carried. What they said later is carried.\n' +
  'A time like 2026-11-29T14:30, or nothing, if you do not know it: then nothing from before this moment is carried.\n> '
const WHETHER = 'Shall what waited when the backup was made be sent? It may have gone out since. [no] '

const isYes = (answer: string): boolean => /^(y|yes|j|ja)$/i.test(answer.trim())

/** Throws Refused if the backup cannot be put there. */
const mustBeFree = (path: string, replaces: boolean): void => {
  const isThere = existsSync(path)
  if (isThere && !replaces) {
    throw new Refused(`A store is there: ${path}. With --replace it is kept under another name, and the backup takes its place`)
  }
  const stray = ['-wal', '-shm'].map(ending => path + ending).find(existsSync)
  if (!isThere && stray !== undefined) {
    throw new Refused(`${stray} is there without its store, and would spoil the one that is put back. Move it away first`)
  }
}

/** Gives a store a second name, under which it stays, if nobody uses it. Returns that. */
const keepAside = async (path: string, key: string, clock: Clock): Promise<string> => {
  await (await openStore({ path }, key, clock, () => {})).close() // whatever its log holds is in the file then
  const to = `${path}.before-${new Date(clock.now()).toISOString().replace(/[:.]/g, '')}`
  linkSync(path, to)
  return to
}

/** Lets a store know that it was put back. Returns how many deliveries were set aside. */
const settle = async (store: Store, how: PutBack, clock: Clock): Promise<number> => {
  const aside = await store.run(tx => putBack(tx, how, clock.now()))
  await devicesRestored(store)
  return aside
}

/** `aside`: how many deliveries were set aside. `before`: where the store is that was there. */
interface Done { aside: number; before?: string | undefined }

const putFile = async (copy: string, path: string, how: PutBack, key: string, clock: Clock): Promise<Done> => {
  const part = `${path}.part`
  makeStoreFolder(path)
  try {
    for (const ending of ENDINGS) rmSync(part + ending, { force: true }) // of one that was cut off
    copyFileSync(copy, part)
    const store = await openStore({ path: part }, key, clock, () => {})
    const aside = await settle(store, how, clock).finally(() => store.close())
    sync(part)
    const before = existsSync(path) ? await keepAside(path, key, clock) : undefined
    if (before === undefined) linkSync(part, path) // unlike a renaming, it does not replace what somebody has made meanwhile
    else renameSync(part, path)
    sync(dirname(path))
    return { aside, before }
  } finally {
    for (const ending of ENDINGS) rmSync(part + ending, { force: true })
  }
}

/** Throws Refused if what is in the backup, or in the database, cannot be put where the config says. */
const mustFit = async ({ folder, path: copy }: Backup, { path, postgres }: StoreAt, replaces: boolean): Promise<void> => {
  if (postgres === undefined) {
    if (copy === undefined) throw new Refused(`${folder} holds no store: it was in PostgreSQL. Write store.postgres into the config`)
    return mustBeFree(path, replaces)
  }
  if (copy !== undefined) throw new Refused(`${folder} holds a store that is a file. Write store.path into the config to put it back`)
  if (replaces) throw new Refused('--replace is for files. A database is kept by giving it another name: ALTER DATABASE … RENAME TO …')
  if (!await isMade({ postgres })) throw notYetRestored(postgres, folder)
}

const toldOf = (name: string, { aside }: Done, { stoppedAt, sends }: PutBack): string[] => [
  `The store is back at ${name}.`,
  sends ? 'What waited when the backup was made is sent as soon as Zentrale starts.'
    : aside === 0 ? 'Nothing waited when the backup was made.'
      : `${aside} deliveries that waited then are set aside, because they may have gone out: zentrale queue --state unknown`,
  `What people said before ${new Date(stoppedAt).toISOString()}, and is not in the backup, is not carried again. Zentrale keeps what it finds of it:`,
  'zentrale queue --state unrouted'
]

/** `load` reads the config, once it is there. Returns the text to print. Throws Refused or what `load` throws; then no store is there. */
export const runRestore = async (order: RestoreOrder, load: () => Config, clock: Clock): Promise<string> => {
  const backup = await readBackup(order.folder)
  const written = existsSync(order.config) ? [] : writeConfig(backup, order.config)
  const config = load()
  const { operate: { listen, logbookKey }, store: at } = config
  if (await readiness(urlOf(listen), clock) !== undefined) throw new Refused('Zentrale runs with this config. Stop it first')
  await mustFit(backup, at, order.replaces)
  const { ask } = order
  const stoppedAt = timeOf(order.stopped ?? ((await ask?.(WHEN))?.trim() || 'now'), backup, clock.now())
  const how = { stoppedAt, sends: order.sends ?? (ask !== undefined && isYes(await ask(WHETHER))) }
  const done: Done = backup.path !== undefined && at.path !== undefined ? await putFile(backup.path, at.path, how, logbookKey, clock)
    : { aside: await withStore(config, clock, store => settle(store, how, clock)) } // PostgreSQL's tools have put it there
  return [
    ...written.length > 0 ? [`Written: ${written.join(', ')}`] : [],
    ...done.before === undefined ? []
      : [`The store that was there: ${done.before}. Delete it when you do not need it any more: nothing is erased in it`],
    `Whoever was erased after ${backup.made} is in the store again. Erase them again.`,
    ...toldOf(storeName(at), done, how), 'Then: zentrale check, and zentrale start'
  ].join('\n')
}
