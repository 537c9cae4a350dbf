/** Times as the team types them: 14:30, 14 Uhr, morgen 8:00, mo 9:00, Montag um 9, 24.12. 9:00, 2h, 3 Tage; in German and English. */
import { DAY_MS, isoDay, MINUTE_MS, offsetAt } from './hours'

const UNITS: [RegExp, number][] = [
  [/^(?:m|min|minuten?|minutes?)$/, MINUTE_MS], [/^(?:h|std|stunden?|hours?)$/, 60 * MINUTE_MS],
  [/^(?:d|t|tage?n?|days?)$/, DAY_MS], [/^(?:w|wochen?|weeks?)$/, 7 * DAY_MS]
]
const DAYS = [/^(?:mo|mon|montag|monday)$/, /^(?:di|tue|dienstag|tuesday)$/, /^(?:mi|wed|mittwoch|wednesday)$/, /^(?:do|thu|donnerstag|thursday)$/,
  /^(?:fr|fri|freitag|friday)$/, /^(?:sa|sat|samstag|sonnabend|saturday)$/, /^(?:so|sun|sonntag|sunday)$/]
const MORNING = '8:00'
const AHEAD_MOST_MS = 366 * DAY_MS

/** The instant at which the zone's wall clock shows this time; the first one, in an hour that comes twice. */
const instant = (zone: string, midnight: number, minutes: number): number => {
  const wall = midnight + minutes * MINUTE_MS
  const early = wall - Math.max(offsetAt(zone, wall - DAY_MS), offsetAt(zone, wall + DAY_MS))
  return early + offsetAt(zone, early) === wall ? early : wall - offsetAt(zone, wall)
}

const dayMeant = (word: string, today: number): number | undefined => {
  if (word === '' || word === 'heute' || word === 'today') return today
  if (word === 'morgen' || word === 'tomorrow') return today + DAY_MS
  if (word === 'übermorgen') return today + 2 * DAY_MS
  const date = /^(\d{1,2})\.(\d{1,2})\.$/.exec(word)
  if (date !== null) {
    const year = Number(isoDay(today).slice(0, 4))
    const [day, month] = [Number(date[1]), Number(date[2])]
    const at = [year, year + 1].map(one => Date.UTC(one, month - 1, day)).find(one => one >= today)
    return at !== undefined && new Date(at).getUTCDate() === day ? at : undefined
  }
  const wanted = DAYS.findIndex(names => names.test(word.replace(/\.$/, '')))
  const weekday = (today / DAY_MS + 3) % 7
  return wanted < 0 ? undefined : today + ((wanted - weekday + 6) % 7 + 1) * DAY_MS
}

/** “14 uhr”, “9.30 uhr”, “montag um 9” as 14:00, 9:30, montag 9:00. */
const withColons = (words: string): string => words.replace(/(?<!\S)(?:um|at) (?=\d)/, '')
  .replace(/(?<![\d.:])(\d{1,2})(?:[.:](\d{2}))? ?uhr$/, (_, hour: string, minute = '00') => `${hour}:${minute}`)
  .replace(/(?<=^\p{L}+\.? )(\d{1,2})$/u, '$1:00')

/** Always in the future, at most a year ahead; undefined if the text is not a time. */
export const timeMeant = (text: string, zone: string, now: number): number | undefined => {
  const words = withColons(text.trim().toLowerCase().normalize('NFC').replace(/\s+/g, ' '))
  const span = /^(\d{1,4}) ?([a-z]{1,8})$/.exec(words)
  if (span !== null) {
    const unit = UNITS.find(([names]) => names.test(span[2] ?? ''))?.[1]
    const at = unit === undefined ? undefined : now + Number(span[1]) * unit
    return at !== undefined && at > now && at - now <= AHEAD_MOST_MS ? at : undefined
  }
  const [, day = '', time = ''] = /^(?:([^\s:]+?)\s*)??(?:(\d{1,2}:\d{2}))?$/.exec(words) ?? [undefined, '?']
  const [hour = 0, minute = 0] = (time || MORNING).split(':').map(Number)
  const midnight = Math.floor((now + offsetAt(zone, now)) / DAY_MS) * DAY_MS
  const meant = dayMeant(day, midnight)
  if (words === '' || meant === undefined || hour > 23 || minute > 59) return undefined
  const at = instant(zone, meant, hour * 60 + minute)
  return at > now ? at : day === '' ? instant(zone, meant + DAY_MS, hour * 60 + minute) : undefined
}
