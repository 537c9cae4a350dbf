import assert from 'node:assert/strict'
import fc from 'fast-check'
import { calendarOf } from '../../../src/desk/calendar'
import { holidaysOf } from '../../../src/desk/holidays'
import { DAY_MS, isoDay } from '../../../src/desk/hours'
import { Malformed } from '../../../src/model/errors'

const file = (...events: string[][]): string => ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//EN',
  ...events.flatMap(lines => ['BEGIN:VEVENT', ...lines, 'END:VEVENT']), 'END:VCALENDAR', ''].join('\r\n')
const day = (date: string): string => `DTSTART;VALUE=DATE:${date.replaceAll('-', '')}`
const daysOf = (year: number, ...events: string[][]): string[] => calendarOf(file(...events))(year).map(([at]) => isoDay(at * DAY_MS))
const refuses = (give: { regions?: string[], list?: string[], calendar?: string }, why: RegExp): void =>
  assert.throws(() => holidaysOf({ regions: [], list: [], ...give }), error => error instanceof Malformed && why.test(error.message))

describe('holidays', () => {
  it('are those of the state', () => {
    const [berlin, bavaria, all] = ['DE-BE', 'DE-BY', 'de'].map(region => holidaysOf({ regions: [region], list: [] }))
    assert.match(berlin!('2026-03-08')!, /frauentag/)
    assert.equal(bavaria!('2026-03-08'), undefined)
    assert.match(bavaria!('2026-06-04')!, /Fronleichnam/)
    assert.deepEqual(['2027-03-26', '2028-04-14', '2026-10-03', '2026-11-22'].map(date => all!(date) !== undefined), [true, true, true, false])
  })

  it('are those of the list, once or every year', () => {
    const holiday = holidaysOf({ regions: ['DE-BE'], list: ['2026-08-03', '12-24', '02-29'] })
    const closed = ['2026-08-03', '2027-08-03', '2026-12-24', '2031-12-24', '2028-02-29', '2027-03-01', '2026-12-25']
    assert.deepEqual(closed.map(date => holiday(date) !== undefined), [true, false, true, true, true, false, true])
  })

  it('are the whole days of an iCalendar file', () => {
    const holiday = holidaysOf({ regions: [], list: [], calendar: file(
      ['UID:1', day('2026-12-31'), 'DTEND;VALUE=DATE:20270103', 'SUMMARY:Betriebsferien\\, lang', ' e'],
      ['UID:2', 'DTSTART:20261120T000000', 'DTEND:20261121T000000', 'SUMMARY:Inventur'],
      ['UID:3', 'DTSTART:20261123T140000', 'DTEND:20261123T150000', 'SUMMARY:Besuch'],
      ['UID:4', day('2026-11-24'), 'STATUS:CANCELLED']) })
    const days = ['2026-12-30', '2026-12-31', '2027-01-02', '2027-01-03', '2026-11-20', '2026-11-21', '2026-11-23', '2026-11-24']
    assert.deepEqual(days.map(holiday),
      [undefined, 'Betriebsferien, lange', 'Betriebsferien, lange', undefined, 'Inventur', undefined, undefined, undefined])
  })

  it('repeat as their rule says', () => {
    assert.deepEqual(daysOf(2026, [day('2020-12-24'), 'RRULE:FREQ=YEARLY']), ['2026-12-24'])
    assert.deepEqual(daysOf(2026, [day('2020-02-29'), 'RRULE:FREQ=YEARLY']), [])
    assert.deepEqual(daysOf(2028, [day('2020-02-29'), 'RRULE:FREQ=YEARLY;COUNT=3']), ['2028-02-29'])
    assert.deepEqual(daysOf(2032, [day('2020-02-29'), 'RRULE:FREQ=YEARLY;COUNT=3']), [])
    assert.deepEqual(daysOf(2026, [day('2020-09-07'), 'RRULE:FREQ=YEARLY;BYMONTH=9;BYDAY=1MO']), ['2026-09-07'])
    assert.deepEqual(daysOf(2026, [day('2020-05-25'), 'RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO']), ['2026-05-25'])
    assert.deepEqual(daysOf(2026, [day('2026-01-31'), 'RRULE:FREQ=MONTHLY;UNTIL=20260601']), ['2026-01-31', '2026-03-31', '2026-05-31'])
    assert.deepEqual(daysOf(2026, [day('2026-11-30'), 'RRULE:FREQ=MONTHLY;BYMONTHDAY=-1']), ['2026-11-30', '2026-12-31'])
    const everyOther = 'RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,WE'
    assert.deepEqual(daysOf(2026, [day('2026-12-09'), `${everyOther};WKST=SU`]), ['2026-12-09', '2026-12-20', '2026-12-23'])
    assert.deepEqual(daysOf(2026, [day('2026-12-09'), everyOther]), ['2026-12-09', '2026-12-13', '2026-12-23', '2026-12-27'])
    assert.deepEqual(daysOf(2027, [day('2026-12-25'), 'RRULE:FREQ=DAILY;INTERVAL=5;COUNT=3']), ['2027-01-04'])
  })

  it('leave out what is excepted, and move what is moved', () => {
    assert.deepEqual(daysOf(2026,
      ['UID:a', day('2026-12-01'), 'RRULE:FREQ=DAILY;COUNT=5', 'EXDATE;VALUE=DATE:20261202', 'RDATE;VALUE=DATE:20261224'],
      ['UID:a', 'RECURRENCE-ID;VALUE=DATE:20261203', day('2026-12-20')],
      ['UID:a', 'RECURRENCE-ID;VALUE=DATE:20261204', day('2026-12-04'), 'STATUS:CANCELLED']),
    ['2026-12-01', '2026-12-05', '2026-12-24', '2026-12-20'])
  })

  it('say to the operator what is wrong', () => {
    refuses({ regions: ['DE-XX'] }, /"DE-XX".*DE-BE.*iCalendar/)
    for (const wrong of ['2026-02-30', '24.12.', '13-01', '2026-1-1', '']) refuses({ list: [wrong] }, /is no day/)
    for (const text of ['', '<html></html>', 'BEGIN:VEVENT\nEND:VEVENT', 'BEGIN:VCALENDAR', '\u0000']) {
      refuses({ calendar: text }, /the calendar cannot be read/)
    }
    refuses({ calendar: file(['SUMMARY:x']) }, /cannot be read/)
    refuses({ calendar: file(['DTSTART;VALUE=DATE:20269999']) }, /is no date/)
    refuses({ calendar: file([day('2026-01-01'), 'EXDATE;VALUE=DATE:20260102,20260231']) }, /2026-02-31 is no date/)
    refuses({ calendar: file(['DTSTART:soon']) }, /cannot be read/)
    const strange = ['FREQ=HOURLY', 'FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO', 'FREQ=YEARLY;BYDAY=20MO', 'FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1', 'FREQ=NEVER']
    for (const rule of strange) {
      refuses({ calendar: file([day('2026-01-01'), `RRULE:${rule}`]) }, /cannot be read/)
    }
  })

  it('cannot be made to search for ever by a day that never comes', () => {
    const rules = ['FREQ=DAILY;BYMONTH=2', 'FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31', 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', 'FREQ=YEARLY;COUNT=100']
    for (const rule of rules) {
      assert.ok(daysOf(2090, [day('1970-02-28'), `RRULE:${rule}`]).length < 30)
    }
  })

  it('read any text or refuse it aloud', () => {
    const pieces = ['BEGIN:', 'END:', 'VCALENDAR', 'VEVENT', '\r\n', 'DTSTART', ';VALUE=DATE', ':20261224',
      'RRULE:', 'FREQ=', 'YEARLY', ';BYDAY=', '-1MO', ' ', '"', '\u0000', '\ud800', '😀']
    const anyFile = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3 })), { maxLength: 30 })
    fc.assert(fc.property(anyFile, fc.boolean(), (parts, inside) => {
      const text = inside ? file([day('2026-12-24'), parts.join('')]) : parts.join('')
      try {
        calendarOf(text)(2026)
      } catch (error) {
        assert.ok(error instanceof Malformed)
      }
    }), { numRuns: 300 })
  })
})
