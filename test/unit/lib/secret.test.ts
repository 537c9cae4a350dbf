import assert from 'node:assert/strict'
import { bearerOf, sameSecret } from '../../../src/lib/secret'

describe('secrets', () => {
  it('are the same only if they are', () => {
    assert.equal(sameSecret('abc', 'abc'), true)
    assert.equal(sameSecret('abc', 'abd'), false)
    assert.equal(sameSecret('abc', 'abcd'), false)
    assert.equal(sameSecret('', 'abc'), false)
  })
  it('come from a header or not at all', () => {
    assert.equal(bearerOf('Bearer abc'), 'abc')
    assert.equal(bearerOf('bearer abc'), 'abc')
    for (const wrong of [undefined, '', 'abc', 'Basic abc', 'Bearer ', 'Bearer a b',
      `Bearer ${'x'.repeat(5000)}`]) assert.equal(bearerOf(wrong), undefined)
  })
})
