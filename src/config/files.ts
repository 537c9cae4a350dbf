/** Files that the config names: logos, calendars, attachments of standard texts. They are checked at the start, so that missing ones are noticed. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { StandardText } from '../desk/address'
import type { Profile } from '../model/network'
import { mimeOf } from '../lib/mime'
import type { Path, Problems } from '../settings/problem'

/** Each notes a problem and gives undefined if the file cannot be used. Relative paths count from the config's folder. */
export interface Files {
  text (written: string, path: Path): string | undefined
  logo (written: string, path: Path): Profile['logo']
  /** Not read now: it is read when it is sent. */
  attachment (written: string, path: Path): StandardText['file']
}

const TEXT_BYTES_MAX = 4 * 1024 * 1024
const LOGO_BYTES_MAX = 100 * 1024 // some networks take it only in one piece

const MAGIC: [mime: string, begins: RegExp][] = [
  ['image/png', /^\x89PNG/], ['image/jpeg', /^\xff\xd8\xff/], ['image/gif', /^GIF8/], ['image/webp', /^RIFF.{4}WEBP/s]
]

export const filesIn = (folder: string, bytesMax: number, problem: Problems): Files => {
  const attempt = <T>(written: string, path: Path, most: number, use: (file: string) => T): T | undefined => {
    const file = resolve(folder, written)
    try {
      const found = statSync(file)
      if (found.isFile() && found.size <= most) return use(file)
      if (found.isFile()) problem(path, `${written} is over ${most} bytes`, 'Make it smaller')
      else problem(path, `${written} is not a file`, 'Write the path of a file')
    } catch (error) {
      problem(path, `${written} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`,
        'Correct the path, or make the file readable for Zentrale; a relative path counts from the config\'s folder')
    }
    return undefined
  }
  return {
    text: (written, path) => attempt(written, path, TEXT_BYTES_MAX, file => readFileSync(file, 'utf8')),
    logo: (written, path) => {
      const bytes = attempt(written, path, LOGO_BYTES_MAX, file => readFileSync(file))
      const mime = bytes && MAGIC.find(([, begins]) => begins.test(bytes.toString('latin1', 0, 16)))?.[0]
      if (bytes !== undefined && mime === undefined) problem(path, `${written} is not a picture that all apps show`, 'Give a PNG or JPEG file')
      return bytes && mime !== undefined ? { bytes, mime } : undefined
    },
    attachment: (written, path) => attempt(written, path, bytesMax, file => {
      accessSync(file, constants.R_OK)
      return { path: file, name: basename(file), mime: mimeOf(file) }
    })
  }
}
