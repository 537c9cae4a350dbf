/** Makes the deliveries that say a message at another place: as many as it needs there. */
import { isDeepStrictEqual } from 'node:util'
import { addressKey, type Place } from '../model/address'
import type { Mention } from '../model/mention'
import type { Arrival, Attachment, Content, EditArrival, MessageArrival, Persona, Reply } from '../model/message'
import type { Capabilities } from '../model/network'
import { plain } from '../model/text'
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
 * to a contact calls anybody.
 */
interface With { token: string; reply?: Reply | undefined; mentions?: Mention[] | undefined }

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

/** Says `content` at `place`. Without `as`, our own identity there says it. */
export const say = (arrival: Arrival, content: Content, place: Place, as: Persona | undefined, { token, reply, mentions }: With,
  directory: Directory): NewDelivery[] => {
  const can = directory.can(place.network)
  const parts = adapt(answering(content, can, reply), can, as, file => directory.links.url(token, file, can.files === 'text'))
  const first = { ...isShown(reply, can) && { reply }, ...calledAt(place, mentions) }
  return parts.length > PARTS_MAX
    ? failureNotice(arrival, { key: addressKey(place), place }, directory, { kind: 'failed', why: directory.texts.tooLong })
    : parts.map((part, index) => delivery(arrival, place, index, { kind: 'message', content: part, ...index === 0 && first }, as))
}

const answering = (content: Content, can: Capabilities, reply: Reply | undefined): Content =>
  reply === undefined || isShown(reply, can) ? content : quoting(content, reply, can.formatting)

const corrected = (content: Content): Content => ({ ...content, text: [...plain('* '), ...content.text].reduce<Content['text']>(joinFirst, []) })

/** Puts the star in front of the first paragraph instead of on a line of its own. */
const joinFirst = (text: Content['text'], block: Content['text'][number], index: number): Content['text'] => {
  const [first] = text
  return index === 1 && first?.kind === 'paragraph' && block.kind === 'paragraph'
    ? [{ kind: 'paragraph', of: [...first.of, ...block.of] }]
    : [...text, block]
}

type Said = Recorded['deliveries'][number]

/** Corrects one message. Words that were the caption of a file stay so, even if their correction does not name the file. */
const corrects = (was: Content | undefined, now: Content): Content => {
  const { file } = was ?? {}
  if (file === undefined) return now
  const isLeft = now.file === undefined ? was?.text.length !== 0 : now.file.at.ref === file.at.ref
  return isLeft ? { ...now, file: { ...file, kept: true } } : now
}

/**
 * Corrects a message of several deliveries in place: texts are edited, and those no longer needed are deleted. A correction without a
 * file leaves the file. Undefined if this is not enough: there is another file, or there are more texts than before.
 */
const inPlace = (arrival: EditArrival, before: Said[], then: Content[], now: Content[],
  { as, shown }: { as: Persona | undefined, shown: { reply?: Reply, mentions?: Mention[] } }): NewDelivery[] | undefined => {
  const isText = ({ file }: Content): boolean => file === undefined
  if (before.length !== then.length) return undefined
  const texts = now.filter(isText)
  const saidTexts = before.filter((_, index) => isText(then[index]!))
  const file = now.find(one => !isText(one))?.file?.at.ref
  const known = file === undefined || then.some(one => one.file?.at.ref === file)
  if (texts.length > saidTexts.length || !known) return undefined
  return saidTexts.map(({ key, place }, index) => {
    const content = texts[index]
    return delivery(arrival, place, index, content === undefined
      ? { kind: 'deletion', of: key }
      : { kind: 'edit', of: key, content, ...index === 0 && shown }, as)
  })
}

/** Corrects in place where the network can and the deliveries suffice. Otherwise says the message again, with a star. */
export const sayAgain = (arrival: EditArrival, original: Recorded | undefined, place: Place, as: Persona | undefined,
  { token, reply, mentions }: With, directory: Directory): NewDelivery[] => {
  const can = directory.can(place.network)
  const shown = { ...isShown(reply, can) && { reply }, ...calledAt(place, calledAgain(original, mentions)) }
  const url = (file: Attachment): string => directory.links.url(token, file, can.files === 'text')
  const before = original?.deliveries.filter(one => !one.notice && one.place.network === place.network && one.place.id === place.id) ?? []
  const captions = can.captions && before.length === 1 // several messages stay apart
  const partsOf = (content: Content): Content[] => adapt(answering(content, can, reply), { ...can, captions }, as, url)
  const then = original !== undefined && 'content' in original.arrival ? partsOf(original.arrival.content) : []
  const now = partsOf(arrival.content)
  const [was, only] = [before[0], now[0]]
  if (can.edits && before.length === 1 && was !== undefined && now.length === 1 && only !== undefined) {
    return [delivery(arrival, place, 0, { kind: 'edit', of: was.key, content: captions ? corrects(then[0], only) : only, ...shown }, as)]
  }
  const changes = can.edits && can.deletions && before.length > 0 ? inPlace(arrival, before, then, now, { as, shown }) : undefined
  return changes ?? say(arrival, corrected(arrival.content), place, as, { token, mentions }, directory)
}
