import assert from 'node:assert/strict'
import { timeMeant } from '../../../src/desk/when'
import { slowness } from '../../support/linear'

const TUESDAY = Date.parse('2026-12-01T10:00:00+01:00')
const meant = (text: string): string => {
  const at = timeMeant(text, 'Europe/Berlin', TUESDAY)
  return at === undefined ? '?' : new Date(at + 3_600_000).toISOString().slice(5, 16)
}

describe('a time that the team types', () => {
  const TIMES: [string, string[]][] = [
    ['12-01T14:00', ['14:00', '14 Uhr', '14:00 Uhr', '14.00 Uhr', 'um 14 Uhr', 'heute 14 uhr', '4h', '4 Stunden', '240 Minuten', 'today at 14:00']],
    ['12-02T09:00', ['9:00', '9 Uhr', 'morgen 9:00', 'morgen um 9', 'Mi 9', 'mi. 9:00', 'Mittwoch 9 Uhr', 'wednesday at 9', 'tomorrow 9:00']],
    ['12-03T08:00', ['übermorgen', 'u\u0308bermorgen', 'Donnerstag', 'do', '3.12.']],
    ['12-03T09:30', ['übermorgen 9:30', '3.12. 9:30', '3.12. 9.30 Uhr', '3.12. um 9:30', 'Donnerstag  um 9.30 Uhr']],
    ['12-04T10:00', ['3d', '3 Tage', '3 Tagen', '3 days', '72 std']],
    ['12-08T10:00', ['1w', '1 Woche', '7t', '1 week']],
    ['?', ['', 'bald', 'nächste Woche', 'Montag 25', '25 Uhr', 'Mon 9:60', '2 Jahre', '9 Uhr abends', 'Mo Di', '31.2.', '0h', 'heute 9 Uhr']]
  ]
  for (const [time, spellings] of TIMES) {
    it(time === '?' ? 'is none if it cannot be understood, or is over' : `is ${time}, however it is written`, () => {
      for (const text of spellings) assert.equal(meant(text), time, text)
    })
  }

  it('does not take long, whatever it is', async () => {
    for (const text of ['a', '1', ' ', '. ', 'uhr', 'um ']) {
      assert.equal(await slowness(times => timeMeant(text.repeat(2000 * times) + '!', 'Europe/Berlin', TUESDAY)), undefined, text)
    }
  })
})
