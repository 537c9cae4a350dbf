/**
 * Events that are no `m.room.message` but hold text for apps that do not know them (MSC1767), and polls (CS API §Polls, MSC3381), which
 * become a question with numbered answers, and later the result; and locations. Pure, and safe for any JSON.
 */
import { pointOf } from '../../../lib/geo'
import { locationText, plain, type Inline, type Text } from '../../../model/text'
import { isJson, type Json, jsonOf } from './json'

const TEXT = ['m.text', 'org.matrix.msc1767.text']
const POLL = ['m.poll', 'org.matrix.msc3381.poll.start']
export const POLL_STARTS: ReadonlySet<string> = new Set(['m.poll.start', 'org.matrix.msc3381.poll.start'])
export const POLL_ENDS: ReadonlySet<string> = new Set(['m.poll.end', 'org.matrix.msc3381.poll.end'])
const ANSWERS_MAX = 20 // CS API §m.poll.start: later ones do not count

const isPlainText = (part: unknown): part is Json =>
  isJson(part) && typeof part.body === 'string' && (part.mimetype === undefined || part.mimetype === 'text/plain')

/** The text, in the final spelling (a list of representations) or the one before (a string). */
export const fallbackText = (content: Json): string | undefined => TEXT.map(field => content[field])
  .map(text => Array.isArray(text) ? (text as unknown[]).find(isPlainText)?.body : text)
  .find((text): text is string => typeof text === 'string' && text.trim() !== '')

const words = (text: string): Inline[] => [{ kind: 'text', text }]

/** Undefined if it is no poll that people could answer. */
export const pollText = (content: Json): Text | undefined => {
  const poll = jsonOf(POLL.map(field => content[field]).find(isJson))
  const question = fallbackText(jsonOf(poll.question))
  const answers = (Array.isArray(poll.answers) ? poll.answers as unknown[] : []).slice(0, ANSWERS_MAX).map(answer => fallbackText(jsonOf(answer)))
  if (question === undefined || answers.length === 0 || answers.includes(undefined)) return undefined
  return [
    { kind: 'paragraph', of: [{ kind: 'text', text: '📊 ' }, { kind: 'bold', of: words(question) }] },
    { kind: 'list', ordered: true, items: answers.map(answer => plain(answer!)) }
  ]
}

/** What apps write into a location's body when its sender said nothing: it is not their words. */
const MADE = /^(?:Location was shared at |User Location )?geo:\S+(?: as of .{1,60})?$/

/** A location (CS API §m.location, MSC3488): its words, and where it is on a map. Undefined if it names no place. */
export const locationOf = (content: Json): { text: Text, location: string } | undefined => {
  const [stable, unstable] = [jsonOf(content['m.location']), jsonOf(content['org.matrix.msc3488.location'])]
  const location = [content.geo_uri, stable.uri, unstable.uri].find((one): one is string => typeof one === 'string' && pointOf(one) !== undefined)
  if (location === undefined) return undefined
  const said = [content.body, stable.description, unstable.description]
    .find((one): one is string => typeof one === 'string' && one.trim() !== '' && !MADE.test(one.trim()))
  return { location, text: locationText(location, said ?? '') }
}
