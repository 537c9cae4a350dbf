/** The contents of events: words, files, and both; corrections and replies. Some ask the homeserver what is there. */
import type { Place } from '../../model/address'
import { type Mention, peopleIn } from '../../model/mention'
import type { Addressee, Attachment, Content, Delivery, Reply, Stands, Thread, Thumbnail } from '../../model/message'
import { spoilerMark } from '../../model/text'
import { AUTOMATIC_MARKS, HOPS_FIELD } from './events/events'
import { addressIn, SPOILERS } from './events/files'
import { isJson, type Json, jsonOf, stringOf } from './events/json'
import { encode, type Homeserver, Rejected, roomPath } from './homeserver'
import type { Uploaded } from './media'
import { clean, writeText } from './text'

export const KEY_FIELD = 'org.zentrale.key'

const EVENT_BYTES_MAX = 60_000 // of 65536; the rest is for what the homeserver adds
const MSGTYPES = { text: 'm.text', quiet: 'm.notice', alert: 'm.text', emote: 'm.emote' } as const // an m.notice is silent on phones
const FILE_MSGTYPES = { image: 'm.image', audio: 'm.audio', video: 'm.video', file: 'm.file' } as const

const smaller = ({ mime, width, height }: Thumbnail, { uri, size, file }: Uploaded): Json => ({
  ...file === undefined ? { thumbnail_url: uri } : { thumbnail_file: file }, thumbnail_info: { mimetype: mime, size, w: width, h: height }
})

/** CS API §m.image and its siblings. */
export const fileContent = (
  { kind, name, mime, width, height, durationMs, blurhash, thumbnail, voice, spoiler }: Attachment, { uri, size, file, thumbnail: small }: Uploaded
): Record<string, unknown> => ({
  msgtype: FILE_MSGTYPES[kind], body: clean(name) || kind, filename: clean(name) || kind, ...file === undefined ? { url: uri } : { file },
  info: {
    mimetype: mime, size, w: width, h: height, duration: durationMs, 'xyz.amorgan.blurhash': blurhash,
    ...thumbnail && small && smaller(thumbnail, small)
  },
  ...spoiler !== undefined && { [SPOILERS[0]]: true, ...spoiler !== '' && { [`${SPOILERS[0]}.reason`]: spoiler } },
  ...voice && { 'org.matrix.msc3245.voice': {}, 'org.matrix.msc1767.audio': { duration: durationMs } } // MSC3245
})

/** What a correction leaves as it is: the file of the event, with all that describes it. Undefined if words stand in its place. */
export const fileIn = ({ content }: Json): Json | undefined => {
  const { body, format, formatted_body, 'm.relates_to': relation, [KEY_FIELD]: key, [HOPS_FIELD]: hops, ...file } = jsonOf(content)
  return addressIn(file) === undefined ? undefined : file
}

/** `m.mentions`, always there, so that nobody else is alarmed by a name in the text (CS API §User and room mentions). */
export const marksOf = (mentions: Mention[], network: string): Json => {
  const users = peopleIn(mentions, network)
  return { ...users.length > 0 && { user_ids: users }, ...mentions.some(({ who }) => who === 'everybody') && { room: true } }
}

/** CS API §m.room.message msgtypes. */
export const messageContent = ({ style, text, location }: Content, mentions: Mention[], { network }: Place): Json => {
  const { body, html } = writeText(text, mentions.filter(({ who }) => who !== 'everybody' && who.network === network))
  if (location !== undefined) return { msgtype: 'm.location', body, geo_uri: location, 'm.location': { uri: location }, 'm.mentions': {} }
  return {
    msgtype: MSGTYPES[style], body, 'm.mentions': marksOf(mentions, network), ...style === 'alert' && { [AUTOMATIC_MARKS[1]]: true },
    ...(html === undefined ? {} : { format: 'org.matrix.custom.html', formatted_body: html })
  }
}

/**
 * A file with its words: without any, its name stands for them (CS API §Media captions), or that it is a spoiler, because not all apps hide
 * it.
 */
export const captioned = (file: Json, { name, kind, spoiler }: Attachment, { msgtype, ...words }: Json): Json =>
  ({ ...file, ...words, ...words.body === '' && { body: spoiler === undefined ? clean(name) || kind : clean(spoilerMark(spoiler)) } })

/** CS API §Event replacements. Alarms only those whom the earlier version did not. */
export const replacing = (content: Json, target: string, alarmed: Json): Json => ({
  ...content, 'm.mentions': alarmed, ...(content.body === undefined ? {} : { body: `* ${content.body as string}` }),
  ...(content.formatted_body === undefined ? {} : { formatted_body: `* ${content.formatted_body as string}` }),
  'm.new_content': content, 'm.relates_to': { rel_type: 'm.replace', event_id: target }
})

/** The event of a message that stands here. */
export const saidEvent = (said: Stands | undefined, { answered }: Pick<Delivery, 'answered'>): string | undefined =>
  said !== undefined && 'arrival' in said ? said.arrival : answered?.[0]

/** CS API §Threading. Undefined if the thread's first message is not here. */
const threadIn = (thread: Thread | undefined, { root: [event] = [] }: Pick<Delivery, 'root'>): Json | undefined => {
  const root = thread !== undefined && 'arrival' in thread.root ? thread.root.arrival : event
  return thread === undefined || root === undefined ? undefined
    : { rel_type: 'm.thread', event_id: root, is_falling_back: thread.alone === true }
}

/**
 * Makes it a reply that notifies whoever is answered, as apps do (CS API §Rich replies, §Mentions). Whoever only speaks in a thread answers
 * nobody.
 */
export const answering = ({ said, by, thread }: Reply, delivery: Pick<Delivery, 'answered' | 'root'>, content: Json): Json => {
  const event = saidEvent(said, delivery)
  if (event === undefined) return content
  const relation = { ...threadIn(thread, delivery), 'm.in_reply_to': { event_id: event } }
  if (thread?.alone === true && 'rel_type' in relation) return { ...content, 'm.relates_to': relation }
  const marks = jsonOf(content['m.mentions'])
  const others = Array.isArray(marks.user_ids) ? marks.user_ids as string[] : []
  const mentions = said !== undefined && 'arrival' in said ? { ...marks, user_ids: [...new Set([by.person.id, ...others])] } : marks
  return { ...content, 'm.mentions': mentions, 'm.relates_to': relation }
}

/** The same beside its thread; undefined if it is in none. */
export const besideThread = (content: Json): Json | undefined => {
  const { rel_type: kind, 'm.in_reply_to': answered } = jsonOf(content['m.relates_to'])
  return kind === 'm.thread' ? { ...content, 'm.relates_to': { 'm.in_reply_to': answered } } : undefined
}

/** Makes it a reply to what it is about, in a thread (CS API §Threading) unless it is for all; no reply if that event is not here. */
export const addressed = async (
  { of, person, open }: Addressee, content: Json, { homeserver, room, as }: { homeserver: Homeserver, room: string, as: string }, signal: AbortSignal
): Promise<Json> => {
  const mentions = person.startsWith('@') ? { user_ids: [person] } : {}
  const event = await homeserver.call('GET', `${roomPath(room)}/event/${encode(of)}`, { as, signal }).catch((error: unknown) => {
    if (error instanceof Rejected) return undefined
    throw error
  })
  if (event === undefined) return { ...content, 'm.mentions': mentions }
  const relation = isJson(event.content) ? event.content['m.relates_to'] : undefined
  const root = isJson(relation) && typeof relation.rel_type === 'string' ? stringOf(relation.event_id) : undefined
  const reply = { 'm.in_reply_to': { event_id: of } }
  const thread = { rel_type: 'm.thread', event_id: root ?? of, is_falling_back: true, ...reply }
  return { ...content, 'm.mentions': mentions, 'm.relates_to': open === true && root === undefined ? reply : thread }
}

const plainer = ({ format, formatted_body, ...rest }: Json): Json =>
  isJson(rest['m.new_content']) ? { ...rest, 'm.new_content': plainer(rest['m.new_content']) } : rest

/** Drops the formatting if the event would be too long with it. */
export const fitting = (content: Json): Json => {
  const tooLong = content.formatted_body !== undefined && Buffer.byteLength(JSON.stringify(content)) > EVENT_BYTES_MAX
  return tooLong ? plainer(content) : content
}
