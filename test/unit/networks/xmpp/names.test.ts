import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  canonicalBare, GHOST_LENGTH_MAX, ghostLocal, ghostPerson, isHidden, localOfRoom, nickOf, nickSpellings, parseJid, personOf, roomNamed, serverOf
} from '../../../../src/networks/xmpp/names'

const person = (id: string, network = 'other') => ({ network, id })

/** The way back, to show that nothing is lost on the way there. */
const readGhost = (local: string): { network: string, id: string } => {
  const [, network, id] = local.split('_').map(part => part.replace(/(=u[0-9a-f]{4})|((?:=[0-9a-f]{2})+)/g, found =>
    found.startsWith('=u') ? String.fromCharCode(parseInt(found.slice(2), 16)) : Buffer.from(found.replaceAll('=', ''), 'hex').toString()))
  return { network: network as string, id: id as string }
}

const anyId = fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.string({ maxLength: 30 }),
  fc.string({ unit: fc.constantFrom(...'aA=_40ud8@\\ ', '\ud83d', '\ude00'), maxLength: 8 }))

describe('xmpp names', () => {
  it('a ghost is one person: the way back gives every id again', () => {
    fc.assert(fc.property(anyId, fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 5 }), (id, network) => {
      const local = ghostLocal({ network, id })
      if (!local.startsWith('__')) assert.deepEqual(readGhost(local), { network, id })
    }), { numRuns: 2000 })
  })

  it('two persons never share a ghost, and none is changed by the server\'s own folding', () => {
    fc.assert(fc.property(anyId, anyId, (a, b) => {
      const local = ghostLocal(person(a))
      if (a !== b) assert.notEqual(local, ghostLocal(person(b)))
      assert.match(local, /^_[a-z0-9.=_-]*$/)
      assert.equal(canonicalBare(`${local}@chat.example.org`), `${local}@chat.example.org`)
    }), { numRuns: 2000 })
  })

  it('a ghost tells whom it stands for, and nobody else', () => {
    fc.assert(fc.property(anyId, id => {
      const local = ghostLocal(person(id))
      const isTold = id !== '' && id.isWellFormed() && !local.startsWith('__')
      assert.deepEqual(ghostPerson(local), isTold ? person(id) : undefined)
    }), { numRuns: 2000 })
    for (const other of ['_matrix_=40Anna', '_matrix_=4', '_matrix_a=62', '__matrix_a', '_matrix_', 'matrix_a', '_matrix_a_b', '_matrix_=ff']) {
      assert.equal(ghostPerson(other), undefined, other)
    }
  })

  it('a room of another network is named in each way that people know, and the canonical one is a JID that names it alone', () => {
    for (const local of ['#room\\3aexample.org', '#room%example.org', '#room#example.org']) assert.equal(roomNamed(local), '#room:example.org')
    assert.equal(roomNamed('#room\\3aexample.org\\3a8448'), '#room:example.org:8448')
    assert.equal(roomNamed('#a%b%example.org'), '#a%b:example.org')
    for (const other of ['room%example.org', '#room', '#%example.org', '#room%', '', '#', '#\\3aexample.org']) {
      assert.equal(roomNamed(other), undefined, other)
    }
    assert.equal(localOfRoom('#Room:example.org'), undefined, 'servers would fold it')
    const anyName = fc.string({ unit: fc.constantFrom(...'a#%\\3@/ \'é'), minLength: 1, maxLength: 8 })
    fc.assert(fc.property(anyName, fc.constantFrom('example.org', 'b:8448'), (name, server) => {
      const room = `#${name}:${server}`
      const local = localOfRoom(room)
      if (local === undefined) return
      assert.equal(roomNamed(local), room)
      assert.equal(canonicalBare(`${local}@chat.example.org`), `${local}@chat.example.org`)
    }), { numRuns: 2000 })
  })

  it('stays one-to-one for every single code point', () => {
    const seen = new Set<string>()
    for (let point = 0; point <= 0x10ffff; point++) seen.add(ghostLocal(person(String.fromCodePoint(point))))
    assert.equal(seen.size, 0x110000)
  }).timeout(60_000)

  it('keeps apart the pairs that others fold together', () => {
    const ids = ['a@b', 'a=40b', '😀', '😁', '=d83d', 'é', '=e9', 'e\u0301', 'ठ', '\x920', 'Anna', 'anna', 'ANNA', 'ß', 'ss',
      '\ud83d', '\ude00', '\ufffd', 'a_b', 'a=5fb', 'a\\40b', '', '_', 'x y', 'x\u00a0y']
    assert.equal(new Set(ids.map(id => ghostLocal(person(id)))).size, ids.length)
    assert.notEqual(ghostLocal({ network: 'a', id: 'b_c' }), ghostLocal({ network: 'a_b', id: 'c' }))
  })

  it('hashes what would be too long, under a prefix that no other ghost has', () => {
    const long = ghostLocal(person('x'.repeat(5000)))
    assert.ok(long.length <= GHOST_LENGTH_MAX && long.startsWith('__'))
    assert.notEqual(long, ghostLocal(person(`${'x'.repeat(4999)}y`)))
    assert.notEqual(ghostLocal(person('\ud800'.repeat(500))), ghostLocal(person('\ud801'.repeat(500))))
    assert.doesNotMatch(ghostLocal(person('_h')), /^__/)
  })

  it('spells rooms as servers do', () => {
    assert.equal(canonicalBare('Bürger@Rooms.Example.org'), 'bürger@rooms.example.org')
    assert.equal(canonicalBare('Bu\u0308rger@rooms.example.org.'), 'bürger@rooms.example.org')
    assert.equal(canonicalBare('Straße@rooms.example.org'), 'strasse@rooms.example.org')
    assert.equal(canonicalBare('ΟΔΟΣ@rooms.example.org'), canonicalBare('οδος@rooms.example.org'))
    for (const wrong of ['', '@x', 'a@', 'a b@x', 'a@x/r', 'a@b@c', 'x\u0000y@z', 'a<b@c', 'a@b..', 'a@.b', 'a@b／c', 'x＠y',
      `${'a'.repeat(1024)}@x`]) {
      assert.equal(canonicalBare(wrong), undefined, JSON.stringify(wrong))
    }
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => {
      const once = canonicalBare(`${text}@rooms.example.org`)
      if (once !== undefined) assert.equal(canonicalBare(once), once)
    }))
  })

  it('folds only what servers fold, and refuses what they refuse: letters newer than Unicode 3.2, two directions at once', () => {
    for (const [written, spelled] of [['Ꭰ@x', 'Ꭰ@x'], ['Ⴀ@x', 'Ⴀ@x'], ['a\u00adb@x', 'ab@x'], ['ℌans@x', 'hans@x'], ['x@Ⴀ.example', 'x@Ⴀ.example'],
      ['אב@x', 'אב@x']]) assert.equal(canonicalBare(written!), spelled, written)
    for (const wrong of ['ᵃnna@x', 'a😀@x', 'ẞ@x', 'anna@ᵃ.example', 'אa@x', 'a\u202e@x', '\u00ad@x', 'a\u2028@x']) {
      assert.equal(canonicalBare(wrong), undefined, wrong)
    }
  })

  it('tells a hidden occupant from a JID, whatever is in its resource', () => {
    assert.deepEqual(['a@b c/d', 'a@b/c d', 'a@b'].map(isHidden), [true, false, false])
    assert.deepEqual(['a@b c/d', 'A@b/c d', 'a@b'].map(personOf), ['a@b c/d', 'a@b', 'a@b'])
    assert.deepEqual(['a@rooms.example.org c.d/e', 'a@rooms.example.org/c d.e'].map(serverOf), ['example.org', 'example.org'])
  })

  it('takes addresses apart', () => {
    assert.deepEqual(parseJid('a@b/c@d/e'), { local: 'a', domain: 'b', resource: 'c@d/e' })
    assert.deepEqual(parseJid('b'), { local: '', domain: 'b', resource: '' })
    for (const wrong of ['a@/r', '@b', 'a@b/', '/r', '', 'a@b/\u0007', 'a@b/\ud800']) assert.equal(parseJid(wrong), undefined, wrong)
    assert.equal(parseJid('a@[::1]')?.domain, '[::1]')
  })

  it('makes nicknames that fit into an address', () => {
    assert.equal(nickOf('Anna \u202e\u0000(M)'), 'Anna (M)')
    assert.equal(nickOf('Anna', 3), 'Anna 3')
    assert.equal(nickOf('\u200b'), 'Unknown')
    assert.deepEqual(nickSpellings('Änna 🫠'), ['Änna 🫠', 'Änna', 'Anna'])
    assert.deepEqual(nickSpellings('Anna'), ['Anna'])
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 1, max: 50 }), (name, number) => {
      assert.notEqual(parseJid(`room@x/${nickOf(name, number)}`), undefined)
    }), { numRuns: 1000 })
  })
})
