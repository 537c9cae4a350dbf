/** What a message answers: what is told of that at each place, and how it is quoted where a place cannot show it. */
import { type Place, samePlace } from '../model/address'
import type { Action, Content, EditArrival, MessageArrival, Persona, Reply } from '../model/message'
import type { Capabilities } from '../model/network'
import { plain, toPlain } from '../model/text'
import type { Answered } from '../store/store'
import { beginning } from './people'

/** What a place is told of it; apps that know the message show it by themselves. */
const TEXT_CHARACTERS = 200
/** What is quoted where each character may cost. */
const QUOTED_CHARACTERS = 20

/** Without what only repeats the message that it answers. */
export const ownWords = ({ content, quoted = 0 }: MessageArrival | EditArrival): Content =>
  quoted === 0 ? content : { ...content, text: content.text.slice(quoted) }

/** Whether it can be shown at its place what it answers. */
export const isShown = (reply: Reply | undefined, can: Capabilities): reply is Reply => can.replies && reply?.said !== undefined

/** `as`: who said it, for all places but their own. */
export const replyTo = ({ arrival, latest, deliveries, copies }: Answered, as: Persona, place: Place): Reply | undefined => {
  if (!('sender' in arrival)) return undefined
  const { text, file } = ownWords(latest)
  const about = { text: beginning(toPlain(text) || file?.name || '', TEXT_CHARACTERS) }
  if (samePlace(arrival.place, place)) {
    const { key, sender: { id, name } } = arrival
    const named = arrival.kind === 'message' ? arrival.named : undefined
    return { said: { arrival: named ?? key }, by: { person: { network: place.network, id }, name }, ...about }
  }
  const there = [...deliveries.filter(({ notice }) => !notice), ...copies].find(one => samePlace(one.place, place))
  return { ...there && { said: { delivery: there.key } }, by: as, ...about }
}

/**
 * With what it answers in front: as a quotation where there is formatting, else a few words of it, in plain letters, so that a text is
 * no longer than it must be.
 */
export const quoting = (content: Content, { by, text }: Reply, formatting: boolean): Content => {
  if (formatting) return { ...content, text: [{ kind: 'quote', of: plain(`${by.name}: ${text}`) }, ...content.text] }
  const words = `Re "${beginning(text, QUOTED_CHARACTERS).replace(/…$/, '...').replaceAll('"', '\'')}": `
  const [first, ...others] = content.text
  return first?.kind === 'paragraph'
    ? { ...content, text: [{ kind: 'paragraph', of: [{ kind: 'text', text: words }, ...first.of] }, ...others] }
    : { ...content, text: [...plain(words.trimEnd()), ...content.text] }
}

/** It turns out that the place does not have what is answered. */
export const quotingInstead = (action: Action, formatting: boolean): Action => {
  if (action.kind !== 'message' && action.kind !== 'edit') return action
  const { reply, ...others } = action
  return reply === undefined ? action : { ...others, content: quoting(action.content, reply, formatting) }
}
