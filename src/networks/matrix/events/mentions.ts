/** Whom an event calls (CS API §User and room mentions): by pills, by `m.mentions`, and by the names that people type. */
import type { Person } from '../../../model/address'
import { calledByName, EVERYBODY, type Mention, MENTIONS_MAX } from '../../../model/mention'
import { type Text, toPlain } from '../../../model/text'
import { parseHtml } from '../text'
import { type Json, jsonOf, stringOf, isJson } from './json'

/** Who is who in the room of an event. */
export interface Around {
  /** Who is behind a user. */
  person (mxid: string): Person
  /** Of those for whom ghosts speak here: the one whom a name calls. */
  called (name: string): Person | undefined
  /** The sender has the power here for what the event does to others: it alarms everybody, or ends somebody's poll. */
  hasPower: boolean
}

export const NOBODY: Around = { person: id => ({ network: 'matrix', id }), called: () => undefined, hasPower: false }

const PILL = /<a href="https:\/\/matrix\.to\/#\/((?:@|%40)[^"/?]{1,255})"[^>]{0,100}>([^<]{0,255})<\/a>/gi
const REPLY_END = '</mx-reply>'
const ID_CHARS_MAX = 255

export const isReply = (content: Json): boolean => isJson(jsonOf(content['m.relates_to'])['m.in_reply_to'])

export const formatted = (content: Json): string | undefined =>
  content.format === 'org.matrix.custom.html' ? stringOf(content.formatted_body) : undefined

const decoded = (part: string): string => {
  try { return decodeURIComponent(part) } catch { return part }
}

/** What `m.mentions` says, within limits. */
const marksIn = (content: Json): { users: string[], room: boolean } => {
  const { user_ids: users, room } = jsonOf(content['m.mentions'])
  const ids = Array.isArray(users) ? users.slice(0, MENTIONS_MAX) as unknown[] : []
  return { users: ids.filter((id): id is string => typeof id === 'string' && id.length <= ID_CHARS_MAX), room: room === true }
}

/** Whether its app wants to alarm everybody in the room. */
export const alarms = (content: Json): boolean => marksIn(content).room || marksIn(jsonOf(content['m.new_content'])).room

/** In what may be an answer, `m.mentions` alone does not count: apps put whoever is answered there too. */
export const mentionsIn = (content: Json, text: Text, { person, called, hasPower }: Around,
  mayAnswer = isReply(content)): { mentions?: Mention[] } => {
  const html = formatted(content) ?? ''
  const own = html.slice(html.includes(REPLY_END) ? html.indexOf(REPLY_END) : 0)
  const pills = Array.from(own.matchAll(PILL), ([, mxid = '', label = '']): Mention =>
    ({ who: person(decoded(mxid)), as: toPlain(parseHtml(label) ?? []) })).slice(0, MENTIONS_MAX)
  const isNew = (one: Person): boolean => !pills.some(({ who }) => who !== 'everybody' && who.network === one.network && who.id === one.id)
  const named = calledByName(text, name => called(name)).filter(({ as }) => !pills.some(one => one.as === as))
  const { users, room } = marksIn(content)
  const marked = mayAnswer ? [] : users.map(person).filter(isNew).map((who): Mention => ({ who, as: '' }))
  const everybody: Mention[] = room && hasPower ? [{ who: 'everybody', as: EVERYBODY }] : []
  const mentions = [...everybody, ...pills, ...named, ...marked].slice(0, MENTIONS_MAX)
  return mentions.length === 0 ? {} : { mentions }
}
