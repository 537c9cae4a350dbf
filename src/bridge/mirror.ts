/** The rule for mirrors: what is said in one place is said in all the others, by the same person. */
import { addressKey } from '../model/address'
import type { Arrival, Content, DeletionArrival, EditArrival, MessageArrival, Persona } from '../model/message'
import { plain } from '../model/text'
import type { NewDelivery, Recorded } from '../store/store'
import { adapt } from './adapt'
import { peopleAt, type Directory, type Mirror, type MirrorPlace } from './directory'
import { personaOf } from './people'
import { delivery, failureNotice, IGNORE, type Plan } from './plan'

/** What would become more messages than this at one place is not said there, because each may cost; its writer is told. */
export const PARTS_MAX = 10

type Spoken = MessageArrival | EditArrival

const wantsIt = (where: MirrorPlace, directory: Directory): boolean => {
  const people = peopleAt(where)
  return people.length === 0 || people.some(person => !directory.isBlocked(person))
}

const others = (mirror: Mirror, here: MirrorPlace, directory: Directory): MirrorPlace[] =>
  mirror.places.filter(where => where !== here && wantsIt(where, directory))

const speaker = (arrival: Spoken | DeletionArrival, here: MirrorPlace, directory: Directory): Persona =>
  personaOf(arrival.place.network, directory.can(arrival.place.network).label, arrival.sender, here.people?.[arrival.sender.id])

/** Says `content` at `where`, in as many deliveries as it needs there. */
const say = (arrival: Spoken, content: Content, where: MirrorPlace, as: Persona, token: string, directory: Directory): NewDelivery[] => {
  const { place } = where
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
const sayAgain = (arrival: EditArrival, original: Recorded | undefined, where: MirrorPlace, as: Persona, token: string,
  directory: Directory): NewDelivery[] => {
  const can = directory.can(where.place.network)
  const before = original?.deliveries.filter(({ place, notice }) => !notice && place.network === where.place.network && place.id === where.place.id)
  const now = adapt(arrival.content, can, as, file => directory.links.url(token, file))
  const [was, only] = [before?.[0], now[0]]
  return can.edits && before?.length === 1 && was !== undefined && now.length === 1 && only !== undefined
    ? [delivery(arrival, where.place, 0, { kind: 'edit', of: was.key, content: only }, as)]
    : say(arrival, corrected(arrival.content), where, as, token, directory)
}

const sameSpeaker = (arrival: EditArrival | DeletionArrival, original: Recorded): boolean =>
  'sender' in original.arrival && original.arrival.sender.id === arrival.sender.id &&
  original.arrival.place.network === arrival.place.network && original.arrival.place.id === arrival.place.id

export const mirrorRule = (arrival: Arrival, original: Recorded | undefined, directory: Directory): Plan | undefined => {
  const found = directory.mirrorAt(arrival.place)
  if (found === undefined || arrival.kind === 'receipt') return undefined
  if (arrival.kind !== 'message' && original !== undefined && !sameSpeaker(arrival, original)) return IGNORE
  const as = speaker(arrival, found.here, directory)
  const places = others(found.mirror, found.here, directory)
  if (arrival.kind === 'deletion') {
    if (original === undefined) return IGNORE
    const deliveries = original.deliveries
      .filter(({ place, notice }) => !notice && directory.can(place.network).deletions)
      .map(({ key, place }, index) => delivery(arrival, place, index, { kind: 'deletion', of: key }, as))
    return { outcome: 'routed', deliveries, changes: [{ kind: 'revokeLinks', journal: original.seq }] }
  }
  const token = arrival.content.file === undefined ? '' : directory.links.token(arrival.place.network, arrival.key)
  const deliveries = places.flatMap(where => arrival.kind === 'edit'
    ? sayAgain(arrival, original, where, as, token, directory)
    : say(arrival, arrival.content, where, as, token, directory))
  return { outcome: 'routed', deliveries, changes: arrival.content.file === undefined ? [] : [{ kind: 'link', token }] }
}
