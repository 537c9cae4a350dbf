/**
 * Numbers as addresses. A phone number is E.164 ("+491701234567") everywhere in Zentrale; what is none keeps its own kind, so
 * that it is never dialled by mistake: "short:116117" and "alpha:DHL". A place is a thread, "<our number>/<theirs>".
 */
import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js'
import { maskNumbers } from '../../lib/log'
import type { Address } from './smpp/pdu'

export const TON = { unknown: 0, international: 1, national: 2, alphanumeric: 5 } as const
const NPI_E164 = 1
export const E164 = /^\+[1-9]\d{6,14}$/
const SHORT_DIGITS_MAX = 6
const TAIL_DIGITS_MIN = 4 // fewer are not taken for the end of a number

/** A number as people and configs write it, e.g. "+49 30 123456", to E.164. Undefined without "+" or country. */
export const canonicalNumber = (written: string): string | undefined => {
  const number = parsePhoneNumberFromString(written)?.number
  const stable = number !== undefined && parsePhoneNumberFromString(number)?.number === number // else it is spelled with zeros too many
  return stable && E164.test(number) ? number : undefined
}

export const isNumber = (id: string): boolean => E164.test(id)

const countryOf = (number: string): CountryCode | undefined => parsePhoneNumberFromString(number)?.country

const valid = (written: string, country?: CountryCode): string | undefined => {
  const parsed = parsePhoneNumberFromString(written, country === undefined ? {} : { defaultCountry: country, extract: false })
  return parsed?.isValid() && E164.test(parsed.number) ? parsed.number : undefined
}

/** A number as long as numbers of its country are, also of a range that is newer than our table. */
const possible = (written: string): string | undefined => {
  const parsed = parsePhoneNumberFromString(written, { extract: false })
  return parsed?.isPossible() && E164.test(parsed.number) ? parsed.number : undefined
}

/**
 * A person's id from an SMPP address (§5.2.5 TON). Gateways mark national numbers as international, so what cannot be a number there
 * is read as one in the country of ours. Digits of unknown type are international if that is a number that exists: "4917012345678" is not a
 * German national number.
 */
export const fromAddress = ({ ton, digits: raw }: Address, ours: string): string => {
  const written = raw.trim()
  if (ton === TON.alphanumeric || !/^\+?[\d\s().-]+$/.test(written)) return `alpha:${written}`
  const digits = written.replace(/\D/g, '')
  const international = `+${digits.replace(/^00/, '')}`
  if (digits.length <= SHORT_DIGITS_MAX) return `short:${digits}`
  const national = valid(digits, countryOf(ours))
  const isMarked = written.startsWith('+') || ton === TON.international
  const found = isMarked ? possible(international) ?? national : ton === TON.national ? national : valid(international) ?? national
  return found ?? (isMarked && E164.test(international) ? international : `short:${digits}`)
}

/** Which of our numbers a message was sent to. Gateways write it in every way; a gateway with one number has no choice. */
export const ourNumber = (address: Address, numbers: readonly string[]): string => {
  const digits = address.digits.replace(/\D/g, '').replace(/^0+/, '')
  const same = numbers.find(number => number === `+${digits}`) ??
    numbers.find(number => digits.length >= TAIL_DIGITS_MIN && number.endsWith(digits))
  if (same !== undefined) return same
  const [only] = numbers
  return only !== undefined && numbers.length === 1 ? only : fromAddress(address, only ?? '')
}

/** E.164 to an SMPP address. */
export const toAddress = (number: string): Address => ({ ton: TON.international, npi: NPI_E164, digits: number.slice(1) })

export const threadId = (ours: string, theirs: string): string => `${ours}/${theirs}`

export const readThread = (id: string): { ours: string; theirs: string } => {
  const slash = id.indexOf('/')
  return { ours: id.slice(0, slash), theirs: id.slice(slash + 1) }
}

/** How somebody of whom only the number is known is shown to those who are not to see it. It is no name. */
export const nameOf = (id: string): string => isNumber(id) ? maskNumbers(id) : id.slice(id.indexOf(':') + 1)
