/** The message that another one answers: what each place learns of it, and how it is quoted where a place cannot show replies. */
import { type Place, samePlace } from '../model/address'
import type { Action, Content, EditArrival, MessageArrival, Persona, Reply, Stands, Thread } from '../model/message'
import type { Capabilities } from '../model/network'
import { inFront, plain, toPlain, veiled } from '../model/text'
import type { Answered } from '../store/store'
import { beginning } from './people'
import { standing } from './plan'

/** What a place gets of it. Apps that have the message show it themselves. */
const TEXT_CHARACTERS = 200
/** What is quoted in plain text, where each character may cost. */
const QUOTED_CHARACTERS = 20

/** The content without the quotation of the answered message, unless that is all there is. */
export const ownWords = ({ content, quoted = 0 }: MessageArrival | EditArrival): Content =>
  content.text.length <= quoted && content.file === undefined ? content : { ...content, text: content.text.slice(quoted) }

/** Whether the place can show which message is answered. */
export const isShown = (reply: Reply | undefined, can: Capabilities): reply is Reply => can.replies && reply?.said !== undefined

/** The message at this place, if it is there. */
export const standsAt = (answered: Answered, place: Place): Stands | undefined => {
  const { arrival } = answered
  if (samePlace(arrival.place, place)) return { arrival: (arrival.kind === 'message' ? arrival.named : undefined) ?? arrival.key }
  const there = standing(answered).find(one => samePlace(one.place, place))
  return there && { delivery: there.key }
}

/** The thread that begins with this message, at this place. */
export const threadAt = (begins: Answered, place: Place): Thread | undefined => {
  const { arrival } = begins
  const root = standsAt(begins, place)
  const id = samePlace(arrival.place, place) && arrival.kind === 'message' ? arrival.thread?.[0] : undefined
  return root && { root, ...id !== undefined && { id } }
}

/**
 * `as`: the persona of the answered message's writer, for all places but their own. `content`: the answered message as its readers saw it.
 */
export const replyTo = (answered: Answered, as: Persona, place: Place,
  { text, file }: Content = ownWords(answered.latest)): Reply | undefined => {
  const { arrival } = answered
  if (!('sender' in arrival)) return undefined
  const about = answered.over === true ? {} : { text: beginning(toPlain(veiled(text)) || file?.name || '', TEXT_CHARACTERS) }
  const said = standsAt(answered, place)
  const { sender: { id, name } } = arrival
  const by = samePlace(arrival.place, place) ? { person: { network: place.network, id }, name } : as
  const cameSealed = samePlace(arrival.place, place) && arrival.kind === 'message' && arrival.encrypted === true
  return { ...said && { said }, by, ...about, ...cameSealed && { encrypted: true } }
}

/**
 * Puts the answered message in front: as a quotation where there is formatting, else as a few words without special characters, to keep
 * it short.
 */
export const quoting = (content: Content, { by, text }: Reply, formatting: boolean): Content => {
  if (text === undefined) return content
  if (formatting) return { ...content, text: [{ kind: 'quote', of: plain(`${by.name}: ${text}`) }, ...content.text] }
  const words = `Re "${beginning(text, QUOTED_CHARACTERS).replace(/…$/, '...').replaceAll('"', '\'')}": `
  const [first, ...others] = content.text
  return first?.kind === 'paragraph'
    ? { ...content, text: [{ kind: 'paragraph', of: [{ kind: 'text', text: words }, ...first.of] }, ...others] }
    : { ...content, text: [...plain(words.trimEnd()), ...content.text] }
}

/** For a place that turns out not to have the answered message: quotes it there, if that may be. */
export const quotingInstead = (action: Action, formatting: boolean): Action => {
  if (action.kind !== 'message' && action.kind !== 'edit') return action
  const { reply, ...others } = action
  if (reply === undefined) return action
  return reply.unquoted ? others : { ...others, content: quoting(action.content, reply, formatting) }
}

/** A correction as a message with the usual star. A file that it leaves as it was is not sent again, unless there are no words. */
const corrected = ({ file, text, ...content }: Content): Content => {
  const starred = { ...content, text: inFront('* ', text) }
  if (file === undefined || (file.kept === true && text.length > 0)) return starred
  const { kept: _, ...whole } = file
  return { ...starred, file: whole }
}

/** What is said instead where nothing can refer to the message that is meant, because it is in an earlier room of the place. */
export const saidAnew = (action: Action, formatting: boolean): Action | undefined => {
  if (action.kind === 'message') return action.reply === undefined ? undefined : quotingInstead(action, formatting)
  if (action.kind !== 'edit') return undefined
  const { of: _, content, ...others } = action
  return quotingInstead({ ...others, kind: 'message', content: corrected(content) }, formatting)
}
