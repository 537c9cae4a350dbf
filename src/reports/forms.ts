/** The forms of a report: a text for the terminal, CSV for a spreadsheet, a page to print. */
import { escaped } from '../lib/html'
import type { NetworkName } from '../model/address'
import type { Report } from './report'
import { headOf, type Table, tablesOf, zoneOf } from './tables'

type LabelOf = (network: NetworkName) => string
type Form = (report: Report, labelOf: LabelOf) => string

const textTable = ({ title, head, rows }: Table): string => {
  const lines = [head, ...rows].map(row => row.map(String))
  const widths = head.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0)))
  const shown = lines.map(line => line.map((cell, column) => column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
  return [title, ...shown.map(line => `  ${line.join('  ').trimEnd()}`)].join('\n')
}

export const reportText: Form = (report, labelOf) =>
  [headOf(report), zoneOf(report), ...tablesOf(report, labelOf).map(textTable)].join('\n\n').replace('\n\n', '\n')

/** Spreadsheets take a text that begins so for a formula. */
const FORMULA = /^[=+\-@\t\r]/

const csvCell = (cell: string | number): string => {
  if (typeof cell === 'number') return String(cell)
  return `"${(FORMULA.test(cell) ? `'${cell}` : cell).replaceAll('"', '""')}"`
}

/** Spreadsheets take a file without it for one of another alphabet. */
const BYTE_ORDER_MARK = '\uFEFF'

/** RFC 4180: each table in turn, with its title in a line before it. German spreadsheets expect semicolons. */
export const reportCsv: Form = (report, labelOf) => {
  const between = report.language === 'de' ? ';' : ','
  const line = (cells: (string | number)[]): string => cells.map(csvCell).join(between)
  return BYTE_ORDER_MARK + [
    line([headOf(report)]), line([zoneOf(report)]),
    ...tablesOf(report, labelOf).flatMap(({ title, head, rows }) => ['', line([title]), line(head), ...rows.map(line)]), ''
  ].join('\r\n')
}

const STYLE = `
body { font: 11pt/1.4 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #000; background: #fff }
table { border-collapse: collapse; margin: 0 0 1.5rem; break-inside: avoid }
caption { text-align: left; font-weight: bold; padding: .3rem 0 }
th, td { padding: .15rem .6rem; border-bottom: 1px solid #ccc; text-align: right; font-variant-numeric: tabular-nums }
th:first-child { text-align: left; font-weight: normal } thead th { font-weight: bold }
@page { margin: 1.5cm }`

const htmlTable = ({ title, head, rows }: Table): string => {
  const cell = (tag: string) => (content: string | number): string => `<${tag}>${escaped(String(content))}</${tag.split(' ', 1).join('')}>`
  const row = ([first = '', ...rest]: (string | number)[]): string => `<tr>${cell('th scope="row"')(first)}${rest.map(cell('td')).join('')}</tr>`
  return `<table><caption>${escaped(title)}</caption><thead><tr>${head.map(cell('th scope="col"')).join('')}</tr></thead>
<tbody>${rows.map(row).join('\n')}</tbody></table>`
}

/** Without scripts, and without anything from elsewhere. */
export const reportHtml: Form = (report, labelOf) => `<!DOCTYPE html>
<html lang="${report.language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(headOf(report))}</title><style>${STYLE}
</style></head><body><h1>${escaped(headOf(report))}</h1><p>${escaped(zoneOf(report))}</p>
${tablesOf(report, labelOf).map(htmlTable).join('\n')}
</body></html>
`
