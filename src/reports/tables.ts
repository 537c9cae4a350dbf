/** A report as tables, in German or English, for every form in which it is shown. */
import type { NetworkName } from '../model/address'
import type { Counts, Report, Took } from './report'

/** The first cell of a row says what it is about. */
export interface Table { title: string; head: string[]; rows: (string | number)[][] }

const WORDS = {
  de: {
    report: 'Bericht', hour: 'Stunde', messages: 'Nachrichten nach Tageszeit', in: 'ein', out: 'aus', all: 'Summe', sums: 'Im ganzen Monat',
    number: 'Anzahl', received: 'Nachrichten von Kontakten', sent: 'Antworten', unsaid: 'zurückgenommen, bevor sie hinausgingen',
    automatic: 'automatische Texte', failed: 'nicht zugestellt', lost: 'zurückgehalten, weil jemand anderes den Vorgang hatte',
    parts: 'Teile, die zu zahlen sind', opened: 'neue Vorgänge', reopened: 'wieder geöffnete Vorgänge', closed: 'erledigte Vorgänge',
    times: 'Wie lange es dauerte', median: 'die Hälfte höchstens', most: 'neun von zehn höchstens', count: 'Fälle', answer: 'bis zur ersten Antwort',
    closing: 'bis zum Erledigen', open: 'in den Öffnungszeiten', labels: 'Schlagwörter', label: 'Schlagwort', given: 'vergeben',
    agents: 'Wer geantwortet hat', agent: 'Name', answers: 'Antworten', zone: 'Zeiten in', second: 's', minute: 'min', hours: 'h', day: 'd'
  },
  en: {
    report: 'Report', hour: 'Hour', messages: 'Messages by time of day', in: 'in', out: 'out', all: 'sum', sums: 'In the whole month',
    number: 'number', received: 'messages of contacts', sent: 'answers', unsaid: 'taken back before they left',
    automatic: 'automatic texts', failed: 'not delivered', lost: 'held, because somebody else had the case',
    parts: 'parts to pay for', opened: 'new cases', reopened: 'cases opened again', closed: 'cases closed',
    times: 'How long it took', median: 'half at most', most: 'nine of ten at most', count: 'cases', answer: 'to the first answer',
    closing: 'until closed', open: 'within opening hours', labels: 'Labels', label: 'label', given: 'given',
    agents: 'Who answered', agent: 'name', answers: 'answers', zone: 'Times in', second: 's', minute: 'min', hours: 'h', day: 'd'
  }
} as const

type Words = (typeof WORDS)['de' | 'en']

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Such as “2 d 3 h”: two units are exact enough. */
const duration = (seconds: number | undefined, { day, hours, minute, second }: Words): string => {
  if (seconds === undefined) return '–'
  const units: [number, string][] = [[DAY, day], [HOUR, hours], [MINUTE, minute], [1, second]]
  const first = Math.max(units.findIndex(([size]) => seconds >= size), 0)
  const [large, small] = [units[first], units[first + 1]]
  if (large === undefined || seconds < 1) return `0 ${second}`
  const rest = small === undefined ? 0 : Math.floor(seconds % large[0] / small[0])
  return `${Math.floor(seconds / large[0])} ${large[1]}${rest > 0 ? ` ${rest} ${small?.[1]}` : ''}`
}

const total = (counts: Counts): number => Object.values(counts).reduce((all, count) => all + count, 0)

const hoursOf = ({ hours, networks }: Report, words: Words, labelOf: (network: NetworkName) => string): Table => {
  const cells = ({ in: came, out: went }: Report['hours'][number]): number[] =>
    [...networks.flatMap(network => [came[network] ?? 0, went[network] ?? 0]), total(came), total(went)]
  return {
    title: words.messages,
    head: [words.hour, ...[...networks.map(labelOf), words.all].flatMap(name => [`${name} ${words.in}`, `${name} ${words.out}`])],
    rows: hours.map((hour, index) => [`${String(index).padStart(2, '0')}:00`, ...cells(hour)])
  }
}

const sumsOf = (report: Report, words: Words, labelOf: (network: NetworkName) => string): Table => {
  const byNetwork = (name: string, counts: Counts): [string, number][] =>
    [[name, total(counts)], ...Object.entries(counts).map(([network, count]): [string, number] => [`${name}, ${labelOf(network)}`, count])]
  const { unsaid, automatic, failed, claimsLost, opened, reopened, closed } = report
  return {
    title: words.sums, head: ['', words.number],
    rows: [
      ...byNetwork(words.received, report.in), ...byNetwork(words.sent, report.out), [words.unsaid, unsaid], [words.automatic, automatic],
      [words.failed, failed], [words.lost, claimsLost], ...byNetwork(words.parts, report.parts), [words.opened, opened], [words.reopened, reopened],
      [words.closed, closed]
    ]
  }
}

const timesOf = ({ firstAnswer, firstAnswerOpen, closing, closingOpen }: Report, words: Words): Table => {
  const row = (name: string, { count, median, most }: Took): (string | number)[] =>
    [name, count, duration(median, words), duration(most, words)]
  return {
    title: words.times, head: ['', words.count, words.median, words.most],
    rows: [
      row(words.answer, firstAnswer), row(`${words.answer}, ${words.open}`, firstAnswerOpen),
      row(words.closing, closing), row(`${words.closing}, ${words.open}`, closingOpen)
    ]
  }
}

export const headOf = ({ title, month, language }: Report): string => `${WORDS[language].report}: ${title}, ${month}`
export const zoneOf = ({ zone, language }: Report): string => `${WORDS[language].zone} ${zone}`

/** `labelOf`: what a network is called. A table without rows is left out. */
export const tablesOf = (report: Report, labelOf: (network: NetworkName) => string): Table[] => {
  const words = WORDS[report.language]
  return [
    sumsOf(report, words, labelOf), timesOf(report, words), hoursOf(report, words, labelOf),
    { title: words.labels, head: [words.label, words.given], rows: report.labels.map(({ label, count }) => [label, count]) },
    { title: words.agents, head: [words.agent, words.answers], rows: (report.agents ?? []).map(({ name, answers }) => [name, answers]) }
  ].filter(({ rows }) => rows.length > 0)
}
