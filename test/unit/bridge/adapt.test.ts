import assert from 'node:assert/strict'
import fc from 'fast-check'
import { adapt } from '../../../src/bridge/adapt'
import { personaOf } from '../../../src/bridge/people'
import { plain, toPlain } from '../../../src/model/text'
import { CAN } from '../../support/practice'

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
