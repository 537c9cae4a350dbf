/**
 * `npm run simulate -- --seeds 2000`, `-- --minutes 60`, `-- --seed 17 [--trace]`. Exit status 1 if a promise was broken.
 * `-- --mutation NAME --search 200 [--from 1]`: seeds that find the bridge broken so; NAME is a part of its name in mutations.ts.
 */
import { parseArgs } from 'node:util'
import { broken } from './mutate'
import { MUTATIONS } from './mutations'
import { makeTally, tellViolation } from './report'
import { simulate, type Outcome } from './simulation'

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string' }, trace: { type: 'boolean', default: false },
    mutation: { type: 'string' }, search: { type: 'string', default: '200' },
    seeds: { type: 'string' }, minutes: { type: 'string' }, from: { type: 'string' }
  }
})

const print = (text: string): void => { process.stdout.write(`${text}\n`) }

const tell = (outcome: Outcome): void => {
  for (const violation of outcome.violations.slice(0, 5)) print(tellViolation(outcome, violation))
}

const one = async (seed: number): Promise<void> => {
  const outcome = await simulate(seed)
  if (flags.trace) print(outcome.trace.join('\n'))
  tell(outcome)
  print(`seed ${seed}: ${outcome.violations.length} violations, ${outcome.hours.toFixed(1)} h simulated, trace ${outcome.hash}`)
  process.exitCode = outcome.violations.length > 0 ? 1 : 0
}

const many = async (): Promise<void> => {
  const first = Number(flags.from ?? 1)
  const until = flags.minutes === undefined ? Infinity : performance.now() + Number(flags.minutes) * 60_000
  const count = flags.seeds === undefined ? (flags.minutes === undefined ? 200 : Infinity) : Number(flags.seeds)
  const tally = makeTally()
  for (let seed = first; seed < first + count && performance.now() < until; seed++) {
    const outcome = await simulate(seed)
    tally.add(outcome)
    tell(outcome)
  }
  print(tally.text())
  process.exitCode = tally.violated > 0 ? 1 : 0
}

const FINDS_MAX = 3

const search = async (name: string): Promise<void> => {
  for (const mutation of MUTATIONS.filter(([what]) => what.includes(name))) {
    const [what, , , , breaks] = mutation
    const { simulate: simulateBroken } = broken(mutation)
    const found: number[] = []
    for (let seed = Number(flags.from ?? 1), left = Number(flags.search); left > 0 && found.length < FINDS_MAX; seed++, left--) {
      const { violations } = await simulateBroken(seed)
      const fits = violations.find(({ invariant }) => breaks.includes(invariant))
      if (fits === undefined) continue
      found.push(seed)
      print(`${what}: seed ${seed} breaks ${fits.invariant}: ${fits.what}`)
    }
    if (found.length === 0) print(`${what}: not found`)
  }
}

process.on('unhandledRejection', error => {
  process.stderr.write(`an error that nobody waits for: ${String((error as Error)?.stack ?? error)}\n`)
  process.exit(1)
})
void (flags.mutation !== undefined ? search(flags.mutation) : flags.seed === undefined ? many() : one(Number(flags.seed)))
