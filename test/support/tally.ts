/** Mocha's spec reporter that also names the slowest files, and writes its counts to the file named by TALLY, for .ci/run. */
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { reporters, type MochaOptions, type Runnable, type Runner } from 'mocha'

const SLOWEST = 10

const Tally = function (runner: Runner, options: MochaOptions): void {
  const took = new Map<string, number>() // ms, with hooks
  const add = ({ file = '', duration = 0 }: Runnable): void => { took.set(file, (took.get(file) ?? 0) + duration) }
  new reporters.Spec(runner, options)
  runner.on('test end', add)
  runner.on('hook end', add)
  runner.once('end', () => {
    const { passes = 0, failures = 0, pending = 0 } = runner.stats ?? {}
    const slowest = [...took].sort(([, one], [, other]) => other - one).slice(0, SLOWEST)
    console.log('  the slowest files:')
    for (const [file, ms] of slowest) console.log(`${(ms / 1000).toFixed(0).padStart(7)} s  ${relative('.', file)}`)
    console.log()
    writeFileSync(process.env['TALLY'] ?? 'tally', `${passes} ${failures} ${pending}\n`)
  })
}

export = Tally
