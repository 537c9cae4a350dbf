/**
 * `zentrale upgrade-check`, with the new program and before it is started: whether it will take the config and the store as they are, and whether
 * there is a way back. Changes nothing, and disturbs no Zentrale that runs.
 */
import { existsSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Config } from '../config/config'
import type { Clock } from '../lib/clock'
import { messageOf } from '../model/errors'
import { type Finding, runProbe, Wrong } from '../settings/probe'
import { type StoreAt, storeName } from '../store/open'
import { lookAt, POSTGRES_SCHEMA } from '../store/postgres-look'
import { SCHEMA, schemaOf } from '../store/sqlite'
import { readBackup } from './backup-folder'
import { schemaInWords } from './check-store'
import { dumpIn, dumpLine } from './dump'

const BACKUP_MS_MAX = 86_400_000
const HOUR_MS = 3_600_000
const MIB = 1024 * 1024

/** While a step of the schema is made, its pages are in the log too; then the next backup needs as much again. */
const ROOM_TIMES = 2
const ROOM_BYTES_MIN = 64 * MIB

const schemaFits = async ({ path, postgres }: StoreAt): Promise<string> => {
  if (postgres === undefined) return schemaInWords(existsSync(path) ? schemaOf(path) : undefined, SCHEMA)
  const { schema, movedTo, tables } = await lookAt(postgres)
  return schemaInWords(schema, POSTGRES_SCHEMA, movedTo, tables)
}

const diskHasRoom = async ({ path }: StoreAt): Promise<string> => {
  if (path === undefined) return 'is that of the database server: look there'
  const bytesOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0
  const needed = Math.max(ROOM_BYTES_MIN, ROOM_TIMES * (bytesOf(path) + bytesOf(`${path}-wal`)))
  const { bavail, bsize } = await statfs(dirname(path))
  const inMib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`
  if (bavail * bsize < needed) {
    throw new Wrong(`${inMib(bavail * bsize)} are free, and ${inMib(needed)} may be needed`, `Make room in ${dirname(path)} first`)
  }
  return `${inMib(bavail * bsize)} are free, of which ${inMib(needed)} may be needed`
}

const backupIsFresh = async (folder: string | undefined, { postgres }: StoreAt, clock: Clock): Promise<string> => {
  const make = 'Make one: zentrale backup FOLDER, and then zentrale upgrade-check FOLDER'
  if (folder === undefined) throw new Wrong('none was named, and an older Zentrale cannot open the store afterwards', make)
  const { made } = await readBackup(folder).catch((error: unknown) => { throw new Wrong(messageOf(error), make) })
  const age = clock.now() - Date.parse(made)
  if (age > BACKUP_MS_MAX) throw new Wrong(`it is ${Math.floor(age / HOUR_MS)} hours old, and what came later is not in it`, make)
  if (postgres === undefined) return `it was made at ${made}, and is whole`
  const dump = dumpIn(folder)
  if (!existsSync(dump)) throw new Wrong(`${dump} is not there`, `Make it: ${dumpLine(postgres, folder)}`)
  return `it was made at ${made}, and ${dump} is there. Whether that is whole, only pg_restore can say`
}

/** `read`: reads the config. `backup`: the folder of a backup. */
export const checkUpgrade = async (read: () => Config, backup: string | undefined, clock: Clock): Promise<Finding[]> => {
  let config: Config
  try {
    config = read()
  } catch (error) {
    return [{ what: 'Config', found: 'this Zentrale refuses it', advice: messageOf(error) }]
  }
  const { store, file } = config
  return [
    { what: 'Node', found: `${process.versions.node} is new enough` }, // else nothing would have come so far
    { what: `Config ${file}`, found: 'this Zentrale takes it' },
    await runProbe(`Store ${storeName(store)}`, () => schemaFits(store)),
    await runProbe('Disk', () => diskHasRoom(store)),
    await runProbe(`Backup${backup === undefined ? '' : ` ${backup}`}`, () => backupIsFresh(backup, store, clock))
  ]
}
