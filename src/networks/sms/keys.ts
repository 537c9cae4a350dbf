/** Config keys for phone numbers. */
import { getCountries } from 'libphonenumber-js'
import { z } from 'zod'
import { list, text, told } from '../../settings/keys'
import { E164 } from './names'

const PHONE = 'a phone number in international form, in quotes'

export const phone = (doc: string, sample: string) => text(doc, PHONE, `"${sample}"`, E164)

export const ownNumbers = () =>
  list('Our numbers on this gateway, in international form, in quotes.', `a list of ${PHONE.replace('a phone', 'phone')}`,
    1000, phone('One of our numbers.', '+4930123456'), '["+4930123456", "+4930123457"]').min(1)

export const gatewayName = () => text('A short name of your choice for this gateway, used by mirrors and metrics.',
  'a short name of a–z, 0–9, _ and -', 'main', /^[a-z][a-z0-9_-]{0,31}$/)

export const country = (doc: string, sample: string) => z.enum(getCountries())
  .register(told, { doc, must: 'the two letters of a country, such as DE', sample })

/** The key of a line with a member's number and name. */
export const memberNumber = () => z.string().regex(E164).register(told, {
  doc: 'A phone number.', must: 'a phone number in international form',
  instead: key => /^\d{7,15}$/.test(key) ? `Put the number in quotes: "+${key}"`
    : 'Write it in international form, in quotes, such as "+491701234567"'
})

export const memberName = () => z.string().min(1).max(60).register(told, { doc: 'The name to show.', must: 'a name of at most 60 characters' })
