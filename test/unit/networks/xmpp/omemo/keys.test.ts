import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Malformed } from '../../../../../src/model/errors'
import { agree, fingerprintOf, freshPair, identityOf, pairOf, sign, verify } from '../../../../../src/networks/xmpp/omemo/keys'
import { drawing } from '../../../../support/omemo/parties'

const bytes = (count: number): fc.Arbitrary<Buffer> => fc.uint8Array({ minLength: count, maxLength: count }).map(one => Buffer.from(one))

describe('keys of OMEMO', () => {
  it('agree on the same secret on both sides', () => {
    fc.assert(fc.property(bytes(32), bytes(32), (one, other) => {
      assert.deepEqual(agree(pairOf(one).pub, other), agree(pairOf(other).pub, one))
    }), { numRuns: 20 })
  })

  it('sign what can be checked with the key of agreement, and nothing else', () => {
    fc.assert(fc.property(bytes(32), bytes(33), fc.nat(63), (seed, message, at) => {
      const me = identityOf(seed)
      const signature = sign(me, message)
      assert.ok(verify(me.pub, message, signature))
      const forged = Buffer.from(signature)
      forged[at] = (forged[at] ?? 0) ^ 1
      assert.ok(!verify(me.pub, message, forged))
      assert.ok(!verify(me.pub, Buffer.concat([message, Buffer.of(0)]), signature))
    }), { numRuns: 50 })
  })

  it('that are none are refused, and stop nothing', () => {
    const { priv } = freshPair(drawing('somebody'))
    for (const useless of [Buffer.alloc(32), Buffer.from(`01${'00'.repeat(31)}`, 'hex')]) assert.throws(() => agree(useless, priv), Malformed)
    for (const one of [Buffer.alloc(32), Buffer.alloc(32, 255), Buffer.alloc(31), Buffer.from(`ec${'ff'.repeat(30)}7f`, 'hex')]) {
      assert.equal(verify(one, Buffer.from('x'), Buffer.alloc(64)), false)
    }
    assert.equal(verify(Buffer.alloc(32, 9), Buffer.from('x'), Buffer.alloc(63)), false)
  })

  it('are shown to people in eight groups', () => {
    assert.match(fingerprintOf(freshPair(drawing('somebody')).pub), /^([0-9a-f]{8} ){7}[0-9a-f]{8}$/)
  })
})
