import assert from 'node:assert/strict'
import { makeSometimes } from '../../../src/lib/sometimes'

describe('lib/sometimes', () => {
  it('lets each thing happen once in its time, and keeps bounded memory', () => {
    let now = 0
    const sometimes = makeSometimes({ tick: () => now })
    assert.deepEqual([sometimes('a', 10), sometimes('a', 10), sometimes('b', 10)], [true, false, true])
    now = 10
    assert.equal(sometimes('a', 10), false)
    now = 11
    assert.deepEqual([sometimes('a', 10), sometimes('a', 10)], [true, false])
    for (let n = 0; n < 10_000; n++) assert.equal(sometimes(`${n}`, 10), true)
    assert.equal(sometimes('a', 10), true, 'forgotten, so that there is room')
  })
})
