/**
 * Deliveries to one person: from a function address in its direct chats, and to somebody who whispered in a room or has left it.
 * Promises: calls are written in the order in which they were made; `from` is always ours; a message that bounces after it was confirmed
 * becomes a receipt. A second copy is possible only after the stream broke, when the same id goes out again.
 */
import { makeShares } from '../../../lib/shares'
import type { Place } from '../../../model/address'
import { makeTurns } from '../../../lib/turns'
import { messageOf, Refused, Unavailable } from '../../../model/errors'
import type { Delivery, ReceiptArrival, Reply, Sent } from '../../../model/message'
import type { Identity, Media, World } from '../../../model/network'
import type { Addresses } from '../addresses'
import { isWhisper, nickOf, type Room } from '../muc/room'
import type { Whisper } from '../muc/whisper'
import { bareOf, canonicalBare, isHidden } from '../names'
import {
  type AnswerTo, contentApart, contentXml, correctionXml, reactionsXml, replacedXml, retractionXml
} from '../text/content'
import { markableXml } from '../text/signals'
import { becauseOf, conditionOf } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { child, el, type Element, owned, type Xml } from '../wire/xml'
import type { Sealing } from '../omemo/sealing'
import type { Confirm } from './confirm'
import { makeIntroduction } from './introduction'
import { directEnds, directPlace, type Ends, givenIn } from './place'
import { RECEIPTS } from './profile'

const MUC_USER = 'http://jabber.org/protocol/muc#user'
const ADDRESSED_MAX = 2_000 // messages to an addressee that may still bounce
const DELIVERY_KEY = /^[A-Za-z0-9_-]{1,64}$/

export interface DirectSender {
  send (delivery: Delivery, signal: AbortSignal): Promise<Sent>
  /**
   * Sends to the `addressee` alone: in the room, if it is about what they whispered there; in the name of `from`, if they are not in the room.
   * False if it is to be said in the room.
   */
  toAddressee (room: Room, delivery: Delivery, from: string | undefined, signal: AbortSignal): Promise<Sent> | false
  /** What an error or receipt to one of ours says about a delivery to one person; undefined if nothing. */
  receipt (message: Element, fromRoom: boolean): ReceiptArrival | undefined
}

/** What is answered, by the id that its sender's app gave it (XEP-0461 §3.1). Not every app gives one. */
const answerTo = ({ said, by: { name }, text, thread }: Reply, { answered, root }: Delivery, ends: Ends): AnswerTo => {
  const isOurs = said !== undefined && 'delivery' in said
  const id = isOurs ? answered?.[0] : said && givenIn(said.arrival)
  const begun = thread && (thread.id ?? ('arrival' in thread.root ? givenIn(thread.root.arrival) : root?.[0]))
  const isKnown = id !== undefined && text !== undefined
  return { name, text, ...isKnown && { found: { id, to: isOurs ? ends.ours : ends.theirs } }, ...begun !== undefined && { thread: begun } }
}

/** A ghost is called what its person is called. */
const named = (ours: Identity, { as }: Delivery): Identity =>
  ours.profile.name !== '' || as === undefined ? ours : { ...ours, profile: { ...ours.profile, name: as.name } }

const replyIn = (delivery: Delivery, ends: Ends): AnswerTo | undefined =>
  'reply' in delivery.action && delivery.action.reply !== undefined ? answerTo(delivery.action.reply, delivery, ends) : undefined

const actionXml = (delivery: Delivery, ends: Ends, reply = replyIn(delivery, ends)): Xml[] => {
  const { action, target, answered } = delivery
  switch (action.kind) {
    case 'message': return [...contentXml(action.content, reply), el('request', { xmlns: RECEIPTS })]
    case 'edit': return correctionXml(action.content, target?.[0] ?? action.of, reply)
    case 'vote': throw new Refused('there are no polls here')
    case 'removal': throw new Refused('in a direct chat nobody can remove what the other said')
    case 'deletion': {
      const id = target?.[0] ?? action.of
      return retractionXml(id, id)
    }
    case 'reaction': {
      const id = 'arrival' in action.to ? givenIn(action.to.arrival) : answered?.[0] ?? action.to.delivery
      if (id === undefined) throw new Refused('the app that wrote it gave it no id')
      return reactionsXml(id, action.emojis)
    }
    case 'room': case 'profile': throw new Refused('a direct chat is no room')
  }
}

/** What an action says, with its words apart; undefined if it has none that are kept from servers. */
const apart = (delivery: Delivery, ends: Ends, media: Media): { body: string, beside: Xml[] } | undefined => {
  const { action, target } = delivery
  if (action.kind !== 'message' && action.kind !== 'edit') return undefined
  const { body: words, beside } = contentApart(action.content, replyIn(delivery, ends))
  const { url } = action.content.file ?? {}
  const body = words === url ? media.sealed?.(url) ?? words : words
  return { body, beside: [...beside, action.kind === 'edit' ? replacedXml(target?.[0] ?? action.of) : el('request', { xmlns: RECEIPTS })] }
}

export interface DirectSenderParts {
  network: string
  addresses: Addresses
  stream: Stream
  confirm: Confirm
  world: World
  publishes?: boolean // the address's own server tells what it is called and looks like
  whisper?: Whisper // absent: there are no rooms
  sealing?: Sealing // absent: nothing is encrypted
}

export const makeDirectSender = ({
  network, addresses, stream, confirm, world: { clock, log, media }, publishes = false, whisper, sealing
}: DirectSenderParts): DirectSender => {
  const introduce = makeIntroduction(publishes ? { send: () => true } : stream, clock)
  const turns = makeTurns()
  const addressed = makeShares<{ place: Place, to: string }>(ADDRESSED_MAX)

  const write = async (delivery: Delivery, from: string | undefined, to: string, content: Xml[], signal: AbortSignal): Promise<Sent> => {
    const { attempt } = delivery
    const id: string = delivery.key // of the stanza, so the other side knows it by that
    const stanza = el('message', { type: 'chat', from, to, id }, ...content, el('origin-id', { xmlns: 'urn:xmpp:sid:0', id }))
    await stream.writable()
    await confirm.write({ stanza, id, to, attempt }, signal)
    return { ids: [id] }
  }

  /** What came or went encrypted is not quoted in the clear. */
  const inClear = async (delivery: Delivery, ends: Ends): Promise<AnswerTo | undefined> => {
    const { action } = delivery
    const reply = replyIn(delivery, ends)
    const cameSealed = 'reply' in action && action.reply?.encrypted === true
    return reply !== undefined && (cameSealed || await sealing?.hides(ends, reply.found) === true) ? { ...reply, text: undefined } : reply
  }

  /** What stands in the stanza. In a chat that is encrypted, its words are sealed, in the order in which they are to go out. */
  const contentOf = (delivery: Delivery, ends: Ends, signal: AbortSignal): Promise<{ content: Xml[], sealed: boolean }> =>
    turns(delivery.place.id, async () => {
      const said = apart(delivery, ends, media)
      const { key, action, target } = delivery
      const changes = action.kind === 'edit' ? target?.[0] ?? action.of : undefined
      const sealed = said && await sealing?.seal(ends, { key, body: said.body, changes }, signal)
      return sealed === undefined || said === undefined
        ? { content: actionXml(delivery, ends, await inClear(delivery, ends)), sealed: false }
        : { content: [...sealed, ...said.beside], sealed: true }
    })

  /** To somebody whose address is hidden, by the room in which they are: there, both are known by their nicks. */
  const toOccupant = async (delivery: Delivery, ends: Ends, signal: AbortSignal): Promise<Sent> => {
    if (whisper === undefined) throw new Refused('there are no rooms here')
    const { from, as, to } = await whisper(ends, delivery, signal)
    addressed.put(delivery.key, { group: bareOf(to), owner: ends.theirs }, { place: delivery.place, to })
    return await write(delivery, from, to, [...actionXml(delivery, { ours: as, theirs: to }), el('x', { xmlns: MUC_USER })], signal)
  }

  return {
    async send (delivery, signal) {
      const ends = directEnds(delivery.place.id)
      if (ends === undefined) throw new Refused('not a direct chat')
      const ours = addresses.orGhost(ends.ours)
      if (ours === undefined && addresses.all() === undefined) throw new Unavailable('the function addresses are not known yet')
      if (ours === undefined) throw new Refused('not an address of ours')
      if (isHidden(ends.theirs)) return await toOccupant(delivery, ends, signal)
      const shown = named(ours, delivery)
      const more = delivery.action.kind !== 'message' ? []
        : [...shown.profile.name === '' ? [] : introduce(shown, ends.theirs), ...ours.shows?.read === true ? [markableXml()] : []]
      const { content, sealed } = await contentOf(delivery, ends, signal)
      const sent = await write(delivery, addresses.speaker(ours), ends.theirs, [...content, ...more], signal)
      if (sealed) sealing?.over(delivery.key).catch((error: unknown) => log.warn({ why: messageOf(error) }, 'what was sent is still kept'))
      return sent
    },
    toAddressee (room, delivery, from, signal) {
      const { action, key, place } = delivery
      if (action.kind !== 'message' || action.addressee === undefined) return false
      const { of, person } = action.addressee
      const nick = nickOf(room, person)
      const sender = from === undefined ? undefined : addresses.at(from)
      if (nick === undefined ? sender === undefined : !isWhisper(room, of)) return false
      const to = nick === undefined ? person : `${room.id}/${nick}`
      addressed.put(key, { group: room.id, owner: person }, { place, to: owned(to) })
      return nick === undefined
        ? write(delivery, sender && addresses.speaker(sender), to, contentXml(action.content), signal)
        : write(delivery, room.listener.jid, to, [...contentXml(action.content), el('x', { xmlns: MUC_USER })], signal)
    },
    receipt (message, fromRoom) {
      const { from = '', to = '', type, id = '' } = message.attrs
      const failed = type === 'error'
      const of = failed ? id : child(message, 'received', RECEIPTS)?.attrs.id ?? ''
      if (!DELIVERY_KEY.test(of)) return undefined
      const sent = addressed.get(of)
      const ours = fromRoom ? undefined : addresses.orGhost(to)
      const place = sent !== undefined && (sent.to === from || sent.to === bareOf(from))
        ? sent.place
        : ours && { network, id: directPlace(ours.id, canonicalBare(bareOf(from)) ?? bareOf(from)) }
      const condition = conditionOf(message)
      const because = failed ? becauseOf(sent?.to ?? bareOf(from), condition) : undefined
      return place && {
        kind: 'receipt', key: `${of} ${failed ? 'failed' : 'delivered'}`, place, at: clock.now(), of: [of],
        outcome: failed ? 'failed' : 'delivered', ...because && { because }, ...failed && { detail: `it came back: ${condition.name}` }
      }
    }
  }
}
