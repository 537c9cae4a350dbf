/** Which days are holidays: by the law of a German state, by the operator's own list, or by an iCalendar file. */
import { getHolidays } from 'feiertagejs'
import { Malformed } from '../model/errors'
import { calendarOf } from './calendar'
import { DAY_MS, isoDay } from './hours'

type Region = Parameters<typeof getHolidays>[1]

const STATES = ['BW', 'BY', 'BE', 'BB', 'HB', 'HE', 'HH', 'MV', 'NI', 'NW', 'RP', 'SL', 'SN', 'ST', 'SH', 'TH'] as const
const REGIONS = new Map<string, Region>([
  ['DE', 'BUND'], ...STATES.map(state => [`DE-${state}`, state] as const), ['DE-BY-A', 'AUGSBURG']
])
const YEARS_KEPT_MAX = 8

/** The holidays of one year: 'YYYY-MM-DD' and a name. */
type Source = (year: number) => [day: string, name: string][]

const ofRegion = (written: string): Source => {
  const region = REGIONS.get(written.toUpperCase())
  if (region === undefined) {
    throw new Malformed(`the holidays of "${written}" are not known; known: ${[...REGIONS.keys()].join(', ')}. `
      + 'For another country give its holidays as an iCalendar file')
  }
  return year => getHolidays(year, region).map(holiday => [holiday.dateString, holiday.translate('de') ?? holiday.name])
}

/** YYYY-MM-DD, or MM-DD for every year. 2000 was a leap year. */
const ofList = (list: string[]): Source => {
  for (const day of list) {
    const full = /^\d\d-\d\d$/.test(day) ? `2000-${day}` : day
    const at = /^\d{4}-\d\d-\d\d$/.test(full) ? Date.parse(full) : NaN
    if (Number.isNaN(at) || isoDay(at) !== full) {
      throw new Malformed(`"${day}" is no day; write it as 2026-12-24, or 12-24 for every year`)
    }
  }
  return year => list.map(day => [day.length === 5 ? `${year}-${day}` : day, day])
}

const ofCalendar = (text: string): Source => {
  const days = calendarOf(text)
  return year => days(year).map(([day, name]) => [isoDay(day * DAY_MS), name])
}

/** Throws Malformed with a text for the operator. */
export const holidaysOf = ({ regions, list, calendar }: { regions: string[], list: string[], calendar?: string | undefined }):
  ((day: string) => string | undefined) => {
  const sources = [...regions.map(ofRegion), ofList(list), ...calendar === undefined ? [] : [ofCalendar(calendar)]]
  const years = new Map<number, Map<string, string>>()
  return day => {
    const year = Number(day.slice(0, 4))
    const known = years.get(year) ?? new Map(sources.flatMap(source => source(year)).reverse())
    if (years.size >= YEARS_KEPT_MAX) years.clear()
    years.set(year, known)
    return known.get(day)
  }
}
