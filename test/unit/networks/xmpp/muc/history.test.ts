import assert from 'node:assert/strict'
import fc from 'fast-check'
import { heardOf } from '../../../../../src/networks/xmpp/muc/history'

describe('xmpp history', () => {
  it('finds what is new in what a room shows, whatever was said twice', () => {
    assert.equal(heardOf([], ['a']), 0)
    assert.equal(heardOf(['a', 'b'], []), 0)
    assert.equal(heardOf(['a', 'b', 'c'], ['a', 'b']), 2)
    assert.equal(heardOf(['b', 'c'], ['a', 'b']), 1)
    assert.equal(heardOf(['x', 'y'], ['a', 'b']), 0, 'more was said than is shown')
    assert.equal(heardOf(['a', 'b'], ['a', 'b', 'not shown']), 2)
    assert.equal(heardOf(['a', 'a', 'a'], ['a']), 1, 'the others are new')
    assert.equal(heardOf(['a', 'b', 'a', 'b', 'a'], ['a', 'b', 'a']), 3)
  })

  it('takes nothing twice and leaves nothing out, where each is another', () => {
    fc.assert(fc.property(fc.nat(30), fc.nat(30), fc.nat(30), (said, heard, limit) => {
      const all = Array.from({ length: said + heard }, (_, i) => String(i))
      const before = all.slice(0, heard)
      const shown = all.slice(-Math.max(limit, 1))
      assert.deepEqual(shown.slice(heardOf(shown, before)), all.slice(heard).slice(-Math.max(limit, 1)))
    }))
  })
})
