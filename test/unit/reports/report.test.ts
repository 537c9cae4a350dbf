import assert from 'node:assert/strict'
import { join } from 'node:path'
import fc from 'fast-check'
import { systemClock } from '../../../src/lib/clock'
import { report } from '../../../src/reports/report'
import { openSqlite } from '../../../src/store/sqlite'
import type { Store } from '../../../src/store/store'
import type { ToCount, What } from '../../../src/store/tally'
import { temporaryFolder } from '../../support/folder'

const INFO = { name: 'info', title: 'Auskunft', language: 'de', zone: 'Europe/Berlin' } as const
const total = (counts: Record<string, number>): number => Object.values(counts).reduce((all, count) => all + count, 0)

describe('a report', () => {
  let store: Store
  let now: number
  beforeEach(() => {
    store = openSqlite(join(temporaryFolder(), 'store.db'), { ...systemClock, now: () => now }, error => assert.fail(String(error)))
  })
  afterEach(async () => await store.close())
  const count = (at: string | number, what: What, more: Partial<ToCount> = {}): Promise<void> => {
    now = typeof at === 'string' ? Date.parse(at) : at
    return store.run(async tx => tx.tally.count({ whose: 'address', name: 'info', what, network: 'red', ...more }))
  }

  it('says what was sent: the sum of its hours, and of all its months, is what was counted', async () => {
    const event = fc.record({
      at: fc.date({ min: new Date('2026-09-30'), max: new Date('2026-12-02'), noInvalidDate: true }), network: fc.constantFrom('red', 'blue'),
      what: fc.constantFrom<What>('in', 'out', 'failed', 'opened'), name: fc.constantFrom('info', 'info', 'other')
    })
    const sums = { in: 0, out: 0, failed: 0, opened: 0 }
    await fc.assert(fc.asyncProperty(fc.array(event), fc.constantFrom('Europe/Berlin', 'Pacific/Auckland', 'UTC'), async (events, zone) => {
      for (const { at, what, ...more } of events) {
        await count(at.getTime(), what, more)
        if (more.name === 'info') sums[what as keyof typeof sums]++
      }
      const months = await Promise.all(['09', '10', '11', '12'].map(month => report(store, { ...INFO, zone }, `2026-${month}`)))
      for (const month of months) {
        assert.deepEqual([total(month.in), total(month.out)],
          (['in', 'out'] as const).map(way => month.hours.reduce((all, hour) => all + total(hour[way]), 0)))
      }
      const all = (of: (one: typeof months[number]) => number): number => months.reduce((sum, one) => sum + of(one), 0)
      assert.deepEqual({
        in: all(one => total(one.in)), out: all(one => total(one.out)), failed: all(one => one.failed), opened: all(one => one.opened)
      }, sums)
    }), { numRuns: 20 })
  })

  it('begins and ends a month, and counts hours of the day, as the clocks of the address show', async () => {
    await count('2026-10-31T22:59:00Z', 'in') // 23:59 in October
    await count('2026-10-31T23:00:00Z', 'in')
    await count('2026-11-30T22:59:00Z', 'in', { network: 'blue' })
    await count('2026-11-30T23:00:00Z', 'in') // December
    const { hours, networks, ...made } = await report(store, INFO, '2026-11')
    assert.deepEqual(made.in, { red: 1, blue: 1 })
    assert.deepEqual([hours[0]?.in, hours[23]?.in, hours.length, networks], [{ red: 1 }, { blue: 1 }, 24, ['blue', 'red']])
    await count('2026-10-25T00:30:00Z', 'out') // 2:30 comes twice on this day
    await count('2026-10-25T01:30:00Z', 'out')
    assert.deepEqual((await report(store, INFO, '2026-10')).hours[2]?.out, { red: 2 })
  })

  it('says what half of all and nine of ten took at most', async () => {
    const at = '2026-11-11T11:11:00Z'
    for (let n = 1; n <= 10; n++) await count(at, 'first answer', { detail: String(n * 60) })
    await count(at, 'first answer open', { detail: '0', count: 9 })
    await count(at, 'first answer open', { detail: '30' })
    const made = await report(store, INFO, '2026-11')
    assert.deepEqual([made.firstAnswer, made.firstAnswerOpen, made.closing],
      [{ count: 10, median: 300, most: 540 }, { count: 10, median: 0, most: 0 }, { count: 0 }])
  })

  it('leaves out answers that were taken back, and names nobody unless the address counts them', async () => {
    const at = '2026-11-11T11:11:00Z'
    await count(at, 'out', { count: 3 })
    await count(at, 'unsaid')
    await count(at, 'agent', { detail: 'Zoe', count: 2 })
    await count(at, 'agent', { detail: 'Anna' })
    await count(at, 'label', { detail: 'Pass' })
    await count(at, 'label', { detail: 'Ausweis', count: 2 })
    const { agents, ...made } = await report(store, INFO, '2026-11')
    assert.deepEqual([made.out, made.unsaid, agents], [{ red: 2 }, 1, undefined])
    assert.deepEqual(made.labels, [{ label: 'Ausweis', count: 2 }, { label: 'Pass', count: 1 }])
    assert.doesNotMatch(JSON.stringify(made), /Anna|Zoe/)
    assert.deepEqual((await report(store, { ...INFO, countsAgents: true }, '2026-11')).agents,
      [{ name: 'Anna', answers: 1 }, { name: 'Zoe', answers: 2 }])
  })
})
