/** Mocha's spec reporter that also writes its counts to the file named by TALLY, for .ci/run. */
import { writeFileSync } from 'node:fs'
import { reporters, type MochaOptions, type Runner } from 'mocha'

const Tally = function (runner: Runner, options: MochaOptions): void {
  new reporters.Spec(runner, options)
  runner.once('end', () => {
    const { passes = 0, failures = 0, pending = 0 } = runner.stats ?? {}
    writeFileSync(process.env['TALLY'] ?? 'tally', `${passes} ${failures} ${pending}\n`)
  })
}

export = Tally
