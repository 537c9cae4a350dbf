import assert from 'node:assert/strict'
import fc from 'fast-check'
import { addOpenMs, DAY_MS, isOpen, isZone, MINUTE_MS, nextOpening, openMsBetween, showTime, type Hours, type Slot } from '../../../src/desk/hours'
import { holidaysOf } from '../../../src/desk/holidays'

const HOUR_MS = 60 * MINUTE_MS
const BERLIN = 'Europe/Berlin'
const slot = (from: number, to: number): Slot => ({ from: from * 60, to: to * 60 })
const at = (text: string): number => Date.parse(text)

const hoursOf = (week: Slot[][], more: Partial<Hours> = {}): Hours => ({ zone: BERLIN, week, holiday: () => undefined, days: new Map(), ...more })
const daily = (...slots: Slot[]): Slot[][] => Array.from({ length: 7 }, () => slots)
const workshop = hoursOf([...Array.from({ length: 5 }, () => [slot(8, 12), slot(13, 17)]), [slot(9, 12)], []])

const ZONES = [BERLIN, 'UTC', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Africa/Cairo', 'America/Santiago', 'Pacific/Apia']
/** Another way to read the wall clock, as the judge. */
const clocks = new Map(ZONES.map(timeZone => [timeZone, new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' })]))
const judge = ({ zone, week }: Hours, ms: number): boolean => {
  const [day = '', time = ''] = clocks.get(zone)!.format(ms).split(' ')
  const minute = Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))
  return week[(new Date(day).getUTCDay() + 6) % 7]!.some(({ from, to }) => from <= minute && minute < to)
}

describe('opening hours', () => {
  it('have a lunch break, a short Saturday and a closed Sunday', () => {
    assert.equal(isOpen(workshop, at('2026-11-23T08:00+01:00')), true)
    assert.equal(isOpen(workshop, at('2026-11-23T07:59:59.999+01:00')), false)
    assert.equal(isOpen(workshop, at('2026-11-23T12:00+01:00')), false)
    assert.equal(nextOpening(workshop, at('2026-11-23T12:00+01:00')), at('2026-11-23T13:00+01:00'))
    assert.equal(nextOpening(workshop, at('2026-11-21T12:30+01:00')), at('2026-11-23T08:00+01:00'))
    assert.equal(addOpenMs(workshop, at('2026-11-20T16:30+01:00'), HOUR_MS), at('2026-11-21T09:30+01:00'))
    assert.equal(openMsBetween(workshop, at('2026-11-20T00:00+01:00'), at('2026-11-24T00:00+01:00')), 19 * HOUR_MS)
  })

  it('go by the wall clock when an hour is missing', () => {
    const night = hoursOf(daily(slot(1, 4)))
    const sunday = at('2026-03-29T00:00+01:00')
    assert.equal(openMsBetween(night, sunday, sunday + 23 * HOUR_MS), 2 * HOUR_MS)
    assert.equal(addOpenMs(night, sunday, 2 * HOUR_MS), at('2026-03-29T04:00+02:00'))
    assert.equal(nextOpening(hoursOf(daily(slot(2, 3))), sunday), at('2026-03-30T02:00+02:00'))
    assert.equal(nextOpening(workshop, at('2026-03-28T13:00+01:00')), at('2026-03-30T08:00+02:00'))
  })

  it('go by the wall clock when an hour comes twice', () => {
    const night = hoursOf(daily(slot(2, 3)))
    const sunday = at('2026-10-25T00:00+02:00')
    assert.equal(openMsBetween(night, sunday, sunday + 25 * HOUR_MS), 2 * HOUR_MS)
    assert.equal(addOpenMs(night, sunday, 2 * HOUR_MS), at('2026-10-25T03:00+01:00'))
    const half = hoursOf(daily({ from: 120, to: 150 }))
    assert.equal(isOpen(half, at('2026-10-25T02:45+02:00')), false)
    assert.equal(nextOpening(half, at('2026-10-25T02:45+02:00')), at('2026-10-25T02:00+01:00'))
  })

  it('last until midnight and go on after it', () => {
    const bar = hoursOf(daily(slot(0, 2), slot(18, 24)))
    assert.equal(isOpen(bar, at('2026-11-23T23:59:59.999+01:00')), true)
    assert.equal(isOpen(bar, at('2026-11-24T00:00+01:00')), true)
    assert.equal(openMsBetween(bar, at('2026-11-23T17:00+01:00'), at('2026-11-24T03:00+01:00')), 8 * HOUR_MS)
    assert.equal(openMsBetween(hoursOf(daily(slot(0, 24))), 0, 400 * DAY_MS), 400 * DAY_MS)
  })

  it('are closed on holidays, and exceptional days win over all', () => {
    const holiday = holidaysOf({ regions: ['DE-BE'], list: [] })
    const days = new Map([['2026-12-24', [slot(8, 10)]], ['2026-12-26', [slot(10, 11)]], ['2026-12-28', []]])
    const hours = hoursOf(workshop.week, { holiday, days })
    assert.equal(nextOpening(hours, at('2026-12-24T10:00+01:00')), at('2026-12-26T10:00+01:00'))
    assert.equal(nextOpening(hours, at('2026-12-26T11:00+01:00')), at('2026-12-29T08:00+01:00'))
    assert.equal(isOpen(workshop, at('2026-12-25T09:00+01:00')), true)
  })

  it('need not be there, and need not ever open', () => {
    assert.deepEqual([isOpen(undefined, 5), nextOpening(undefined, 5), addOpenMs(undefined, 5, 3), openMsBetween(undefined, 5, 8)], [true, 5, 8, 3])
    assert.equal(openMsBetween(undefined, 8, 5), 0)
    const never = hoursOf([])
    assert.equal(nextOpening(never, 5), undefined)
    assert.equal(addOpenMs(never, 5, 1), 5 + 366 * DAY_MS)
    assert.equal(addOpenMs(never, 5, 0), 5)
  })

  it('show times as people say them', () => {
    const now = at('2026-11-22T23:30+01:00')
    const show = (text: string, language: 'de' | 'en'): string => showTime(at(text), BERLIN, language, now)
    assert.equal(show('2026-11-22T23:45+01:00', 'de'), 'heute 23:45')
    assert.equal(show('2026-11-23T08:00+01:00', 'de'), 'morgen 8:00')
    assert.equal(show('2026-11-30T08:05+01:00', 'de'), 'Mo 30.11. 8:05')
    assert.equal(show('2026-11-22T23:45+01:00', 'en'), 'today 23:45')
    assert.equal(show('2026-11-23T00:00+01:00', 'en'), 'tomorrow 0:00')
    assert.equal(show('2027-01-02T14:00+01:00', 'en'), 'Sat 2 Jan 14:00')
    assert.equal(showTime(at('2026-11-23T08:00+01:00'), 'America/New_York', 'en', now), 'tomorrow 2:00')
    assert.equal(showTime(at('2026-03-30T00:30+02:00'), BERLIN, 'de', at('2026-03-29T00:30+01:00')), 'morgen 0:30')
  })

  it('know a zone from a word', () => {
    assert.deepEqual(['Europe/Berlin', 'UTC', 'Europe/Berlln', ''].map(isZone), [true, true, false, false])
  })
})

describe('opening hours, any', () => {
  const anySlots = fc.uniqueArray(fc.integer({ min: 0, max: 1440 }), { maxLength: 6 }).map(edges => {
    const sorted = edges.toSorted((one, other) => one - other)
    return Array.from({ length: Math.floor(sorted.length / 2) }, (_, index) => ({ from: sorted[2 * index]!, to: sorted[2 * index + 1]! }))
  })
  const anyHours = fc.record({ zone: fc.constantFrom(...ZONES), week: fc.array(anySlots, { minLength: 7, maxLength: 7 }) })
    .map(({ zone, week }) => hoursOf(week, { zone }))
  /** Half of them near a change of clocks. */
  const changes = ['2026-03-29T01:00Z', '2026-10-25T01:00Z', '2026-11-01T06:00Z', '2026-04-04T15:00Z', '2026-09-06T04:00Z',
    '2026-04-23T22:00Z', '2011-12-30T10:00Z']
  const anyTime = fc.oneof(fc.integer({ min: at('2000-01-01'), max: at('2040-01-01') }),
    fc.tuple(fc.constantFrom(...changes), fc.integer({ min: -DAY_MS, max: DAY_MS })).map(([change, by]) => at(change) + by))
  const anySpan = fc.integer({ min: 0, max: 10 * DAY_MS })

  it('are open as another clock says', () => {
    fc.assert(fc.property(anyHours, anyTime, (hours, time) => { assert.equal(isOpen(hours, time), judge(hours, time)) }), { numRuns: 1000 })
  })

  it('open for a sum of parts', () => {
    fc.assert(fc.property(anyHours, anyTime, anySpan, anySpan, (hours, from, one, other) => {
      const [middle, to] = [from + one, from + one + other]
      assert.equal(openMsBetween(hours, from, middle) + openMsBetween(hours, middle, to), openMsBetween(hours, from, to))
      assert.ok(openMsBetween(hours, from, middle) <= one)
    }), { numRuns: 200 })
  })

  it('are open for as many minutes as another clock counts', () => {
    fc.assert(fc.property(anyHours, anyTime, (hours, time) => {
      const from = Math.floor(time / MINUTE_MS) * MINUTE_MS
      const open = Array.from({ length: 300 }, (_, minute) => judge(hours, from + minute * MINUTE_MS)).filter(Boolean).length
      assert.equal(openMsBetween(hours, from, from + 300 * MINUTE_MS), open * MINUTE_MS)
    }), { numRuns: 60 })
  })

  it('find the very instant by which it was open for so long', () => {
    fc.assert(fc.property(anyHours, anyTime, fc.integer({ min: 1, max: 2 * DAY_MS }), (hours, time, ms) => {
      const end = addOpenMs(hours, time, ms)
      if (end === time + 366 * DAY_MS) return assert.ok(openMsBetween(hours, time, end) <= ms)
      assert.equal(openMsBetween(hours, time, end), ms)
      assert.equal(openMsBetween(hours, time, end - 1), ms - 1)
    }), { numRuns: 100 })
  })

  it('open next where they were closed until then', () => {
    fc.assert(fc.property(anyHours, anyTime, (hours, time) => {
      const next = nextOpening(hours, time)
      assert.equal(isOpen(hours, time), next === time)
      if (next === undefined) return assert.ok(hours.week.every(slots => slots.length === 0))
      assert.equal(isOpen(hours, next), true)
      assert.equal(openMsBetween(hours, time, next), 0)
    }), { numRuns: 200 })
  })
})
