/** For tests that drive real servers: what they need, and a directory of their own. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { missing, type RealThing } from '../../sandbox/servers/available'
import { temporaryFolder } from './folder'

/** Inside a describe: skips it if something is not installed, and says how to get it. In CI it fails instead. */
export const needs = (...things: RealThing[]): void => {
  before(`needs ${things.join(', ')}`, function () {
    const lacking = missing(things)
    if (lacking.length === 0) return
    if (process.env['CI'] === 'true') throw new Error(`not installed: ${lacking.join('; ')}`)
    console.log(`      skipped, not installed: ${lacking.join('; ')}`)
    this.skip()
  })
}

const LOG_LINES_SHOWN = 60

/** Shows the last lines of each program's log in there. */
const showLogs = (dir: string): void => {
  for (const file of globSync(join(dir, '**/*.log'))) {
    console.log(`--- ${file}\n${readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n')}`)
  }
}

/** Inside a describe: a directory that exists before its tests. If a test fails, the logs in it are shown. */
export const scratch = (): (path?: string) => string => {
  let dir = ''
  before(() => { dir = temporaryFolder() })
  afterEach(function () { if (this.currentTest?.state === 'failed') showLogs(dir) })
  return (path = '') => join(dir, path)
}
