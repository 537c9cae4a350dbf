import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Person } from '../../../src/model/address'
import { calledByName, callsEverybody, folded, type Mention, MENTIONS_MAX, renamed } from '../../../src/model/mention'
import { type Inline, plain, type Text, toPlain } from '../../../src/model/text'
import { slowness } from '../../support/linear'

const person = (id: string): Person => ({ network: 'red', id })
const HERE = new Map(['Anna', 'Anna (Matrix)', 'Anna Maria', 'Will', 'Bernd'].map(name => [folded(name), person(name)]))
const called = (text: Text | string): string[] =>
  calledByName(typeof text === 'string' ? plain(text) : text, name => HERE.get(folded(name))).map(({ as }) => as)

describe('whom a text calls by name', () => {
  it('stands in front, or behind an at sign', () => {
    assert.deepEqual(called('Anna: kommst du?'), ['Anna'])
    assert.deepEqual(called('anna (Matrix), kommst du?'), ['anna (Matrix)'])
    assert.deepEqual(called('Anna, Bernd: kommt ihr?'), ['Anna', 'Bernd'])
    assert.deepEqual(called('kommst du, @Bernd?'), ['@Bernd'])
    assert.deepEqual(called('@Anna Maria und (@anna)'), ['@Anna Maria', '@anna'])
    assert.deepEqual(called('Anna :\nja @Anna (Matrix)!'), ['Anna', '@Anna (Matrix)'])
  })

  it('is nobody in the middle of a sentence, in an address, a link, code or a quotation', () => {
    for (const text of ['ich will Anna sehen', 'sagt Anna: ja', 'an x@Bernd.org', '@Annabel', 'Will er: ja', '11:30 Bernd', '@@Anna']) {
      assert.deepEqual(called(text), [], text)
    }
    assert.deepEqual(called([
      { kind: 'quote', of: plain('Anna: @Bernd') },
      { kind: 'paragraph', of: [
        { kind: 'text', text: 'x ' }, { kind: 'code', text: '@Anna' },
        { kind: 'link', href: 'https://x.org/@Anna', of: [{ kind: 'text', text: '@Anna' }] }
      ] }
    ]), [])
  })

  it('is first who is called in front, behind a quotation', () => {
    assert.deepEqual(called([{ kind: 'quote', of: plain('x') }, ...plain('Bernd: ja')]), ['Bernd'])
  })

  it('is everybody only by the word of its own', () => {
    const texts = ['@room', 'hallo @room!', '@rooms', 'x@room', 'room: hallo']
    assert.deepEqual(texts.map(text => callsEverybody(plain(text))), [true, true, false, false, false])
  })

  it('is bounded, and found in linear time', async () => {
    assert.equal(called('@Anna '.repeat(100)).length, MENTIONS_MAX)
    assert.equal(called('Anna, '.repeat(100)).length, MENTIONS_MAX)
    for (const part of ['@', ' @Anna', 'Anna, ', ':', ' ', '@Anna Maria Anna Maria ', ', , ']) {
      assert.equal(await slowness(times => called(part.repeat(20_000 * times))), undefined, part)
    }
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => { called(text) }))
  })
})

describe('a text with names put otherwise', () => {
  const put = (text: Text, ...names: string[]): string =>
    toPlain(renamed(text, names.map((as): Mention => ({ who: person(as), as })), ({ as }): Inline => ({ kind: 'text', text: `<${as}>` })))

  it('has each name once for each mention, as a word of its own, the longest first', () => {
    assert.equal(put(plain('Anna Annabel Anna Anna'), 'Anna', 'Anna'), '<Anna> Annabel <Anna> Anna')
    assert.equal(put(plain('Anna (Matrix) und Anna'), 'Anna', 'Anna (Matrix)'), '<Anna (Matrix)> und <Anna>')
    assert.equal(put(plain('a.b* [x]'), '', 'a.b*', '[x]'), '<a.b*> <[x]>')
  })

  it('is the same inside formatting and lists, and stays as it is in links, code and quotations', () => {
    const words: Inline[] = [{ kind: 'text', text: 'Anna' }]
    assert.equal(put([{ kind: 'list', ordered: false, items: [[{ kind: 'paragraph', of: [{ kind: 'bold', of: words }] }]] }], 'Anna'), '* <Anna>')
    const others: Text = [
      { kind: 'quote', of: plain('Anna') }, { kind: 'code', text: 'Anna' },
      { kind: 'paragraph', of: [{ kind: 'link', href: 'https://x.org', of: words }] }
    ]
    assert.equal(put(others, 'Anna'), toPlain(others))
  })

  it('is made in linear time', async () => {
    const names = Array.from({ length: 20 }, (_, index) => 'a'.repeat(index + 1))
    for (const part of ['a', 'a ', '@a ', 'ab']) {
      assert.equal(await slowness(times => put(plain(part.repeat(20_000 * times)), ...names)), undefined, part)
    }
  })
})
