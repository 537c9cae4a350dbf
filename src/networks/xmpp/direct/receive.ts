/**
 * Makes arrivals of what people write to our function addresses.
 * Promises: a message counts as received (XEP-0184) only when it is stored. The same stanza delivered twice is one arrival, and two messages
 * to which a careless app gave one id are two. Only its sender may correct or retract a message. A machine's message is marked as such. An
 * encrypted message is answered, kept in quarantine and passed on as unreadable, never dropped in silence. If a person writes faster than we
 * can store, DIRECT_KEPT_MAX messages are kept, and more go back as errors, so their app shows that they were not delivered.
 */
import { createHash } from 'node:crypto'
import { makeShares, type Owner } from '../../../lib/shares'
import { makeSlots } from '../../../lib/slots'
import type { Mention } from '../../../model/mention'
import type { Arrival, Content, MessageArrival, Sender } from '../../../model/message'
import type { Identity, World } from '../../../model/network'
import { plain, toPlain } from '../../../model/text'
import { DIRECT_KEPT_MAX, type Intake } from '../intake'
import { INFO, STANZA_IDS } from '../muc/room'
import { addressIn, bareOf, isHidden, parseJid, personOf, serverOf } from '../names'
import type { Originals } from '../originals'
import type { Quarantine } from '../quarantine'
import {
  asCorrection, contentOf, contentXml, CORRECT, encryptionOf, isAutomatic, reactionsIn, repliedTo, retractedIn, threadsIn, UNREADABLE, withSubject
} from '../text/content'
import { referencesIn } from '../text/references'
import { inXhtml } from '../text/xhtml'
import type { Language } from '../text/texts'
import { notNow } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { child, el, type Element, elementsIn, owned, textOf, type Xml } from '../wire/xml'
import { NICK, RECEIPTS } from './profile'
import { directKey, directPlace } from './place'

const TOLD_MAX = 2_000 // people whom we told that we cannot read encrypted messages
const TELL_AGAIN_MS = 3_600_000
const MACHINES_MAX = 2_000
const ASKING_MAX = 64 // people asked at once whether they are machines
const ASKING_AT_ONE_MAX = 8 // of them at one server
const LATE_MS = 10 * 60_000 // a message that took longer is answered by people, not by a machine
const KEY_BYTES = 18
const UNHEARD_MAX = 1_000 // messages of which it is still to be said that they were received

const DELAY = 'urn:xmpp:delay'
const NO_REPLY = 'urn:xmpp:noreply:0'
const CANNOT_READ = 'Dieser Chat ist verschlüsselt, und verschlüsselte Nachrichten können wir hier nicht lesen. Bitte schalten Sie die ' +
  'Verschlüsselung für diesen Chat aus und schreiben Sie noch einmal.\nThis chat is encrypted, and we cannot read encrypted messages ' +
  'here. Please switch encryption off for this chat and write again.'

/**
 * `done`: called when it need not come again, with whether a message, and no correction, is stored now for the first time. `beyond`: if it cannot
 * be kept. `stays`: whatever it is, the chat is encrypted still.
 * `sealed`: it came encrypted, and this is what it says. `unread`: it cannot be read, and this tells its writer so. `rekeyed`: the key of a device
 * of theirs that has another one now.
 */
export interface Fate {
  done? (isNew: boolean): void
  beyond? (): void
  sealed?: boolean
  stays?: boolean
  unread? (): void
  rekeyed?: string | undefined
}

export interface DirectReceiver {
  /** A message to an address of ours that is neither an error nor from a room of ours. */
  message (stanza: Element, to: Identity, fate?: Fate): void
  /** It cannot be kept, and its writer is told. */
  refuse (stanza: Element): void
}

export interface ClearReceiver extends DirectReceiver {
  /** The stream is up: whoever wrote what was stored while it was not hears so now. */
  connected (): void
}

const ownerOf = (jid: string): Owner => ({ group: serverOf(jid), owner: bareOf(jid) })

/** What tells two messages of one id apart. */
const saidIn = (message: Element): unknown[] => {
  const said = [...[child(message, 'body'), child(message, 'replace', CORRECT)].map(one => [textOf(one), one?.attrs.id]), ['', retractedIn(message)]]
  const others = [textOf(child(message, 'subject')), toPlain(inXhtml(message)?.text ?? [])]
  const reactions = reactionsIn(message)
  const isAlone = textOf(child(message, 'body')) === '' && others.some(text => text !== '')
  return [...said, ...reactions === undefined ? [] : [reactions], ...isAlone ? [others] : []]
}

/** The id that somebody's server gave to a message to them (XEP-0359 §3.1). Others may have written it, unless `by` is our own account. */
export const idFrom = (message: Element, by: string): string | undefined =>
  elementsIn(message).find(({ name, ns, attrs }) => name === 'stanza-id' && ns === STANZA_IDS && attrs.by === by)?.attrs.id

/** The id by which a reply names a message (XEP-0461 §3.1). */
export const namedIn = (message: Element): string | undefined => child(message, 'origin-id', STANZA_IDS)?.attrs.id ?? message.attrs.id

/** What tells its sender that a message is stored, if they ask for that. */
const receivedXml = (message: Element, id: string): Xml | undefined => {
  const { from = '', to, type, id: of } = message.attrs
  return of === undefined || child(message, 'request', RECEIPTS) === undefined
    ? undefined
    : el('message', { from: to, to: owned(from), type, id }, el('received', { xmlns: RECEIPTS, id: of }), el('store', { xmlns: 'urn:xmpp:hints' }))
}

const stampOf = (message: Element): number | undefined => {
  const at = Date.parse(child(message, 'delay', DELAY)?.attrs.stamp ?? '')
  return Number.isNaN(at) ? undefined : at
}

export interface DirectReceiverParts {
  network: string
  domain: string
  language: Language
  quarantine: Quarantine
  offer: Intake['offer']
  originals: Originals
  stream: Stream
  world: World
  /** A message cannot be kept. If left out, its sender is told. */
  giveBack?: (message: Element, done: () => void) => unknown
}

const senderOf = (message: Element, contact: string): Sender => {
  const nick = textOf(child(message, 'nick', NICK)).trim()
  const { local = '', domain: theirs = contact } = parseJid(contact) ?? {}
  return nick === '' ? { id: contact, name: local || theirs, nameless: true } : { id: contact, name: nick }
}

const mentionsIn = (network: string, message: Element): { mentions?: Mention[] } => {
  const mentions = referencesIn(message).map(({ jid, as }) => ({ who: { network, id: bareOf(jid) }, as }))
  return mentions.length === 0 ? {} : { mentions }
}

/** It has neither words nor a file, so it begins nothing and says nothing of how the chat is. */
const isBlank = ({ text, file, unreadable }: Content): boolean => unreadable === undefined && file === undefined && toPlain(text).trim() === ''

/** The team sees that it was encrypted on its way. */
const withSign = (arrival: Arrival, { sealed, stays, unread, rekeyed }: Fate): Arrival => {
  if (sealed !== true && stays !== true && unread === undefined) return arrival
  if (arrival.kind === 'edit') return { ...arrival, encrypted: true }
  return arrival.kind === 'message' ? { ...arrival, encrypted: true, ...rekeyed !== undefined && { rekeyed } } : arrival
}

/** Tells people that their messages were received, now or when there is a link. */
const makeTelling = (stream: Pick<Stream, 'send'>): Pick<ClearReceiver, 'connected'> & { tell (received: Xml): void } => {
  let unheard: Xml[] = []
  const tell = (received: Xml): void => {
    if (!stream.send(received) && unheard.length < UNHEARD_MAX) unheard.push(received)
  }
  return {
    tell,
    connected () {
      const all = unheard
      unheard = []
      all.forEach(tell)
    }
  }
}

export const makeDirectReceiver = ({
  network, domain, language, quarantine, offer, originals, stream, world: { clock, chance }, giveBack = one => stream.send(notNow(one, language))
}: DirectReceiverParts): ClearReceiver => {
  const startedAt = clock.now()
  const told = makeShares<number>(TOLD_MAX)
  const machines = makeShares<boolean>(MACHINES_MAX) // true: says of itself that it takes no answers
  const asking = makeSlots(ASKING_MAX, ASKING_AT_ONE_MAX)
  const never = new AbortController().signal
  const telling = makeTelling(stream)

  /** Asks each sender once. No message waits for the answer. */
  const askWhetherMachine = (from: string, to: string): void => {
    if (machines.has(from)) return
    const whom = owned(from)
    machines.put(whom, ownerOf(whom), false)
    asking.take(serverOf(whom), never).then(async over => {
      try {
        const query = child(await stream.ask('get', to, whom, el('query', { xmlns: INFO })), 'query', INFO)
        if (query && elementsIn(query).some(one => one.attrs.var === NO_REPLY)) machines.put(whom, ownerOf(whom), true)
      } finally {
        over()
      }
    }).catch(() => { /* whoever does not answer has not said that they are a machine */ })
  }

  const isFromMachine = (message: Element, at: number | undefined): boolean => {
    const { from = '', type } = message.attrs
    const { local = '', domain: theirs } = parseJid(isHidden(from) ? addressIn(from) : from) ?? {}
    return type === 'headline' || isAutomatic(message) || local === '' || theirs === domain || machines.get(from) === true ||
      (at !== undefined && (at < clock.now() - LATE_MS || at < startedAt))
  }

  /** Apps send a message again under the same id, even from another connection. But scripts give each message the same id. */
  const keyOf = (message: Element, contact: string, to: Identity): string => {
    const id = message.attrs.id ?? idFrom(message, to.id)
    return id === undefined
      ? directKey(chance.token(KEY_BYTES))
      : directKey(createHash('sha256').update(JSON.stringify([contact, to.id, id, saidIn(message)])).digest('base64url'))
  }

  const arrivalOf = (message: Element, to: Identity): Arrival | undefined => {
    const { from = '', id } = message.attrs
    const contact = personOf(from)
    const place = { network, id: directPlace(to.id, contact) }
    const delayed = stampOf(message)
    const base = { key: keyOf(message, contact, to), place, at: delayed ?? clock.now(), sender: senderOf(message, contact) }
    const original = (named: string): string | undefined => originals.find(place.id, contact, named)
    const retract = retractedIn(message)
    if (retract !== undefined) {
      const of = original(retract)
      return of === undefined ? { ...base, kind: 'deletion', of: `${base.key}/of`, unknown: true } : { ...base, kind: 'deletion', of }
    }
    const reactions = reactionsIn(message)
    if (reactions !== undefined) {
      const { id: named, emojis } = reactions
      return { ...base, kind: 'reaction', of: [named, original(named) ?? []].flat(), emojis, whole: true }
    }
    const said = encryptionOf(message) === undefined ? withSubject(message, contentOf(network, message)) : { content: UNREADABLE }
    if (said === undefined || isBlank(said.content)) return undefined
    const { content } = said
    const replaced = content.unreadable === undefined ? child(message, 'replace', CORRECT)?.attrs.id : undefined
    const of = replaced === undefined ? undefined : original(replaced)
    if (id !== undefined) originals.put(place.id, contact, id, of ?? base.key)
    if (of !== undefined) return { ...base, kind: 'edit', of, ...said, ...mentionsIn(network, message) }
    const automatic = isFromMachine(message, delayed)
    const answered = repliedTo(message)
    const named = namedIn(message)
    const own = answered === undefined ? undefined : original(answered)
    const thread = threadsIn(message).flatMap(one => [one, original(one) ?? []].flat())
    const more = {
      ...thread.length > 0 && { thread },
      ...automatic && { automatic }, ...named !== undefined && { named }, ...mentionsIn(network, message),
      ...answered === undefined ? {} : { replyTo: own === undefined ? [answered] : [answered, own] }
    }
    const first: MessageArrival = { ...base, kind: 'message', ...said, direct: true, to: to.id, ...more }
    return replaced === undefined ? first : { ...first, content: asCorrection(content) }
  }

  const cannotRead = (message: Element, encryption: string, to: Identity, unread?: () => void): void => {
    const { from = '' } = message.attrs
    quarantine(message, `a message was encrypted: ${encryption}`, el('encrypted', { xmlns: encryption }))
    const chat = directPlace(to.id, bareOf(from))
    if (clock.tick() - (told.get(chat) ?? -Infinity) < TELL_AGAIN_MS) return
    told.put(owned(chat), ownerOf(owned(from)), clock.tick())
    if (unread !== undefined) return unread()
    stream.send(el('message', { type: 'chat', from: to.id, to: bareOf(from), id: `told.${chance.token(KEY_BYTES)}` },
      ...contentXml({ style: 'quiet', text: plain(CANNOT_READ) })))
  }

  return {
    refuse (message) { giveBack(message, () => {}) },
    connected: telling.connected,
    message (message, to, fate = {}) {
      const { done = () => {}, beyond = () => { giveBack(message, () => done(false)) } } = fate
      const { from = '', id } = message.attrs
      const encryption = encryptionOf(message)
      if (encryption !== undefined) cannotRead(message, encryption, to, fate.unread)
      const arrival = arrivalOf(message, to)
      if (arrival === undefined) return done(false)
      if (arrival.kind === 'message' && !isHidden(from)) askWhetherMachine(from, to.id)
      const received = encryption === undefined ? receivedXml(message, `received.${chance.token(KEY_BYTES)}`) : undefined
      const stored = (isNew: boolean): void => {
        if (received !== undefined) telling.tell(received)
        done(isNew && arrival.kind === 'message')
      }
      offer(withSign(arrival, fate), stored, {
        most: DIRECT_KEPT_MAX, server: serverOf(owned(from)),
        beyond () {
          const contact = personOf(from)
          if (id !== undefined) originals.remove(arrival.place.id, contact, id) // nobody has it, so a correction of it counts as a new message
          beyond()
        }
      })
    }
  }
}
