/**
 * kill -9 at each of the moments K1 to K12 on the path from one network to another, with the real process between real servers.
 * witness.ts judges from the outside what each person said and got. `npm run faults` takes all moments, pairs and positions, about 25
 * minutes on two cores; `-- --every=3` takes every third.
 */
import assert from 'node:assert/strict'
import type { Town } from '../../sandbox/town'
import { needs, scratch } from '../support/real'
import { isLong, option, table } from './long'
import { LONG, type Outcome, raiseMortalTown, SHORT, shootAll, wrongs } from './moments'
import { makeWitness, type Pair, PAIRS } from './witness'

/** Rounds in which Synapse may leave an event lying while it finds us again. That event comes late (docs/promises.md). */
const LYING_MAX = 2

describe('faults: kill -9 at every moment', function () {
  this.timeout(isLong ? 3 * 3_600_000 : 900_000)
  needs('prosody', ...isLong ? ['synapse', 'strace'] as const : [])
  const dir = scratch()
  let town: Town
  before(async () => { town = await raiseMortalTown(dir('town'), isLong ? 'synapse' : 'practice') })
  after(async () => { await town?.stop() })

  it('nothing is lost, nothing comes twice to Matrix, all keeps its order', async () => {
    const witness = makeWitness(town)
    await witness.say(0, 2)
    await witness.settle(0)
    const shots = isLong ? LONG.filter((_, index) => index % option('every', 1) === 0) : SHORT
    const outcomes = await shootAll(town, witness, shots, ({ moment, pair, at, deaths, round, failed }) => {
      const what = `${moment} ${pair ? `${pair.from} → ${pair.to} ` : ''}${at}`
      if (isLong) console.log(`        ${round}/${shots.length} ${what}: ${failed ?? `died ${deaths} times`}`)
    })
    const rows = [...new Set(outcomes.map(({ moment }) => moment))].map(moment => ({ moment, of: outcomes.filter(one => one.moment === moment) }))
    const lying = new Set<number>()
    const bad: string[] = outcomes.flatMap(({ moment, at, failed }) => failed === undefined ? [] : [`${moment} at ${at}: ${failed}`])
    /** How often the process was killed there, and how many invariants failed for messages from one side to the other. */
    const cell = async (of: Outcome[], pair: Pair): Promise<string> => {
      const mine = of.filter(({ pair: aimed }) => aimed === undefined || (aimed.from === pair.from && aimed.to === pair.to))
      const before = bad.length
      for (const outcome of of) {
        const verdict = await witness.judge(outcome.round, pair)
        if (isLong && pair.from === 'matrix' && verdict.late.length > 0 && lying.add(outcome.round).size <= LYING_MAX) verdict.late = []
        const found = wrongs(verdict, pair.to, outcome)
        bad.push(...found.map(wrong => `${outcome.moment} at ${outcome.at}, ${pair.from} → ${pair.to}: ${wrong}`))
      }
      return `${mine.reduce((sum, { deaths }) => sum + deaths, 0)}${bad.length > before ? ` ✗${bad.length - before}` : ''}`
    }
    const lines: string[][] = []
    for (const { moment, of } of rows) {
      const cells: string[] = []
      for (const pair of PAIRS) cells.push(await cell(of, pair))
      lines.push([moment, ...cells])
    }
    console.log(table(['killed', ...PAIRS.map(({ from, to }) => `${from}→${to}`)], lines))
    if (lying.size > 0) console.log(`        left lying by Synapse for a while, and so late: something of the rounds ${[...lying].join(', ')}`)
    assert.deepEqual(bad, [])
  })
})
