/** The texts of `zentrale privacy`, each point with the part of the GDPR that asks for it. They are templates, and no legal advice. */

import { TALLY_DAYS } from '../store/tally'

/** What the config tells. */
export interface Known {
  networks: string
  inTheClear: string // of these, those on which nothing is encrypted end to end; empty if there is none
  addresses: { name: string, reached: string[], retentionDays: number, people: number, automatic: boolean }[]
  mirrors: string[]
  retained: { name: string, days: number }[] // the mirrors that say it themselves
  keepDays: number
  linkDays: number
  directChats: boolean
  portals: boolean
  countsAgents: boolean // reports say how much each of a team has answered
  shows: boolean // who is typing, reading or there
}
type Language = 'de' | 'en'
type Text = (known: Known, language: Language) => string

const document = (title: string, points: ([head: string, ...lines: string[]] | undefined)[]): string => [
  `# ${title}`, ...points.flatMap(point => point === undefined ? [] : [`## ${point[0]}`, point.slice(1).filter(line => line !== '').join('\n')])
].join('\n\n') + '\n'

const list = (lines: string[]): string => lines.map(line => `- ${line}`).join('\n')

const addressesIn = ({ addresses }: Known, language: Language): string =>
  list(addresses.map(({ name, reached, retentionDays, people }) => language === 'de'
    ? `${name} (${reached.join(', ')}): ${people} im Team, Gespräche werden nach ${retentionDays} Tagen gelöscht`
    : `${name} (${reached.join(', ')}): a team of ${people}, conversations are deleted after ${retentionDays} days`))

const periods = (known: Known, language: Language): string => list(language === 'de' ? [
  ...known.addresses.map(({ name, retentionDays }) => `Gespräche mit ${name}: ${retentionDays} Tage`),
  `Zugestellte Nachrichten in gespiegelten Räumen${known.directChats ? ' und Direktchats' : ''}: ${known.keepDays} Tage`,
  ...known.retained.map(({ name, days }) => `davon in ${name}: ${days} Tage`),
  `Links zu Dateien: ${known.linkDays} Tage`, 'Abmeldung mit STOP: bis zum Widerruf mit START (Art. 21 Abs. 3)',
  'Nachweis von Einwilligungen (Adresse oder Rufnummer, was, wann): bis zur Löschung auf Verlangen (Art. 7 Abs. 1)',
  `Zahlen für Berichte, ohne Kontakte: ${TALLY_DAYS} Tage`,
  'Protokoll der Vorgänge ohne Namen der Kontakte: [Frist]', 'Sicherungen und Logdateien: [Frist]'
] : [
  ...known.addresses.map(({ name, retentionDays }) => `conversations with ${name}: ${retentionDays} days`),
  `delivered messages in mirrored rooms${known.directChats ? ' and direct chats' : ''}: ${known.keepDays} days`,
  ...known.retained.map(({ name, days }) => `of these in ${name}: ${days} days`),
  `links to files: ${known.linkDays} days`, 'opting out by STOP: until it is revoked by START (Art. 21(3))',
  'proof of consent (address or phone number, what, when): until it is erased on request (Art. 7(1))',
  `counts for reports, without contacts: ${TALLY_DAYS} days`,
  'the log of cases, without names of contacts: [period]', 'backups and log files: [period]'
])

const MEASURES = {
  de: [
    'Zugriff nur für das Team der Adresse; wer was sieht, ist festgelegt und getestet (docs/who-sees-what.md)',
    'Verschlüsselung auf dem Weg (TLS) zwischen Servern; Ende-zu-Ende, wo das Netz es kann und es eingeschaltet ist (docs/encryption.md)',
    'keine Texte und keine ganzen Rufnummern im Log; das Protokoll der Vorgänge ist versiegelt',
    'nichts geht verloren, auch bei Abstürzen (docs/promises.md); Sicherung mit zentrale backup',
    'Löschfristen laufen von selbst; Auskunft mit zentrale export, Löschung mit zentrale erase',
    'Einmal-Codes von Diensten werden verdeckt, bevor sie gespeichert werden; Passwörter, Karten- und Kontonummern werden im Klartext zurückgehalten',
    'Festplatte und Sicherungen verschlüsselt: [ja/nein]', 'Betriebssystem und Zentrale werden aktuell gehalten von: [wem]'
  ],
  en: [
    'access only for the team of the address; who sees what is laid down and tested (docs/who-sees-what.md)',
    'encryption on the way (TLS) between servers; end to end where the network can and it is switched on (docs/encryption.md)',
    'no texts and no whole phone numbers in the log; the log of cases is sealed',
    'nothing is lost, crashes included (docs/promises.md); backups by zentrale backup',
    'periods of deletion run by themselves; what is stored about somebody is told by zentrale export, and erased by zentrale erase',
    'one-time codes of services are masked before they are stored; passwords, card and account numbers are held back in the clear',
    'disk and backups encrypted: [yes/no]', 'operating system and Zentrale are kept up to date by: [whom]'
  ]
} as const

/** Article 30(1), a to g. */
export const record: Text = (known, language) => language === 'de' ? document('Verzeichnis von Verarbeitungstätigkeiten: Nachrichten über Zentrale', [
  ['Verantwortlicher (Art. 30 Abs. 1 a)', '[Name, Anschrift, Kontakt; gemeinsam Verantwortliche; Vertreter; Datenschutzbeauftragte]'],
  ['Zwecke (b)', `Anliegen annehmen und beantworten, die über ${known.networks} kommen.`, addressesIn(known, language),
    known.mirrors.length === 0 ? '' : `Räume verbinden, damit Menschen verschiedener Netze miteinander reden: ${known.mirrors.join(', ')}.`,
    known.portals ? 'Weitere Räume auf Wunsch verbinden.' : '', known.directChats ? 'Direktchats zwischen Menschen verschiedener Netze.' : ''],
  ['Rechtsgrundlage (Art. 6)', '[Vertrag oder Anfrage (1 b), öffentliche Aufgabe (1 e), berechtigtes Interesse (1 f)]'],
  ['Betroffene und Daten (c)', list(['Menschen, die schreiben: Adresse oder Rufnummer, Anzeigename, Bild, Nachrichten, Dateien, Zeiten',
    'Notizen und Schlagwörter des Teams zu ihnen', 'Menschen im Team: Name, Adresse, Antworten, Zeiten',
    ...known.shows ? ['wer gerade schreibt, liest oder da ist; das wird gezeigt und nicht gespeichert'] : [],
    ...known.countsAgents ? ['wie viel jede Person im Team geantwortet hat (Berichte; [Beteiligung des Betriebs- oder Personalrats])'] : []])],
  ['Empfänger (d)', `Das Team der Adresse; die Betreiber der Server und Netze, über die eine Nachricht geht: ${known.networks} ` +
  '[Server, Anbieter, ' +
  'Gateways, mit Namen]; [Auftragsverarbeiter].'],
  ['Drittländer (e)', 'Wer von einem Server in einem Drittland schreibt, bekommt seine Antwort dorthin. [Weitere Übermittlungen und ' +
  'Garantien; sonst: keine.]'],
  ['Löschfristen (f)', periods(known, language)],
  ['Technische und organisatorische Maßnahmen (g, Art. 32)', list([...MEASURES.de])]
]) : document('Record of processing activities: messages by Zentrale', [
  ['Controller (Art. 30(1)(a))', '[name, address, contact; joint controllers; representative; data protection officer]'],
  ['Purposes (b)', `To take and answer what people write by ${known.networks}.`, addressesIn(known, language),
    known.mirrors.length === 0 ? '' : `To connect rooms, so that people of different networks can talk: ${known.mirrors.join(', ')}.`,
    known.portals ? 'To connect further rooms on request.' : '', known.directChats ? 'Direct chats between people of different networks.' : ''],
  ['Legal basis (Art. 6)', '[contract or request (1)(b), public task (1)(e), legitimate interest (1)(f)]'],
  ['Data subjects and data (c)', list(['people who write: address or phone number, shown name, picture, messages, files, times',
    'notes and labels of the team about them', 'people of the team: name, address, answers, times',
    ...known.shows ? ['who is typing, reading or there; that is shown and not stored'] : [],
    ...known.countsAgents ? ['how much each person of the team has answered (reports; [involvement of the works council])'] : []])],
  ['Recipients (d)', `The team of the address; whoever runs the servers and networks by which a message goes: ${known.networks} ` +
  '[servers, providers, ' +
  'gateways, by name]; [processors].'],
  ['Third countries (e)', 'Whoever writes from a server in a third country is answered there. [Further transfers and safeguards; else: none.]'],
  ['Periods of erasure (f)', periods(known, language)],
  ['Technical and organisational measures (g, Art. 32)', list([...MEASURES.en])]
])

const automaticIn = ({ addresses }: Known): boolean => addresses.some(({ automatic }) => automatic)

/** Article 13(1) and (2). */
export const policy: Text = (known, language) => language === 'de' ? document('Datenschutz, wenn Sie uns schreiben', [
  ['Wer verantwortlich ist (Art. 13 Abs. 1 a, b)', '[Name, Anschrift, Kontakt; Datenschutzbeauftragte]'],
  ['Wozu und auf welcher Grundlage (1 c, d)', `Sie können uns über ${known.networks} schreiben. Wir verarbeiten Ihre Nachricht, Ihre ` +
  'Adresse oder Rufnummer und ' +
  'Ihren Anzeigenamen, um Ihnen zu antworten. [Rechtsgrundlage; bei berechtigtem Interesse: welches]', addressesIn(known, language)],
  ['Wer Ihre Nachricht bekommt (1 e)', 'Das Team der Adresse, an die Sie schreiben. Die Nachricht läuft über Ihren Anbieter und über ' +
  'unseren [Server, ' +
  'Anbieter]. Zeigt Ihre App ein Schloss, liest auf dem Weg niemand mit; bei uns wird die Nachricht für das Team entschlüsselt.' +
  (known.inTheClear === '' ? '' : ` Über ${known.inTheClear} ist nichts Ende-zu-Ende verschlüsselt: ` +
    'Schreiben Sie dort keine Passwörter, Kartennummern ' +
    'oder Gesundheitsdaten.')],
  ['Drittländer (1 f)', '[Übermittlungen und Garantien; sonst: keine, außer wenn Ihr eigener Anbieter dort ist]'],
  ['Wie lange wir speichern (2 a)', periods(known, language)],
  ['Ihre Rechte (2 b bis d)', 'Sie können Auskunft, Berichtigung, Löschung, Einschränkung und Übertragung Ihrer Daten verlangen und der ' +
  'Verarbeitung widersprechen. ' +
  'Eine Einwilligung können Sie jederzeit widerrufen: Schreiben Sie STOP, und Sie bekommen nichts mehr. Beschweren können Sie sich bei ' +
  '[Aufsichtsbehörde].'],
  ['Müssen Sie uns Daten geben? (2 e)', 'Nein. Ohne Adresse oder Rufnummer können wir nur nicht antworten.'],
  ['Automatische Entscheidungen (2 f)', automaticIn(known)
    ? 'Keine. Automatische Texte (Begrüßung, Abwesenheit) entscheiden nichts; Antworten schreibt ein Mensch.' : 'Keine. Antworten schreibt ' +
      'ein Mensch.']
]) : document('Privacy when you write to us', [
  ['Who is responsible (Art. 13(1)(a), (b))', '[name, address, contact; data protection officer]'],
  ['What for, and on which basis (1)(c), (d)', `You can write to us by ${known.networks}. We process your message, your address or phone ` +
  'number and your ' +
  'shown name to answer you. [Legal basis; if it is a legitimate interest: which]', addressesIn(known, language)],
  ['Who gets your message (1)(e)', 'The team of the address to which you write. The message goes by your provider and by our [server, ' +
  'provider]. If your app shows a lock, nobody reads it on the way; here it is decrypted for the team.' +
  (known.inTheClear === '' ? '' : ` By ${known.inTheClear}, nothing is encrypted end to end: ` +
    'write no passwords, card numbers or facts about health there.')],
  ['Third countries (1)(f)', '[Transfers and safeguards; else: none, unless your own provider is there]'],
  ['How long we store it (2)(a)', periods(known, language)],
  ['Your rights (2)(b) to (d)', 'You may ask for access to your data, for rectification, erasure, restriction and portability, and object ' +
  'to the processing. ' +
  'You may withdraw consent at any time: write STOP, and you get nothing more. You may complain to [supervisory authority].'],
  ['Must you give us data? (2)(e)', 'No. Without an address or phone number we only cannot answer.'],
  ['Automated decisions (2)(f)', automaticIn(known)
    ? 'None. Automatic texts (greeting, absence) decide nothing; answers are written by a person.' : 'None. Answers are written by a person.']
])

/** Article 28(3), a to h. */
export const processor: Text = (known, language) => language === 'de' ? document('Auftragsverarbeitung: Betrieb von Zentrale (Art. 28)', [
  ['Gegenstand, Dauer, Art und Zweck (Abs. 3)', '[Auftragnehmer] betreibt für [Auftraggeber] Zentrale und nimmt Nachrichten über ' +
  `${known.networks} an und stellt ` +
  'sie zu. Dauer: [bis wann].', addressesIn(known, language)],
  ['Daten und Betroffene', 'Nachrichten, Dateien, Adressen, Rufnummern und Anzeigenamen der Menschen, die schreiben, und des Teams.'],
  ['Weisung (a)', 'Nur auf dokumentierte Weisung, auch bei Übermittlung in Drittländer. Die Konfiguration von Zentrale ist Teil der Weisung.'],
  ['Vertraulichkeit (b)', 'Alle, die Zugang haben, sind zur Vertraulichkeit verpflichtet.'],
  ['Sicherheit (c, Art. 32)', list([...MEASURES.de])],
  ['Weitere Auftragsverarbeiter (d, Abs. 2 und 4)', '[Anbieter des Telefonnetzes, Rechenzentrum; mit allgemeiner oder einzelner ' +
  'Genehmigung]. Für sie ' +
  'gelten dieselben Pflichten.'],
  ['Rechte der Betroffenen (e)', 'Der Auftragnehmer hilft mit zentrale export und löscht auf Weisung mit zentrale erase.'],
  ['Unterstützung (f, Art. 32 bis 36)', 'Verletzungen meldet er ohne unangemessene Verzögerung (Art. 33 Abs. 2), spätestens nach [Stunden].'],
  ['Ende (g)', 'Am Ende gibt er alles zurück (zentrale backup) oder löscht es, nach Wahl des Auftraggebers, und löscht ' +
  'Kopien.', periods(known, language)],
  ['Nachweis (h)', 'Er weist die Einhaltung nach und ermöglicht Prüfungen. Hält er eine Weisung für rechtswidrig, sagt er es sofort.']
]) : document('Processing on behalf: running Zentrale (Art. 28)', [
  ['Subject, duration, nature and purpose (3)', `[Processor] runs Zentrale for [controller], and takes and delivers messages by ${known.networks}. ` +
  'Duration: [until when].', addressesIn(known, language)],
  ['Data and data subjects', 'Messages, files, addresses, phone numbers and shown names of people who write, and of the team.'],
  ['Instructions (a)', 'Only on documented instructions, transfers to third countries included. The config of Zentrale is part of the instructions.'],
  ['Confidentiality (b)', 'Everybody with access is committed to confidentiality.'],
  ['Security (c), Art. 32', list([...MEASURES.en])],
  ['Other processors (d), (2) and (4)', '[provider of the phone network, data centre; by general or specific authorisation]. The same ' +
  'duties hold for them.'],
  ['Rights of data subjects (e)', 'The processor helps by zentrale export, and erases on instruction by zentrale erase.'],
  ['Assistance (f), Art. 32 to 36', 'It reports breaches without undue delay (Art. 33(2)), at the latest after [hours].'],
  ['The end (g)', 'At the end it returns everything (zentrale backup) or deletes it, as the controller chooses, and deletes ' +
  'copies.', periods(known, language)],
  ['Proof (h)', 'It shows that it keeps to this, and allows for audits. If it holds an instruction to be unlawful, it says so at once.']
])
