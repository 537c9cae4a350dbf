import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { systemClock } from '../../../src/lib/clock'
import { openSqlite } from '../../../src/store/sqlite'
import type { Store } from '../../../src/store/store'
import { DETAIL_CHARACTERS_MAX, HOUR_MS, LABELS_KEPT_FROM, type ToCount, type What } from '../../../src/store/tally'
import { temporaryFolder } from '../../support/folder'

const of = (what: What, more: Partial<ToCount> = {}): ToCount => ({ whose: 'address', name: 'info', what, network: 'red', ...more })

describe('what is counted', () => {
  let store: Store
  let hour: number
  let statements: string[]
  const clock = { ...systemClock, now: () => hour * HOUR_MS + 5 }
  beforeEach(() => {
    hour = 500_000
    statements = []
    class Engine extends DatabaseSync {
      override prepare (sql: string) {
        const statement = super.prepare(sql)
        const run = statement.run.bind(statement)
        statement.run = (...values: never[]) => { statements.push(sql); return run(...values) }
        return statement
      }
    }
    store = openSqlite(join(temporaryFolder(), 'store.db'), clock, error => assert.fail(String(error)), '', { Engine })
  })
  afterEach(async () => await store.close())
  const count = (...given: ToCount[]): Promise<void> => store.run(async tx => { for (const one of given) tx.tally.count(one) })
  const tallied = (from = 0, to = Infinity) => store.run(tx => tx.tally.tallied('address', 'info', from, Math.min(to, 10 ** 9)))
  const sum = (rows: { count: number }[]): number => rows.reduce((all, row) => all + row.count, 0)

  it('is in one row for each hour and key, and the sum of its hours is what there ever was', async () => {
    const one = fc.record({
      what: fc.constantFrom<What>('in', 'out', 'parts', 'label'), network: fc.constantFrom('red', 'blue'),
      detail: fc.constantFrom('', 'Ausweis', '"]\u2028'), count: fc.integer({ min: 1, max: 9 })
    })
    const job = fc.record({ of: fc.array(one), later: fc.integer({ min: 0, max: 2 }), fails: fc.boolean() })
    await fc.assert(fc.asyncProperty(fc.array(job), async jobs => {
      const before = [await tallied(), await store.run(tx => tx.tally.totals())] as const
      let [inHours, inAll] = [sum(before[0]), sum(before[1])]
      for (const { of: given, later, fails } of jobs) {
        hour += later
        const job = store.run(async tx => {
          for (const each of given) tx.tally.count(of(each.what, each))
          if (fails) throw new Error('no')
        })
        await (fails ? assert.rejects(job) : job)
        inHours += fails ? 0 : sum(given)
        inAll += fails ? 0 : sum(given.filter(({ what }) => what !== 'label'))
      }
      const [rows, totals] = [await tallied(), await store.run(tx => tx.tally.totals())]
      assert.deepEqual([sum(rows), sum(totals)], [inHours, inAll])
      const keys = rows.map(({ count: _, ...key }) => JSON.stringify(key))
      assert.equal(new Set(keys).size, keys.length)
    }), { numRuns: 30 })
  })

  it('is written by one statement for each commit, and by none where nothing is counted', async () => {
    await Promise.all([count(of('in'), of('opened')), count(of('in')), count(of('out'), of('out', { network: 'blue' }))])
    assert.equal(store.commits(), 1)
    await store.run(tx => tx.remember('me', 'a', '1'))
    assert.equal(statements.filter(sql => sql.includes('tally')).length, 1)
    assert.equal(sum(await tallied()), 5)
  })

  it('is on disk with what it counts, or not at all, however the process ends', () => {
    const script = `
      require('ts-node/register')
      const { openSqlite } = require('./src/store/sqlite')
      const { systemClock } = require('./src/lib/clock')
      const store = openSqlite(process.argv[1], systemClock, () => {})
      for (let n = 0; n < 500; n++) {
        store.run(async tx => {
          tx.tally.count({ whose: 'address', name: 'info', what: 'in', network: 'red' })
          await tx.remember('me', String(n), '1')
        }, n % 7)
        if (n === Number(process.argv[2])) setTimeout(() => process.kill(process.pid, 'SIGKILL'), n % 5)
      }`
    for (const n of [3, 120, 480]) {
      const path = join(temporaryFolder(), 'killed.db')
      assert.equal(spawnSync(process.execPath, ['-e', script, path, String(n)], { cwd: join(__dirname, '../../..') }).signal, 'SIGKILL')
      const db = new DatabaseSync(path)
      const [done, counted] = ['SELECT count(*) AS n FROM memory', 'SELECT coalesce(sum(count), 0) AS n FROM tally WHERE hour > 0']
        .map(sql => db.prepare(sql).get()?.['n'])
      assert.equal(counted, done)
      db.close()
    }
  })

  it('is forgotten hour by hour, and stays in what there ever was', async () => {
    await count(of('in'))
    hour += 10
    await count(of('in', { count: 2 }))
    await store.run(tx => tx.tally.forgetHours((hour - 5) * HOUR_MS))
    assert.deepEqual((await tallied()).map(row => row.count), [2])
    assert.deepEqual((await store.run(tx => tx.tally.totals())).map(row => row.count), [3])
    assert.deepEqual([await tallied(hour, hour + 1), await tallied(hour + 1)].map(sum), [2, 0])
  })

  it('forgets a label that was hardly ever given, because it may be a name, and keeps no long ones', async () => {
    for (let n = 0; n < LABELS_KEPT_FROM; n++) await count(of('label', { detail: 'Ausweis' }))
    await count(of('label', { detail: 'Frau Müller' }))
    hour += 10
    await count(of('label', { detail: 'x'.repeat(1000) }))
    await store.run(tx => tx.tally.forgetRare('info', (hour - 5) * HOUR_MS))
    assert.deepEqual((await tallied()).map(row => row.detail), ['Ausweis', 'x'.repeat(DETAIL_CHARACTERS_MAX)])
    assert.deepEqual(await store.run(tx => tx.tally.totals()), [], 'no label outlives its hour')
  })
})
