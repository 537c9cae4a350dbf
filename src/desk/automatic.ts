/**
 * Which automatic text a contact's message gets, if any. Promises: none for a machine that we recognise, at most one text for a message, and
 * one in ten minutes to one contact. So two addresses that answer each other stop after one text each, even if no network marks automatic
 * messages.
 */
import { consentWord } from '../plan/consent-word'
import type { AutomaticSent } from '../store/desk'
import type { FunctionAddress } from './address'
import { DAY_MS, isOpen, MINUTE_MS, nextOpening, showTime } from './hours'
import { fill } from './templates'

export type AutomaticKind = AutomaticSent['kind']
/** Outside the hours, a greeting contains the absence text. */
export type AutomaticText = Omit<AutomaticSent, 'at'>

export type Answering = Pick<FunctionAddress, 'hours' | 'automatic' | 'language' | 'zone' | 'redirectOnly'> & { profile: { name: string } }

export interface Heard {
  at: number // when it was accepted, by our own clock
  text: string // plain; empty for a file
  automatic: boolean // marked so by its network
  answerable: boolean // the sender's id can be written to: neither a service's name nor a short number
  name?: string | undefined // of the contact, if they have one besides their id
}

/** What the store knows of one contact at one address, without the message being judged. */
export interface History {
  sent: AutomaticSent[] // automatic texts to this contact in the last 30 days
  sentLastMinute: number // automatic texts of this address, to anybody
  inbound: { at: number, text: string }[] // the last things the contact said, in any order
  teamWroteAt?: number | undefined // when somebody of the team last wrote to this contact
  known: boolean // was in contact with this address before
}

/** `tripped`: too many texts were sent, so none goes out for now, and the team must be told. */
export interface AutomaticPlan { texts: AutomaticText[]; tripped?: 'address' | 'contact' }

const HOUR_MS = 60 * MINUTE_MS
const SIGN_CHARACTERS_MAX = 40
const SIGNS = new RegExp([
  'abwesenheit', 'automatisch(e|er)? (antwort|nachricht|benachrichtigung|generiert|erstellt|erzeugt|versandt|versendet)',
  'automat(ed|ic|ically|isierte) (antwort|nachricht|reply|response|message|generated)', 'auto[ -]?(reply|response|responder|antwort)',
  'out[ -]of[ -](the[ -])?office'
].join('|'), 'i')
const ECHO_MS = 5000
/** A program answers what we say to it by then. */
const ANSWERS_WITHIN_MS = MINUTE_MS
const REPEATED_OF_MAX = 3
/** A loop repeats itself soon; a person may well say hello with the same word next week. */
const REPEATED_WITHIN_MS = DAY_MS

const GREETING_EVERY_MS = 30 * DAY_MS
const REDIRECT_EVERY_MS = 7 * DAY_MS
const TEXTS_PER_DAY_MAX = 3
/** For two addresses that answer each other with unmarked texts: the text that one sends at closing time must not be answered again. */
const PAUSE_MS = 10 * MINUTE_MS
const QUIET_AFTER_TEAM_MS = 5 * MINUTE_MS
const TEXTS_PER_MINUTE_MAX = 20
const TEXTS_PER_HOUR_MAX = 5

const same = (one: string, other: string): boolean => one.trim() !== '' && one.trim() === other.trim()

const signs = (text: string): boolean => SIGNS.test([...text.trim()].slice(0, SIGN_CHARACTERS_MAX).join(''))

const repeats = ({ at, text }: Heard, { inbound }: History): boolean =>
  inbound.toSorted((one, other) => other.at - one.at).slice(0, REPEATED_OF_MAX)
    .some(before => at - before.at < REPEATED_WITHIN_MS && same(before.text, text))

const answersWithin = ({ at }: Heard, ours: number[], ms: number): boolean => ours.some(said => at >= said && at - said < ms)

const isCertain = ({ automatic, answerable, text }: Heard, { sent }: History): boolean =>
  automatic || !answerable || consentWord(text) === 'stop' || sent.some(own => same(own.text, text))

/** Whether a machine may have written it. Such a message gets no automatic text. */
export const mayBeMachine = (heard: Heard, history: History): boolean => isCertain(heard, history) || signs(heard.text)
  || answersWithin(heard, history.sent.map(({ at }) => at), ECHO_MS) || repeats(heard, history)

/**
 * Whether a machine wrote it. Such a message is kept and shown, but reopens nothing and starts no timeout. People ask again in the same words,
 * and write about somebody's absence: so what only looks like a machine is one only right after words of ours.
 */
export const isMachine = (heard: Heard, history: History): boolean => {
  const ours = [...history.sent.map(({ at }) => at), ...history.teamWroteAt === undefined ? [] : [history.teamWroteAt]]
  return isCertain(heard, history) || (mayBeMachine(heard, history) && answersWithin(heard, ours, ANSWERS_WITHIN_MS))
}

const sentWithin = ({ sent }: History, now: number, ms: number, kind?: AutomaticKind): number =>
  sent.filter(text => now - text.at < ms && (kind === undefined || text.kind === kind)).length

const greetingIsDue = (history: History, now: number): boolean => {
  const last = Math.max(history.teamWroteAt ?? -Infinity, ...history.inbound.map(({ at }) => at))
  return (!history.known || now - last >= GREETING_EVERY_MS) && sentWithin(history, now, GREETING_EVERY_MS, 'greeting') === 0
}

/** Due once in a closed period. A greeting in that period has said it already. */
const absenceIsDue = ({ hours }: Answering, { sent }: History, now: number): boolean => {
  if (isOpen(hours, now)) return false
  const last = Math.max(...sent.filter(({ kind }) => kind !== 'redirect').map(({ at }) => at))
  return last === -Infinity || (nextOpening(hours, last) ?? Infinity) <= now
}

const dueKinds = (address: Answering, history: History, now: number): AutomaticKind[] => {
  const due: Record<AutomaticKind, boolean> = {
    greeting: !address.redirectOnly && greetingIsDue(history, now),
    absence: !address.redirectOnly && absenceIsDue(address, history, now),
    redirect: address.redirectOnly && sentWithin(history, now, REDIRECT_EVERY_MS, 'redirect') === 0
  }
  return (['greeting', 'absence', 'redirect'] as const).filter(kind => due[kind] && address.automatic[kind] !== undefined)
}

const trippedBy = (history: History, now: number): AutomaticPlan['tripped'] => {
  if (history.sentLastMinute >= TEXTS_PER_MINUTE_MAX) return 'address'
  return sentWithin(history, now, HOUR_MS) >= TEXTS_PER_HOUR_MAX ? 'contact' : undefined
}

const isCalm = (history: History, now: number): boolean => (history.teamWroteAt === undefined || now - history.teamWroteAt >= QUIET_AFTER_TEAM_MS)
  && sentWithin(history, now, PAUSE_MS) === 0 && sentWithin(history, now, DAY_MS) < TEXTS_PER_DAY_MAX

const UNKNOWN_OPENING = { de: 'noch nicht bekannt', en: 'not known yet' }

const compose = ({ automatic, hours, language, profile, zone }: Answering, kinds: AutomaticKind[], name: string | undefined, now: number): string => {
  const opening = nextOpening(hours, now)
  return kinds.map(kind => fill(automatic[kind] ?? '', {
    address: profile.name, contact: name ?? '',
    opening: opening === undefined ? UNKNOWN_OPENING[language] : showTime(opening, zone, language, now)
  })).join('\n\n')
}

export const automaticTexts = (address: Answering, heard: Heard, history: History, now: number): AutomaticPlan => {
  const kinds = mayBeMachine(heard, history) ? [] : dueKinds(address, history, now)
  const [kind] = kinds
  if (kind === undefined) return { texts: [] }
  const tripped = trippedBy(history, now)
  if (tripped !== undefined) return { texts: [], tripped }
  return { texts: isCalm(history, now) ? [{ kind, text: compose(address, kinds, heard.name, now) }] : [] }
}

/** `reach`: other ways to write to the business, for the redirect. */
export interface Business { privacy?: string | undefined; retentionDays?: number | undefined; reach?: string[] | undefined }

/**
 * The texts if the config has none. Each begins with words by which other machines recognise it, because not every network has a mark for
 * automatic messages.
 */
export const defaultTexts = (language: 'de' | 'en', { privacy, retentionDays, reach = [] }: Business): Record<AutomaticKind, string> => {
  const join = (...sentences: (string | false)[]): string => sentences.filter(sentence => sentence !== false).join(' ')
  const kept = retentionDays !== undefined && retentionDays > 0
  return language === 'de' ? {
    greeting: join('Automatische Antwort ({adresse}): Ihre Nachricht ist angekommen.',
      kept && `Wir speichern sie bis zu ${retentionDays} Tage.`, privacy !== undefined && `Datenschutz: ${privacy}`),
    absence: 'Abwesenheitsnotiz: Wir haben zurzeit geschlossen. Wieder geöffnet: {oeffnung_naechste}',
    redirect: join('Automatische Antwort ({adresse}): Hier wird nicht geantwortet.',
      reach.length > 0 ? `Sie erreichen uns hier: ${reach.join(', ')}` : 'Bitte schreiben Sie uns auf einem anderen Weg.')
  } : {
    greeting: join('Automatic reply ({address}): Your message has arrived.',
      kept && `We keep it for ${retentionDays} days at most.`, privacy !== undefined && `Privacy: ${privacy}`),
    absence: 'Out of office: We are closed at the moment. Open again: {next_opening}',
    redirect: join('Automatic reply ({address}): Messages are not answered here.',
      reach.length > 0 ? `You can reach us here: ${reach.join(', ')}` : 'Please contact us in another way.')
  }
}
