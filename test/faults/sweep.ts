/** A sweep: a round for each shot, and what became of each message of each round, judged from the outside. */
import assert from 'node:assert/strict'
import type { Town } from '../../sandbox/town'
import { isLong, option, table } from './long'
import { type Outcome, type Shot, shootAll, wrongs } from './moments'
import { type Pair, PAIRS, type Witness } from './witness'

/** Rounds in which Synapse may leave an event lying while it finds us again. That event comes late (docs/promises.md). */
const LYING_MAX = 2

/** Nothing is lost, nothing comes twice to Matrix, all keeps its order. Rounds are counted from 1. */
export const sweep = async (town: Town, witness: Witness, all: Shot[]): Promise<void> => {
  const shots = isLong ? all.filter((_, index) => index % option('every', 1) === 0) : all
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
}
