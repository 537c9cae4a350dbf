/**
 * Turns a room's event into an arrival. Pure, and safe for any JSON: every field is checked before it is used
 * (CS API §Room event format, §m.room.message, §Event replacements, §Redactions).
 */
import type { Place } from '../../../model/address'
import { Malformed } from '../../../model/errors'
import type { Arrival, Content, MessageArrival, ReactionArrival, Sender, Unreadable } from '../../../model/message'
import { plain, type Text } from '../../../model/text'
import { readText } from '../text'
import { fallbackText, formOfEnd, locationOf, POLL_ENDS, POLL_STARTS, pollIn, voteIn, VOTES } from './extensible'
import { fileContent, GALLERIES, galleryContent, KINDS, MXC, withFile } from './files'
import { isJson, type Json, jsonOf, stringOf } from './json'
import { type Around, formatted, isReply, mentionsIn, NOBODY } from './mentions'

/** The fields of an event, checked. */
export interface RoomEvent {
  id: string; room: string; sender: string; type: string; content: Json; at: number | undefined
  stateKey?: string; redacts?: string
  age?: number // ms since it was made, as our homeserver says
  redacted: boolean
  replaces?: string // in an invitation: the room that this one replaces, as the inviter's server claims
  reidentified?: true // whoever says it encrypts under another identity since then
  sealed?: 'read' | 'late' | 'broken' // it was encrypted and is read; or it cannot be read yet, or ever, and people are told
}

/** On events that a switchboard like us sends: how often the message has been carried on. */
export const HOPS_FIELD = 'org.zentrale.hops'

const ID_CHARS_MAX = 255

const idOf = (value: unknown, what: string, sigil: string): string => {
  if (typeof value === 'string' && value.startsWith(sigil) && value.length > 1 && value.length <= ID_CHARS_MAX) return value
  throw new Malformed(`an event's ${what} is missing or wrong`)
}

/** The predecessor of a room, from the state that an invitation shows (CS API §Stripped state). */
export const replacedBy = (shown: unknown): string | undefined => {
  const create = Array.isArray(shown) ? (shown as unknown[]).map(jsonOf).find(({ type }) => type === 'm.room.create') : undefined
  return stringOf(jsonOf(jsonOf(create?.content).predecessor).room_id)
}

/** Throws Malformed if it is no room event at all. */
export const readEvent = (raw: unknown): RoomEvent => {
  if (!isJson(raw)) throw new Malformed('an event is not an object')
  const content = jsonOf(raw.content)
  const stateKey = stringOf(raw.state_key)
  const redacts = stringOf(raw.redacts) ?? stringOf(content.redacts)
  const { origin_server_ts: at } = raw
  const { age } = jsonOf(raw.unsigned)
  const replaces = replacedBy(jsonOf(raw.unsigned).invite_room_state)
  return {
    id: idOf(raw.event_id, 'event_id', '$'), room: idOf(raw.room_id, 'room_id', '!'), sender: idOf(raw.sender, 'sender', '@'),
    type: idOf(raw.type, 'type', ''), content, at: typeof at === 'number' && Number.isSafeInteger(at) && at >= 0 ? at : undefined,
    ...(stateKey === undefined ? {} : { stateKey }), ...(redacts === undefined ? {} : { redacts }),
    ...(replaces === undefined ? {} : { replaces }), ...typeof age === 'number' && { age }, redacted: isJson(jsonOf(raw.unsigned).redacted_because)
  }
}

const STYLES: ReadonlyMap<string, Content['style']> = new Map([['m.text', 'text'], ['m.notice', 'quiet'], ['m.emote', 'emote']])
const readContent = (content: Json): Content => {
  const msgtype = stringOf(content.msgtype)
  const body = stringOf(content.body)
  const location = msgtype === 'm.location' ? locationOf(content) : undefined
  if (location !== undefined) return { style: 'text', ...location }
  if (msgtype === undefined || body === undefined) throw new Malformed('a message without msgtype or body')
  const kind = KINDS.get(msgtype)
  if (kind) return fileContent(kind, content, body)
  if (GALLERIES.has(msgtype)) return galleryContent(content, body)
  const style = STYLES.get(msgtype)
  // An unknown msgtype: its body is the fallback.
  return { style: style ?? 'text', text: style ? readText(body, formatted(content), isReply(content)) : plain(body) }
}

/**
 * Whether a message is in a thread, and what it answers: the message that it names, then the thread's root. A name marked as falling back
 * does not count, because it is there only for apps that know no threads (CS API §Threading, §Rich replies).
 */
const relationsOf = (content: Json): Pick<MessageArrival, 'inThread' | 'thread' | 'replyTo'> => {
  const relation = jsonOf(content['m.relates_to'])
  const inThread = relation.rel_type === 'm.thread'
  const named = relation.is_falling_back === true ? undefined : jsonOf(relation['m.in_reply_to']).event_id
  const isId = (id: unknown): id is string => typeof id === 'string' && id.length <= ID_CHARS_MAX
  const thread = inThread ? [relation.event_id].filter(isId) : []
  const ids = [...[named].filter(isId), ...thread]
  return { ...inThread && { inThread }, ...thread.length > 0 && { thread }, ...ids.length > 0 && { replyTo: ids } }
}

/** Marks of a machine's message besides m.notice (MSC3955), in the final and the present spelling. */
export const AUTOMATIC_MARKS = ['m.automated', 'org.matrix.msc1767.automated'] as const

const isAutomatic = (content: Json): boolean => content.msgtype === 'm.notice' || AUTOMATIC_MARKS.some(mark => content[mark] === true)

const CALLS: ReadonlySet<string> = new Set(['m.call.invite', 'm.rtc.notification', 'org.matrix.msc4075.rtc.notification'])
const READABLE: ReadonlySet<string> = new Set([
  'm.room.message', 'm.sticker', 'm.reaction', 'm.room.redaction', ...POLL_STARTS, ...VOTES, ...POLL_ENDS
])
/** Two devices of two people make sure of each other (CS API §Key verification framework): of concern to nobody else. */
export const VERIFICATION = 'm.key.verification.request'

/** Events that are nobody's words: keys, the progress of calls, live locations. */
const SILENT = new RegExp('^(' + [
  '(m|org\\.matrix\\.msc3672)\\.beacon', 'm\\.(call|key|rtc)\\.',
  'm\\.(dummy|room_key|secret\\.)', 'org\\.matrix\\.(call|msc3401|msc4075|msc4143)\\.', 'io\\.element\\.call'
].join('|') + ')')

/** Somebody begins to show where they are (MSC3489); where that is follows every few seconds, in events that are nobody's words. */
const TRACKS: ReadonlySet<string> = new Set(['m.beacon_info', 'org.matrix.msc3672.beacon_info'])
const tracks = ({ type, stateKey, sender, content }: RoomEvent): boolean => TRACKS.has(type) && stateKey === sender && content.live === true

/** Why an event of this type cannot be read; undefined if it can, or if it is nobody's words. */
const unreadableOf = ({ type }: RoomEvent): Unreadable | undefined => {
  if (READABLE.has(type)) return undefined
  if (type === 'm.room.encrypted') return 'encrypted'
  if (CALLS.has(type)) return 'call'
  return SILENT.test(type) || type.length === 0 ? undefined : 'kind'
}

/** The arrival that says: somebody said something that cannot be read. */
export const unreadable = (event: RoomEvent, place: Place, sender: Sender, now: number, why: Unreadable): MessageArrival =>
  ({ kind: 'message', key: event.id, place, at: event.at ?? now, sender, content: { style: 'text', text: [], unreadable: why } })

const originalOf = (content: Json): string | undefined => {
  const relation = jsonOf(content['m.relates_to'])
  return relation.rel_type === 'm.replace' ? idOf(relation.event_id, 'relation', '$') : undefined
}

const SHORTCODES = ['shortcode', 'com.beeper.reaction.shortcode']
const PICTURE = '🖼'

/**
 * CS API §Event annotations and reactions. A custom picture (MSC4027) becomes its name, as people type it; without a name, a sign for a
 * picture. Undefined if the reaction is to nothing.
 */
const reactionIn = (content: Json): Pick<ReactionArrival, 'of' | 'emojis'> | undefined => {
  const { rel_type: kind, event_id: of, key } = jsonOf(content['m.relates_to'])
  if (kind !== 'm.annotation' || typeof of !== 'string' || of.length > ID_CHARS_MAX || typeof key !== 'string') return undefined
  const name = SHORTCODES.map(field => content[field]).find((one): one is string => typeof one === 'string' && one !== '')
  return { of: [of], emojis: [MXC.test(key) ? name ?? PICTURE : key] }
}

type Arrived = Pick<MessageArrival, 'key' | 'place' | 'at' | 'sender'>

const inText = (text: Text): Content => ({ style: 'text', text })

/** A poll, or what it asks from now on. */
const poll = ({ content }: RoomEvent, arrived: Arrived): Arrival | undefined => {
  const of = originalOf(content)
  const asked = pollIn(of === undefined ? content : jsonOf(content['m.new_content']))
  if (of !== undefined) return asked && { kind: 'edit', ...arrived, of, content: { style: 'text', ...asked } }
  const said: Content = asked === undefined ? { ...inText([]), unreadable: 'poll' } : { style: 'text', ...asked }
  return { kind: 'message', ...arrived, content: said, ...relationsOf(content) }
}

/** For an end of a poll that says no result. */
const ENDED = 'Die Umfrage ist beendet. – The poll has ended.'

/** The end of a poll is a reply to it that says the result (MSC3381). */
const pollEnd = ({ type, content }: RoomEvent, arrived: Arrived, hasPower: boolean): Arrival | undefined => {
  const { event_id: of } = jsonOf(content['m.relates_to'])
  if (typeof of !== 'string' || of.length > ID_CHARS_MAX) return undefined
  const said: Content = { ...inText(plain(fallbackText(content) ?? ENDED)), ends: formOfEnd(type) }
  return { kind: 'message', ...arrived, content: said, replyTo: [of], ...hasPower && { mayEnd: true } }
}

/** Whoever leaves nothing of a message takes it back. A file that nobody can open leaves its words. */
const edited = (of: string, said: Json, content: Content, arrived: Arrived, around: Around): Arrival => {
  const now = content.unreadable === undefined ? content : inText(plain(stringOf(said.body) ?? ''))
  return now.text.length === 0 && now.file === undefined ? { kind: 'deletion', ...arrived, of }
    : { kind: 'edit', ...arrived, of, content: now, ...mentionsIn(said, now.text, around, true) }
}

/** What comes with text for whoever does not know its kind. */
const other = (event: RoomEvent, arrived: Arrived): Arrival | undefined => {
  const { content } = event
  const why = unreadableOf(event)
  const text = why === 'kind' ? fallbackText(content) : undefined
  if (text === undefined) return why && { kind: 'message', ...arrived, content: { ...inText([]), unreadable: why } }
  return { kind: 'message', ...arrived, content: inText(plain(text)), ...relationsOf(content) }
}

const aboutPoll = (event: RoomEvent, arrived: Arrived, { hasPower }: Around): Arrival | undefined => {
  const { type, content } = event
  if (POLL_STARTS.has(type)) return poll(event, arrived)
  if (POLL_ENDS.has(type)) return pollEnd(event, arrived, hasPower)
  const vote = VOTES.some(one => one === type) ? voteIn(content) : undefined
  return vote && { kind: 'vote', ...arrived, ...vote }
}

/** The sender, with how often the event was carried on. */
export const withHops = ({ content }: RoomEvent, sender: Sender): Sender => {
  const hops = content[HOPS_FIELD]
  return typeof hops === 'number' && hops > 0 ? { ...sender, hops } : sender
}

/**
 * The arrival to carry on; undefined if the event says nothing to people elsewhere. Throws Malformed.
 * `now` replaces a missing time. `around`: who is called what in the room.
 */
export const arrivalOf = (event: RoomEvent, place: Place, who: Sender, now: number, around: Around = NOBODY): Arrival | undefined => {
  const arrived = { key: event.id, place, at: event.at ?? now, sender: withHops(event, who) }
  if (event.redacted) return undefined
  if (tracks(event)) return { kind: 'message', ...arrived, content: { ...inText([]), unreadable: 'track' } }
  if (event.stateKey !== undefined) return undefined
  switch (event.type) {
    case 'm.room.message': {
      if (event.content.msgtype === VERIFICATION) return undefined
      const of = originalOf(event.content)
      const said = of === undefined ? event.content : jsonOf(event.content['m.new_content'])
      const content = readContent(said)
      if (of !== undefined) return edited(of, said, content, arrived, around)
      if (content.text.length === 0 && !content.file && content.unreadable === undefined) return undefined
      return {
        kind: 'message', ...arrived, content, ...isAutomatic(event.content) && { automatic: true }, ...relationsOf(event.content),
        ...mentionsIn(said, content.text, around)
      }
    }
    case 'm.sticker': {
      const content = withFile('image', event.content, stringOf(event.content.body) || 'sticker')
      return { kind: 'message', ...arrived, content, ...relationsOf(event.content) }
    }
    case 'm.reaction': {
      const reaction = reactionIn(event.content)
      return reaction && { kind: 'reaction', ...arrived, ...reaction }
    }
    case 'm.room.redaction':
      // A homeserver passes on only valid redactions (Room Version 3 §Handling redactions), so the sender was allowed to.
      return { kind: 'deletion', ...arrived, of: idOf(event.redacts, 'redacts', '$'), moderated: true }
    default: return aboutPoll(event, arrived, around) ?? other(event, arrived)
  }
}

/** Whether arrivalOf may make an arrival of this event, so that its sender is worth looking up. */
export const speaks = (event: RoomEvent): boolean =>
  tracks(event) || (event.stateKey === undefined && (READABLE.has(event.type) || unreadableOf(event) !== undefined))
