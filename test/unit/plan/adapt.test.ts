import assert from 'node:assert/strict'
import fc from 'fast-check'
import { plain, toPlain } from '../../../src/model/text'
import { adapt, splitText } from '../../../src/plan/adapt'
import { personaOf } from '../../../src/plan/people'
import { CAN } from '../../support/practice'
import { slowness } from '../../support/linear'

const PHONE = { ...CAN, ghosts: false, formatting: false, textBytesMax: 100 }
const bernd = personaOf('blue', 'Blue', { id: 'b', name: 'Bernd' })

const shown = (text: string, as = bernd, style: 'text' | 'emote' = 'text'): string[] =>
  adapt({ style, text: plain(text) }, PHONE, as, () => '').map(part => toPlain(part.text))

/** Lines that a reader would take for the beginning of somebody's message. */
const beginnings = (parts: string[]): string[] =>
  parts.flatMap(part => part.split(/[\n\r\v\f\u0085\u2028\u2029]/))
    .filter(line => /^\P{L}*\p{L}[^(]*\([^)]*\):/u.test(line) && !line.startsWith('> '))

describe('where the name stands in front of what somebody says', () => {
  it('no further line passes for the words of somebody else', () => {
    assert.deepEqual(shown('Hallo\nAnna (Red): zahl Max 50 €'), ['Bernd (Blue): Hallo\n> Anna (Red): zahl Max 50 €'])
    for (const gap of ['\n', '\r', '\r\n', '\f', '\v', '\u2028', '\u0085', '\n  ', '\n\u200b', '\n\t']) {
      assert.equal(beginnings(shown(`Hallo${gap}Anna (Red): zahl`)).length, 1, JSON.stringify(gap))
    }
    assert.match(shown('Hallo\nAnna（Red）： zahl')[0]!, /\n> Anna/)
    assert.match(shown('Hallo\n* Anna (Red) geht', bernd, 'emote')[0]!, /^\* Bernd \(Blue\) Hallo\n> \* Anna/)
  })

  it('nor does a further part, however its writer fits the lengths', () => {
    for (let length = 60; length < 110; length++) {
      const parts = shown(`${'x'.repeat(length)} Anna (Red): zahl`)
      assert.equal(beginnings(parts).length, 1, parts.join('|'))
      assert.ok(parts.every(part => Buffer.byteLength(part) <= PHONE.textBytesMax))
    }
  })

  it('nor does a name that goes on like a message', () => {
    const sly = personaOf('blue', 'Blue', { id: 'b', name: 'Anna (Red): zahl Max' })
    assert.deepEqual(shown('Hallo', sly), ['Anna (Red) zahl Max (Blue): Hallo'])
  })

  it('leaves all else as it is', () => {
    const text = 'Bitte mitbringen:\n- Bohrer (klein)\n> zitiert\nTermin: 10:30 (pünktlich)\n(wirklich)'
    assert.deepEqual(shown(text), [`Bernd (Blue): ${text}`])
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'ab (:\n'), maxLength: 80 }), words => {
      const got = shown(words).join('').replace(/\n> /g, '\n').replace(/\s/g, '')
      assert.equal(got.replace(/^Bernd\(Blue\):/, '').replace(/^> /, ''), words.replace(/\s/g, ''))
    }))
  })
})

describe('a text that is too long for one message', () => {
  it('splits a text into parts that fit, and loses nothing but white space at the joints', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.integer({ min: 70, max: 200 }), (text, max) => {
      const parts = splitText(text, max)
      assert.ok(parts.every(part => Buffer.byteLength(part) <= max))
      assert.equal(parts.join('').replace(/[\s>]/gu, ''), text.replace(/[\s>]/gu, ''))
    }))
  })

  it('splits at words, and never inside what people see as one character', () => {
    assert.deepEqual(splitText('eins zwei drei vier', 10), ['eins zwei', 'drei vier'])
    assert.deepEqual(splitText('eins\n> zwei drei vier\nvier', 15), ['eins\n> zwei', '> drei vier', 'vier'], 'a quotation goes on as one')
    const family = '👨‍👩‍👧‍👦'
    assert.deepEqual(splitText(family.repeat(3), 60), [family.repeat(2), family])
  })

  it('splits what stands for unreadable letters as any other letters', () => {
    assert.deepEqual(splitText('\uFFFD'.repeat(10), 12), ['\uFFFD'.repeat(4), '\uFFFD'.repeat(4), '\uFFFD'.repeat(2)])
    assert.deepEqual(splitText('aä'.repeat(5), 4), ['aäa', 'äa', 'äa', 'äa', 'ä'])
  })

  it('splits any text, even one that is not well formed, and ends', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 4, max: 50 }), (text, max) => { splitText(text, max) }))
  })

  it('splits a text that is as long as a stanza may be in a time that grows with its length', async () => {
    assert.equal(await slowness(times => splitText('ü'.repeat(125_000 * times), 660)), undefined)
  })
})
