/** New files and folders of commands. What the disk refuses is said in words. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { resolve } from 'node:path'
import { Refused } from '../model/errors'

/** `path`: what was to be made, as the operator named it. An error of the disk as Refused; any other as it is. */
const unwritable = (path: string, error: unknown): unknown => {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new Refused(`${path} cannot be made by this user (${userInfo().username}). Name a folder where it may write`)
  }
  return code === 'ENOSPC' ? new Refused(`there is no room for ${path}`) : error
}

export const alreadyThere = (path: string): Refused =>
  new Refused(`${path} exists already and is not overwritten. Move it away, or choose another place`)

/** Writes a new file that only its owner can read. Throws with a text if it exists, or cannot be made. */
export const writeNew = (path: string, text: string): void => {
  try {
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw alreadyThere(path)
    if (code === 'ENOENT') throw new Refused(`${path} cannot be made: its folder is not there. Make it first`)
    throw unwritable(path, error)
  }
}

const clear = (folder: string): void => rmSync(folder, { recursive: true, force: true })

/**
 * Fills a folder beside the one that is wanted, which `fill` renames at the end. If that fails, nothing is left behind; what a cut-off one has left
 * is cleared away.
 */
export const fillBeside = async <T>(folder: string, fill: (part: string) => Promise<T>): Promise<T> => {
  const part = `${resolve(folder)}.part`
  try {
    clear(part)
    mkdirSync(part, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw unwritable(folder, error)
  }
  try {
    return await fill(part)
  } catch (error) {
    clear(part)
    throw unwritable(folder, error)
  }
}
