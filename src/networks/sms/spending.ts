/**
 * Limits what SMS may cost. Promises: nothing is sent to a country that is not allowed, or to a premium number. Within a day no more parts
 * are sent than allowed, in all and to one number, whoever causes them. Further SMS wait, and the operator sees a connection that is down.
 * A day begins with its first part. The count of all parts survives a restart.
 */
import { type CountryCode, getCountryCallingCode, parsePhoneNumberFromString } from 'libphonenumber-js/max'
import type { Timer } from '../../lib/clock'
import { Refused, Unavailable } from '../../model/errors'
import type { World } from '../../model/network'

export interface SpendingConfig { countries: readonly CountryCode[]; partsPerDay: number; partsPerDayToOne: number }

export interface Spending {
  start (connection: (up: boolean, detail?: string) => void): void
  /** Throws Refused if SMS may never be sent to this number (E.164), Unavailable if no more may be sent today. */
  check (to: string): void
  /** So many parts were sent to this number, or may have been. */
  spent (to: string, parts: number): void
  stop (): void
}

export const SPENDING_CONNECTION = 'spending limit' // no gateway can have this name
const KEY = 'spent'
const DAY_MS = 86_400_000
const DEAR: ReadonlySet<string | undefined> = new Set(['PREMIUM_RATE', 'SHARED_COST'])

export const countryOf = (number: string): CountryCode | undefined => parsePhoneNumberFromString(number)?.country

export const makeSpending = ({ countries, partsPerDay, partsPerDayToOne }: SpendingConfig, { clock, memory }: World): Spending => {
  const known = memory.get(KEY)
  let [since, parts] = known === undefined ? [0, 0] : JSON.parse(known) as [number, number]
  const toOne = new Map<string, number>() // no more than partsPerDay
  let connection: Parameters<Spending['start']>[0] = () => {}
  let timer: Timer | undefined // runs until the day is over, if its parts are used up

  const today = (): void => {
    const age = clock.now() - since
    if (age >= 0 && age < DAY_MS) return
    since = clock.now()
    parts = 0
    toOne.clear()
  }

  const wait = (): void => {
    if (timer !== undefined) return
    connection(false, `${parts} parts were sent within a day: raise sms.parts_per_day, or let the rest wait until the day is over`)
    timer = clock.after(since + DAY_MS - clock.now(), () => {
      timer = undefined
      connection(true)
    })
  }

  /** Several countries may share a calling code, and then a number may not show its country. */
  const isAllowed = (country: CountryCode | undefined, callingCode: string | undefined): boolean => country === undefined
    ? countries.some(one => getCountryCallingCode(one) === callingCode)
    : countries.includes(country)

  return {
    start (given) {
      connection = given
      connection(true)
    },
    check (to) {
      const number = parsePhoneNumberFromString(to)
      if (!isAllowed(number?.country, number?.countryCallingCode)) {
        throw new Refused(`no SMS to ${number?.country ?? 'this part of the world'}: see sms.countries in the config`)
      }
      if (DEAR.has(number?.getType())) throw new Refused('no SMS to a number that costs its callers extra')
      today()
      if (parts >= partsPerDay) {
        wait()
        throw new Unavailable('sms.parts_per_day is reached', { disconnected: true })
      }
      if ((toOne.get(to) ?? 0) >= partsPerDayToOne) throw new Unavailable('sms.parts_per_day_to_one is reached', { disconnected: true })
    },
    spent (to, count) {
      today()
      parts += count
      toOne.set(to, (toOne.get(to) ?? 0) + count)
      memory.set(KEY, JSON.stringify([since, parts])).catch(() => {}) // the store has reported its failure itself
    },
    stop () { timer?.cancel() }
  }
}
