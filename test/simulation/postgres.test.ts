/** The same stories with the store in a real PostgreSQL. */
import assert from 'node:assert/strict'
import { type Postgres, startPostgres } from '../../sandbox/servers/postgres'
import { temporaryFolder } from '../support/folder'
import { needs } from '../support/real'
import { makeTally, tellViolation } from './report'
import { simulate, type Outcome } from './simulation'

/** Quick ones, which have each of the faults together; with function addresses, chats one to one, moderators. */
const SEEDS = [4, 5, 6, 7, 15, 16]
const FAULTS = ['crash', 'power cut', 'disk error', 'unreadable', 'stop and start', 'clock jump']

const cutIn = ({ trace }: Outcome): number => trace.findIndex(line => line.includes('process: power cut'))

/**
 * What a story is until the power fails: then it is up to chance what is left, and a disk has more to choose from. Each engine says in its own words
 * why it failed. The keys of notices are made of numbers of rows, of which PostgreSQL leaves some out.
 */
const story = (outcome: Outcome): string[] => {
  const end = cutIn(outcome)
  return outcome.trace.slice(0, end === -1 ? undefined : end).filter(line => !line.includes('the store failed: '))
    .map(line => line.replace(/ has \S+ message Not delivered/, ' has a message Not delivered'))
}

describe('in bad weather, with a store in PostgreSQL', () => {
  needs('postgres')
  const tally = makeTally()
  let server: Postgres
  before(async () => { server = await startPostgres({ dir: temporaryFolder() }) })
  after(async () => { await server?.stop() })

  for (const seed of SEEDS) {
    it(`keeps every promise under seed ${seed}, and is the same story as on a disk until the power fails`, async () => {
      const [here, there] = [await simulate(seed, server), await simulate(seed)]
      assert.deepEqual(here.violations, [], here.violations.map(violation => tellViolation(here, violation)).join('\n'))
      const [mine, its] = [story(here), story(there)]
      const isCut = cutIn(here) !== -1
      assert.equal(cutIn(there) !== -1, isCut)
      assert.deepEqual(mine, isCut ? its.slice(0, mine.length) : its) // it may fail a little later for a disk: while that syncs
      tally.add(here)
    })
  }

  it('has been through every fault', () => {
    for (const what of FAULTS) assert.match(tally.text(), new RegExp(`[1-9]\\d*  ${what}`), `not a single time: ${what}`)
  })
})
