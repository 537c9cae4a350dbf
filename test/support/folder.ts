/** Folders for tests. They go when the process ends, after all that write into them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const made: string[] = []
process.once('exit', () => { for (const folder of made) rmSync(folder, { recursive: true, force: true }) })

export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'zentrale-'))
  made.push(folder)
  return folder
}
