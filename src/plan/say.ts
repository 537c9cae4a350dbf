/** Makes the deliveries that say a message at another place: as many as it needs there. */
import { isDeepStrictEqual } from 'node:util'
import { addressKey, type Place } from '../model/address'
import type { Mention } from '../model/mention'
import type { Arrival, Attachment, Content, EditArrival, MessageArrival, Persona, Reply } from '../model/message'
import type { Capabilities } from '../model/network'
import type { NewDelivery, Recorded } from '../store/store'
import { adapt } from './adapt'
import type { Directory } from './directory'
import { delivery, failureNotice } from './plan'
import { isShown, quoting } from './reply'

/** A message that needs more than this at one place is not sent there, because each may cost. Its writer is told. */
export const PARTS_MAX = 10

export type Spoken = MessageArrival | EditArrival

/**
 * `token`: for the link to its file, '' if it has none. `reply`: the message that it answers. `mentions`: whom it calls. Nothing that is said
 * to a contact calls anybody. `polls`: a poll is asked where the place can ask polls; otherwise it is words. `again`: it was said before, otherwise.
 */
interface With { token: string; reply?: Reply | undefined; mentions?: Mention[] | undefined; polls?: boolean; again?: true }

const canAt = ({ network }: Place, { can }: Directory, asks = false): Capabilities => {
  const { polls, ...others } = can(network)
  return polls === true && asks ? { ...others, polls } : others
}

/** Those who are called at this place. */
const calledAt = ({ network }: Place, mentions: Mention[] = []): { mentions?: Mention[] } => {
  const there = mentions.filter(({ who }) => who === 'everybody' || who.network === network)
  return there.length === 0 ? {} : { mentions: there }
}

/** The same in a later version of the message. */
const calledAgain = (original: Recorded | undefined, mentions: Mention[] = []): Mention[] => {
  const before = original !== undefined && 'mentions' in original.arrival ? original.arrival.mentions ?? [] : []
  return mentions.map(one => before.some(({ who }) => isDeepStrictEqual(who, one.who)) ? { ...one, again: true } : one)
}

const urlBy = (token: string, { files }: Capabilities, { links }: Directory) => (file: Attachment, index: number): string =>
  links.url(links.part(token, index), file, files === 'text')

/** Says `content` at `place`. Without `as`, our own identity there says it. */
export const say = (arrival: Arrival, content: Content, place: Place, as: Persona | undefined, { token, reply, mentions, polls, again }: With,
  directory: Directory): NewDelivery[] => {
  const can = canAt(place, directory, polls)
  const parts = adapt(answering(content, can, reply), can, as, urlBy(token, can, directory), again)
  const first = { ...isShown(reply, can) && { reply }, ...calledAt(place, mentions) }
  return parts.filter(({ file }) => file === undefined).length > PARTS_MAX
    ? failureNotice(arrival, { key: addressKey(place), place }, directory, { kind: 'failed', why: texts => texts.tooLong })
    : parts.map((part, index) => delivery(arrival, place, index, { kind: 'message', content: part, ...index === 0 && first }, as))
}

const answering = (content: Content, can: Capabilities, reply: Reply | undefined): Content =>
  reply === undefined || isShown(reply, can) ? content : quoting(content, reply, can.formatting)

type Said = Recorded['deliveries'][number]

/** The caption of a file, corrected. The file stays, even if the correction does not name it. */
const recaptioned = ({ file }: Content, { style, text }: Content): Content => ({ style, text, ...file && { file: { ...file, kept: true } } })

/** Corrects one message. Words without a file take the place of a file without words. */
const corrects = (was: Content | undefined, now: Content): Content => {
  if (was?.file === undefined) return now
  const isLeft = now.file === undefined ? was.text.length > 0 : now.file.at.ref === was.file.at.ref
  return isLeft ? recaptioned(was, now) : now
}

const refsOf = (contents: Content[]): string[] => contents.flatMap(({ file }) => file?.at.ref ?? [])

/**
 * Corrects a message of several deliveries in place: texts are edited, and those no longer needed are deleted. A correction that names no
 * files leaves them, else those that it does not name are deleted. Undefined if this is not enough: there is another file, or there are more
 * texts than before.
 */
const inPlace = (arrival: EditArrival, before: Said[], then: Content[], now: Content[],
  { as, shown }: { as: Persona | undefined, shown: { reply?: Reply, mentions?: Mention[] } }): NewDelivery[] | undefined => {
  const [had, has] = [refsOf(then), refsOf(now)]
  const texts = now.filter(({ text }) => text.length > 0).map(({ file: _, ...words }) => words)
  const isCaptioned = now[0]?.file !== undefined && now[0].text.length > 0
  const holds = then.map(({ text }, index) => text.length > 0 || (index === 0 && isCaptioned))
  if (texts.length > holds.filter(held => held).length || has.some(ref => !had.includes(ref))) return undefined
  let taken = 0
  return before.flatMap(({ key, place }, index) => {
    const was = then[index]!
    const isGone = was.file !== undefined && has.length > 0 && !has.includes(was.file.at.ref)
    const words = holds[index] ? texts[taken++] : undefined
    if (isGone && words !== undefined) return delivery(arrival, place, index, { kind: 'edit', of: key, content: words }, as)
    if (isGone || (words === undefined && was.file === undefined)) return delivery(arrival, place, index, { kind: 'deletion', of: key }, as)
    if (!holds[index]) return []
    const content = was.file === undefined ? words! : recaptioned(was, words ?? { ...was, text: [] })
    return delivery(arrival, place, index, { kind: 'edit', of: key, content, ...taken === 1 && shown }, as)
  })
}

/** Files that had no words now have some. */
const onlyWordsAreNew = (then: Content[], now: Content[]): boolean =>
  then.every(({ text }) => text.length === 0) && isDeepStrictEqual(refsOf(then), refsOf(now))

const wordsOf = ({ file, more, ...words }: Content): Content => words

const SILENCE: Content = { style: 'text', text: [] }

/** Corrects in place where the network can and the deliveries suffice. Otherwise says the message again, with a star. */
export const sayAgain = (arrival: EditArrival, original: Recorded | undefined, place: Place, as: Persona | undefined,
  { token, reply, mentions, polls }: With, directory: Directory): NewDelivery[] => {
  const can = canAt(place, directory, polls)
  const shown = { ...isShown(reply, can) && { reply }, ...calledAt(place, calledAgain(original, mentions)) }
  const before = original?.deliveries.filter(one => !one.notice && one.place.network === place.network && one.place.id === place.id) ?? []
  const first = original !== undefined && 'content' in original.arrival ? answering(original.arrival.content, can, reply) : SILENCE
  const said = answering(arrival.content, can, reply)
  const url = urlBy(token, can, directory)
  const captions = can.captions && adapt(first, can, as, url).length === before.length // words that were too long stand by themselves
  const [were, now] = [adapt(first, { ...can, captions }, as, url), adapt(said, { ...can, captions }, as, url)]
  const [was, only] = [before[0], now[0]]
  if (can.edits && before.length === 1 && was !== undefined && was.gone !== true && now.length === 1 && only !== undefined) {
    return [delivery(arrival, place, 0, { kind: 'edit', of: was.key, content: captions ? corrects(were[0], only) : only, ...shown }, as)]
  }
  const isSuited = can.edits && can.deletions && before.length > 0 && before.length === were.length
  const isLeft = (_: unknown, index: number): boolean => before[index]?.gone !== true
  const [left, then] = [before.filter(isLeft), were.filter(isLeft)]
  const changes = isSuited ? inPlace(arrival, left, then, now, { as, shown }) : undefined
  const content = isSuited && onlyWordsAreNew(then, now) ? wordsOf(arrival.content) : arrival.content
  return changes ?? say(arrival, content, place, as, { token, mentions, again: true }, directory)
}
