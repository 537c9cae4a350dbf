import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decode, decodeUcs2, encodeUcs2, fitsStandard } from '../../../../src/networks/sms/data-coding'
import { decodeGsm7, encodeGsm7, septetsOf } from '../../../../src/networks/sms/gsm7'
import { Bug, Malformed } from '../../../../src/model/errors'

const { isGsmChar } = require('@trt2/gsm-charset-utils') as { isGsmChar (char: string): boolean }
/** Another implementation's tables (npm smpp): what its coder makes of every octet. */
const peer = require('smpp/lib/defs') as { gsmCoder: { decode (octets: Buffer, language: number): string } }

const ALPHABET = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).filter(char => septetsOf(char) !== undefined)

describe('GSM 7-bit alphabet', () => {
  it('has 127 basic characters and 10 of the extension, and no others', () => {
    assert.deepEqual([1, 2].map(septets => ALPHABET.filter(char => septetsOf(char) === septets).length), [127, 10])
    assert.equal(septetsOf('😀'), undefined)
  })

  it('agrees with an independent implementation on every character', () => {
    for (let code = 0; code < 0xd800; code++) {
      const char = String.fromCharCode(code)
      assert.equal(septetsOf(char) !== undefined, isGsmChar(char), `U+${code.toString(16)}`)
    }
  })

  it('reads what it writes', () => fc.assert(fc.property(fc.array(fc.constantFrom(...ALPHABET)), chars => {
    assert.equal(decodeGsm7(encodeGsm7(chars.join(''))), chars.join(''))
  })))

  it('reads any octets', () => fc.assert(fc.property(fc.uint8Array(), octets => { assert.equal(typeof decodeGsm7(octets), 'string') })))

  it('writes octets by the standard', () => {
    assert.equal(encodeGsm7('@Grüße 5€{}').toString('hex'), '0047727e1e6520351b651b281b29')
    assert.throws(() => encodeGsm7('ç'), Bug)
  })

  for (const [language, name] of [[1, 'Turkish'], [2, 'Spanish'], [3, 'Portuguese']] as const) {
    it(`knows the ${name} tables as others do`, () => {
      for (let code = 0; code < 128; code++) {
        if (code === 0x1b) continue
        const alone = peer.gsmCoder.decode(Buffer.from([code]), language)
        assert.equal(decodeGsm7([code] as unknown as Uint8Array, { locking: language, single: language }), alone, `octet ${code}`)
      }
    })
  }

  it('reads the single shift tables', () => {
    const escaped = (codes: string): Buffer => Buffer.from(codes.split(' ').flatMap(code => [0x1b, parseInt(code, 16)]))
    const shifted = (codes: string, single: number): string => decodeGsm7(escaped(codes), { locking: 0, single })
    assert.equal(shifted('47 49 53 63 65 67 69 73', 1), 'ĞİŞç€ğış')
    assert.equal(shifted('09 41 49 4F 55 61 65 69 6F 75', 2), 'çÁÍÓÚá€íóú')
    assert.equal(shifted('05 09 0B 0C 0E 0F 1F 41 5B 5C 61 65 7B 7C 7F', 3), 'êçÔôÁáÊÀÃÕÂ€ãõâ')
  })
})

describe('data_coding', () => {
  it('reads each as what it is', () => {
    assert.equal(decode(Buffer.from([0x7e, 0x1e, 0x1b, 0x65]), 0, 'gsm7'), 'üß€')
    assert.equal(decode(Buffer.from('üß', 'latin1'), 0, 'latin1'), 'üß')
    assert.equal(decode(Buffer.from('ab~'), 1, 'gsm7'), 'ab~')
    assert.equal(decode(Buffer.from('ç', 'latin1'), 3, 'gsm7'), 'ç')
    assert.equal(decode(encodeUcs2('ü😀'), 8, 'gsm7'), 'ü😀')
    assert.equal(decode(Buffer.from([0x7e]), 0xf0, 'gsm7'), 'ü')
    assert.equal(decode(encodeUcs2('ü'), 0x18, 'gsm7'), 'ü')
    assert.equal(decode(Buffer.from([0xbf]), 6, 'gsm7'), 'П')
  })

  it('says of binary and unknown ones that they are no text', () => {
    for (const coding of [2, 4, 0xf4, 0x14, 0x99]) assert.throws(() => decode(Buffer.from([1]), coding, 'gsm7'), Malformed)
  })

  it('UCS-2 both ways, also odd and torn', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => { assert.equal(decodeUcs2(encodeUcs2(text)), text.toWellFormed()) }))
    assert.equal(decodeUcs2(Buffer.from([0, 0x61, 0xd8])), 'a\ufffd')
  })

  it('uses data_coding 0 only where the phone will show the same', () => {
    assert(fitsStandard('Grüße', 'latin1'))
    assert(!fitsStandard('5€', 'latin1') && !fitsStandard('Grüße', 'ascii') && !fitsStandard('ç', 'latin1'))
  })
})
