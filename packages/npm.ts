/** `npm run package:npm [folder]`: makes the npm package. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { checkout, run } from '../sandbox/servers/process'
import { fill } from './contents'

/** Packs into the folder, and returns the path of the package. */
export const packNpm = async (into: string): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'zentrale-npm-'))
  try {
    fill(folder)
    mkdirSync(into, { recursive: true })
    const name = await run('npm', ['pack', folder, '--pack-destination', into, '--loglevel', 'error'])
    return join(into, name.trim())
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (require.main === module) {
  packNpm(resolve(process.argv[2] ?? join(checkout, '.sandbox/packages'))).then(path => console.log(path), (error: unknown) => {
    console.error(error)
    process.exitCode = 1
  })
}
