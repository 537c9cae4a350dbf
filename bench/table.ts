/** Prints the figures as a Markdown table, ready for a document. */
export interface Row {
  name: string
  limit?: string // the name of the row that is its limit
  count: number
  perSecond?: number
  p50Ms?: number
  p95Ms?: number
  outOfOrder?: number
  lost?: number
  doubled?: number
  busy: Record<string, number> // percent of one processor, by process
  commits?: number // of the store, for each message
}

const number = (value: number | undefined, digits = 0): string => value === undefined ? '' : value.toFixed(digits)

const share = ({ limit, perSecond }: Row, rows: Row[]): string => {
  const most = rows.find(({ name }) => name === limit)?.perSecond
  return most === undefined || perSecond === undefined ? '' : `${Math.round(100 * perSecond / most)} %`
}

const cells = ({ name, count, perSecond, p50Ms, p95Ms, outOfOrder, lost, doubled, busy, commits }: Row): string[] => [
  name, number(count), number(perSecond), number(p50Ms, 1), number(p95Ms, 1), number(outOfOrder), number(lost), number(doubled),
  number(commits, 2),
  [busy['zentrale'], busy['prosody'], busy['bench']].map(percent => number(percent)).join(' / ')
]

const HEAD = [
  '', 'messages', 'per second', 'of its limit', 'p50 ms', 'p95 ms', 'out of order', 'lost', 'doubled', 'commits each',
  'CPU % Zentrale / Prosody / bench'
]

const SHARE_COLUMN = 3

export const table = (rows: Row[]): string => {
  const lines = [HEAD, ...rows.map(row => cells(row).toSpliced(SHARE_COLUMN, 0, share(row, rows)))]
  const widths = HEAD.map((_, column) => Math.max(...lines.map(line => line[column]!.length)))
  const padded = (cell: string, column: number): string => column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)
  const text = lines.map(line => `| ${line.map(padded).join(' | ')} |`)
  const rule = `|${widths.map((width, column) => column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`).join('|')}|`
  return [text[0], rule, ...text.slice(1)].join('\n')
}
