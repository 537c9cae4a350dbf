/**
 * npm run bench:directs -- 5 5000: what direct chats between persons cost the bridge, with few pairs and with many, in one run. Each argument is a
 * number of pairs. The networks are those of the units and cost almost nothing; the store is on disk. What servers cost is the same for each
 * message, however many pairs there are.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite } from '../src/store/sqlite'
import { chatKey, type DirectChat, type DirectRules, DIRECTS } from '../src/plan/directs'
import { systemClock as clock } from '../src/lib/clock'
import { temporaryFolder } from '../test/support/folder'
import { makePractice, type Practice, until } from '../test/support/practice'
import { startBridge } from '../test/support/started'

const GIVEN = process.argv.slice(2).map(Number)
const SIZES = GIVEN.length > 0 ? GIVEN : [5, 5000]
const ROUNDS = 3 // the best counts, beside other work
const COUNT = 3_000
const BEGINNING = 300
const OF_TODAY = 10 // one pair of so many has begun within the last day, in which no more than a thousand may
const WITHIN_MS = 60_000
const DAY_MS = 24 * 3_600_000
const RULES: DirectRules = {
  allow: [{ from: [{ network: 'red', id: '*' }], to: [{ network: 'blue', id: '*' }] }], numbers: [], perDay: 1000,
  shows: { typing: true, read: false }
}

interface Costs { startMs: number; mib: number; ms: number; perSecond: number; beginningMs: number }

const chatOf = (index: number): DirectChat => ({
  by: { network: 'red', id: `red:a${index}` }, to: { network: 'blue', id: `blue:b${index}` },
  at: clock.now() - (index % OF_TODAY === 0 ? 0 : DAY_MS * 2)
})

const prepared = async (pairs: number): Promise<string> => {
  const path = join(temporaryFolder(), 'zentrale.db')
  const store = openSqlite(path, clock, error => { throw error })
  await store.run(async tx => {
    for (let index = 0; index < pairs; index++) await tx.remember(DIRECTS, chatKey(chatOf(index)), JSON.stringify(chatOf(index)))
  })
  await store.close()
  return path
}

/** Milliseconds of processor. */
const spent = (): number => { const { user, system } = process.cpuUsage(); return (user + system) / 1000 }
const heapMib = (): number => { globalThis.gc?.(); return process.memoryUsage().heapUsed / 2 ** 20 }

/** Writes in the chat of each pair in turn; resolves when all has arrived. */
const say = async (red: Practice, blue: Practice, count: number, pairOf: (index: number) => number, mark: string): Promise<void> => {
  const before = blue.delivered.length
  await Promise.all(Array.from({ length: count }, (_, index) => {
    const { by, to } = chatOf(pairOf(index))
    const ours = `red:ours blue ${to.id}`
    return red.say(`${ours}/${by.id}`, by.id, `${mark} ${index}`, { direct: true, to: ours, key: `${mark} ${index}` })
  }))
  await until(() => blue.delivered.length - before >= count, 'all has arrived', WITHIN_MS)
}

const measured = async (pairs: number, round: number): Promise<Costs> => {
  const path = await prepared(pairs)
  const [red, blue] = [makePractice('red'), makePractice('blue')]
  const [heap, began] = [heapMib(), clock.tick()]
  const started = await startBridge([red, blue], [], { directChats: RULES, path })
  const startMs = clock.tick() - began
  const mib = heapMib() - heap
  await say(red, blue, COUNT, index => index % pairs, `warm ${round}`)
  const [cpu, from] = [spent(), clock.tick()]
  await say(red, blue, COUNT, index => index % pairs, `told ${round}`)
  const [ms, seconds] = [(spent() - cpu) / COUNT, (clock.tick() - from) / 1000]
  const before = spent()
  await say(red, blue, BEGINNING, index => pairs + index * 2, `begun ${round}`)
  const beginningMs = (spent() - before) / BEGINNING
  await started.stop()
  rmSync(path, { force: true })
  return { startMs, mib, ms, perSecond: COUNT / seconds, beginningMs }
}

const row = (...cells: (string | number)[]): void => { process.stdout.write(`| ${cells.join(' | ')} |\n`) }

const main = async (): Promise<void> => {
  const all = SIZES.map((): Costs[] => [])
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, pairs] of SIZES.entries()) {
      const costs = await measured(pairs, round)
      if (round > 0) all[index]!.push(costs) // the first warms up
    }
  }
  const best = all.map(rounds => rounds.reduce((one, other) => other.ms < one.ms ? other : one))
  const [few] = best
  const heads = ['pairs', 'start', 'MiB for them', 'ms for a message', 'messages a second', 'ms to begin a chat']
  row(...heads)
  row(...heads.map(() => '---:'))
  for (const [index, { startMs, mib, ms, perSecond, beginningMs }] of best.entries()) {
    row(SIZES[index]!, `${startMs.toFixed(0)} ms`, mib.toFixed(1), `${ms.toFixed(3)} (× ${(ms / few!.ms).toFixed(2)})`, perSecond.toFixed(0),
      `${beginningMs.toFixed(3)} (× ${(beginningMs / few!.beginningMs).toFixed(2)})`)
  }
}

main().then(() => process.exit(0), (error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
})
