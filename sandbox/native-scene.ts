/**
 * The demo's act between talk and function address: what people do in a room besides writing. Bernd reads what Anna asked, answers that very
 * message, and Anna likes the answer. Each app shows it in its own way; the phone, which can show none of it, gets a few words of the question.
 */
import { xml } from '@xmpp/client'
import type { Town } from './town'

const REPLY = 'urn:xmpp:reply:0'
const REACTIONS = 'urn:xmpp:reactions:0'
const MARKERS = 'urn:xmpp:chat-markers:0'
const STANZA_ID = 'urn:xmpp:sid:0'
const QUESTION = 'Hat jemand den Schlüssel vom Hoftor?'
const ANSWER = 'Der hängt am Brett.'
const ON_THE_PHONE = /^Bernd \(XMPP\): Re "Hat jemand .*": Der hängt am Brett\.$/u
const LIKE = '👍'
const WITHIN_MS = 60_000

export interface NativeRecord { shown: string[]; problems: string[] }

/** Plays the act. What goes wrong is in the problems, never thrown. */
export const playNative = async (town: Town, tell: (line: string) => void): Promise<NativeRecord> => {
  const { room, muc, people: { anna, bernd, max } } = town
  const record: NativeRecord = { shown: [], problems: [] }
  const shown = (line: string): void => { record.shown.push(line); tell(line) }

  /** The id that the room gave a message (XEP-0359). */
  const heard = async (text: string): Promise<string> => {
    const message = await bernd.until(text, one => one.getChildText('body') === text, WITHIN_MS)
    return String(message.getChild('stanza-id', STANZA_ID)?.attrs.id)
  }

  try {
    const question = await anna.send(room, QUESTION)
    const asked = await heard(QUESTION)
    tell(`\n              Anna (Matrix): ${QUESTION}`)

    await bernd.send(xml('message', { to: muc, type: 'groupchat' }, xml('displayed', { xmlns: MARKERS, id: asked })))
    await anna.seesSignal(room, 'Bernd has read it', (type, content) => type === 'm.receipt' && question in content)
    shown('              → Anna sees that Bernd (XMPP) has read it')

    await bernd.say(muc, ANSWER, 'native-answer', xml('reply', { xmlns: REPLY, to: `${muc}/Anna (Matrix)`, id: asked }))
    const answer = await anna.waitFor(room, 'the answer', ({ content }) => content['body'] === ANSWER, WITHIN_MS)
    const { 'm.in_reply_to': answered } = (answer.content['m.relates_to'] ?? {}) as { 'm.in_reply_to'?: { event_id: string } }
    if (answered?.event_id !== question) record.problems.push('Anna does not see which message Bernd answers')
    const texted = await max.next(({ text }) => ON_THE_PHONE.test(text), WITHIN_MS)
    shown(`              Bernd (XMPP) answers it: ${ANSWER}\n` +
      `              → Anna sees it below her question; the phone reads: ${texted.text}`)

    const liked = await heard(ANSWER)
    await anna.send(room, { 'm.relates_to': { rel_type: 'm.annotation', event_id: answer.event_id, key: LIKE } }, 'm.reaction')
    await bernd.until('the reaction', one => one.attrs.from === `${muc}/Anna (Matrix)` && one.getChild('reactions', REACTIONS)?.attrs.id === liked &&
      one.getChild('reactions', REACTIONS)?.getChildText('reaction') === LIKE, WITHIN_MS)
    shown(`              → Bernd sees that Anna likes his answer: ${LIKE}`)
  } catch (error) {
    record.problems.push((error as Error).message)
  }
  return record
}
