/** The page of an export, for the person whom it is about: plain HTML, without scripts or anything from elsewhere. */
import type { Config } from '../config/config'
import { escaped } from '../lib/html'
import type { Arrival } from '../model/message'
import { toPlain } from '../model/text'
import type { Conversation } from '../store/desk'
import { type About, isTheirChat } from '../store/person'

/** `saved`: its name in the folder. `missing`: why it is not there. */
export interface ExportedFile { network: string; ref: string; name: string; mime: string; saved?: string; missing?: string }

export interface Exported { zentrale: string; made: string; about: About[]; files: ExportedFile[] }

const WORDS = {
  de: {
    title: 'Auskunft über Ihre Daten', made: 'Stand', conversation: 'Gespräch', with: 'mit', labels: 'Schlagwörter', project: 'Projekt',
    contact: 'Sie', team: 'Team', note: 'Notiz des Teams', automatic: 'automatischer Text', messages: 'Was Sie sonst geschrieben haben',
    sent: 'Wohin es ging und was wartet', named: 'Andere haben Ihre Adresse genannt',
    times: (count: number) => count === 1 ? 'einmal' : `${count}-mal`,
    quarantine: 'Was nicht gelesen werden konnte',
    consents: 'Einwilligungen', stopped: 'Sie haben mit STOP alle Nachrichten beendet', files: 'Dateien', missing: 'nicht dabei',
    logbook: 'Protokoll der Vorgänge', facts: 'Technische Angaben (Schlüssel, Anzeigenamen, Aufenthalt in Räumen)', held: 'nicht gesendet',
    whole: 'Die Datei data.json enthält dasselbe, zum Einlesen in ein Programm.',
    place: 'Ort', state: 'Stand', what: 'Inhalt', when: 'Zeit (UTC)', who: 'Wer'
  },
  en: {
    title: 'What is stored about you', made: 'As of', conversation: 'Conversation', with: 'with', labels: 'Labels', project: 'Project',
    contact: 'You', team: 'Team', note: 'Note of the team', automatic: 'Automatic text', messages: 'What else you wrote',
    sent: 'Where it went, and what waits', named: 'Others named your address', times: (count: number) => count === 1 ? 'once' : `${count} times`,
    quarantine: 'What could not be read',
    consents: 'Consent', stopped: 'You ended all messages by STOP', files: 'Files', missing: 'not included',
    logbook: 'Log of the cases', facts: 'Technical facts (keys, shown names, presence in rooms)', held: 'not sent',
    whole: 'The file data.json holds the same, to be read by a program.',
    place: 'Place', state: 'State', what: 'Content', when: 'Time (UTC)', who: 'Who'
  }
} as const

type Words = (typeof WORDS)['de' | 'en']

const timeOf = (at: number): string => new Date(at).toISOString().slice(0, 19).replace('T', ' ')

const rowOf = (tag: 'th' | 'td', cells: (string | number)[]): string =>
  `<tr>${cells.map(cell => `<${tag}>${escaped(String(cell))}</${tag}>`).join('')}</tr>`

const table = (heads: string[], rows: (string | number)[][]): string => rows.length === 0 ? '' :
  `<table>${rowOf('th', heads)}${rows.map(row => rowOf('td', row)).join('\n')}</table>`

const section = (head: string, body: string): string => body === '' ? '' : `<h2>${escaped(head)}</h2>\n${body}\n`

const textOf = (arrival: Arrival): string => 'content' in arrival
  ? [toPlain(arrival.content.text), arrival.content.file?.name ?? ''].filter(part => part !== '').join('\n')
  : arrival.kind === 'reaction' ? arrival.emojis.join(' ') : `(${arrival.kind})`

const conversationOf = (words: Words, { entries, automatic }: About, one: Conversation): string => {
  const lines = [
    ...entries.filter(({ conversation }) => conversation === one.id)
      .map(({ at, kind, text, held }): [number, string, string] => [at, words[kind] + (held ? ` (${words.held})` : ''), text]),
    ...automatic.filter(({ conversation }) => conversation === one.id).map(({ at, text }): [number, string, string] => [at, words.automatic, text])
  ].toSorted(([first], [second]) => first - second)
  const facts = [
    ...one.labels.length > 0 ? [`${words.labels}: ${one.labels.join(', ')}`] : [],
    ...one.project === undefined ? [] : [`${words.project}: ${one.project}`]
  ].map(fact => `<p>${escaped(fact)}</p>`).join('')
  return section(`${words.conversation} ${one.id} ${words.with} ${one.address}`,
    facts + table([words.when, words.who, words.what], lines.map(([at, who, text]) => [timeOf(at), who, text])) || '–')
}

const personOf = (words: Words, about: About): string => {
  const inConversation = new Set(about.entries.map(({ network, key }) => `${network} ${key}`))
  const else_ = about.arrivals.filter(({ how, arrival }) => how === 'said' && arrival.kind !== 'receipt' &&
    !inConversation.has(`${arrival.place.network} ${arrival.key}`))
  const named = about.arrivals.filter(({ how }) => how === 'named').length
  return `<h1>${escaped(about.person.id)}</h1>
${about.stoppedAt === undefined ? '' : `<p>${escaped(words.stopped)}: ${timeOf(about.stoppedAt)} UTC</p>`}
${about.conversations.map(one => conversationOf(words, about, one)).join('')}
${section(words.messages, table([words.when, words.place, words.what],
  else_.map(({ arrival }) => [timeOf(arrival.at), arrival.place.id, textOf(arrival)])))}
${section(words.sent, table([words.when, words.place, words.state], about.deliveries.map(row =>
  [timeOf(row.queuedAt), isTheirChat({ network: row.network, id: row.place }, about.person) ? row.place : row.network, row.state])))}
${named === 0 ? '' : `<p>${escaped(words.named)}: ${words.times(named)}</p>`}
${section(words.quarantine, table([words.when, words.what], about.quarantine.map(({ at, raw }) => [timeOf(at), raw])))}
${section(words.consents, table([words.when, words.who, words.what],
  about.consents.map(one => [timeOf(one.at), one.address, `${one.kind}: ${one.how}`])))}
${section(words.logbook, table([words.when, words.what], about.logbook.map(({ at, what, detail }) => [timeOf(at), `${what} ${detail}`])))}
${section(words.facts, table([words.place, words.what, words.state], about.facts.map(({ owner, key, value }) => [owner, key, value])))}`
}

const fileOf = (words: Words, { name, saved, missing }: ExportedFile): string => saved === undefined
  ? `<li>${escaped(name)} – ${words.missing}: ${escaped(missing ?? '')}</li>`
  : `<li><a href="${escaped(encodeURI(saved))}">${escaped(name)}</a></li>`

const STYLE = 'body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;width:100%}' +
  'td,th{border:1px solid #999;padding:.3rem;text-align:left;vertical-align:top;white-space:pre-wrap;overflow-wrap:anywhere}'

/** In the language of the config. */
export const exportPage = ({ made, about, files }: Exported, { language }: Pick<Config, 'language'>): string => {
  const words = WORDS[language]
  return `<!DOCTYPE html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${words.title}</title><style>${STYLE}</style></head>
<body><p>${words.title}. ${words.made} ${escaped(made)}. ${words.whole}</p>
${about.map(one => personOf(words, one)).join('\n')}
${section(words.files, files.length === 0 ? '' : `<ul>${files.map(file => fileOf(words, file)).join('\n')}</ul>`)}
</body></html>
`
}
