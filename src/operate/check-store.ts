/** `zentrale check` of the store: a file that can be written, or a database that keeps what it says. */
import { constants, existsSync, type StatsFs } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Config } from '../config/config'
import type { Clock } from '../lib/clock'
import { messageOf } from '../model/errors'
import { type Finding, reasonOf, runProbe, Wrong } from '../settings/probe'
import { isStrange, MOVED, strangeness, UNVERSIONED } from '../store/moved'
import { makeStoreFolder, storeName } from '../store/open'
import { holdBack } from '../store/postgres-lock'
import { type Holder, lookAt, POSTGRES_SCHEMA, type Seen } from '../store/postgres-look'
import { movedFrom, schemaOf } from '../store/sqlite'
import { isActive, type Readiness } from './remote-queue'

/** What we are tested with, and later ones. */
const POSTGRES_MIN = 15

/** What is seen of it, or why nothing is. */
export type Database = Seen | string

/** Undefined if the store is a file. `isFree`: nobody else is active. */
export const lookAtDatabase = async ({ store: { postgres } }: Config, isFree: boolean): Promise<Database | undefined> => {
  if (postgres === undefined) return undefined
  const seen = await lookAt(postgres).catch((error: unknown) => reasonOf(error))
  if (typeof seen === 'string' || !isFree) return seen
  const { holder: _, ...others } = seen // we ourselves
  return others
}

const MIB = 2 ** 20
/** SQLite's log grows so far before what is in it goes into the file. */
const ROOM_BYTES_MIN = 16 * MIB

/** Throws Wrong if a disk is full, or nearly. */
export const mustHaveRoom = ({ blocks, bavail, bsize }: Pick<StatsFs, 'blocks' | 'bavail' | 'bsize'>, folder: string): void => {
  const free = bavail * bsize
  if (blocks === 0 || free >= ROOM_BYTES_MIN) return // some file systems do not count
  throw new Wrong(`its disk is full: ${Math.floor(free / MIB)} MiB are free`,
    `Make room in ${folder}. As soon as nothing can be written, Zentrale ends with 70, and each start ends so too. Nothing that was accepted is lost`)
}

const fileIsWritable = async (path: string): Promise<string> => {
  const folder = dirname(path)
  try {
    makeStoreFolder(path)
    await access(folder, constants.W_OK)
    await access(path, constants.R_OK | constants.W_OK).catch((error: { code?: string }) => { if (error.code !== 'ENOENT') throw error })
  } catch (error) {
    throw new Wrong(`cannot be written (${messageOf(error)})`,
      `Make ${folder} writable for the user that Zentrale runs as: chown -R zentrale: ${folder}`)
  }
  mustHaveRoom(await statfs(folder), folder)
  const schema = existsSync(path) ? schemaOf(path) : 0
  if (isStrange(schema)) throw strange(schema, movedFrom(path))
  return 'can be written'
}

/** Of a place from which a store was moved, or to which it has not wholly come. */
const strange = (schema: number, movedTo?: string): Wrong => new Wrong(strangeness(schema, movedTo), schema === MOVED
  ? 'Give the config whose store leads there: zentrale --config FILE check. What lies here still holds what people wrote: remove it once all is well'
  : 'Nothing starts on it until then')

/** Of a Zentrale that runs, only what is wrong. */
const fileServes = async (path: string, isRunning: boolean): Promise<Finding[]> => {
  const found = await runProbe(`Store ${path}`, () => fileIsWritable(path))
  return isRunning && found.advice === undefined ? [] : [found]
}

/**
 * What the schema of a database is to this program. Throws Wrong if it is too new, or the store is not there any more, or not whole: there are
 * `tables`, but no version.
 */
export const schemaInWords = (schema: number | undefined, known: number, movedTo?: string, tables = 0): string => {
  if (tables > 0 && (schema ?? 0) === 0) throw new Wrong('its schema zentrale cannot be used', UNVERSIONED)
  if (schema === undefined) return 'is not there yet'
  if (isStrange(schema)) throw strange(schema, movedTo)
  if (schema > known) {
    throw new Wrong(`its schema is version ${schema}, made by a newer Zentrale; this one knows ${known}`,
      'Install the newer one, or restore a backup')
  }
  return schema === known ? `its schema is version ${known}, as this Zentrale wants it`
    : `its schema goes from version ${schema} to ${known} at the start`
}

const isNewer = ({ schema = 0 }: Seen): boolean => schema > POSTGRES_SCHEMA && !isStrange(schema)

/** If the active one runs here, it is the holder itself. */
const heldBy = (
  { from, role, since, isOfUs, tries }: Holder, isNewer: boolean, running: Readiness | undefined
): Omit<Finding, 'what'>[] => isActive(running) ? [] : [
  {
    mild: true,
    found: `a ${tries === 1 ? 'zentrale check' : 'Zentrale'} at ${from} (role ${role}) works on it${since === null ? '' : ` since ${since}`}`,
    advice: isNewer ? 'This one cannot take over from that one'
      : running === undefined ? 'If this one is started, it stands by, and is active as soon as that one has ended'
        : 'This one is active as soon as that one has ended'
  },
  ...isOfUs === 1 ? [] : [{ found: 'this config has another role, which may not end the session of that one if it is frozen',
    advice: `Let both have the same: write ${role} and its password into store.postgres` }]
]

const wrongWith = (seen: Seen, running: Readiness | undefined): Omit<Finding, 'what'>[] => [
  ...seen.encoding === 'UTF8' ? [] : [{ found: `its encoding is ${seen.encoding}`,
    advice: 'Make another one: CREATE DATABASE zentrale OWNER zentrale ENCODING UTF8 TEMPLATE template0' }],
  ...seen.readsOnly ? [{ found: 'it takes no writes', advice: 'Is this a standby server? Write the address of the one that takes writes' }] : [],
  ...seen.mayCreate ? [] : [{ found: 'this user may not create in it',
    advice: 'Let it: ALTER DATABASE … OWNER TO …, or GRANT CREATE ON DATABASE … TO …' }],
  ...seen.foreign === 0 ? [] : [{ found: `${seen.foreign} tables in the schema zentrale belong to another role than this one`,
    advice: 'Write the role that owns them into store.postgres, or give it to this one: REASSIGN OWNED BY … TO …' }],
  ...seen.major >= POSTGRES_MIN ? [] : [{ mild: true as const, found: `it is PostgreSQL ${seen.server}`,
    advice: `Zentrale is tested with ${POSTGRES_MIN} and later` }],
  ...seen.syncs ? [] : [{ mild: true as const, found: 'fsync or full_page_writes is off',
    advice: 'If its machine dies, messages are lost that we said we have, or all of it. Switch both on' }],
  ...seen.holder === undefined ? [] : heldBy(seen.holder, isNewer(seen), running)
]

const databaseServes = async (url: string, seen: Database, running: Readiness | undefined): Promise<Finding[]> => {
  const what = `Store ${storeName({ postgres: url })}`
  if (typeof seen === 'string') {
    return [{ what, found: `cannot be reached: ${seen}`,
      advice: seen.includes('certificate') ? 'If an authority of your own has signed it, write &sslrootcert=FILE behind store.postgres'
        : 'Check whether it runs (systemctl status postgresql), lets this user in (pg_hba.conf), has this database and a free connection ' +
          '(max_connections); and whether store.postgres is right' }]
  }
  const wrong = wrongWith(seen, running)
  const { server, encoding, schema, movedTo, tables } = seen
  const fits = await runProbe(what, async () => `PostgreSQL ${server}, ${encoding}; ${schemaInWords(schema, POSTGRES_SCHEMA, movedTo, tables)}`)
  return [fits, ...wrong.map(one => ({ what, ...one }))]
}

/** If nobody is active on the database, and none waits here to be, nobody becomes it for as long as `during` takes. */
export const whileFree = async <T>({ store: { postgres } }: Config, running: Readiness | undefined, clock: Clock,
  during: (isFree: boolean) => Promise<T>): Promise<T> => {
  const release = postgres === undefined || running !== undefined ? undefined
    : await holdBack(postgres, clock).catch(() => undefined) // what is in the way is said when it is looked at
  try {
    return await during(postgres === undefined || release !== undefined)
  } finally { await release?.() }
}

/** Why what only one may be is not tried here: another Zentrale is active, or may be at any moment. Undefined if none is. */
export const activeElsewhere = (seen: Database | undefined, running: Readiness | undefined, isFree: boolean): string | undefined => {
  if (isActive(running) || isFree || seen === undefined) return undefined
  if (typeof seen === 'string') return 'it cannot be seen whether another one is active on the database'
  if (seen.holder !== undefined) return `the one at ${seen.holder.from} is active on this database`
  return running === undefined ? 'another one was active on this database a moment ago' : 'this one may be at any moment'
}

export const checkStore = async ({ store }: Config, running: Readiness | undefined, seen: Database | undefined): Promise<Finding[]> => [
  ...running === undefined ? [] : [{ what: 'Zentrale', found: running.standby === undefined ? 'is running' : `stands by: ${running.standby}` }],
  ...store.path === undefined ? seen === undefined ? [] : await databaseServes(store.postgres, seen, running)
    : await fileServes(store.path, running !== undefined)
]
