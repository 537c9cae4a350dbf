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
import { SCHEMA, schemaOf } from '../store/sqlite'
import { readBackup } from './backup-folder'

const BACKUP_MS_MAX = 86_400_000
const HOUR_MS = 3_600_000
const MIB = 1024 * 1024

/** While a step of the schema is made, its pages are in the log too; then the next backup needs as much again. */
const ROOM_TIMES = 2
const ROOM_BYTES_MIN = 64 * MIB

const schemaFits = (path: string): string => {
  if (!existsSync(path)) return 'is not there yet'
  const found = schemaOf(path)
  if (found > SCHEMA) {
    throw new Wrong(`its schema is version ${found}, made by a newer Zentrale; this one knows ${SCHEMA}`,
      'Install the newer one, or restore a backup')
  }
  return found === SCHEMA ? `its schema is version ${SCHEMA}, as this Zentrale wants it`
    : `its schema goes from version ${found} to ${SCHEMA} at the start`
}

const diskHasRoom = async (path: string): Promise<string> => {
  const bytesOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0
  const needed = Math.max(ROOM_BYTES_MIN, ROOM_TIMES * (bytesOf(path) + bytesOf(`${path}-wal`)))
  const { bavail, bsize } = await statfs(dirname(path))
  const inMib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`
  if (bavail * bsize < needed) {
    throw new Wrong(`${inMib(bavail * bsize)} are free, and ${inMib(needed)} may be needed`, `Make room in ${dirname(path)} first`)
  }
  return `${inMib(bavail * bsize)} are free, of which ${inMib(needed)} may be needed`
}

const backupIsFresh = async (folder: string | undefined, clock: Clock): Promise<string> => {
  const make = 'Make one: zentrale backup FOLDER, and then zentrale upgrade-check FOLDER'
  if (folder === undefined) throw new Wrong('none was named, and an older Zentrale cannot open the store afterwards', make)
  const { made } = await readBackup(folder).catch((error: unknown) => { throw new Wrong(messageOf(error), make) })
  const age = clock.now() - Date.parse(made)
  if (age > BACKUP_MS_MAX) throw new Wrong(`it is ${Math.floor(age / HOUR_MS)} hours old, and what came later is not in it`, make)
  return `it was made at ${made}, and is whole`
}

/** `read`: reads the config. `backup`: the folder of a backup. */
export const checkUpgrade = async (read: () => Config, backup: string | undefined, clock: Clock): Promise<Finding[]> => {
  let config: Config
  try {
    config = read()
  } catch (error) {
    return [{ what: 'Config', found: 'this Zentrale refuses it', advice: messageOf(error) }]
  }
  const { store: { path }, file } = config
  return [
    { what: 'Node', found: `${process.versions.node} is new enough` }, // else nothing would have come so far
    { what: `Config ${file}`, found: 'this Zentrale takes it' },
    await runProbe(`Store ${path}`, async () => schemaFits(path)),
    await runProbe('Disk', () => diskHasRoom(path)),
    await runProbe(`Backup${backup === undefined ? '' : ` ${backup}`}`, () => backupIsFresh(backup, clock))
  ]
}
