/**
 * A backup: a folder with a copy of the store, on wish with the config and the files that it names, and a manifest. It is whole or it is not
 * there: everything is written beside it, synced, and renamed at the end.
 */
import { createHash } from 'node:crypto'
import {
  chmodSync, closeSync, copyFileSync, createReadStream, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync,
  statSync, writeFileSync
} from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parse } from 'yaml'
import { z } from 'zod'
import { messageOf, Refused } from '../model/errors'
import { damageOf } from '../store/sqlite'
import { fillBeside } from './new-file'

const STORE = 'zentrale.db'
const MANIFEST = 'manifest.json'
const CONFIG = 'config'
const FILE_BYTES_MAX = 64 * 1024 * 1024 // larger ones are none that a config needs

/**
 * `store`: absent if that is in PostgreSQL. `files`: relative to the folder of the config, with the config itself as the first; none if it was not
 * wished.
 */
const MANIFEST_SHAPE = z.object({
  zentrale: z.string(), made: z.iso.datetime(), store: z.object({ bytes: z.number(), sha256: z.string() }).optional(), files: z.array(z.string())
})
export type Manifest = z.infer<typeof MANIFEST_SHAPE>

/** `path`: of the copy of the store, if it is in the backup. */
export interface Backup extends Manifest { path?: string; folder: string }

const sha256 = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

/** What is in a file or folder, or whether it is there, is on disk. */
export const sync = (path: string): void => {
  const file = openSync(path, 'r')
  try { fsyncSync(file) } finally { closeSync(file) }
}

/** Only its owner can read it, as the folders made for it. */
const copyFile = (from: string, to: string): void => {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 })
  copyFileSync(from, to)
  chmodSync(to, 0o600)
  sync(to)
}

const isInside = (folder: string, path: string): boolean => !relative(folder, path).startsWith('..')

const stringsIn = (value: unknown): string[] => {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : []
}

/** The config, and the files below its folder that it names. `others`: those that lie elsewhere. */
export const filesOf = (config: string, store: string | undefined): { files: string[], others: string[] } => {
  const folder = dirname(config)
  const isFile = (path: string): boolean => {
    const found = statSync(path, { throwIfNoEntry: false })
    return found?.isFile() === true && found.size <= FILE_BYTES_MAX && path !== store
  }
  const named = [...new Set(stringsIn(parse(readFileSync(config, 'utf8'))).map(one => resolve(folder, one)))]
    .filter(path => { try { return isFile(path) } catch { return false } }) // a text that is no path at all
  const inside = named.filter(path => isInside(folder, path))
  return { files: [config, ...inside].map(path => relative(folder, path)), others: named.filter(path => !isInside(folder, path)) }
}

export interface Filling {
  zentrale: string; made: number; config?: { file: string, files: string[] }; store?: ((path: string) => Promise<void>) | undefined
}

/** Writes the copy of the store and looks whether it is sound. */
const copyStore = async (path: string, store: (path: string) => Promise<void>): Promise<Manifest['store']> => {
  await store(path)
  const damage = damageOf(path)
  if (damage !== undefined) throw new Refused(`the copy of the store is damaged: ${damage}`)
  sync(path)
  return { bytes: statSync(path).size, sha256: await sha256(path) }
}

/**
 * Makes a backup in a folder that must not be there, or be empty. `store` writes the copy, if it is to be in it. Throws Refused with a text for the
 * operator.
 */
export const writeBackup = async (folder: string, { zentrale, made, config, store }: Filling): Promise<Manifest> => {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new Refused(`${folder} is not empty, and a backup is not overwritten. Name a new folder, for instance with the date`)
  }
  return await fillBeside(folder, async part => {
    const copied = store && await copyStore(join(part, STORE), store)
    const files = config?.files ?? []
    for (const file of files) copyFile(resolve(dirname(config!.file), file), join(part, CONFIG, file))
    const manifest: Manifest = { zentrale, made: new Date(made).toISOString(), ...copied && { store: copied }, files }
    writeFileSync(join(part, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 })
    for (const one of [join(part, MANIFEST), part]) sync(one)
    renameSync(part, folder)
    sync(dirname(resolve(folder)))
    return manifest
  })
}

/** Throws Refused if the folder is no backup, or not as it was written. */
export const readBackup = async (folder: string): Promise<Backup> => {
  const path = join(folder, STORE)
  const noBackup = (why: string): Refused => new Refused(`${folder} is no backup of Zentrale: ${why}`)
  let manifest: Manifest
  try {
    manifest = MANIFEST_SHAPE.parse(JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')))
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw noBackup(messageOf(error))
    throw noBackup(`${MANIFEST} is not as it was written (${error.issues.map(one => one.path.join('.')).join(', ')})`)
  }
  const { store } = manifest
  if (store !== undefined && !existsSync(path)) throw noBackup(`${STORE} is not in it`)
  if (store !== undefined && await sha256(path) !== store.sha256) {
    throw new Refused(`${path} is not as it was written: its checksum differs. Take another backup`)
  }
  const strange = manifest.files.find(file => !isInside(folder, resolve(folder, file)))
  if (strange !== undefined) throw noBackup(`${MANIFEST} names ${strange}`)
  return { ...manifest, folder, ...store !== undefined && { path } }
}

/**
 * Writes the config and its files to where there is no config. The config is the last, so that what is cut off is done again. Returns the paths
 * written.
 */
export const writeConfig = ({ folder, files }: Backup, config: string): string[] => {
  const [first, ...rest] = files
  if (first === undefined) return []
  return [...rest, first].flatMap(file => {
    const to = file === first ? resolve(config) : resolve(dirname(config), file)
    if (existsSync(to)) return []
    copyFile(join(folder, CONFIG, file), to)
    return [to]
  })
}
