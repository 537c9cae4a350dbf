import assert from 'node:assert/strict'
import type { Memory } from '../../../../../src/model/network'
import { makeInside } from '../../../../../src/networks/matrix/users/inside'
import { makeMemory } from '../../../../support/world'

const GHOSTS = 20_000

describe('Matrix: in which rooms ghosts are', () => {
  it('is known without a look at all ghosts of all rooms, also of those of before the start', async () => {
    const memory = makeMemory()
    const ghost = (n: number): string => `@_zentrale_${n}:x`
    for (let n = 0; n < GHOSTS; n++) await memory.set(`in !room${n % 100}:x ${ghost(n)}`, '1')
    await memory.set(`in !other:x ${ghost(7)}`, 'leaving')
    let read = 0
    const counting: Memory = { ...memory, keys (start) { const found = memory.keys(start); read += found.length; return found } }
    const inside = makeInside(counting)
    read = 0
    assert.deepEqual([7, 8].map(n => inside.isElsewhere(ghost(n), `!room${n}:x`)), [true, false])
    assert.deepEqual([inside.isElsewhere(ghost(8), undefined), inside.isElsewhere(ghost(8), '!new:x'), inside.isElsewhere('@new:x', '!new:x')],
      [true, true, false])
    assert.deepEqual([inside.isIn(ghost(7), '!other:x'), inside.mayBeIn(ghost(7), '!other:x')], [false, true])
    await inside.out(ghost(7), '!other:x')
    await inside.out(ghost(7), '!other:x') // it is told twice
    assert.equal(inside.isElsewhere(ghost(7), '!room7:x'), false)
    await inside.comes(ghost(8), '!new:x')
    await inside.comes(ghost(8), '!new:x')
    await inside.leaves(ghost(8), '!new:x')
    assert.deepEqual([inside.isElsewhere(ghost(8), '!room8:x'), inside.inRoom('!new:x')], [true, [ghost(8)]])
    await inside.out(ghost(8), '!new:x')
    assert.equal(inside.isElsewhere(ghost(8), '!room8:x'), false)
    assert.ok(read < 10, `${read} keys`)
  })
})
