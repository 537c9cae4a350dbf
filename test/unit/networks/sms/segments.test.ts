import assert from 'node:assert/strict'
import fc from 'fast-check'
import { CODING, decode } from '../../../../src/networks/sms/data-coding'
import { bytesWithin, segment } from '../../../../src/networks/sms/segments'

const { getCharCount } = require('@trt2/gsm-charset-utils') as { getCharCount (text: string): { msgCount: number } }
const splitter = require('split-sms') as { split (text: string): { characterSet: string, parts: { content: string }[] } }

const GSM = fc.string({ unit: fc.constantFrom(...'abc ÄöüßÉ@_\n€{}[]~^\\|'), maxLength: 700 })
const UCS2 = fc.string({ unit: fc.constantFrom('a', 'ç', 'п', '漢', '😀', '…'), minLength: 1, maxLength: 300 })
const CLUSTERS = fc.constantFrom('e\u0301', '👩‍👩‍👧‍👦', '\r\n', '🇩🇪', 'नि', '\u1112\u1161\u11ab', '€', 'ü')
const ANY = fc.string({ unit: fc.oneof(CLUSTERS, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })), maxLength: 400 })

const cutTo = (text: string, bytes: number): string =>
  [...text].reduce((sum, char) => Buffer.byteLength(sum + char) <= bytes ? sum + char : sum, '')

describe('SMS segments', () => {
  it('counts as two independent implementations', () => {
    fc.assert(fc.property(fc.oneof(GSM, UCS2), text => {
      const { texts, dataCoding } = segment(text)
      const [split, count] = [splitter.split(text), getCharCount(text)]
      if (text === '') return
      assert.deepEqual([texts.length, texts], [count.msgCount, split.parts.map(part => part.content)])
      assert.equal(dataCoding === CODING.standard, split.characterSet === 'GSM')
    }), { numRuns: 300 })
  })

  it('changes at 160 and 70, and then every 153 and 67', () => {
    const count = (text: string): number => segment(text).texts.length
    assert.deepEqual([160, 161, 306, 307].map(length => count('a'.repeat(length))), [1, 2, 2, 3])
    assert.deepEqual([70, 71, 134, 135].map(length => count('ç'.repeat(length))), [1, 2, 2, 3])
    assert.deepEqual([count('a'.repeat(158) + '€'), count('a'.repeat(159) + '€')], [1, 2])
  })

  it('splits no escape pair, no surrogate pair, no cluster', () => {
    assert.deepEqual(segment('a'.repeat(152) + '€' + 'a'.repeat(10)).texts, ['a'.repeat(152), '€' + 'a'.repeat(10)])
    assert.deepEqual(segment('ç'.repeat(66) + '😀' + 'ç'.repeat(10)).texts, ['ç'.repeat(66), '😀' + 'ç'.repeat(10)])
    assert.deepEqual(segment('ç'.repeat(60) + '👩‍👩‍👧‍👦' + 'ç'.repeat(10)).texts, ['ç'.repeat(60), '👩‍👩‍👧‍👦' + 'ç'.repeat(10)])
    const heap = 'e' + '\u0301'.repeat(200)
    assert.deepEqual(segment(heap).texts.map(text => text.length), [67, 67, 67])
  })

  it('loses nothing, and no segment is too large', () => {
    fc.assert(fc.property(ANY, fc.constantFrom('gsm7', 'latin1', 'ascii'), (text, charset) => {
      const { octets, dataCoding } = segment(text, charset)
      assert.equal(octets.map(part => decode(part, dataCoding, charset)).join(''), text.toWellFormed())
      const most = dataCoding === CODING.ucs2 ? (octets.length > 1 ? 134 : 140) : (octets.length > 1 ? 153 : 160)
      assert(octets.every(part => part.length <= most))
    }), { numRuns: 300 })
  })

  it('keeps the promise of bytesWithin', () => {
    fc.assert(fc.property(ANY, fc.integer({ min: 1, max: 10 }), (text, segments) => {
      assert(segment(cutTo(text.toWellFormed(), bytesWithin(segments))).texts.length <= segments)
    }), { numRuns: 300 })
    for (const unit of ['\r\n', 'a\r\n', 'ç', 'e\u0301', '😀', '👩‍👩‍👧‍👦']) {
      const text = `ç${unit.repeat(700)}`
      assert(segment(cutTo(text, bytesWithin(10))).texts.length <= 10, JSON.stringify(unit))
    }
  })
})
