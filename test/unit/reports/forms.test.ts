import assert from 'node:assert/strict'
import { reportCsv, reportHtml, reportText } from '../../../src/reports/forms'
import type { Report } from '../../../src/reports/report'

const none = { count: 0 }
const made: Report = {
  address: 'info', title: 'Auskunft & <b>Rat</b>', language: 'de', zone: 'Europe/Berlin', month: '2026-11', networks: ['blue', 'red'],
  hours: Array.from({ length: 24 }, (_, hour) => hour === 9 ? { in: { red: 3, blue: 2 }, out: { red: 1 } } : { in: {}, out: {} }),
  in: { red: 3, blue: 2 }, out: { red: 1 }, unsaid: 0, automatic: 1, failed: 0, claimsLost: 4, parts: { red: 7 }, opened: 2, reopened: 0, closed: 1,
  firstAnswer: { count: 2, median: 95, most: 93_700 }, firstAnswerOpen: { count: 2, median: 0, most: 3600 }, closing: none, closingOpen: none,
  labels: [{ label: '=cmd|"x"', count: 2 }, { label: '<script>alert(1)</script>', count: 1 }]
}
const labelOf = (network: string): string => network.toUpperCase()

describe('the forms of a report', () => {
  it('are a text with aligned tables, in the language of the address', () => {
    const german = reportText(made, labelOf).split('\n')
    for (const line of [
      'Bericht: Auskunft & <b>Rat</b>, 2026-11', 'Zeiten in Europe/Berlin', '  Nachrichten von Kontakten, RED                          3',
      '  bis zur ersten Antwort                              2             1 min 35 s                     1 d 2 h',
      '  bis zur ersten Antwort, in den Öffnungszeiten       2                    0 s                         1 h',
      '  bis zum Erledigen                                   0                      –                           –',
      '  Stunde  BLUE ein  BLUE aus  RED ein  RED aus  Summe ein  Summe aus',
      '  09:00          2         0        3        1          5          1'
    ]) assert.ok(german.some(one => one.replace(/ +/g, ' ') === line.replace(/ +/g, ' ')), `${line} is not in\n${german.join('\n')}`)
    const starts = german.filter(line => /^ {2}\d\d:00/.test(line))
    assert.deepEqual([starts.length, new Set(starts.map(line => line.length)).size], [24, 1])
    const english = reportText({ ...made, language: 'en', agents: [{ name: 'Anna', answers: 1 }] }, labelOf)
    assert.match(english, /Report: [^]*messages of contacts, BLUE +2\n[^]*parts to pay for +7\n[^]*Who answered\n +name +answers\n +Anna +1$/)
  })

  it('are CSV that no spreadsheet takes for a formula', () => {
    const lines = reportCsv(made, labelOf).split('\r\n')
    assert.deepEqual([lines[0], lines.at(-1)], ['\uFEFF"Bericht: Auskunft & <b>Rat</b>, 2026-11"', ''])
    for (const line of ['"\'=cmd|""x""";2', '"09:00";2;0;3;1;5;1', '"neue Vorgänge";2']) assert.ok(lines.includes(line), line)
    assert.ok(reportCsv({ ...made, language: 'en' }, labelOf).split('\r\n').includes('"09:00",2,0,3,1,5,1'))
  })

  it('are a page without scripts and without anything from elsewhere, whatever labels say', () => {
    const page = reportHtml(made, labelOf)
    assert.match(page, /^<!DOCTYPE html>\n<html lang="de">/)
    assert.doesNotMatch(page, /<script|<b>|https?:|\bsrc=|\bhref=|url\(|@import/)
    assert.match(page, /<th scope="row">&lt;script&gt;alert\(1\)&lt;\/script&gt;<\/th><td>1<\/td>/)
    assert.match(page, /default-src 'none'/)
    assert.match(page, /<tr><th scope="row">09:00<\/th><td>2<\/td><td>0<\/td><td>3<\/td><td>1<\/td><td>5<\/td><td>1<\/td><\/tr>/)
  })
})
