import assert from 'node:assert/strict'
import fc from 'fast-check'
import { makeInOrder } from '../../../../../src/networks/xmpp/account/in-order'

describe('what is done in any order', () => {
  it('has reached the last thing before the first that is not done', () => {
    fc.assert(fc.property(fc.array(fc.nat(9)), orders => {
      const order = makeInOrder(0)
      const open: { mark: number, done: () => void }[] = []
      const done = new Set<number>()
      let last = 0
      for (const next of orders) {
        if (next < 5) open.push({ mark: ++last, done: order.add(last) })
        else {
          const [one] = open.splice(next % Math.max(open.length, 1), 1)
          one?.done()
          one?.done()
          if (one !== undefined) done.add(one.mark)
        }
        const first = Array.from({ length: last }, (_, i) => i + 1).find(mark => !done.has(mark))
        assert.equal(order.reached(), first === undefined ? last : first - 1)
      }
    }))
  })

  it('tells when it moved, and only then', () => {
    let moves = 0
    const order = makeInOrder('', () => { moves++ })
    const [one, two, three] = ['a', 'b', 'c'].map(mark => order.add(mark))
    two!()
    assert.equal(moves, 0)
    one!()
    assert.deepEqual([moves, order.reached()], [1, 'b'])
    three!()
    assert.deepEqual([moves, order.reached()], [2, 'c'])
  })
})
