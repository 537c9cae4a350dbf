import assert from 'node:assert/strict'
import fc from 'fast-check'
import { secondsOf } from '../../../src/store/tally'

describe('the seconds that are counted', () => {
  it('are exact up to three digits, never less than it took, and never more than a hundredth more', () => {
    assert.deepEqual([0, -5, 1, 1000, 999_000, 14_400_000, 86_400_000].map(secondsOf), ['0', '0', '1', '1', '999', '14400', '86400'])
    fc.assert(fc.property(fc.integer({ min: 1, max: 10 ** 10 }), ms => {
      const [took, said] = [ms / 1000, Number(secondsOf(ms))]
      return said >= took && said <= Math.max(Math.ceil(took), took * 1.01) && /^\d{1,3}0*$/.test(secondsOf(ms))
    }))
  })
})
