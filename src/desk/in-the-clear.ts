/** What should not go where others may read along: account numbers, card numbers and passwords, as people write them. */
import type { Content } from '../model/message'
import { seenLines } from './typed'

export const SECRETS = ['iban', 'card', 'password'] as const
export type Secret = typeof SECRETS[number]

const CHARACTERS_MAX = 20_000 // of one text

/** How long the IBANs of a country are (ISO 13616), of those in SEPA and some more. */
const IBAN_LENGTHS: Record<string, number> = {
  AD: 24, AL: 28, AT: 20, BA: 20, BE: 16, BG: 22, CH: 21, CY: 28, CZ: 24, DE: 22, DK: 18, EE: 20, ES: 24, FI: 18, FO: 18, FR: 27, GB: 22, GI: 23,
  GL: 18, GR: 27, HR: 21, HU: 28, IE: 22, IL: 23, IS: 26, IT: 27, LI: 21, LT: 20, LU: 20, LV: 21, MC: 27, MD: 24, ME: 22, MK: 19, MT: 31, NL: 18,
  NO: 15, PL: 28, PT: 25, RO: 24, RS: 22, SE: 24, SI: 19, SK: 24, SM: 27, TR: 26, UA: 29, VA: 22, XK: 20
}
const IBAN = /(?<![\p{L}\p{N}])(?:iban)?([a-z]{2})( ?)\d{2}(?:[ ./-]?[a-z\d]){11,30}/giu
const REMAINDER = 97
const DIGITS_MIN = 12 // behind a country and a space: "at 14 …" is no IBAN

/** ISO 7064, MOD 97-10. */
const isIban = (text: string): boolean => {
  let rest = 0
  for (const character of text.slice(4) + text.slice(0, 4)) {
    const value = parseInt(character, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % REMAINDER
  }
  return rest === 1
}

const holdsIban = (line: string): boolean => [...line.matchAll(IBAN)].some(([found, country = '', space]) => {
  const length = IBAN_LENGTHS[country.toUpperCase()]
  const written = found.replace(/[ ./-]/g, '').replace(/^iban(?=[a-z])/i, '').toUpperCase().slice(0, length)
  return length === written.length && (space === '' || written.replace(/\D/g, '').length >= DIGITS_MIN) && isIban(written)
})

/** Of the large companies (ISO/IEC 7812). A number behind a plus sign is that of a phone, and one that is called something else is that. */
const OTHER_NUMBERS = '(?:zeichen|nummer|nr\\.?|auftrag|rechnung|vorgang|vertrag|sendung|order|invoice|ticket)'
const CARD = new RegExp(`(?<![\\p{L}\\p{N}+])(?<!\\d[ .-])(?<!${OTHER_NUMBERS}:?\\s)` +
  '(?:4|5[1-5]|2[2-7]|3[04-8]|6[05])\\d(?:[ .-]?\\d){11,17}(?![\\p{L}\\p{N}])', 'giu')
const CARD_LENGTHS = new Set([15, 16, 19])
const DINERS = /^3[068]\d{12}$/

/** ISO/IEC 7812-1, annex B. */
const isLuhn = (digits: string): boolean => Array.from(digits).toReversed().reduce((sum, digit, index) => {
  const twice = Number(digit) * 2
  return sum + (index % 2 === 0 ? Number(digit) : twice > 9 ? twice - 9 : twice)
}, 0) % 10 === 0

const holdsCard = (line: string): boolean => [...line.matchAll(CARD)].some(([found]) => {
  const digits = found.replace(/\D/g, '')
  return (CARD_LENGTHS.has(digits.length) || DINERS.test(digits)) && isLuhn(digits)
})

const IS = '(?:\\s(?:ist|lautet|is)(?:\\s(?:jetzt|nun|now))?)'
const CALLED = '(?:passwor[dt]|kennwort|passwd|passphrase|(?:wlan|wi-?fi|netzwerk)[ -]?(?:schlüssel|key)|(?<![\\p{L}\\p{N}])pwd?)' +
  '(?![\\p{L}\\p{N}])'
/** What stands there if the password does not. */
const NONE = '(?:siehe|bitte|folgt|kommt|per|wird|wie|nicht|noch|selbst|vergessen|geändert|see|please|follows|will|not|forgotten|changed)' +
  '(?![\\p{L}\\p{N}])'
const QUOTES = '["\'“”„‚‘’«»]'
const NUMBER = '(?:(?<![\\p{L}\\p{N}])(?:pin|puk|tan)(?:-?(?:code|nummer|nr\\.?|number))?|(?:zugangs|tür|tor|sicherheits|access|door|entry)[ -]?code)'
const PASSWORD = new RegExp([
  `${CALLED}${IS}?\\s?[:=]\\s?(?!${NONE})[^\\s\\p{Ps}]{3}`,
  `${CALLED}${IS}\\s(?:${QUOTES}[^\\s]{3}|(?=[^\\s]*\\d)[^\\s\\p{Ps}]{3})`, // “is” is also said of passwords that are wrong
  `${CALLED}\\s${QUOTES}?(?!\\d+-?(?:mal|x)(?![\\p{L}\\p{N}]))(?=[^\\s]*\\p{L})(?=[^\\s]*\\d)[^\\s\\p{Ps}]{4}`,
  `${NUMBER}(?:${IS}?\\s?[:=]|${IS})\\s?(?:\\d{4,10}(?![\\d])|\\d{2,3}(?:[ -]\\d{2,3}){1,2}(?![\\d]))(?<!\\d{5}(?=\\s\\p{Lu}\\p{Ll}))` // no post code
].join('|'), 'iu')

/** Those that go on in the next line, with it. */
const joined = (lines: string[], goesOn: RegExp): string[] => lines.slice(1).flatMap((next, index) => {
  const line = lines[index] ?? ''
  return goesOn.test(line) ? [`${line} ${next}`] : []
})

/** The first of these kinds that something typed has. What is quoted does not count: whoever reads it knows it. */
export const secretIn = ({ text }: Pick<Content, 'text'>, kinds: readonly Secret[]): Secret | undefined => {
  if (kinds.length === 0) return undefined
  const lines = seenLines(text).map(line => line.slice(0, CHARACTERS_MAX))
  const has = {
    iban: () => [...lines, ...joined(lines, /[a-z\d]\s*$/i)].some(holdsIban),
    card: () => lines.some(holdsCard),
    password: () => [...lines, ...joined(lines, /[:=]\s*$/)].some(line => PASSWORD.test(line))
  }
  return kinds.find(kind => has[kind]())
}
