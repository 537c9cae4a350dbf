import assert from 'node:assert/strict'
import fc from 'fast-check'
import { makeAllowance } from '../../../src/lib/allowance'
import { makeShares } from '../../../src/lib/shares'
import { handClock } from '../../support/quick'

describe('shares', () => {
  it('are never more than there may be, and nobody with less than their part loses anything', () => {
    const put = fc.record({ group: fc.constantFrom('a', 'b', 'c'), owner: fc.constantFrom('x', 'y') })
    fc.assert(fc.property(fc.array(put, { maxLength: 100 }), all => {
      const shares = makeShares<string>(12)
      all.forEach((of, i) => shares.put(String(i), of, of.group))
      assert.ok(shares.size <= 12)
      for (const group of ['a', 'b', 'c']) {
        const given = all.filter(one => one.group === group).length
        const kept = [...shares.entries()].filter(([, value]) => value === group).length
        assert.ok(kept >= Math.min(given, 4), `${group}: ${kept} of ${given}`)
      }
    }))
  })

  it('let the oldest of whoever has most go, first among the groups and then in them', () => {
    const shares = makeShares<number>(4)
    shares.put('mine', { group: 'town', owner: 'anna' }, 1)
    shares.put('once', { group: 'flood', owner: 'carl' }, 2)
    for (let i = 0; i < 10; i++) shares.put(`x${i}`, { group: 'flood', owner: 'mallory' }, 3 + i)
    assert.deepEqual([...shares.entries()].map(([key]) => key), ['mine', 'once', 'x8', 'x9'])
    assert.deepEqual([shares.delete('mine'), shares.delete('mine'), shares.size], [1, undefined, 3])
  })
})

describe('an allowance', () => {
  it('is first one for each, then one for all, and new each minute', () => {
    const clock = handClock()
    const allowance = makeAllowance(clock, 5, 2, 4)
    const take = (name: string, group: string): boolean => allowance.take([name, group])
    assert.deepEqual([take('a', 'g'), take('a', 'g'), take('a', 'g'), take('b', 'g'), take('c', 'g'), take('d', 'g')],
      [true, true, false, true, true, false])
    assert.deepEqual([take('e', 'h'), take('e', 'h')], [true, false])
    clock.advance(61_000)
    assert.equal(take('a', 'g'), true)
  })
})
