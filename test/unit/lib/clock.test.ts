import assert from 'node:assert/strict'
import { deadline } from '../../../src/lib/clock'
import { skippingClock } from '../../support/quick'

describe('a deadline', () => {
  it('fires after its time', () => {
    const clock = skippingClock()
    const { signal } = deadline(clock, 60_000)
    clock.skip(59_000)
    assert.equal(signal.aborted, false)
    clock.skip(1000)
    assert.match(String(signal.reason), /no answer within 60000 ms/)
  })

  it('fires with its parent, and leaves no timer behind, also if nobody calls it done', () => {
    const clock = skippingClock()
    const parent = new AbortController()
    const { signal } = deadline(clock, 60_000, parent.signal)
    const why = new Error('shutting down')
    parent.abort(why)
    assert.equal(signal.reason, why)
    assert.equal(clock.waiting, 0)
  })

  it('has fired if its parent has', () => {
    const clock = skippingClock()
    const { signal } = deadline(clock, 60_000, AbortSignal.abort())
    assert.equal(signal.aborted, true)
    assert.equal(clock.waiting, 0)
  })
})
