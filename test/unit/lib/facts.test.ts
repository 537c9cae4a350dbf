import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { makeFacts } from '../../../src/lib/facts'

describe('facts', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\uffff', '😀'), maxLength: 4 })

  it('answer as a map does whose keys are looked at one by one, in their order', () => {
    const step = fc.oneof(
      fc.record({ set: key, value: fc.string({ maxLength: 1 }) }), fc.record({ delete: key }), fc.record({ start: key })
    )
    fc.assert(fc.property(fc.array(fc.tuple(key, fc.string({ maxLength: 1 }))), fc.array(step), (entries, steps) => {
      const [facts, map] = [makeFacts(entries), new Map(entries)]
      for (const one of steps) {
        if ('set' in one) {
          facts.set(one.set, one.value)
          map.set(one.set, one.value)
        } else if ('delete' in one) {
          assert.equal(facts.delete(one.delete), map.delete(one.delete))
        } else {
          assert.deepEqual(facts.keys(one.start), [...map.keys()].filter(each => each.startsWith(one.start)).sort())
        }
      }
      for (const [each, value] of map) assert.equal(facts.get(each), value)
    }))
  })
})
