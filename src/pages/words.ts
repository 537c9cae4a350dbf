/** The words of the pages, German and English. */
import type { OutboxState } from '../store/store'
import type { CaseState } from '../store/desk'
import type { QueueState } from '../operate/queue'

export type Language = 'de' | 'en'

const de = {
  name: 'Deutsch', title: 'Zentrale', skip: 'Zum Inhalt', home: 'Zur Startseite',
  overview: 'Übersicht', queue: 'Warteschlange', logOut: 'Abmelden', logIn: 'Anmelden',
  token: 'Token', tokenHint: 'operate.token aus der Konfiguration.',
  teamHint: 'Für Teams: Schreiben Sie !seite in Ihrem direkten Chat mit der Adresse. Sie bekommen dann einen Link.',
  byLink: 'Dieser Link meldet Sie für die Seite Ihres Teams an. Er gilt einmal.',
  deadLink: 'Dieser Link gilt nicht oder nicht mehr. ' +
    'Schreiben Sie !seite in Ihrem direkten Chat mit der Adresse, dann bekommen Sie einen neuen.',
  wrongToken: 'Das ist nicht das Token.', tooOften: 'Zu viele Versuche. Bitte warten Sie eine Minute.',
  live: 'Aktualisiert sich selbst', stale: 'Keine Verbindung. Die Seite zeigt einen älteren Stand.',
  allWell: 'Alles läuft', linksDown: (count: number) => count === 1 ? 'Eine Verbindung ist unterbrochen' : `${count} Verbindungen sind unterbrochen`,
  starting: 'Die Verbindungen werden aufgebaut',
  toDecide: (count: string) => count === '1' ? 'Eine Nachricht braucht Ihre Entscheidung' : `${count} Nachrichten brauchen Ihre Entscheidung`,
  oldest: 'Am längsten wartet', nothingWaits: 'Nichts wartet auf Zustellung.', waitsSince: (age: string) => `seit ${age}`,
  flow: 'Durchsatz', arrived: 'angenommen', delivered: 'zugestellt',
  flowHint: 'Balken: die letzte Stunde, Minute für Minute. Zahlen: seit dem Start. Alles zählt: auch Änderungen, Reaktionen und Zustellberichte.',
  thisMinute: 'in dieser Minute',
  links: 'Verbindungen', up: 'verbunden', down: 'unterbrochen', since: 'seit', noLinks: 'Noch keine.',
  waiting: 'Warten', network: 'Netz', none: 'Keine.',
  addresses: 'Adressen', unanswered: 'unbeantwortet', open: 'offen', today: 'heute',
  in: 'ein', out: 'aus', failed: 'gescheitert', firstAnswers: (count: number) => count === 1 ? '1 erste Antwort' : `${count} erste Antworten`,
  nobody: 'niemandem', noCases: 'Keine offenen Vorgänge.', all: 'Alle Vorgänge', more: 'Weitere', first: 'Zum Anfang',
  cases: 'Vorgänge', case: 'Vorgang', contact: 'Kontakt', openedAt: 'Eröffnet', labels: 'Schlagwörter', project: 'Projekt',
  acts: { take: 'Übernehmen', release: 'Freigeben', assign: 'Weitergeben', done: 'Erledigt' }, to: 'An',
  said: 'Verlauf', nothingSaid: 'Noch nichts.', lastSaid: (count: number) => `Die letzten ${count} Einträge.`,
  note: 'Notiz', notSent: 'nicht gesendet', automatically: 'automatisch', takenBack: 'zurückgenommen', file: 'Datei',
  wordsHidden: 'Die Räume dieses Teams sind verschlüsselt, darum stehen Texte nur dort. Der Betreiber kann das mit words_on_page ändern.',
  notDone: (owner: string) => owner === '' ? 'Nicht ausgeführt: Der Stand hat sich geändert.' : `Nicht ausgeführt: ${owner} hat den Vorgang.`,
  reports: 'Berichte', address: 'Adresse', month: 'Monat', csv: 'Als CSV für eine Tabellenkalkulation',
  isOpen: 'Jetzt geöffnet', isClosed: 'Zurzeit geschlossen.', openAgain: (time: string) => `Wieder da: ${time}.`, hours: 'Öffnungszeiten',
  writeUs: 'Schreiben Sie uns', inApp: 'In der App öffnen', forPhone: 'Aufs Telefon', qr: 'QR-Code mit dem Link zu dieser Seite',
  website: 'Website', imprint: 'Impressum', privacy: 'Datenschutz',
  toCases: 'Zurück zu den Vorgängen', answerInApp: 'Geantwortet wird in Ihrer App.',
  state: 'Stand', has: 'Bei', waits: 'Wartet', retired: 'nicht mehr in der Konfiguration',
  show: 'Ansehen', retry: 'Noch einmal versuchen', drop: 'Verwerfen', showText: 'Text und volle Nummern zeigen', hideText: 'Text verbergen',
  place: 'Ort', from: 'Von', tries: 'Versuche', because: 'Grund', text: 'Text', when: 'Wann', message: 'Nachricht', back: 'Zurück zur Warteschlange',
  dropHint: 'Verwerfen beendet die Nachricht, ohne dass ihr Absender etwas erfährt.',
  gone: 'Das gibt es nicht oder nicht mehr.', noPage: 'Diese Seite gibt es nicht. Bitte prüfen Sie, wie die Adresse geschrieben ist.',
  notChanged: 'Das geht hier nicht mehr: Der Stand hat sich geändert.',
  wrongHost: 'Diese Seite wurde unter einem Namen aufgerufen, den Zentrale nicht kennt. ' +
    'Tragen Sie ihn in operate.public_url ein, oder nehmen Sie die IP-Adresse.',
  wrongOrigin: 'Das kam von einer anderen Seite und wurde nicht ausgeführt. Laden Sie die Seite neu.',
  later: 'Gerade nicht möglich. Bitte versuchen Sie es gleich noch einmal.', newest: (count: number) => `die neuesten ${count}`,
  queueStates: {
    waiting: 'wartet', sending: 'wird gesendet', failed: 'gescheitert', unknown: 'ungewiss', done: 'zugestellt',
    quarantine: 'unlesbar', unrouted: 'ohne Ziel'
  } satisfies Record<QueueState | OutboxState, string>,
  caseStates: {
    new: 'neu', claimed: 'in Arbeit', waiting: 'zurückgestellt', snoozed: 'zurückgestellt', done: 'erledigt'
  } satisfies Record<CaseState, string>,
  units: ['Sek.', 'Min.', 'Std.', 'Tage']
}

export type Words = typeof de

const en: Words = {
  name: 'English', title: 'Zentrale', skip: 'To the content', home: 'To the start',
  overview: 'Overview', queue: 'Queue', logOut: 'Log out', logIn: 'Log in',
  token: 'Token', tokenHint: 'operate.token of the config.',
  teamHint: 'For teams: write !page in your direct chat with the address, and you get a link.',
  byLink: 'This link logs you in to the page of your team. It works once.',
  deadLink: 'This link does not work, or no longer. Write !page in your direct chat with the address to get a new one.',
  wrongToken: 'This is not the token.', tooOften: 'Too many tries. Please wait a minute.',
  live: 'Updates itself', stale: 'No connection. The page shows how it was before.',
  allWell: 'All is well', linksDown: count => count === 1 ? 'One link is down' : `${count} links are down`,
  starting: 'Links are being set up',
  toDecide: count => count === '1' ? 'One message needs your decision' : `${count} messages need your decision`,
  oldest: 'Waiting longest', nothingWaits: 'Nothing waits for delivery.', waitsSince: age => `for ${age}`,
  flow: 'Throughput', arrived: 'accepted', delivered: 'delivered',
  flowHint: 'Bars: the last hour, minute by minute. Numbers: since the start. All counts: edits, reactions and delivery reports too.',
  thisMinute: 'in this minute',
  links: 'Links', up: 'up', down: 'down', since: 'for', noLinks: 'None yet.',
  waiting: 'Waiting', network: 'Network', none: 'None.',
  addresses: 'Addresses', unanswered: 'unanswered', open: 'open', today: 'today',
  in: 'in', out: 'out', failed: 'failed', firstAnswers: count => count === 1 ? '1 first answer' : `${count} first answers`,
  nobody: 'nobody', noCases: 'No open cases.', all: 'All cases', more: 'More', first: 'To the beginning', cases: 'Cases', case: 'Case',
  contact: 'Contact', openedAt: 'Opened', labels: 'Labels', project: 'Project',
  acts: { take: 'Take', release: 'Give up', assign: 'Pass on', done: 'Done' }, to: 'To',
  said: 'Record', nothingSaid: 'Nothing yet.', lastSaid: count => `The last ${count} entries.`,
  note: 'Note', notSent: 'not sent', automatically: 'automatic', takenBack: 'taken back', file: 'File',
  wordsHidden: 'The rooms of this team are encrypted, so texts stand only there. The operator can change that with words_on_page.',
  notDone: owner => owner === '' ? 'Nothing done: something has changed meanwhile.' : `Nothing done: ${owner} has the case.`,
  reports: 'Reports', address: 'Address', month: 'Month', csv: 'As CSV for a spreadsheet',
  isOpen: 'Open now', isClosed: 'Closed now.', openAgain: time => `Back ${time}.`, hours: 'Opening hours',
  writeUs: 'Write to us', inApp: 'Open in the app', forPhone: 'For your phone', qr: 'QR code with the link to this page',
  website: 'Website', imprint: 'Imprint', privacy: 'Privacy',
  toCases: 'Back to the cases', answerInApp: 'Answers are written in your app.',
  state: 'State', has: 'With', waits: 'Waits', retired: 'no longer in the config',
  show: 'Show', retry: 'Try again', drop: 'Drop', showText: 'Show text and whole numbers', hideText: 'Hide text',
  place: 'Place', from: 'From', tries: 'Tries', because: 'Reason', text: 'Text', when: 'When', message: 'Message', back: 'Back to the queue',
  dropHint: 'To drop a message ends it, and its sender is told nothing.',
  gone: 'This does not exist, or no longer.', noPage: 'There is no such page. Please check how its address is spelt.',
  notChanged: 'This cannot be done any more: something has changed meanwhile.',
  wrongHost: 'This page was opened by a name that Zentrale does not know. Write it into operate.public_url, or use the IP address.',
  wrongOrigin: 'This came from another site, and was not done. Load the page again.',
  later: 'Not possible just now. Please try again in a moment.', newest: count => `the newest ${count}`,
  queueStates: {
    waiting: 'waiting', sending: 'being sent', failed: 'failed', unknown: 'uncertain', done: 'delivered',
    quarantine: 'unreadable', unrouted: 'for nobody'
  },
  caseStates: { new: 'new', claimed: 'in work', waiting: 'put off', snoozed: 'put off', done: 'done' },
  units: ['sec.', 'min.', 'hrs.', 'days']
}

export const WORDS: Record<Language, Words> = { de, en }

const MINUTE_MS = 60_000
const STEPS: [number, number][] = [[48 * 60 * MINUTE_MS, 3], [2 * 60 * MINUTE_MS, 2], [2 * MINUTE_MS, 1], [0, 0]]
const UNIT_MS = [1000, MINUTE_MS, 60 * MINUTE_MS, 24 * 60 * MINUTE_MS]

/** How long that is, in the largest unit that tells enough. */
export const ageIn = ({ units }: Words, ms: number): string => {
  const unit = STEPS.find(([from]) => ms >= from)?.[1] ?? 0
  return `${Math.floor(Math.max(0, ms) / (UNIT_MS[unit] ?? 1000))} ${units[unit] ?? ''}`
}

/** A count that was not counted further than `most`. */
export const countIn = (count: number, most: number): string => count >= most ? `${most - 1}+` : String(count)
