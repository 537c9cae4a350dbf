/** For tests that drive real servers: what they need, and a directory of their own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { missing, type RealThing } from '../../sandbox/servers/available'

/** Inside a describe: skips it where something is not installed, saying how to get it; in CI it fails instead. */
export const needs = (...things: RealThing[]): void => {
  before(`needs ${things.join(', ')}`, function () {
    const lacking = missing(things)
    if (lacking.length === 0) return
    if (process.env['CI'] === 'true') throw new Error(`not installed: ${lacking.join('; ')}`)
    console.log(`      skipped, not installed: ${lacking.join('; ')}`)
    this.skip()
  })
}

const made: string[] = []
process.once('exit', () => { for (const dir of made) rmSync(dir, { recursive: true, force: true }) })

/** Inside a describe: a directory that is there before its tests and removed when the process ends, after whoever writes into it. */
export const scratch = (): (path?: string) => string => {
  let dir = ''
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'zentrale-'))
    made.push(dir)
  })
  return (path = '') => join(dir, path)
}
