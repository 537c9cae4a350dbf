/** Changes somebody's reactions to a message: makes the deliveries for each place that has the message. */
import { qualifiedEmoji, REACTIONS_MAX } from '../lib/emoji'
import { addressKey, type Place, samePlace } from '../model/address'
import type { Arrival, Persona, ReactionArrival, Sender } from '../model/message'
import { plain, toPlain } from '../model/text'
import type { Answered, Had, NewDelivery, Reaction, Recorded } from '../store/store'
import type { Directory } from './directory'
import { beginning, personaOf } from './people'
import { delivery } from './plan'
import { ownWords, standsAt } from './reply'

/** The message, and the person's reactions to it before. `called`: they had others while they were called so. */
export interface Reacted { message: Answered; before: Reaction[]; called?: { sender: Sender, before: Reaction[] } }

/** Whose reactions a ghost shows: those who share it share them. */
export const shownBy = ({ person: { network, id }, everywhere = id }: Pick<Persona, 'person' | 'everywhere'>): string =>
  addressKey({ network, id: everywhere })

/** Who is seen to react. */
export const reactor = ({ place: { network }, sender }: Pick<ReactionArrival, 'place' | 'sender'>): string =>
  shownBy(personaOf(network, '', sender))

/** More of those who had one id after another are not told apart at one sign. */
const HOLDERS_MAX = 100

/** What one person has at one piece of the message: see Had. */
export const pieceOf = ({ by }: ReactionArrival, { piece }: Answered): string => by === undefined ? piece : `${by} ${piece}`

/** The reaction that arrives, or that a deletion takes back. */
export const reactionOf = (arrival: Arrival, original: Recorded | undefined): ReactionArrival | undefined =>
  arrival.kind === 'reaction' ? arrival
    : arrival.kind === 'deletion' && original?.arrival.kind === 'reaction' ? original.arrival : undefined

export const emojisOf = (reactions: Had[]): string[] => reactions.map(({ emoji }) => emoji)

/** All that the person has after the arrival. It changes what stands at one piece of the message; a sign goes when it stands at none any more. */
const allAfter = (arrival: Arrival, reaction: ReactionArrival, { message, before }: Reacted): Had[] => {
  const { by, emojis, whole } = reaction
  const piece = pieceOf(reaction, message)
  const had = emojisOf(before.filter(({ pieces }) => (pieces.length === 0 && by === undefined) || pieces.includes(piece)))
  const has = arrival.kind === 'deletion' ? had.filter(emoji => !emojis.includes(emoji)) : whole === true ? emojis : [...had, ...emojis]
  return [...new Set([...has, ...emojisOf(before)])].map(emoji => {
    const others = before.find(one => one.emoji === emoji)?.pieces.filter(one => one !== piece) ?? []
    return { emoji, pieces: has.includes(emoji) ? [...others, piece].slice(0, HOLDERS_MAX) : others }
  }).filter(({ pieces }) => pieces.length > 0)
}

/** The person's reactions after the arrival. */
export const reactionsAfter = (arrival: Arrival, reaction: ReactionArrival, reacted: Reacted): Had[] =>
  allAfter(arrival, reaction, reacted).slice(0, REACTIONS_MAX)

/** Whether the arrival brings more than one person may have. */
export const areTooMany = (arrival: Arrival, reaction: ReactionArrival, reacted: Reacted): boolean =>
  arrival.kind === 'reaction' && allAfter(arrival, reaction, reacted).length > REACTIONS_MAX

/** Whether the message shows the same of the person. */
export const isSame = ({ before }: Reacted, now: string[]): boolean =>
  before.length === now.length && before.every(({ emoji }) => now.includes(emoji))

/** Whether it shows the same at each of its pieces. */
export const isUnchanged = (reacted: Reacted, now: Had[]): boolean => isSame(reacted, emojisOf(now)) && now.every(({ emoji, pieces }) =>
  reacted.before.some(one => one.emoji === emoji && one.pieces.length === pieces.length && one.pieces.every(piece => pieces.includes(piece))))

/** One SMS without letters of the GSM alphabet alone, in UTF-16 units. */
const LINE_UNITS = 70
const EXCERPT_UNITS_MIN = 5

/** One line about what is new, where nobody can react: for whoever said the message there. What is taken back cannot be. */
export const reactInWords = (arrival: Arrival, { message, before }: Reacted, now: string[], place: Place, name: string,
  { textsAt }: Directory): NewDelivery[] => {
  const texts = textsAt(place)
  const fresh = now.filter(emoji => !emojisOf(before).includes(emoji)).map(qualifiedEmoji).join(' ')
  if (fresh === '' || !samePlace(message.arrival.place, place)) return []
  const { text, file } = ownWords(message.latest)
  const left = LINE_UNITS - texts.reacted(fresh, name, '...').length
  const excerpt = left < EXCERPT_UNITS_MIN ? '' : beginning(toPlain(text) || file?.name || '', left).replace(/…$/, '...').replaceAll('"', '\'')
  return [delivery(arrival, place, 0, { kind: 'message', content: { style: 'quiet', text: plain(texts.reacted(fresh, name, excerpt)) } })]
}

/** The deliveries for one place. None if it does not have the message, or nobody can react there. */
export const react = (arrival: Arrival, { message, before }: Reacted, now: string[], place: Place, as: Persona | undefined,
  directory: Directory): NewDelivery[] => {
  const { reactions } = directory.can(place.network)
  const to = standsAt(message, place)
  if (to === undefined || reactions === 'none') return []
  if (reactions === 'set') return [delivery(arrival, place, 0, { kind: 'reaction', to, emojis: now }, as)]
  const gone = before.filter(({ emoji }) => !now.includes(emoji)).flatMap(({ deliveries }) => deliveries).filter(one => samePlace(one.place, place))
  const fresh = now.filter(emoji => !emojisOf(before).includes(emoji))
  return [
    ...gone.map(({ key }, index) => delivery(arrival, place, index, { kind: 'deletion', of: key }, as)),
    ...fresh.map((emoji, index) => delivery(arrival, place, index, { kind: 'reaction', to, emojis: [emoji] }, as))
  ]
}
