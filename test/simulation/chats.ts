/**
 * People on the XMPP server who write to addresses of ours one to one and read their answers, as Prosody 0.12 carries them. While the
 * component is not connected, a message comes back at once. Once a message is written to the component's link, the server does not track
 * it. The writer's app asks for a receipt (XEP-0184), and learns nothing but the receipt or an error. When a link breaks, messages written
 * to it shortly before may vanish unnoticed: that is the window in docs/promises.md. This file tells the auditor which messages are in it.
 */
import type { Delivery } from '../../src/model/message'
import { plain } from '../../src/model/text'
import { RECEIPTS } from '../../src/networks/xmpp/direct/profile'
import { directPlace } from '../../src/networks/xmpp/direct/place'
import { bareOf } from '../../src/networks/xmpp/names'
import { INFO } from '../../src/networks/xmpp/muc/room'
import { child, el, type Element, elementsIn, textOf, type Xml } from '../../src/networks/xmpp/wire/xml'
import { isSpeech } from './notices'
import { makeOmemo, type Omemo } from './omemo'
import type { Random } from './random'
import type { Answer } from './room'
import type { Inhabitant, Said } from './town'
import { kindOf } from './typing'
import { acknowledge, makeScribe, type Utterance, type World } from './world'

const APPS = ['phone', 'pc']
const STATES = 'http://jabber.org/protocol/chatstates'
const CONFERENCE = 'jabber:x:conference'
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const PUBSUB = 'http://jabber.org/protocol/pubsub'
const VCARD = 'vcard-temp'
/** How long an app that is online takes; how long until an app comes online again. */
const READING_MS = [10, 5000] as const
const AWAY_MS_MAX = 3_600_000
/** How long our server may try to reach another one. */
const ELSEWHERE_MS = [1000, 120_000] as const
/** When an app sends a message again because it does not know whether its own server took it. */
const AGAIN_MS_MAX = 60_000
/** After so long, the bridge has heard everything that it will hear. */
const TOLD_MS = 20 * 60_000 // longer than any silence of a link
/** A message written so long before an orderly farewell has been read and is answered. */
const READ_MS = 1000

/** A stanza to the component that awaits a sign. `out`: copies without one yet. */
interface Open { at: number; out: number; excused: boolean; tag?: string; utterance?: Utterance }

export interface Chats {
  say (by: Inhabitant, text: string, said: Said | undefined): void
  /** From the component to people. */
  message (stanza: Element): void
  presence (stanza: Element): void
  /** Undefined: their app does not answer. */
  ask (iq: Element): Answer | undefined
  answered (iq: Element): void
  /** The link broke: what was written to the component since `since` may never have been read. */
  broke (since: number): void
  /** The component says farewell. `swift`: everything written to it arrived at once. */
  farewell (swift: boolean): void
  readonly waiting: number
  /** Of those who encrypt. */
  readonly omemo: Omemo | undefined
}

interface Parts {
  world: World
  seals: Random | undefined
  send (stanza: Xml): boolean
  /** Whether there is a link but nobody reads it. */
  isDead (): boolean
  /** Perhaps makes trouble: this write may be the last on the link. */
  trouble (): void
  /** The server stops and comes back. */
  restart (): void
  invited (room: string, person: string): void
}

export const makeChats = ({ world, seals, send, isDead, trouble, restart, invited }: Parts): Chats => {
  const { timeline, random, weather, auditor, note } = world
  const network = 'xmpp'
  const scribe = makeScribe('letter', world)
  const open = new Map<string, Open>() // by the stanza's id
  const met = new Set<string>() // chats that have begun
  const returned = new Set<string>() // ids of messages that came back to their writers
  const refused = new Set<string>() // keys, for good
  const asked = new Map<string, (answer: Element) => void>() // what to do with the answer, by the question's id
  const elsewhere = new Set<string>() // keys of messages for which another server is being tried
  let ids = 0

  const nextId = (): string => `app${++ids}`

  /** Writes a stanza. False if it comes back at once. */
  const write = (id: string, stanza: Xml): boolean => {
    trouble()
    const one = open.get(id)
    const sent = send(stanza)
    if (sent && one !== undefined) Object.assign(one, { at: timeline.ms, out: one.out + 1 })
    if (weather.strikes('XMPP server restarts')) restart()
    return sent
  }

  const begin = (id: string, more: Partial<Open> = {}): void => { open.set(id, { at: timeline.ms, out: 0, excused: false, ...more }) }

  /** On a link that is dead without a sign, it is known only later that nobody read the stanza. */
  const forget = (id: string): void => {
    timeline.after(TOLD_MS, () => {
      if (isDead()) forget(id)
      else open.delete(id)
    })
  }

  const comesBack = (id: string): void => {
    omemo?.excuse(id)
    const { tag } = open.get(id)!
    open.delete(id)
    returned.add(id)
    if (tag === undefined) return
    note(`${tag} comes back to its writer`)
    auditor.returned(tag)
  }

  const heardNo = (id: string): void => {
    const one = open.get(id)
    if (one !== undefined && --one.out === 0) comesBack(id)
  }

  const heardYes = (id: string): void => {
    const { utterance } = open.get(id) ?? {}
    open.delete(id)
    if (utterance !== undefined) acknowledge(world, utterance)
  }

  // what people write

  const question = (from: string, to: string, payload: Xml, done: (answer: Element) => void = () => {}): void => {
    const id = nextId()
    begin(id)
    asked.set(id, done)
    if (write(id, el('iq', { type: 'get', from, to, id }, payload))) return
    open.delete(id)
    asked.delete(id)
  }

  const omemo = seals && makeOmemo({ world, random: seals, send, question })

  /** Asks what apps want to know about somebody new. */
  const meet = (from: string, { id, to }: Inhabitant): void => {
    for (const payload of [el('query', { xmlns: INFO }), el('vCard', { xmlns: VCARD })]) question(from, to!, payload)
    send(el('presence', { type: 'subscribe', from: id, to }))
  }

  const letter = ({ key, by }: Utterance, content: Xml[]): void => {
    const from = `${by.id}/${random.pick(APPS)}`
    const on = write(key, el('message', { type: 'chat', from, to: by.to, id: key }, ...content, el('request', { xmlns: RECEIPTS }),
      el('active', { xmlns: STATES }), el('origin-id', { xmlns: 'urn:xmpp:sid:0', id: key })))
    if (!on && open.get(key)?.out === 0) comesBack(key)
  }

  const say: Chats['say'] = (by, text, said) => {
    const utterance = scribe(by, text, said)
    const jid = `${by.id}/${random.pick(APPS)}`
    if (!met.has(by.place.id)) meet(jid, by)
    met.add(by.place.id)
    if (random.happens(0.3)) send(el('message', { type: 'chat', from: jid, to: by.to }, el('composing', { xmlns: STATES })))
    const speak = (content: Xml[], excused: boolean): void => {
      begin(utterance.key, { utterance, excused, ...said && { tag: said.tag } })
      if (excused) forget(utterance.key) // nobody says yes to it
      letter(utterance, content)
      const again = (): void => { if (!returned.has(utterance.key)) letter(utterance, content) }
      if (weather.strikes('letter again')) timeline.after(random.between(0, AGAIN_MS_MAX), again)
    }
    if (omemo === undefined || said === undefined || kindOf(said.tag) !== 'ask') speak([el('body', {}, text)], false)
    else omemo.write(by, utterance, speak)
  }

  // what we write to them

  const back = ({ attrs: { from, to, id } }: Element, type: string, error: string): boolean =>
    send(el('message', { type: 'error', from: to, to: from, id }, el('error', { type }, el(error, { xmlns: STANZAS }))))

  /** The error that comes back at once, if any. */
  const refusal = (delivery: Delivery): [type: string, error: string] | undefined => {
    const { key } = delivery
    if (!isSpeech(delivery)) return undefined
    if (weather.strikes('letter comes back for now')) return ['wait', 'resource-constraint']
    if (!refused.has(key) && (auditor.has(key) || !weather.strikes('letter comes back for good'))) return undefined
    refused.add(key)
    return ['cancel', 'service-unavailable']
  }

  /** Our server has the message and cannot hand it on; the error comes later. */
  const goesAstray = (stanza: Element, delivery: Delivery, tag: string): boolean => {
    const { key } = delivery
    if (elsewhere.has(key)) return true
    if (!isSpeech(delivery) || auditor.has(key) || !weather.strikes('letter comes back later')) return false
    auditor.took(key)
    elsewhere.add(key)
    timeline.after(random.between(...ELSEWHERE_MS), () => {
      elsewhere.delete(key)
      auditor.part(key, 'failed')
      note(`${tag} comes back late`)
      trouble()
      if (!back(stanza, 'wait', 'remote-server-timeout')) return auditor.unheard(tag)
      const id = nextId()
      begin(id, { tag })
      forget(id)
    })
    return true
  }

  /** The reader's app confirms the message, when it is online. */
  const confirm = ({ attrs: { from, to } }: Element, key: string): void => {
    timeline.after(random.happens(0.8) ? random.between(...READING_MS) : random.between(0, AWAY_MS_MAX), () => {
      send(el('message', { from: `${to}/${random.pick(APPS)}`, to: from, id: nextId() }, el('received', { xmlns: RECEIPTS, id: key })))
    })
  }

  const read = (stanza: Element, text: string): void => {
    const { id: key = '', from = '', to = '' } = stanza.attrs
    const place = { network, id: directPlace(bareOf(from), bareOf(to)) }
    const delivery: Delivery = { key, place, at: 0, attempt: 1, action: { kind: 'message', content: { style: 'text', text: plain(text) } } }
    const error = refusal(delivery)
    if (error !== undefined) {
      note(`${key} ${text} comes back: ${error[1]}`)
      return void back(stanza, ...error)
    }
    if (goesAstray(stanza, delivery, text)) return note(`${key} ${text} is on its way to another server`)
    note(`${to} has ${key} ${text}`)
    auditor.took(key)
    auditor.part(key, 'delivered')
    auditor.shown(delivery)
    if (child(stanza, 'request', RECEIPTS) !== undefined) confirm(stanza, key)
  }

  return {
    say,
    message (stanza) {
      const { id = '', to = '', type } = stanza.attrs
      const invitation = child(stanza, 'x', CONFERENCE)
      const receipt = child(stanza, 'received', RECEIPTS)
      const body = child(stanza, 'body')
      if (type === 'error') heardNo(id)
      else if (receipt !== undefined) heardYes(receipt.attrs.id ?? '')
      else if (invitation !== undefined) invited(invitation.attrs.jid!, to)
      else if (body !== undefined || omemo !== undefined) {
        const text = omemo === undefined ? textOf(body) : type === 'headline' ? undefined : omemo.read(stanza)
        if (text !== undefined && body !== undefined) read(stanza, text)
      }
    },
    presence ({ attrs: { from = '', to, type } }) { if (type === 'subscribed') note(`${to} sees whether ${from} is there`) },
    ask (iq) {
      const [asking] = elementsIn(iq)
      if (omemo !== undefined && asking?.ns === PUBSUB) return omemo.ask(iq, asking)
      if (asking?.ns !== INFO) return { type: 'cancel', error: 'service-unavailable' }
      return random.happens(0.2) ? undefined : { result: el('query', { xmlns: INFO }, el('feature', { var: INFO })) }
    },
    answered (iq) {
      const { id = '' } = iq.attrs
      open.delete(id)
      asked.get(id)?.(iq)
      asked.delete(id)
    },
    broke (since) {
      omemo?.broke(since)
      for (const [id, one] of open) {
        if (one.at >= since) omemo?.excuse(id)
        if (one.at < since || one.excused) continue
        one.excused = true
        if (one.tag !== undefined) auditor.unheard(one.tag)
      }
    },
    farewell (swift) {
      for (const [id, { at, tag, utterance, excused }] of open) {
        if (!swift || excused || timeline.ms - at < READ_MS || utterance === undefined || omemo?.isKept(id) === true) continue
        auditor.violation('I5', `${tag} was read, and its writer hears nothing of it at the end`, tag)
      }
    },
    omemo,
    get waiting () { return [...open.values()].filter(({ excused, tag }) => !excused && tag === undefined).length }
  }
}
