/**
 * `npm run simulate -- --seeds 2000`, `-- --minutes 60`, `-- --seed 17 [--trace]`. Exit status 1 if a promise was broken. With `--postgres`,
 * the store is in a PostgreSQL that is started for that.
 * `-- --mutation NAME --search 200 [--from 1]`: finds seeds that show a mutation; NAME is a part of its name in mutations.ts.
 * `-- --keep [--mutation NAME] [--search 200] [--from 1]`: finds up to three seeds for each mutation, for seeds.json. Exit status 1 if
 * one has none.
 */
import { parseArgs } from 'node:util'
import { type Postgres, startPostgres } from '../../sandbox/servers/postgres'
import { temporaryFolder } from '../support/folder'
import { fewThatShow, keepSeeds, type Found } from './keep'
import { MUTATIONS, type Mutation } from './mutations'
import { makeTally, tellViolation } from './report'
import { simulate, type Outcome } from './simulation'

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string' }, trace: { type: 'boolean', default: false }, postgres: { type: 'boolean', default: false },
    mutation: { type: 'string' }, keep: { type: 'boolean', default: false }, search: { type: 'string', default: '200' },
    seeds: { type: 'string' }, minutes: { type: 'string' }, from: { type: 'string' }
  }
})

const print = (text: string): void => { process.stdout.write(`${text}\n`) }

const tell = (outcome: Outcome): void => {
  for (const violation of outcome.violations.slice(0, 5)) print(tellViolation(outcome, violation))
}

const one = async (seed: number, server?: Postgres): Promise<void> => {
  const outcome = await simulate(seed, server)
  if (flags.trace) print(outcome.trace.join('\n'))
  tell(outcome)
  print(`seed ${seed}: ${outcome.violations.length} violations, ${outcome.hours.toFixed(1)} h simulated, trace ${outcome.hash}`)
  process.exitCode = outcome.violations.length > 0 ? 1 : 0
}

const many = async (server?: Postgres): Promise<void> => {
  const first = Number(flags.from ?? 1)
  const until = flags.minutes === undefined ? Infinity : performance.now() + Number(flags.minutes) * 60_000
  const count = flags.seeds === undefined ? (flags.minutes === undefined ? 200 : Infinity) : Number(flags.seeds)
  const tally = makeTally()
  for (let seed = first; seed < first + count && performance.now() < until; seed++) {
    const outcome = await simulate(seed, server)
    tally.add(outcome)
    tell(outcome)
  }
  print(tally.text())
  process.exitCode = tally.violated > 0 ? 1 : 0
}

const WHAT_CHARACTERS_MAX = 120

const named = (): Mutation[] => MUTATIONS.filter(([what]) => what.includes(flags.mutation ?? ''))
const limits = (): [from: number, most: number] => [Number(flags.from ?? 1), Number(flags.search)]
const shows = ([name]: Mutation, { seed, violation: { invariant, what } }: Found): void => {
  print(`${name}: seed ${seed} breaks ${invariant}: ${what.slice(0, WHAT_CHARACTERS_MAX)}`)
}

const search = async (): Promise<void> => {
  for (const mutation of named()) {
    const found = await fewThatShow(mutation, ...limits())
    for (const one of found) shows(mutation, one)
    if (found.length === 0) print(`${mutation[0]}: not found within ${flags.search} seeds`)
    if (!flags.keep) continue
    keepSeeds(mutation[0], found.map(({ seed }) => seed))
    if (found.length === 0) process.exitCode = 1
  }
}

process.on('unhandledRejection', error => {
  process.stderr.write(`an error that nobody waits for: ${String((error as Error)?.stack ?? error)}\n`)
  process.exit(1)
})
const play = async (): Promise<void> => {
  const server = flags.postgres ? await startPostgres({ dir: temporaryFolder() }) : undefined
  await (flags.seed === undefined ? many(server) : one(Number(flags.seed), server))
  await server?.stop()
}

void (flags.keep || flags.mutation !== undefined ? search() : play())
