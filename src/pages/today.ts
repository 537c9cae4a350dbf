/** What came and went at an address since midnight where it is. */
import type { FunctionAddress } from '../desk/address'
import { DAY_MS, offsetAt } from '../desk/hours'
import type { Tx } from '../store/store'
import { HOUR_MS, type What } from '../store/tally'
import { html, type Html } from './html'
import type { Words } from './words'

export interface Today { in: number; out: number; answered: number; failed: number }

/** The hours that have begun since midnight. */
const hoursOfToday = ({ zone }: FunctionAddress, now: number): number[] => {
  const offset = offsetAt(zone, now)
  const first = Math.floor((Math.floor((now + offset) / DAY_MS) * DAY_MS - offset) / HOUR_MS)
  return Array.from({ length: Math.floor(now / HOUR_MS) - first + 1 }, (_, index) => first + index)
}

export const readToday = async ({ pages }: Tx, address: FunctionAddress, now: number): Promise<Today> => {
  const hours = hoursOfToday(address, now)
  const count = (what: What): Promise<number> => pages.counted(address.name, hours, what)
  return { in: await count('in'), out: await count('out'), answered: await count('first answer'), failed: await count('failed') }
}

export const todayOf = (today: Today, words: Words): Html => html`<p class="today">${words.today}:
${today.in} ${words.in}, ${today.out} ${words.out},
${words.firstAnswers(today.answered)}${today.failed > 0 && html`, <strong class="bad">${today.failed} ${words.failed}</strong>`}</p>`
