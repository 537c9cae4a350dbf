import assert from 'node:assert/strict'
import fc from 'fast-check'
import { escapeLocalpart, ghostMxid, isAmong, isOurs } from '../../../../src/networks/matrix/names'

const DOMAIN = 'example.org'
const mxid = (id: string, network = 'xmpp'): string => ghostMxid({ network, id }, DOMAIN)
const halves = fc.integer({ min: 0, max: 0xffff }).map(code => String.fromCharCode(code))
const unicode = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: halves }))

describe('Matrix names', () => {
  it('keep people apart whose names fold together elsewhere', () => {
    const alike = [
      'a@b', 'a=40b', '😀', '😁', '\ud83d', '\ude00', 'é', '=e9', '=c3=a9', 'A', 'a', '_a', '__a', 'ठ', '\x920', '\ufffd',
      '\ud800', 'ß', 'ẞ', 'ss'
    ]
    assert.equal(new Set(alike.map(id => mxid(id))).size, alike.length)
  })

  it('are one-to-one over all of Unicode, in the grammar, and ours', () => {
    fc.assert(fc.property(unicode, unicode, (one, other) => {
      assert.equal(mxid(one) === mxid(other), one === other)
      assert.match(mxid(one), /^@[a-z0-9._=/+-]+:example\.org$/)
      assert.ok(mxid(one).length <= 255)
      assert.ok(isOurs(mxid(one), '@zentrale:example.org', DOMAIN))
    }), { numRuns: 2000 })
    for (let code = 0; code <= 0x10ffff; code += 7) {
      assert.match(escapeLocalpart(String.fromCodePoint(code)), /^(?:[a-z0-9./+-]|(?:=[0-9a-f]{2})+)$/)
    }
  })

  it('keep networks apart, and long names by a hash', () => {
    assert.notEqual(mxid('c', 'a'), mxid('c', 'b'))
    assert.notEqual(mxid('b_c', 'a'), mxid('c', 'a_b'))
    const long = 'ü'.repeat(300)
    assert.ok(mxid(long).length <= 255)
    assert.notEqual(mxid(long), mxid(`${long}x`))
    assert.notEqual(mxid(long), mxid(mxid(long).slice('@_zentrale_xmpp_'.length, -':example.org'.length)))
  })

  it('of others are not ours', () => {
    const others = ['@zentrale2:example.org', '@_zentrale_xmpp_a:example.com', '@_zentrale_x:b:example.org', '@anna:example.org', '']
    for (const other of others) {
      assert.equal(isOurs(other, '@zentrale:example.org', DOMAIN), false, other)
    }
  })

  it('of a list are those in it, and those that begin like one with a star', () => {
    const isIn = isAmong(['@_bifrost_*:example.org', '@anna:example.com', '@*:example.net:8448'])
    const within = ['@_bifrost_Bernd=2fx=40y:example.org', '@_bifrost_:example.org', '@anna:example.com', '@x:example.net:8448']
    const without = ['@_bifrost_b:example.com', '@_bifrost:example.org', '@anna:example.org', '@x:example.net', '@_bifrost_x', '',
      '@_bifrost_a:b:example.org']
    assert.deepEqual([within.filter(mxid => !isIn(mxid)), without.filter(isIn)], [[], []])
  })
})
