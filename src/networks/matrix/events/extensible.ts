/**
 * Events that are no `m.room.message` but hold text for apps that do not know them (MSC1767), and polls (CS API §Polls, MSC3381), which
 * become a question with numbered answers, and later the result; and locations. Pure, and safe for any JSON.
 */
import { pointOf } from '../../../lib/geo'
import type { Poll } from '../../../model/message'
import { locationText, plain, toPlain, type Text } from '../../../model/text'
import { isJson, type Json, jsonOf, listOf, stringOf } from './json'

const TEXT = ['m.text', 'org.matrix.msc1767.text']
const POLL = ['m.poll', 'org.matrix.msc3381.poll.start']
export const POLL_STARTS: ReadonlySet<string> = new Set(['m.poll.start', 'org.matrix.msc3381.poll.start'])
export const POLL_ENDS: ReadonlySet<string> = new Set(['m.poll.end', 'org.matrix.msc3381.poll.end'])
export const VOTES = ['m.poll.response', 'org.matrix.msc3381.poll.response'] as const
const ID_CHARS_MAX = 255
const POLL_BYTES_MAX = 5_000 // of its words; a longer one is told in words alone
const OPEN: ReadonlySet<unknown> = new Set(['m.disclosed', 'org.matrix.msc3381.poll.disclosed'])
const ANSWERS_MAX = 20 // CS API §m.poll.start: later ones do not count

const isPlainText = (part: unknown): part is Json =>
  isJson(part) && typeof part.body === 'string' && (part.mimetype === undefined || part.mimetype === 'text/plain')

/** The text, in the final spelling (a list of representations) or the one before (a string). */
export const fallbackText = (content: Json): string | undefined => TEXT.map(field => content[field])
  .map(text => Array.isArray(text) ? (text as unknown[]).find(isPlainText)?.body : text)
  .find((text): text is string => typeof text === 'string' && text.trim() !== '')

/** The question with its answers, and what may be chosen. Undefined if it is no poll that people could answer. */
export const pollIn = (content: Json): { text: Text, poll?: Poll } | undefined => {
  const form = POLL.find(field => isJson(content[field])) ?? ''
  const poll = jsonOf(content[form])
  const question = fallbackText(jsonOf(poll.question))
  const answers = listOf(poll.answers).slice(0, ANSWERS_MAX).map(jsonOf)
  const said = answers.map(fallbackText).filter(text => text !== undefined)
  const ids = answers.map(answer => stringOf(answer['m.id']) ?? stringOf(answer.id) ?? '').filter(id => id !== '' && id.length <= ID_CHARS_MAX)
  const { max_selections: most, kind } = poll
  if (question === undefined || answers.length === 0 || said.length < answers.length) return undefined
  const text: Text = [
    ...plain(`📊 ${question}`), // not bold: many apps show the signs of that
    { kind: 'list', ordered: true, items: said.map(plain) }
  ]
  const isWhole = ids.length === answers.length && Buffer.byteLength(toPlain(text)) <= POLL_BYTES_MAX
  return { text, ...isWhole && { poll: {
    form, question, answers: ids.map((id, index) => ({ id, text: said[index] ?? '' })),
    most: typeof most === 'number' && most >= 1 ? Math.trunc(most) : 1, ...OPEN.has(kind) && { open: true }
  } } }
}

/** What somebody chose, and in which poll (CS API §m.poll.response, MSC3381). Undefined if it is about no event. */
export const voteIn = (content: Json): { of: string[], answers: string[] } | undefined => {
  const { rel_type: relation, event_id: of } = jsonOf(content['m.relates_to'])
  if (relation !== 'm.reference' || typeof of !== 'string' || of.length > ID_CHARS_MAX) return undefined
  const answers = listOf(content['m.selections'] ?? jsonOf(content[VOTES[1]]).answers).slice(0, ANSWERS_MAX)
  return { of: [of], answers: answers.filter(id => typeof id === 'string' && id.length <= ID_CHARS_MAX) as string[] }
}

/** How polls are spelled whose end has this type. */
export const formOfEnd = (type: string): string => type === 'm.poll.end' ? 'm.poll' : 'org.matrix.msc3381.poll.start'

export interface Sendable { type: string; content: Json }

const referring = (event: string): Json => ({ 'm.relates_to': { rel_type: 'm.reference', event_id: event } })

/** Somebody's vote. */
export const voteContent = (form: string, event: string, answers: string[]): Sendable => form === POLL[0]
  ? { type: VOTES[0], content: { ...referring(event), 'm.selections': answers } }
  : { type: VOTES[1], content: { ...referring(event), [VOTES[1]]: { answers } } }

/** A poll. `words`: for apps that know no polls. */
export const pollContent = ({ form, question, answers, most, open }: Poll, words: string): Sendable => {
  const isFinal = form === POLL[0]
  const saying = (text: string): Json => isFinal ? { 'm.text': [{ body: text }] } : { 'org.matrix.msc1767.text': text }
  const kind = `${isFinal ? 'm' : 'org.matrix.msc3381.poll'}.${open === true ? 'disclosed' : 'undisclosed'}`
  const asked = answers.map(({ id, text }) => ({ [isFinal ? 'm.id' : 'id']: id, ...saying(text) }))
  return {
    type: isFinal ? 'm.poll.start' : form,
    content: { ...saying(words), [isFinal ? POLL[0]! : form]: { kind, max_selections: most, question: saying(question), answers: asked } }
  }
}

/** The end of a poll, with its result in words. */
export const endContent = (form: string, event: string, words: string): Sendable => form === POLL[0]
  ? { type: 'm.poll.end', content: { ...referring(event), 'm.text': [{ body: words }], 'm.poll.end': {} } }
  : {
      type: 'org.matrix.msc3381.poll.end',
      content: { ...referring(event), 'org.matrix.msc1767.text': words, 'org.matrix.msc3381.poll.end': {} }
    }

/** What apps write into a location's body by themselves; Element puts its sender's words between. */
const MADE = /^(?:Location was shared at |(?:User )?Location (?:"(?<said>[^]*)" )?)?geo:\S+(?: (?:as of|at) .{1,60})?$/

/** What its sender said in it. */
const saidIn = (body: string): string => {
  const made = MADE.exec(body.trim())
  return made === null ? body : made.groups?.['said'] ?? ''
}

/** A location (CS API §m.location, MSC3488): its words, and where it is on a map. Undefined if it names no place. */
export const locationOf = (content: Json): { text: Text, location: string } | undefined => {
  const [stable, unstable] = [jsonOf(content['m.location']), jsonOf(content['org.matrix.msc3488.location'])]
  const location = [content.geo_uri, stable.uri, unstable.uri].find((one): one is string => typeof one === 'string' && pointOf(one) !== undefined)
  if (location === undefined) return undefined
  const said = [content.body, stable.description, unstable.description]
    .map(one => typeof one === 'string' ? saidIn(one) : '').find(one => one.trim() !== '')
  return { location, text: locationText(location, said ?? '') }
}
