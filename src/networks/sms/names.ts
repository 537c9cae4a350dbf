/**
 * Numbers as addresses. A phone number is E.164 ("+491701234567") everywhere in Zentrale. Other senders are marked, so that they are never
 * dialled by mistake: "short:116117" and "alpha:DHL". A place is a thread, "<our number>/<theirs>".
 */
import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js'
import { maskNumbers } from '../../lib/log'
import type { Address } from './smpp/pdu'

export const TON = { unknown: 0, international: 1, national: 2, alphanumeric: 5 } as const
const NPI_E164 = 1
export const E164 = /^\+[1-9]\d{6,14}$/
const SHORT_DIGITS_MAX = 6
const TAIL_DIGITS_MIN = 4 // fewer digits are not taken as the end of a number

/** A number as people and configs write it, such as "+49 30 123456", in E.164. Undefined without "+" or a valid country. */
export const canonicalNumber = (written: string): string | undefined => {
  const number = parsePhoneNumberFromString(written)?.number
  const stable = number !== undefined && parsePhoneNumberFromString(number)?.number === number // otherwise it has too many zeros
  return stable && E164.test(number) ? number : undefined
}

export const isNumber = (id: string): boolean => E164.test(id)

const countryOf = (number: string): CountryCode | undefined => parsePhoneNumberFromString(number)?.country

const valid = (written: string, country?: CountryCode): string | undefined => {
  const parsed = parsePhoneNumberFromString(written, country === undefined ? {} : { defaultCountry: country, extract: false })
  return parsed?.isValid() && E164.test(parsed.number) ? parsed.number : undefined
}

/** Accepts every number with a length that its country uses, even in ranges that our table does not know yet. */
const possible = (written: string): string | undefined => {
  const parsed = parsePhoneNumberFromString(written, { extract: false })
  return parsed?.isPossible() && E164.test(parsed.number) ? parsed.number : undefined
}

/**
 * A person's id from an SMPP address (§5.2.5 TON). Gateways mark national numbers as international, so digits that cannot be an
 * international number are read as a national number of the country of our number. Digits of unknown type are international if such a
 * number can exist: "4917012345678" is not a German national number.
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

/** The number of ours that a message was sent to. Gateways write it in many ways. If the gateway has only one number, it is that one. */
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

/** Shows a person without a name to people who must not see the number. */
export const nameOf = (id: string): string => isNumber(id) ? maskNumbers(id) : id.slice(id.indexOf(':') + 1)
