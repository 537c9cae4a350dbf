/** data_coding (SMPP 3.4 §5.2.19, 3GPP TS 23.038 §4): octets to text and back. Outgoing characters are never replaced. */
import { Malformed } from '../../model/errors'
import { decodeGsm7, encodeGsm7, septetsOf, type Shifts } from './gsm7'

/** What a connection means by data_coding 0. */
export type DefaultCharset = 'gsm7' | 'latin1' | 'ascii'

export const CODING = { standard: 0, ascii: 1, latin1: 3, ucs2: 8 } as const
const BINARY = 4

const OTHER_CHARSETS: Record<number, string> = {
  5: 'shift_jis', 6: 'iso-8859-5', 7: 'iso-8859-8', 10: 'iso-2022-jp', 13: 'euc-jp', 14: 'euc-kr'
}

/** UTF-16BE with surrogate pairs: every phone reads "UCS-2" so. */
export const encodeUcs2 = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16()

/** An odd last octet and lone surrogates become U+FFFD. */
export const decodeUcs2 = (octets: Buffer): string => {
  const whole = Buffer.from(octets.subarray(0, octets.length & ~1)).swap16().toString('utf16le').toWellFormed()
  return octets.length % 2 === 0 ? whole : `${whole}\ufffd`
}

/** Whether the text can be sent with data_coding 0 on such a connection, and is in the GSM alphabet. */
export const fitsStandard = (text: string, charset: DefaultCharset): boolean => {
  const most = { gsm7: Infinity, latin1: 0xff, ascii: 0x7f }[charset]
  for (const char of text) if (septetsOf(char) === undefined || (char.codePointAt(0) ?? 0) > most) return false
  return true
}

export const encodeStandard = (text: string, charset: DefaultCharset): Buffer =>
  charset === 'gsm7' ? encodeGsm7(text) : Buffer.from(text, 'latin1')

/** The alphabet of codings with a message class (TS 23.038 §4, 00xx and 1111), which SMPP itself does not define. */
const reduce = (coding: number): number => {
  if (coding >= 0xf0) return (coding & 4) === 0 ? CODING.standard : BINARY
  if (coding < 0x10 || coding >= 0x20) return coding
  return (coding & 0x0c) === 0 ? CODING.standard : (coding & 0x0c) === 8 ? CODING.ucs2 : BINARY
}

/** The text of an incoming message. Throws Malformed for binary messages and undefined codings. */
export const decode = (octets: Buffer, dataCoding: number, charset: DefaultCharset, shifts?: Shifts): string => {
  const coding = reduce(dataCoding)
  switch (coding) {
    case CODING.standard: return charset === 'gsm7' || shifts ? decodeGsm7(octets, shifts) : octets.toString('latin1')
    case CODING.ascii: case CODING.latin1: return octets.toString('latin1')
    case CODING.ucs2: return decodeUcs2(octets)
  }
  const other = OTHER_CHARSETS[coding]
  if (other === undefined) throw new Malformed(`SMS: data_coding 0x${dataCoding.toString(16)} is not text`)
  return new TextDecoder(other).decode(octets)
}
