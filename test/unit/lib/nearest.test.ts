import assert from 'node:assert/strict'
import fc from 'fast-check'
import { distance, nearest } from '../../../src/lib/nearest'

describe('nearest', () => {
  it('finds what was meant', () => {
    const known = ['host', 'port', 'domain', 'homeserver_url', 'accept_invites_from']
    assert.equal(nearest('prot', known), 'port')
    assert.equal(nearest('homeserverUrl', known), 'homeserver_url')
    assert.equal(nearest('accept-invite-from', known), 'accept_invites_from')
    assert.equal(nearest('colour', known), undefined)
    assert.equal(nearest('x'.repeat(100_000), known), undefined)
  })

  it('is a distance: 0 only for the same, the same both ways, never over the longer word', () => {
    fc.assert(fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      assert.equal(distance(a, b) === 0, a === b)
      assert.equal(distance(a, b), distance(b, a))
      assert.ok(distance(a, b) <= Math.max(a.length, b.length))
    }))
  })
})
