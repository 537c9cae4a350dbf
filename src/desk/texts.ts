/** The desk's texts to the team, in German and English. Texts to contacts are in automatic.ts, retired.ts and the config. */
import type { CaseState } from '../store/desk'
import type { Secret } from './in-the-clear'

export interface DeskTexts {
  notOurs (name: string): string // for a contact with the name of an agent or address
  state (state: CaseState, owner: string): string // with a coloured sign; the words alone say it too
  topic (id: number, address: string, contact: string, network: string): string
  queueName (address: string): string
  queueTopic: string
  announce (title: string, id: number, excerpt: string): string
  separator (id: number, cases: number): string
  held (excerpt: string, owner: string, mayOverride: boolean): string
  heldInRace (excerpt: string, owner: string, mayOverride: boolean): string
  sentNow (who: string, text: string, left: { id: number, excerpt: string }[]): string
  heldNote (who: string): string
  automatic: string
  taken (who: string, id: number): string
  mayNot (owner: string): string
  nobodyHas: string
  isDone: string
  several (names: string[]): string
  offDuty (name: string): string
  redirectsOnly (address: string): string
  wouldBeClear (address: string, name: string): string // `name`: as it was typed
  notCopied (count: number): string
  notShown (count: number): string
  released (who: string): string
  releasedByTime (who: string): string
  withoutOwner (cases: number[]): string
  passed (who: string, to: string): string
  noSuch (what: string): string
  noText (name: string, known: string[]): string
  lacks (command: string, example: string): string
  nothingSent (held: { id: number, excerpt: string }[]): string
  done (who: string): string
  waiting (who: string, until: string): string
  woken: string
  labels (labels: string[]): string
  project (project: string): string
  dutyOff: string
  dutyOn: string
  status (lines: { id: number, state: string, contact: string, project: string, labels: string[], awaits: boolean, since: string }): string
  needsAnswer: string
  none: string
  which: string
  noNumber: string
  notConnected: string
  page (url: string, minutes: number): string
  pageInChat (address: string): string
  noPage: string
  masked (minutes: number): string // below a message with a one-time code
  codeInChat (address: string): string
  noCode: string
  codeShown (who: string): string
  consentRequired (who: string): string
  consentNoted (who: string): string
  blocked: string
  left (unsent: string[]): string
  returned: string
  started (who: string, id: number): string
  notAPerson (what: string): string
  isOurs (what: string): string
  joined (who: string): string
  removed (who: string): string
  breaker: string
  onlyRedirect: string
  note: string // in front of what stays inside
  unclear: string
  meant (spelling: string, held: boolean): string
  labelled: string
  emote: string
  machine: string
  openly: string
  more: string
  otherCase (number: number, own: number): string
  noCase (number: number): string
  strange: string
  inTheClear (secret: Secret): string
  called: (name: string) => string
  keptAt (id: number): string
  stillThere: string
  stillHeld: string
  heldAsEdited: string
  staysNote: string
  editDoesNothing: string
  isAt (address: string): string
  neverLeft: string
  stays (network: string): string
  somebodyElse (contact: string): string
  rekeyed (key: string): string
  reidentified: string
  unsealed (clear: string[], sealed: boolean): string // as in ReadBy
  unreadMore (count: number): string
  reacts (name: string, emojis: string, excerpt: string): string
  reactsNoMore (name: string, excerpt: string): string
  tookBack (name: string): string
  nobodyOf: string
  closed (address: string): string
  noWay (network: string): string
  badTime: string
  help: string
}

const joined = (...parts: string[]): string => parts.filter(part => part !== '').join(' · ')

const SECRET_DE: Record<Secret, string> = { iban: 'eine IBAN', card: 'eine Kartennummer', password: 'ein Passwort' }
const SECRET_EN: Record<Secret, string> = { iban: 'an IBAN', card: 'a card number', password: 'a password' }

interface Kept { id: number, excerpt: string }
const keptDe = ({ id, excerpt }: Kept): string => `Noch zurückgehalten: „${excerpt}“ (!senden ${id})`
const keptEn = ({ id, excerpt }: Kept): string => `Still kept back: “${excerpt}” (!send ${id})`

/** Without an excerpt where the app shows what is answered. */
const behindDe = (excerpt: string): string => excerpt === '' ? '.' : `: „${excerpt}“.`
const behindEn = (excerpt: string): string => excerpt === '' ? '.' : `: “${excerpt}”.`

const messages = (count: number): string => count === 1 ? '1 Nachricht' : `${count} Nachrichten`

const de: DeskTexts = {
  notOurs: name => `${name} (Kontakt)`,
  state: (state, owner) => ({
    new: '🔴 neu', claimed: `🟢 ${owner}`, waiting: `🟡 wartet (${owner})`, snoozed: `🟡 zurückgestellt (${owner})`, done: '⚪ erledigt'
  })[state].replace(' ()', ''),
  topic: (id, address, contact, network) =>
    `#${id} · ${address} · ${contact} über ${network} · Antworten gehen an den Kontakt. !n davor: interne Notiz. !hilfe`,
  queueName: address => `Eingang ${address}`,
  queueTopic: 'Hier steht jeder Vorgang mit seiner Nummer. Antworten bitte in seinem Raum schreiben, oder hier mit der Nummer davor. !hilfe',
  announce: (title, id, excerpt) => `#${id} ${title}${excerpt === '' ? '' : `: „${excerpt}“`}`,
  separator: (id, cases) => `— neuer Vorgang #${id}.${cases} —`,
  held: (excerpt, owner, mayOverride) => `Nicht gesendet${behindDe(excerpt)} ${owner} hat den Vorgang. Der Text liegt hier als interne Notiz.` +
    (mayOverride ? ' !senden schickt ihn trotzdem.' : ''),
  heldInRace: (excerpt, owner, mayOverride) => `Nicht gesendet${behindDe(excerpt)} ${owner} hat den Vorgang gerade übernommen. ` +
    'Der Text liegt hier als interne Notiz.' + (mayOverride ? ' !senden schickt ihn trotzdem.' : ''),
  sentNow: (who, text, left) => [`${who} hat gesendet: ${text}`,
    ...left.map(keptDe)].join('\n'),
  heldNote: who => `(nicht gesendet) ${who}: `,
  automatic: 'Der Kontakt bekam: ',
  taken: (who, id) => `${who} hat #${id} übernommen.`,
  mayNot: owner => `Nicht ausgeführt: ${owner} hat den Vorgang und ist im Dienst. Bitte sprechen Sie sich ab; ${owner} kann ihn mit !frei freigeben.`,
  nobodyHas: 'Nicht ausgeführt: Niemand hat den Vorgang.',
  isDone: 'Der Vorgang ist bereits erledigt.',
  several: names => `Nicht ausgeführt. Wer ist gemeint: ${names.join(', ')}? Bitte schreiben Sie den vollständigen Namen.`,
  offDuty: name => `Hinweis: ${name} ist zurzeit nicht im Dienst.`,
  redirectsOnly: address => `Nicht ausgeführt: ${address} verweist nur auf andere Wege; dort antwortet niemand.`,
  wouldBeClear: (address, name) => `Nicht ausgeführt: Was hier gesagt wurde, auch die Notizen, stünde bei ${address} unverschlüsselt, denn dort ` +
    `ist nicht alles verschlüsselt. Soll es trotzdem dorthin: !an ${name} offen`,
  notCopied: count => `⚠ Bisher verschlüsselt gesagt und deshalb nicht hierher übernommen: ${messages(count)}.`,
  notShown: count => `Dazu ${messages(count)}, nur verschlüsselt zu lesen: bitte im Raum des Eingangs fragen oder in einem verschlüsselten Chat.`,
  released: who => `${who} hat den Vorgang freigegeben.`,
  withoutOwner: cases => `Wieder frei, weil die zuständige Person nicht mehr zum Team gehört: ${cases.map(id => `#${id}`).join(', ')}`,
  releasedByTime: who => `${who} hat längere Zeit nicht geantwortet. Der Vorgang ist wieder frei.`,
  passed: (who, to) => `${who} hat den Vorgang an ${to} weitergegeben.`,
  noSuch: what => `${what} gibt es nicht.`,
  noText: (name, known) => (name === '' ? 'Welcher Standardtext?' : `Den Standardtext „${name}“ gibt es nicht.`) +
    ` Es gibt: ${known.join(', ') || 'keine'}`,
  lacks: (command, example) => `Nicht ausgeführt: Hinter ${command} fehlt eine Angabe. Beispiel: ${command} ${example}`,
  nothingSent: held => held.length === 0
    ? 'Hier liegt keine zurückgehaltene Antwort von Ihnen.'
    : ['Nichts gesendet.', ...held.map(keptDe)].join('\n'),
  done: who => `${who} hat den Vorgang erledigt.`,
  waiting: (who, until) => `${who} stellt den Vorgang zurück${until === '' ? '' : ` bis ${until}`}.`,
  woken: 'Die Wartezeit ist abgelaufen.',
  labels: labels => `Schlagwörter: ${labels.join(', ') || 'keine'}`,
  project: project => `Projekt: ${project}`,
  dutyOff: 'Sie sind außer Dienst. Ihre Vorgänge sind wieder frei.',
  dutyOn: 'Sie sind im Dienst.',
  status: ({ id, state, contact, project, labels, awaits, since }) => joined(`#${id} ${state}`, contact, `seit ${since}`,
    awaits ? de.needsAnswer : '', project && `Projekt ${project}`, labels.join(', ')),
  needsAnswer: 'Antwort steht aus',
  none: 'Nichts gefunden.',
  which: 'Welcher Vorgang? Bitte schreiben Sie die Nummer davor, zum Beispiel: #17 Guten Tag …, oder: #17 !erledigt',
  noNumber: 'Das liest nur das Team. An einen Kontakt geht es mit der Nummer davor und einem Leerzeichen dahinter: #17 Guten Tag …',
  page: (url, minutes) => `Ihr Zugang zur Seite: ${url}\n` +
    `Er gilt ${minutes} Minuten, für eine Anmeldung und nur für Sie. Bitte geben Sie ihn nicht weiter.`,
  pageInChat: address => `Den Zugang zur Seite bekommen Sie nur allein: Bitte schreiben Sie !seite in Ihrem direkten Chat mit ${address}.`,
  noPage: 'Hier ist keine Seite eingerichtet. Der Betreiber kann das mit operate.public_url tun.',
  masked: minutes => `🔑 Ein Einmalcode ist hier verdeckt. Wer ihn braucht, schreibt innerhalb von ${minutes} Minuten !einmalcode in den eigenen ` +
    'direkten Chat mit dieser Adresse und sieht ihn dort einmal, allein.',
  codeInChat: address => `Einen Code bekommen Sie nur allein: Bitte schreiben Sie !einmalcode in Ihrem direkten Chat mit ${address}.`,
  noCode: 'Hier ist kein verdeckter Code (mehr). Jeder wird einmal gezeigt und nach wenigen Minuten oder einem Neustart ' +
    'vergessen. Bitte lassen Sie sich einen neuen schicken.',
  codeShown: who => `🔑 ${who} hat sich den Code zeigen lassen.`,
  notConnected: 'Das Netz dieser Adresse ist hier nicht eingerichtet.',
  consentRequired: who => `Nicht gesendet: Von ${who} liegt keine Einwilligung vor. Wenn Sie eine haben: !einwilligung ${who} wie und wann`,
  consentNoted: who => `Einwilligung von ${who} vermerkt.`,
  blocked: 'Nicht gesendet: Dieser Kontakt hat alle Nachrichten mit STOP abbestellt.',
  left: unsent => [
    '⛔ Der Kontakt hat alle Nachrichten mit STOP abbestellt.', ...unsent.map(excerpt => `Nicht mehr gesendet: „${excerpt}“`)
  ].join('\n'),
  returned: 'Der Kontakt nimmt wieder Nachrichten an (START).',
  started: (who, id) => `${who} hat #${id} eröffnet.`,
  notAPerson: what => `An ${what} kann von hier aus nicht geschrieben werden. Nummern bitte mit Landesvorwahl und ohne Leerzeichen: +491701234567. ` +
    'Der Text dahinter beginnt nicht mit einer Zahl.',
  isOurs: what => `Nicht ausgeführt: ${what} ist eine unserer eigenen Adressen oder gehört jemandem aus dem Team.`,
  joined: who => `${who} gehört jetzt zum Team.`,
  removed: who => `${who} gehört nicht mehr zum Team.`,
  breaker: 'Zu viele automatische Antworten: Sie sind hier vorübergehend abgeschaltet.',
  onlyRedirect: 'Diese Adresse verweist nur auf andere Wege; von hier wird nicht geantwortet.',
  note: '(Notiz) ',
  unclear: 'Nicht gesendet, denn hier beginnt etwas mit ! oder /. An den Kontakt geht es so mit !senden; eine Antwort, die so beginnen soll: ' +
    '!sagen und dann der Text. Eine interne Notiz: !n und dann der Text.',
  meant: (spelling, held) => `Nicht gesendet. Meinten Sie !${spelling}? Bitte schreiben Sie es genau so. ` +
    (held ? 'Soll der Text so an den Kontakt: !senden' : 'Soll der Text so an den Kontakt: !sagen und dann der Text'),
  emote: 'Nicht gesendet, denn mit /me spräche die Adresse von sich selbst. An den Kontakt geht es so mit !senden.',
  openly: 'Nicht gesendet: Das kam unverschlüsselt in diesen verschlüsselten Raum, könnte also von jemand anderem sein. ' +
    'Bitte schreiben Sie es in einer App, die hier verschlüsselt.',
  machine: 'Nicht gesendet: Das kam als Hinweis einer Maschine an (in manchen Apps durch /notice). Bitte schreiben Sie es als gewöhnliche Nachricht.',
  labelled: 'Nicht gesendet, denn es beginnt wie eine Notiz. Nur für das Team: !n und dann der Text. An den Kontakt geht es so mit !senden; ' +
    'neu geschrieben mit !sagen und dann dem Text.',
  more: 'Nicht gesendet, denn darin steht auch etwas, das wie eine Notiz oder ein Befehl beginnt. Bitte schreiben Sie den Text ohne das noch einmal.',
  otherCase: (number, own) => `Nicht gesendet: Davor steht #${number}, aber dies ist der Raum von #${own}.`,
  noCase: number => `Nicht gesendet: #${number} ist kein Vorgang dieser Adresse. Oder es ist zugleich ein anderer gemeint: ` +
    'durch eine zweite Nummer oder durch die Zeile, auf die Sie antworten.',
  keptAt: id => `Der Text liegt bei #${id}.`,
  called: name => `Nicht gesendet: Der Text spricht ${name} aus dem Team an. An den Kontakt geht er so mit !senden; nur für das Team: ` +
    '!n und dann der Text.',
  inTheClear: secret => `Nicht gesendet: Der Text enthält ${SECRET_DE[secret]}, und der Weg zum Kontakt ist nicht verschlüsselt. Trotzdem: !senden`,
  strange: 'Nicht gesendet: Der Text zitiert oder beantwortet etwas, das der Kontakt nicht gesehen hat. ' +
    'So geht er hinaus: !senden. Ohne Zitat: Bitte schreiben Sie ihn noch einmal.',
  stillThere: 'Die Änderung ging nicht hinaus: Der Kontakt sieht weiterhin, was vorher dort stand.',
  stillHeld: 'Nicht gesendet: Der Text bleibt zurückgehalten, wie er war. Bitte schreiben Sie Befehle und Notizen neu.',
  heldAsEdited: 'Noch nicht gesendet, denn eine Änderung schickt nichts ab. An den Kontakt geht der Text, wie er jetzt ist, mit !senden; ' +
    'oder schreiben Sie ihn neu.',
  staysNote: 'Nicht gesendet: Es bleibt eine Notiz, denn eine Änderung schickt nichts ab und führt nichts aus. Bitte schreiben Sie den Text neu.',
  editDoesNothing: 'Nicht gesendet: Diese Änderung bewirkt nichts. Bitte schreiben Sie den Text neu.',
  isAt: address => `Nicht gesendet: Um diesen Kontakt kümmert sich ${address}.`,
  neverLeft: 'Zurückgenommen, bevor es gesendet wurde: Der Kontakt hat nichts bekommen.',
  stays: network => `Hier gelöscht; der Kontakt hat die Nachricht aber noch: Über ${network} lässt sich nichts zurücknehmen.`,
  reacts: (name, emojis, excerpt) => `${name} reagiert mit ${emojis} auf „${excerpt}“`,
  reactsNoMore: (name, excerpt) => `${name} nimmt die Reaktion auf „${excerpt}“ zurück`,
  tookBack: name => `${name} hat eine frühere Nachricht zurückgenommen.`,
  rekeyed: key => `⚠ Ein Gerät, das der Kontakt schon vorher benutzt hat, verschlüsselt jetzt mit einem anderen Schlüssel: ${key}. Vielleicht ist ` +
    'die App dort neu eingerichtet, vielleicht schreibt jemand anderes. Wenn es darauf ankommt, fragen Sie auf einem anderen Weg nach.',
  unsealed: (clear, sealed) => ['⚠',
    ...clear.length === 0 ? [] : [`Was dieses Team liest und schreibt, steht von jetzt an auch unverschlüsselt: für ${clear.join(', ')}, in einem ` +
      'Netz, dessen Räume nicht verschlüsselt sind.'],
    ...sealed ? [] : ['Neue Räume dieses Teams werden nicht mehr verschlüsselt; die es sind, bleiben es.']
  ].join(' '),
  unreadMore: count => count === 1 ? '⚠ [noch eine verschlüsselte Nachricht, die hier nicht gelesen werden kann]'
    : `⚠ [noch ${count} verschlüsselte Nachrichten, die hier nicht gelesen werden können]`,
  reidentified: '⚠ Der Kontakt verschlüsselt ab dieser Nachricht mit einer anderen Identität als bisher. Meist hat er alle Geräte abgemeldet oder ' +
    'seine Schlüssel zurückgesetzt, vielleicht schreibt jemand anderes. Wenn es darauf ankommt, fragen Sie auf einem anderen Weg nach.',
  somebodyElse: contact => `Jemand anderes hat im Chat von ${contact} geschrieben. Das wird hier nicht gezeigt und nicht beantwortet.`,
  nobodyOf: 'Das darf nur, wer zum Team gehört. Nichts davon ging an den Kontakt.',
  closed: address => `Die Adresse ${address} wird nicht weitergeführt. Kontakte mit offenem Vorgang wurden benachrichtigt, soweit sie erreichbar ` +
    'sind. Offene Vorgänge können noch beantwortet werden; wer neu schreibt, bekommt nur einen automatischen Text.',
  noWay: network => `Nicht gesendet: Diese Adresse ist über ${network} nicht mehr erreichbar.`,
  badTime: 'Diese Zeitangabe ist nicht verständlich. Beispiele: 14:30, morgen 8:00, Montag 9 Uhr, 24.12., 2h, 3 Tage',
  help: [
    'Wer zuerst antwortet, hat den Vorgang. !n davor oder im Thread: interne Notiz.',
    '!übernehmen · !frei · !senden · !an Name (oder Adresse) · !erledigt · !warten [bis mo 9:00]',
    '!sagen Text (wörtlich) · !t Name (Standardtext) · !texte · !schlagwort Wort · !projekt Name · !n Notiz · !status',
    '!liste · !suche Wort · !projekt? Name · !logbuch · !team · !seite · !einmalcode · !dienst an/aus',
    '!neu Adresse Text (mit Einwilligung) · !einwilligung Adresse wie und wann'
  ].join('\n')
}

const en: DeskTexts = {
  notOurs: name => `${name} (contact)`,
  state: (state, owner) => ({
    new: '🔴 new', claimed: `🟢 ${owner}`, waiting: `🟡 waiting (${owner})`, snoozed: `🟡 put off (${owner})`, done: '⚪ done'
  })[state].replace(' ()', ''),
  topic: (id, address, contact, network) =>
    `#${id} · ${address} · ${contact} by ${network} · Answers go to the contact. !n in front: internal note. !help`,
  queueName: address => `Inbox ${address}`,
  queueTopic: 'Each case stands here with its number. Please answer in its room, or here with the number in front. !help',
  announce: (title, id, excerpt) => `#${id} ${title}${excerpt === '' ? '' : `: “${excerpt}”`}`,
  separator: (id, cases) => `— new case #${id}.${cases} —`,
  held: (excerpt, owner, mayOverride) => `Not sent${behindEn(excerpt)} ${owner} has the case. The text stays here as an internal note.` +
    (mayOverride ? ' !send sends it all the same.' : ''),
  heldInRace: (excerpt, owner, mayOverride) => `Not sent${behindEn(excerpt)} ${owner} has just taken the case. ` +
    'The text stays here as an internal note.' + (mayOverride ? ' !send sends it all the same.' : ''),
  sentNow: (who, text, left) => [`${who} has sent: ${text}`,
    ...left.map(keptEn)].join('\n'),
  heldNote: who => `(not sent) ${who}: `,
  automatic: 'The contact got: ',
  taken: (who, id) => `${who} has taken #${id}.`,
  mayNot: owner => `Nothing done: ${owner} has the case and is on duty. Please talk to each other; ${owner} can give it up with !release.`,
  nobodyHas: 'Nothing done: nobody has the case.',
  isDone: 'The case is closed already.',
  several: names => `Nothing done. Who is meant: ${names.join(', ')}? Please write the whole name.`,
  offDuty: name => `Please note: ${name} is off duty.`,
  redirectsOnly: address => `Nothing done: ${address} only points to other ways, nobody answers there.`,
  wouldBeClear: (address, name) => `Nothing done: what was said here, notes too, would stand at ${address} without encryption, because not ` +
    `everything is encrypted there. If it is to go there all the same: !assign ${name} clear`,
  notCopied: count => `⚠ Said with encryption before, and therefore not copied here: ${count === 1 ? '1 message' : `${count} messages`}.`,
  notShown: count => `And ${count === 1 ? '1 message that is' : `${count} messages that are`} to be read with encryption only: ` +
    'please ask in the inbox room, or in an encrypted chat.',
  released: who => `${who} has given up the case.`,
  withoutOwner: cases => `Free again, because whoever had the case is not in the team any more: ${cases.map(id => `#${id}`).join(', ')}`,
  releasedByTime: who => `${who} has not answered for a long time: the case is free again.`,
  passed: (who, to) => `${who} has passed the case on to ${to}.`,
  noSuch: what => `There is no ${what}.`,
  noText: (name, known) => (name === '' ? 'Which standard text?' : `There is no standard text “${name}”.`) +
    ` There are: ${known.join(', ') || 'none'}`,
  lacks: (command, example) => `Nothing done: something is missing after ${command}. For example: ${command} ${example}`,
  nothingSent: held => held.length === 0 ? 'There is no answer of yours kept back here.' : ['Nothing sent.', ...held.map(keptEn)].join('\n'),
  done: who => `${who} has closed the case.`,
  waiting: (who, until) => `${who} puts the case off${until === '' ? '' : ` until ${until}`}.`,
  woken: 'The waiting time is over.',
  labels: labels => `Labels: ${labels.join(', ') || 'none'}`,
  project: project => `Project: ${project}`,
  dutyOff: 'You are off duty. Your cases are free again.',
  dutyOn: 'You are on duty.',
  status: ({ id, state, contact, project, labels, awaits, since }) => joined(`#${id} ${state}`, contact, `since ${since}`,
    awaits ? en.needsAnswer : '', project && `project ${project}`, labels.join(', ')),
  needsAnswer: 'Needs an answer',
  none: 'Nothing found.',
  which: 'Which case? Please write its number in front, for example: #17 Good morning …, or: #17 !done',
  noNumber: 'Only the team reads this. To reach a contact, put the number in front with a blank behind it: #17 Good morning …',
  page: (url, minutes) => `Your way to the page: ${url}\n` +
    `It works for ${minutes} minutes, for one login, and for you alone. Please do not pass it on.`,
  pageInChat: address => `The way to the page is for you alone: please write !page in your direct chat with ${address}.`,
  noPage: 'There is no page here. The operator can set one up with operate.public_url.',
  masked: minutes => `🔑 A one-time code is masked here. Whoever needs it writes !code within ${minutes} minutes in their own direct chat with ` +
    'this address, and sees it there once, alone.',
  codeInChat: address => `A code is shown to you alone: please write !code in your direct chat with ${address}.`,
  noCode: 'There is no masked code here (any more). Each is shown once, and forgotten after some minutes or a restart. Please have a new one sent.',
  codeShown: who => `🔑 ${who} has been shown the code.`,
  notConnected: 'The network of this address is not set up here.',
  consentRequired: who => `Not sent: there is no consent of ${who}. If you have it: !consent ${who} how and when`,
  consentNoted: who => `Consent of ${who} noted.`,
  blocked: 'Not sent: this contact has ended everything with STOP.',
  left: unsent => ['⛔ The contact has ended everything with STOP.', ...unsent.map(excerpt => `Not sent any more: “${excerpt}”`)].join('\n'),
  returned: 'The contact takes messages again (START).',
  started: (who, id) => `${who} has opened #${id}.`,
  notAPerson: what => `${what} is not an address to which you can write from here. Numbers need the country code, and no blanks: +491701234567. ` +
    'What stands behind begins with no digit.',
  isOurs: what => `Nothing done: ${what} is an address of our own, or belongs to somebody of the team.`,
  joined: who => `${who} is in the team now.`,
  removed: who => `${who} is not in the team any more.`,
  breaker: 'Too many automatic replies: they are switched off here for a while.',
  onlyRedirect: 'This address only points to other ways; nothing is answered from here.',
  note: '(note) ',
  unclear: 'Not sent, because something in it begins with ! or /. To send it to the contact as it is: !send. To send an answer that begins ' +
    'like that: !say and then the text. An internal note: !n and then the text.',
  meant: (spelling, held) => `Not sent. Did you mean !${spelling}? Please type it exactly like that. ` +
    (held ? 'To send the text to the contact as it is: !send' : 'To send the text to the contact as it is: !say and then the text'),
  emote: 'Not sent, because with /me the address would speak of itself. To send it to the contact as it is: !send.',
  openly: 'Not sent: this came unencrypted into this encrypted room, so somebody else may have written it. ' +
    'Please write it in an app that encrypts here.',
  machine: 'Not sent: this came as a notice of a machine (in some apps by /notice). Please write it as a plain message.',
  labelled: 'Not sent, because it begins like a note. For the team only: !n and then the text. To send it to the contact as it is: !send; ' +
    'or write it again: !say and then the text.',
  more: 'Not sent, because something in it also begins like a note or a command. Please write it again without that.',
  otherCase: (number, own) => `Not sent: #${number} is in front, but this is the room of #${own}.`,
  noCase: number => `Nothing was sent: #${number} is no case of this address. Or another case is meant as well: ` +
    'by a second number, or by the line to which you reply.',
  keptAt: id => `The text is kept at #${id}.`,
  called: name => `Not sent: it speaks to ${name} of the team. To send it to the contact as it is: !send; for the team only: ` +
    '!n and then the text.',
  inTheClear: secret => `Not sent: it has ${SECRET_EN[secret]}, and the way to the contact is not encrypted. To send it all the same: !send`,
  strange: 'Not sent: it quotes or answers something that the contact has not seen. ' +
    'To send it as it is: !send. To send it without the quotation, please write it again.',
  stillThere: 'The change did not go out: the contact still sees what was there before.',
  stillHeld: 'Nothing was sent: the text is kept back as it was. Please write commands and notes again.',
  heldAsEdited: 'Still not sent, because an edit sends nothing. To send the text to the contact as it is now: !send; or write it again.',
  staysNote: 'Not sent: it stays a note, because an edit sends nothing and does nothing. Please write the text again.',
  editDoesNothing: 'Not sent: this edit does nothing. Please write the text again.',
  isAt: address => `Not sent: this contact is with ${address}.`,
  neverLeft: 'Taken back before it was sent: the contact got nothing.',
  stays: network => `Deleted here, but the contact still has the message: nothing can be taken back by ${network}.`,
  reacts: (name, emojis, excerpt) => `${name} reacts with ${emojis} to “${excerpt}”`,
  reactsNoMore: (name, excerpt) => `${name} takes back the reaction to “${excerpt}”`,
  tookBack: name => `${name} has taken back an earlier message.`,
  rekeyed: key => `⚠ A device that the contact has used before encrypts with another key now: ${key}. Perhaps the app there was set up anew, ` +
    'perhaps somebody else is writing. If it matters, ask them in another way.',
  unsealed: (clear, sealed) => ['⚠',
    ...clear.length === 0 ? [] : [`From now on, what this team reads and writes stands without encryption too: for ${clear.join(', ')}, in ` +
      'a network whose rooms are not encrypted.'],
    ...sealed ? [] : ['New rooms of this team are no longer encrypted; those that are stay so.']
  ].join(' '),
  unreadMore: count => count === 1 ? '⚠ [one more encrypted message that cannot be read here]'
    : `⚠ [${count} more encrypted messages that cannot be read here]`,
  reidentified: '⚠ From this message on, the contact encrypts under another identity than before. Mostly they have logged out everywhere or reset ' +
    'their keys, perhaps somebody else is writing. If it matters, ask them in another way.',
  somebodyElse: contact => `Somebody else wrote in the chat of ${contact}. It is not shown here, and not answered.`,
  nobodyOf: 'Only the team may do this. Nothing went to the contact.',
  closed: address => `The address ${address} is no longer in use. Contacts with an open case have been told, if they can be reached. ` +
    'Open cases can still be answered; whoever writes again gets only an automatic text.',
  noWay: network => `Not sent: this address can no longer be reached by ${network}.`,
  badTime: 'This time cannot be understood. Examples: 14:30, tomorrow 8:00, mon 9:00, 24.12., 2h, 3 days',
  help: [
    'Whoever answers first has the case. !n in front or in a thread: internal note.',
    '!take · !release · !send · !assign name (or address) · !done · !wait [until mon 9:00]',
    '!say text (as it is) · !t name (standard text) · !texts · !label word · !project name · !n note · !status',
    '!list · !search word · !project? name · !log · !team · !page · !code · !duty on/off',
    '!new address text (with consent) · !consent address how and when'
  ].join('\n')
}

export const DESK_TEXTS: Record<'de' | 'en', DeskTexts> = { de, en }
