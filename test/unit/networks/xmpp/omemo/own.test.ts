import assert from 'node:assert/strict'
import { Malformed } from '../../../../../src/model/errors'
import { verify } from '../../../../../src/networks/xmpp/omemo/keys'
import { bundleOf, keysFor, makeOwn, meOf, renewed, without } from '../../../../../src/networks/xmpp/omemo/own'
import { keyBytes } from '../../../../../src/networks/xmpp/omemo/wire'
import { drawing } from '../../../../support/omemo/parties'

const DAY = 24 * 3_600_000
const first = (one: number | undefined, signed: number) =>
  ({ one, signed, base: Buffer.alloc(32), identity: Buffer.alloc(32), message: Buffer.alloc(0) })

describe('the keys of an address', () => {
  it('are a hundred, each with a number of its own, and one that is signed', () => {
    const own = makeOwn(0, drawing('own'))
    const { identity, signed, ones } = bundleOf(own)
    assert.equal(new Set([...ones.map(({ id }) => id), signed.id]).size, 101)
    assert.ok(verify(identity, keyBytes(signed.pub), signed.signature))
    assert.ok(own.device > 0 && own.device < 2 ** 31)
  })

  it('are used once, and there are new ones before they run out, under new numbers', () => {
    const fresh = drawing('own')
    let own = makeOwn(0, fresh)
    const seen = new Set(own.ones.map(({ id }) => id))
    for (let i = 0; i < 250; i++) {
      const [{ id }] = own.ones as [typeof own.ones[number]]
      const signed = own.signed[0]!.id
      assert.ok(keysFor(own, first(id, signed)).one !== undefined)
      own = without(own, id, 0, fresh)
      assert.throws(() => keysFor(own, first(id, signed)), Malformed)
      for (const one of own.ones) seen.add(one.id)
      assert.ok(own.ones.length >= 80 && own.ones.length <= 100)
    }
    assert.ok(seen.size >= 330)
    assert.ok(!own.signed.some(({ id }) => seen.has(id)))
  })

  it('are signed anew each week, and the old one is taken for five weeks', () => {
    const fresh = drawing('own')
    const own = makeOwn(0, fresh)
    assert.equal(renewed(own, 6 * DAY, fresh), own)
    let now = own
    for (let week = 1; week <= 8; week++) now = renewed(now, week * 7.1 * DAY, fresh)
    assert.equal(now.signed.length, 5)
    assert.throws(() => keysFor(now, first(undefined, own.signed[0]!.id)), Malformed)
    assert.equal(keysFor(now, first(undefined, now.signed[4]!.id)).one, undefined)
    assert.deepEqual(meOf(now).pub, meOf(own).pub)
  })
})
