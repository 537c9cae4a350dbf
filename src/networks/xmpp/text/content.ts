/** The elements of a message ↔ the content that crosses networks. The same in rooms and in direct chats. */
import { qualifiedEmoji } from '../../../lib/emoji'
import { geoUri, pointOf } from '../../../lib/geo'
import type { Attachment, Content, Unreadable } from '../../../model/message'
import {
  holdsSpoiler, inFront, locationText, plain, quoted, reasonIn, spoiler, spoilerMark, type Text, toPlain, veiled, wholeSpoiler, withInlines
} from '../../../model/text'
import { child, el, type Element, elementsIn, owned, textOf, type Xml } from '../wire/xml'
import { fileXml, filesIn, SHARING } from './file-sharing'
import { type Called, withNicks, withReferences } from './references'
import { bodyOf, parseStyled } from './styling'
import { inXhtml } from './xhtml'

export const CORRECT = 'urn:xmpp:message-correct:0'
export const RETRACT = 'urn:xmpp:message-retract:1'
const RETRACT_BEFORE = 'urn:xmpp:message-retract:0'
const FASTEN = 'urn:xmpp:fasten:0'
export const MODERATE = 'urn:xmpp:message-moderate:1'
export const MODERATE_BEFORE = 'urn:xmpp:message-moderate:0'
const STYLING = 'urn:xmpp:styling:0'
const GEOLOC = 'http://jabber.org/protocol/geoloc'
const AUTOMATIC = 'urn:zentrale:automatic:1'
export const REPLY = 'urn:xmpp:reply:0'
const FALLBACK = 'urn:xmpp:fallback:0'
const REACTIONS = 'urn:xmpp:reactions:0'
const STORE = 'urn:xmpp:hints'
const SPOILER = 'urn:xmpp:spoiler:0'
const HINT_CHARACTERS_MAX = 200
const THREAD_CHARACTERS_MAX = 255
/** For apps that cannot take it back. Which language their people speak is not known. */
const RETRACTED = '/me hat eine frühere Nachricht zurückgenommen. / retracted an earlier message.'

/**
 * The room's id of the message that a moderator removed (XEP-0425 §4, and its version 0.2, which Prosody's module of 2023 speaks). Believe it
 * only from the room itself.
 */
export const takenAway = (message: Element): string | undefined => {
  const retract = child(message, 'retract', RETRACT)
  if (retract !== undefined && child(retract, 'moderated', MODERATE) !== undefined) return retract.attrs.id
  const before = child(message, 'apply-to', FASTEN)
  const moderated = before && child(before, 'moderated', MODERATE_BEFORE)
  return moderated && child(moderated, 'retract', RETRACT_BEFORE) && before.attrs.id
}

/** Asks a room to remove the message to which it gave this id, in one of the two forms. */
export const removalXml = (form: string, id: string): Xml => form === MODERATE
  ? el('moderate', { xmlns: MODERATE, id }, el('retract', { xmlns: RETRACT }))
  : el('apply-to', { xmlns: FASTEN, id }, el('moderate', { xmlns: MODERATE_BEFORE }, el('retract', { xmlns: RETRACT_BEFORE })))

/** The marks of encrypted messages. */
const ENCRYPTED: ReadonlySet<string> = new Set([
  'eu.siacs.conversations.axolotl encrypted', 'urn:xmpp:omemo:1 encrypted', 'urn:xmpp:omemo:2 encrypted',
  'urn:xmpp:openpgp:0 openpgp', 'jabber:x:encrypted x', 'urn:xmpp:eme:0 encryption'
])
export const UNREADABLE: Content = { style: 'text', text: [], unreadable: 'encrypted' }

/** The encryption of a message. Its body, if it has one, only says that it is encrypted. */
export const encryptionOf = (message: Element): string | undefined => {
  const found = elementsIn(message).find(({ ns, name }) => ENCRYPTED.has(`${ns} ${name}`))
  const keysAlone = found?.name === 'encrypted' && child(found, 'payload') === undefined // says nothing, only renews the session
  return found === undefined || keysAlone ? undefined : found.ns
}

/** Messages that are not text: a call that rings (XEP-0353), a file without a link (XEP-0447), a picture in XHTML. */
const unreadableOf = (message: Element): Unreadable | undefined =>
  child(message, 'propose', 'urn:xmpp:jingle-message:0') !== undefined ? 'call'
    : child(message, 'file-sharing', SHARING) !== undefined ? 'file'
      : inXhtml(message)?.picture === true ? 'kind' : undefined

const isQuotation = (text: string): boolean => /^(?:>[^\n]*\n)+$/.test(text)

/** The beginning of a body, so long. XEP-0428 §3 counts code points; Dino 0.4 counts bytes. */
const beginning = (body: string, end: number): string => {
  const points = [...body].slice(0, end).join('')
  const bytes = Buffer.from(body).subarray(0, end).toString()
  return !isQuotation(points) && isQuotation(bytes) && body.startsWith(bytes) ? bytes : points
}

/** Splits off what stands in front of a message's own words only for apps that know no replies. */
const partsOf = (message: Element): { repeated: string, own: string } => {
  const body = textOf(child(message, 'body'))
  const fallback = elementsIn(message).find(one => one.name === 'fallback' && one.ns === FALLBACK && one.attrs.for === REPLY)
  const range = fallback && child(fallback, 'body')?.attrs
  const end = range?.start === '0' && /^\d{1,7}$/.test(range.end ?? '') ? Number(range.end) : 0
  const repeated = beginning(body, end)
  return repeated === body ? { repeated: '', own: body } : { repeated, own: body.slice(repeated.length) }
}

/** Where it is (XEP-0080), or a body that is nothing but a geo URI, as Conversations sends it. */
const locationIn = (message: Element, said: string): string | undefined => {
  const words = said.trim()
  if (pointOf(words) !== undefined) return words
  const geoloc = child(message, 'geoloc', GEOLOC)
  return geoloc && geoUri(textOf(child(geoloc, 'lat')).trim(), textOf(child(geoloc, 'lon')).trim())
}

/** XEP-0382 hides all that is said. */
const asHidden = (message: Element, text: Text): Text => {
  const hides = child(message, 'spoiler', SPOILER)
  return hides === undefined ? text : withInlines(text, of => [spoiler(of, textOf(hides))])
}

/** The files of a message, hidden with all that it says. */
const filesOf = (network: string, message: Element): Attachment[] => {
  const hides = child(message, 'spoiler', SPOILER)
  return filesIn(network, message).map(file => hides === undefined ? file : { ...file, spoiler: reasonIn(textOf(hides)) })
}

const textIn = (message: Element, words: string): Text =>
  child(message, 'unstyled', STYLING) === undefined ? parseStyled(words) : plain(words)

/** The text for the body, and what is shown in its place: if parts of it are spoilers, the others. */
const hiding = (text: Text): { shown: Text, marks: Xml[] } => {
  if (!holdsSpoiler(text)) return { shown: text, marks: [] }
  const whole = wholeSpoiler(text)
  const hint = (whole === undefined ? toPlain(veiled(text)) : whole.reason).replace(/\s+/g, ' ').slice(0, HINT_CHARACTERS_MAX).toWellFormed()
  return { shown: whole?.text ?? text, marks: [el('spoiler', { xmlns: SPOILER }, hint)] }
}

/** Whether the body is only for apps that know no XEP-0447 (XEP-0428 §3). */
const isForSharing = (message: Element): boolean =>
  elementsIn(message).some(({ name, ns, attrs }) => name === 'fallback' && ns === FALLBACK && attrs.for === SHARING)

export interface Said { content: Content; quoted?: number }

/** `quoted`: how many blocks in front only repeat what is answered. Undefined if the message has no words for people: chat states, markers. */
export const contentOf = (network: string, message: Element): Said | undefined => {
  const [file, ...more] = filesOf(network, message)
  const { repeated, own } = partsOf(message)
  const links = new Set([file, ...more].map(one => one?.at.ref))
  const said = own.trim().split(/\s+/).every(word => links.has(word)) || (file !== undefined && isForSharing(message)) ? '' : own
  const location = locationIn(message, said)
  if (location !== undefined) return { content: { style: 'text', text: locationText(location, said.trim() === location ? '' : said), location } }
  if (said === '' && file === undefined) {
    const { text = [] } = inXhtml(message) ?? {} // some apps send no body beside it
    if (text.length > 0) return { content: { style: 'text', text: asHidden(message, text) } }
    const why = unreadableOf(message)
    return why && { content: { style: 'text', text: [], unreadable: why } }
  }
  const emote = said.startsWith('/me ')
  const words = emote ? said.slice(4) : said
  const before = repeated === '' ? [] : textIn(message, repeated.trimEnd())
  const files = { ...file && { file }, ...more.length > 0 && { more } }
  const content: Content = { style: emote ? 'emote' : 'text', text: [...before, ...asHidden(message, textIn(message, words))], ...files }
  return { content, ...before.length > 0 && { quoted: before.length } }
}

/** Mail-like apps put part of a message, or all of it, into the subject (RFC 6121 §5.2.4). It stands behind what only repeats. */
export const withSubject = (message: Element, said: Said | undefined): Said | undefined => {
  const subject = textOf(child(message, 'subject')).trim()
  const { content, quoted = 0 }: Said = said ?? { content: { style: 'text', text: [] } }
  if (subject === '' || content.unreadable !== undefined) return said
  const text = [...content.text.slice(0, quoted), ...plain(subject), ...content.text.slice(quoted)]
  return { ...said, content: { ...content, text } }
}

/** The id of the message of which a correction leaves nothing. */
const emptiedIn = (message: Element): string | undefined => {
  const replaced = child(message, 'body') === undefined || encryptionOf(message) !== undefined ? undefined : child(message, 'replace', CORRECT)
  const { content } = (replaced && withSubject(message, contentOf('', message))) ?? {}
  const saysMore = content !== undefined && (content.unreadable !== undefined || content.file !== undefined || toPlain(content.text).trim() !== '')
  return saysMore ? undefined : replaced?.attrs.id
}

/**
 * The id of the message that its writer takes back: the one that the room gave (XEP-0424 §3), or the one that the writer's app gave, as versions
 * before 0.4 say, and corrections to nothing.
 */
export const retractedIn = (message: Element): string | undefined => {
  const before = child(message, 'apply-to', FASTEN)
  return child(message, 'retract', RETRACT)?.attrs.id ?? (before && child(before, 'retract', RETRACT_BEFORE) && before.attrs.id) ?? emptiedIn(message)
}

/** The room's new subject. With words besides, it is a message with a heading (XEP-0045 §8.1). */
export const topicIn = (message: Element): string | undefined => {
  const subject = child(message, 'subject')
  return subject === undefined || child(message, 'body') !== undefined || child(message, 'thread') !== undefined ? undefined : textOf(subject)
}

/** The id of the answered message (XEP-0461 §3): in a room the room's id, in a direct chat the sender's. */
export const repliedTo = (message: Element): string | undefined => child(message, 'reply', REPLY)?.attrs.id

/** The thread that a message is said in, then the one that this is a part of (XEP-0201). */
export const threadsIn = (message: Element): string[] => {
  const thread = child(message, 'thread')
  return [textOf(thread).trim(), thread?.attrs.parent ?? ''].filter(id => id !== '' && id.length <= THREAD_CHARACTERS_MAX).map(owned)
}

const behind = (words: string, content: Content): Content => ({ ...content, text: inFront(words, content.text) })

/** A correction whose original is not known: a new message, with the usual mark of a correction. */
export const asCorrection = (content: Content): Content => behind('* ', content)

/** A message for one person that everybody can read. */
export const spokenTo = (person: string, content: Content): Content => behind(`${person}: `, content)

/** Whether a machine made it and says so. Only we have such a mark. */
export const isAutomatic = (message: Element): boolean => child(message, 'automatic', AUTOMATIC) !== undefined

/**
 * The answered message: its writer; its beginning, if that may be repeated; and its id with its writer's full JID, if the reader's app can find it
 * by these. `thread`: the one in which this is said.
 */
export interface AnswerTo { name: string; text: string | undefined; found?: { id: string, to: string }; thread?: string | undefined }

export const replyXml = (found: { id: string, to: string }): Xml => el('reply', { xmlns: REPLY, ...found })

/** The answered message, in front of the body for apps that know no replies (XEP-0461 §3.1). */
const quotationOf = (name: string, text: string): string => `${quoted(`${name}: ${text}`)}\n`

/** XEP-0428 §3 counts code points. */
const fallbackXml = (quotation: string): Xml =>
  el('fallback', { xmlns: FALLBACK, for: REPLY }, el('body', { start: '0', end: String([...quotation].length) }))

const geolocXml = (location: string | undefined): Xml[] => {
  const point = location === undefined ? undefined : pointOf(location)
  return point === undefined ? [] : [el('geoloc', { xmlns: GEOLOC }, el('lat', {}, point.lat), el('lon', {}, point.lon))]
}

/** `about`: what says something of the words. `beside`: what does not. */
export interface Apart { body: string; about: Xml[]; beside: Xml[] }

/** A message with its words apart, which may be encrypted. `called`: people at its place whom it calls. */
export const contentApart = ({ style, text, file, location }: Content, answered?: AnswerTo, called: Called[] = []): Apart => {
  const thread = answered?.thread === undefined ? [] : [el('thread', {}, answered.thread)]
  const named = [...answered?.found === undefined ? [] : [replyXml(answered.found)], ...thread]
  if (file?.url !== undefined && file.spoiler !== undefined) {
    // Apps show a picture at once if the body is only its link, whatever stands beside it.
    const body = `${spoilerMark(file.spoiler)} ${file.name}: ${file.url}`
    return { body, about: [el('spoiler', { xmlns: SPOILER }, file.spoiler)], beside: named }
  }
  if (file?.url !== undefined) return { body: file.url, about: fileXml(file, file.url), beside: named }
  const { shown, marks } = hiding(text)
  const { body, unstyled } = bodyOf(withNicks(shown, called))
  const isOurs = style === 'quiet' || style === 'alert'
  const mark = [...unstyled ? [el('unstyled', { xmlns: STYLING })] : [], ...isOurs ? [el('automatic', { xmlns: AUTOMATIC })] : []]
  const isQuoting = answered?.text !== undefined && style !== 'emote' // nothing may stand before /me
  const quotation = isQuoting ? quotationOf(answered.name, answered.text ?? '') : ''
  const written = withReferences(`${quotation}${style === 'emote' ? '/me ' : ''}${body}`, called)
  const reply = isQuoting && answered.found !== undefined ? [...named, fallbackXml(quotation)] : named
  return { body: written.body, about: [...marks, ...geolocXml(location), ...written.references], beside: [...reply, ...mark] }
}

export const contentXml = (...given: Parameters<typeof contentApart>): Xml[] => {
  const { body, about, beside } = contentApart(...given)
  return [el('body', {}, body), ...beside, ...about]
}

export const replacedXml = (id: string): Xml => el('replace', { xmlns: CORRECT, id })

/** `id` is always that of the first version (XEP-0308 §3). */
export const correctionXml = (content: Content, id: string, answered?: AnswerTo, called: Called[] = []): Xml[] =>
  [...contentXml(content, answered, called), replacedXml(id)]

/** XEP-0424 §3, and beside it as before version 0.4. `id` is the room's, or in a direct chat the sender's; `given` always the sender's. */
export const retractionXml = (id: string, given: string): Xml[] => [
  el('retract', { xmlns: RETRACT, id }), el('fallback', { xmlns: FALLBACK, for: RETRACT }),
  el('apply-to', { xmlns: FASTEN, id: given }, el('retract', { xmlns: RETRACT_BEFORE })),
  el('body', {}, RETRACTED), el('store', { xmlns: STORE })
]

/** XEP-0444 §4. All reactions of the sender to a message; an empty list takes all back. `id` as above. */
export const reactionsXml = (id: string, emojis: string[]): Xml[] => [
  el('reactions', { xmlns: REACTIONS, id }, ...emojis.map(emoji => el('reaction', {}, qualifiedEmoji(emoji)))), el('store', { xmlns: STORE })
]

/** All reactions of the sender to the message with this id. Words besides them are a message of their own, unless they only repeat them. */
export const reactionsIn = (message: Element): { id: string, emojis: string[] } | undefined => {
  const reactions = child(message, 'reactions', REACTIONS)
  const repeats = elementsIn(message).some(({ name, ns, attrs }) => name === 'fallback' && ns === FALLBACK && attrs.for === REACTIONS)
  if (reactions?.attrs.id === undefined || (!repeats && textOf(child(message, 'body')) !== '')) return undefined
  return { id: reactions.attrs.id, emojis: elementsIn(reactions).filter(({ name }) => name === 'reaction').map(one => textOf(one)) }
}
