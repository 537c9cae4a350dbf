/**
 * The GSM 7-bit default alphabet (3GPP TS 23.038 §6.2.1) and its extension table, one septet per octet, as SMPP carries it. For decoding
 * also the Turkish, Spanish and Portuguese shift tables (annex A), so that incoming texts are not garbled.
 */
import { Bug } from '../../model/errors'

const ESCAPE = 0x1b

const BASIC = [...'@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà']

type Table = ReadonlyMap<number, string>

/** From "0A\f" pairs: two hex digits and the character. */
const table = (pairs: string): Table =>
  new Map(pairs.split(' ').map(pair => [parseInt(pair.slice(0, 2), 16), pair.slice(2)]))

const EXTENSION = table('0A\f 14^ 28{ 29} 2F\\ 3C[ 3D~ 3E] 40| 65€')

/** The characters that each National Language Identifier changes (TS 23.038 §6.2.1.2.4). */
const SINGLE_SHIFTS: ReadonlyMap<number, Table> = new Map([
  [1, table('47Ğ 49İ 53Ş 63ç 67ğ 69ı 73ş')],
  [2, table('09ç 41Á 49Í 4FÓ 55Ú 61á 69í 6Fó 75ú')],
  [3, table('05ê 09ç 0BÔ 0Cô 0EÁ 0Fá 12Φ 13Γ 15Ω 16Π 17Ψ 18Σ 19Θ 1FÊ ' +
    '41À 49Í 4FÓ 55Ú 5BÃ 5CÕ 61Â 69í 6Fó 75ú 7Bã 7Cõ 7Fâ')]
])
const LOCKING_SHIFTS: ReadonlyMap<number, Table> = new Map([
  [1, table('04€ 07ı 0BĞ 0Cğ 1CŞ 1Dş 40İ 60ç')],
  [3, table('04ê 06ú 07í 08ó 09ç 0BÔ 0Cô 0EÁ 0Fá 12ª 13Ç 14À 15∞ 16^ 17\\ 18€ 19Ó 1A| 1CÂ 1Dâ 1EÊ ' +
    '24º 40Í 5BÃ 5CÕ 5DÚ 60~ 7Bã 7Cõ 7D`')]
])

const SEPTETS: ReadonlyMap<string, readonly number[]> = new Map([
  ...BASIC.map((char, code): [string, number[]] => [char, [code]]).filter(([char]) => char !== '\u001b'),
  ...[...EXTENSION].map(([code, char]): [string, number[]] => [char, [ESCAPE, code]])
])

/** How many septets one character takes: 1, 2, or undefined if the alphabet lacks it. */
export const septetsOf = (char: string): number | undefined => SEPTETS.get(char)?.length

/** One octet per septet. Throws Bug for a character that the alphabet lacks: call septetsOf before. */
export const encodeGsm7 = (text: string): Buffer => Buffer.from([...text].flatMap(char => {
  const septets = SEPTETS.get(char)
  if (!septets) throw new Bug('a character that is not in the GSM alphabet')
  return septets
}))

/** National language identifiers of a message (UDH elements 0x25 and 0x24), 0 for none. */
export interface Shifts { locking: number; single: number }

/** Never fails. An unknown escape becomes the basic character (TS 23.038 §6.2.1.1); an octet over 127 becomes U+FFFD. */
export const decodeGsm7 = (octets: Uint8Array, shifts: Shifts = { locking: 0, single: 0 }): string => {
  const locking = LOCKING_SHIFTS.get(shifts.locking)
  const single = SINGLE_SHIFTS.get(shifts.single)
  let text = ''
  let escaped = false
  for (const code of octets) {
    if (code === ESCAPE && !escaped) { escaped = true; continue }
    const basic = code === ESCAPE ? ' ' : locking?.get(code) ?? BASIC[code] ?? '\ufffd'
    text += escaped ? single?.get(code) ?? EXTENSION.get(code) ?? basic : basic
    escaped = false
  }
  return escaped ? `${text} ` : text
}
