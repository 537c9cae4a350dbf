/** From something that was said to the deliveries that say it at another place, in as many as it needs there. */
import { addressKey, type Place } from '../model/address'
import type { Content, EditArrival, MessageArrival, Persona } from '../model/message'
import { plain } from '../model/text'
import type { NewDelivery, Recorded } from '../store/store'
import { adapt } from './adapt'
import type { Directory } from './directory'
import { delivery, failureNotice } from './plan'

/** What would become more messages than this at one place is not said there, because each may cost; its writer is told. */
export const PARTS_MAX = 10

export type Spoken = MessageArrival | EditArrival

/** Says `content` at `place`. Without `as` it is said by whoever is ours there. `token`: for the link to its file. */
export const say = (arrival: Spoken, content: Content, place: Place, as: Persona | undefined, token: string, directory: Directory): NewDelivery[] => {
  const parts = adapt(content, directory.can(place.network), as, file => directory.links.url(token, file))
  return parts.length > PARTS_MAX
    ? failureNotice(arrival, { key: addressKey(place), place }, directory, { kind: 'failed', why: directory.texts.tooLong })
    : parts.map((part, index) => delivery(arrival, place, index, { kind: 'message', content: part }, as))
}

const corrected = (content: Content): Content => ({ ...content, text: [...plain('* '), ...content.text].reduce<Content['text']>(joinFirst, []) })

/** Puts the star in front of the first paragraph instead of on a line of its own. */
const joinFirst = (text: Content['text'], block: Content['text'][number], index: number): Content['text'] => {
  const [first] = text
  return index === 1 && first?.kind === 'paragraph' && block.kind === 'paragraph'
    ? [{ kind: 'paragraph', of: [...first.of, ...block.of] }]
    : [...text, block]
}

/** One delivery that became one message can be edited where the network can; anything else is said again with a star. */
export const sayAgain = (arrival: EditArrival, original: Recorded | undefined, place: Place, as: Persona | undefined, token: string,
  directory: Directory): NewDelivery[] => {
  const can = directory.can(place.network)
  const before = original?.deliveries.filter(one => !one.notice && one.place.network === place.network && one.place.id === place.id)
  const now = adapt(arrival.content, can, as, file => directory.links.url(token, file))
  const [was, only] = [before?.[0], now[0]]
  return can.edits && before?.length === 1 && was !== undefined && now.length === 1 && only !== undefined
    ? [delivery(arrival, place, 0, { kind: 'edit', of: was.key, content: only }, as)]
    : say(arrival, corrected(arrival.content), place, as, token, directory)
}
