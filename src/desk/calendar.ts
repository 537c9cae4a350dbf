/**
 * The whole days that an iCalendar file (RFC 5545) names, year by year. Events with a time of day are left out. Rules are evaluated day by
 * day, so that none can run for ever. A rule that we do not understand is refused, never guessed.
 */
import type ICAL from 'ical.js'
import { ical } from '../lib/packages'
import { Malformed, messageOf } from '../model/errors'
import { DAY_MS } from './hours'

/** In days since 1970. */
interface Event { name: string; first: number; length: number; also: number[]; not: Set<number>; falls (day: number): boolean }

const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA']
const THURSDAY = 4
const UNDERSTOOD: Record<string, string[]> = {
  DAILY: ['BYMONTH'], WEEKLY: ['BYMONTH', 'BYDAY'], MONTHLY: ['BYMONTH', 'BYMONTHDAY', 'BYDAY'], YEARLY: ['BYMONTH', 'BYMONTHDAY', 'BYDAY']
}

const dayOf = ({ year, month, day }: ICAL.Time): number => Date.UTC(year, month - 1, day) / DAY_MS
const weekday = (day: number): number => (day + THURSDAY) % 7

interface Fields { year: number; month: number; date: number; length: number }
const fieldsOf = (day: number): Fields => {
  const at = new Date(day * DAY_MS)
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth() + 1]
  return { year, month, date: at.getUTCDate(), length: new Date(Date.UTC(year, month, 0)).getUTCDate() }
}

/** MO: every Monday; 1MO: the first Monday of the month; -1MO: the last. */
const isNth = (part: string, day: number, { date, length }: Fields): boolean => {
  const nth = Number.parseInt(part, 10)
  if (WEEKDAYS[weekday(day)] !== part.slice(-2)) return false
  return Number.isNaN(nth) || (nth > 0 ? Math.ceil(date / 7) === nth : Math.ceil((length - date + 1) / 7) === -nth)
}

const periodsSince = ({ freq, wkst }: ICAL.Recur, first: number, day: number, from: Fields, here: Fields): number => {
  if (freq === 'DAILY') return day - first
  if (freq === 'WEEKLY') return Math.floor((day - first + (weekday(first) - (wkst - 1) + 7) % 7) / 7)
  return freq === 'YEARLY' ? here.year - from.year : (here.year - from.year) * 12 + here.month - from.month
}

/** If the rule names no day, the day of the first event counts. */
const isDayOf = ({ freq, parts }: ICAL.Recur, first: number, day: number, from: Fields, here: Fields): boolean => {
  const months = parts['BYMONTH']
  const dates = parts['BYMONTHDAY']
  const weekdays = parts['BYDAY']
  const given = dates !== undefined || weekdays !== undefined
  return (months?.includes(here.month) ?? (freq !== 'YEARLY' || given || here.month === from.month))
    && (dates?.some(date => date === here.date || date === here.date - here.length - 1) ?? true)
    && (weekdays?.some(part => isNth(part, day, here)) ?? true)
    && (given || freq === 'DAILY' || (freq === 'WEEKLY' ? weekday(day) === weekday(first) : here.date === from.date))
}

const checkRule = (name: string, rule: ICAL.Recur): void => {
  const parts = Object.keys(rule.parts)
  const strange = parts.find(part => UNDERSTOOD[rule.freq]?.includes(part) !== true)
  const nth = (rule.parts['BYDAY'] ?? []).some(part => part.length > 2)
  const nthOfYear = nth && (rule.freq === 'WEEKLY' || (rule.freq === 'YEARLY' && !parts.includes('BYMONTH')))
  if (UNDERSTOOD[rule.freq] === undefined || strange !== undefined || nthOfYear) {
    throw new Malformed(`the event "${name}" repeats by a rule that is not understood (${rule.toString()}): write its days one by one`)
  }
}

const ruled = (name: string, first: number, rule: ICAL.Recur): Event['falls'] => {
  checkRule(name, rule)
  const from = fieldsOf(first)
  const last = rule.until === null ? Infinity : dayOf(rule.until)
  const fits = (day: number): boolean => {
    const here = fieldsOf(day)
    return day >= first && day <= last
      && periodsSince(rule, first, day, from, here) % rule.interval === 0 && isDayOf(rule, first, day, from, here)
  }
  const { count } = rule
  if (count === null) return fits
  return day => {
    if (!fits(day)) return false
    let before = 0
    for (let at = first; at < day && before < count; at++) if (fits(at)) before++
    return before < count
  }
}

/** ical.js turns 20269999 into 7 June 2034, so dates are compared with what was written. */
const checkDates = (event: ICAL.Component): void => {
  for (const property of event.getAllProperties()) {
    for (const [index, value] of property.getValues().entries()) {
      const written = (property.toJSON() as unknown[])[3 + index]
      if (value instanceof ical().Time && value.toString() !== written) throw new Malformed(`${String(written)} is no date`)
    }
  }
}

const isWhole = ({ startDate: start, endDate: end }: ICAL.Event): boolean =>
  start.isDate || (start.hour + start.minute + end.hour + end.minute === 0 && end.compare(start) > 0)

const daysOf = (event: ICAL.Component, property: string): number[] =>
  event.getAllProperties(property).flatMap(each => each.getValues() as unknown[]).filter(value => value instanceof ical().Time).map(dayOf)

const readEvent = (component: ICAL.Component, all: ICAL.Component[]): Event[] => {
  checkDates(component)
  const event = new (ical().Event)(component, { strictExceptions: true })
  if (!isWhole(event) || component.getFirstPropertyValue('status') === 'CANCELLED') return []
  const name = String(event.summary ?? event.uid ?? '')
  const first = dayOf(event.startDate)
  const rule = component.getFirstPropertyValue('rrule')
  const moved = all.filter(other => other !== component && event.uid !== null && other.getFirstPropertyValue('uid') === event.uid)
  return [{
    name, first,
    length: Math.max(dayOf(event.endDate) - first, 1),
    also: daysOf(component, 'rdate'),
    not: new Set([...daysOf(component, 'exdate'), ...moved.flatMap(other => daysOf(other, 'recurrence-id'))]),
    falls: rule instanceof ical().Recur ? ruled(name, first, rule) : day => day === first
  }]
}

const read = (text: string): Event[] => {
  try {
    const parsed = ical().parse(text.replace(/^\uFEFF/, '').trim()) as unknown[]
    const calendars = (Array.isArray(parsed[0]) ? parsed : [parsed]).map(one => new (ical().Component)(one as unknown[]))
    if (calendars.some(({ name }) => name !== 'vcalendar')) throw new Malformed('it does not begin with BEGIN:VCALENDAR')
    const events = calendars.flatMap(calendar => calendar.getAllSubcomponents('vevent'))
    return events.flatMap(event => readEvent(event, events))
  } catch (error) {
    throw new Malformed(`the calendar cannot be read: ${messageOf(error)}`)
  }
}

/** For each year its days since 1970, with the event's name. Throws Malformed with a text for the operator. */
export const calendarOf = (text: string): ((year: number) => [day: number, name: string][]) => {
  const events = read(text)
  return year => events.flatMap(({ name, length, also, not, falls }) => {
    const [first, end] = [Date.UTC(year) / DAY_MS, Date.UTC(year + 1) / DAY_MS]
    const found: [number, string][] = []
    for (let start = first - length + 1; start < end; start++) {
      if (not.has(start) || !(falls(start) || also.includes(start))) continue
      for (let day = Math.max(start, first); day < Math.min(start + length, end); day++) found.push([day, name])
    }
    return found
  })
}
