/** Reads opening hours from the config, and writes them as text for people. */
import type { FunctionAddress } from '../desk/address'
import { holidaysOf } from '../desk/holidays'
import type { Hours, Slot } from '../desk/hours'
import { messageOf } from '../model/errors'
import type { Files } from './files'
import type { Path, Problems } from '../settings/problem'
import type { WrittenAddress } from './schema-address'

type WrittenHours = NonNullable<WrittenAddress['hours']>

const WEEK = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
const DAY_MINUTES = 1440

const minutes = (clock: string): number => {
  const [hour = 0, minute = 0] = clock.trim().split(':').map(Number)
  return hour * 60 + minute
}

const slotsOf = (written: string[] | 'closed' | undefined, path: Path, problem: Problems): Slot[] => {
  if (written === undefined || written === 'closed') return []
  const slots = written.map((text, index) => {
    const [from = 0, to = 0] = text.split(/[-–]/).map(minutes)
    return { from, to, text, path: [...path, index] }
  })
  for (const { from, to, text, path: at } of slots) {
    if (to > DAY_MINUTES) problem(at, `"${text}" ends after midnight`, 'A day ends at 24:00')
    else if (from >= to) problem(at, `"${text}" ends before it begins`, 'Over midnight write two: until 24:00, and from 0:00 on the next day')
  }
  const sorted = slots.toSorted((a, b) => a.from - b.from)
  for (const [index, { from, text, path: at }] of sorted.entries()) {
    const before = sorted[index - 1]
    if (before !== undefined && from < before.to) problem(at, `"${text}" overlaps with "${before.text}"`, 'Join the two')
  }
  return sorted.map(({ from, to }) => ({ from, to }))
}

type Holidays = Parameters<typeof holidaysOf>[0]

const NONE: Holidays = { regions: [], list: [] }

const holidayOf = ({ holidays }: WrittenHours, path: Path, files: Files, problem: Problems): Hours['holiday'] => {
  const parts: { key: string, given: Partial<Holidays> }[] = [{ key: 'days', given: { list: holidays.days } }]
  if (holidays.region !== undefined) parts.push({ key: 'region', given: { regions: [holidays.region] } })
  if (holidays.calendar !== undefined) {
    const calendar = files.text(holidays.calendar, [...path, 'calendar'])
    if (calendar !== undefined) parts.push({ key: 'calendar', given: { calendar } })
  }
  const known = parts.flatMap(({ key, given }) => {
    try {
      return [holidaysOf({ ...NONE, ...given })]
    } catch (error) {
      problem([...path, key], messageOf(error), 'Correct it, or leave it out')
      return []
    }
  })
  return day => known.map(nameOf => nameOf(day)).find(name => name !== undefined)
}

export const hoursOf = (written: WrittenHours, path: Path, files: Files, problem: Problems): Hours => ({
  zone: written.zone,
  week: WEEK.map(day => slotsOf(written[day], [...path, day], problem)),
  holiday: holidayOf(written, [...path, 'holidays'], files, problem),
  days: new Map(Object.entries(written.days).map(([day, slots]) => [day, slotsOf(slots, [...path, 'days', day], problem)]))
})

const DAYS = {
  de: ['Mo', 'Di', 'Mi', 'Do', 'Fr', 'Sa', 'So'], en: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
}

const clockOf = (minute: number): string => `${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, '0')}`

/** Such as "Mo–Fr 8:00–12:00, 13:00–17:00; Sa 9:00–12:00". Empty if it is never open. */
export const hoursInWords = ({ week }: Hours, language: FunctionAddress['language']): string => {
  const times = week.map(slots => slots.map(({ from, to }) => `${clockOf(from)}–${clockOf(to)}`).join(', '))
  const runs = times.flatMap((time, day) => times[day - 1] === time || time === '' ? []
    : [{ time, first: day, last: day + times.slice(day).findIndex(other => other !== time) - 1 }])
  return runs.map(({ time, first, last }) => {
    const until = last < first ? 6 : last
    return `${DAYS[language][first]}${until === first ? '' : `–${DAYS[language][until]}`} ${time}`
  }).join('; ')
}
