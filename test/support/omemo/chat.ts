/** An address whose chats are encrypted, and apps of others that encrypt, without a server between them. */
import { systemClock, type Clock } from '../../../src/lib/clock'
import { Unavailable } from '../../../src/model/errors'
import type { Identity, Vault } from '../../../src/model/network'
import type { DirectReceiver, Fate } from '../../../src/networks/xmpp/direct/receive'
import { AXOLOTL, listXml } from '../../../src/networks/xmpp/omemo/elements'
import { makeOmemo } from '../../../src/networks/xmpp/omemo/omemo'
import { errorReply } from '../../../src/networks/xmpp/wire/stanza-errors'
import type { Stream } from '../../../src/networks/xmpp/wire/stream'
import { child, el, type Element, textOf, type Xml } from '../../../src/networks/xmpp/wire/xml'
import { parse } from '../../unit/networks/xmpp/parse'
import { until } from '../practice'
import { makeVault, makeWorld } from '../world'
import { makeFakeApp } from './fake-app'
import { drawing } from './parties'

export const OURS = 'info@chat.example.org'
const PUBSUB = 'http://jabber.org/protocol/pubsub'
export const signal = new AbortController().signal

export interface App {
  jid: string
  device: number
  bundle: Xml
  /** Encrypts for the device and bundle that the address publishes. `one`: with which of its one-time keys. */
  say (to: Chat, text: string | undefined, id?: string, one?: number): Element
  /** What a stanza says to this app: '' if it has no words, undefined if it is not for it. Throws if it cannot be read. */
  read (stanza: Xml): string | undefined
  forget (): void
}

let named = 0

/** `device`: the number that it takes, whosever it was. */
export const makeApp = (jid: string, name = `${jid} ${++named}`, device?: number): App => {
  const fake = makeFakeApp(drawing(name), device)
  return {
    jid, device: fake.device, bundle: fake.bundle, forget: fake.forget,
    say: (chat, text, id = `${name} ${++named}`, one = 0) =>
      parse(el('message', { type: 'chat', from: `${jid}/app`, to: OURS, id }, ...fake.seal(chat.published(), text, one)).xml),
    read: stanza => fake.open(parse(stanza.xml))
  }
}

export type Chat = Awaited<ReturnType<typeof makeChat>>

/** `apps`: whose lists and keys can be asked for. `fails`: the condition with which their servers refuse that. */
export const makeChat = async ({ apps = [] as App[], clock = systemClock as Clock, vault = makeVault() as Vault, encrypts = true } = {}) => {
  const sent: Xml[] = []
  const asked: string[] = []
  const taken: { text: string, fate: Fate }[] = []
  const seen = new Set<string>()
  const fails: { with?: string, disconnected?: boolean } = {}
  let holding = false
  const stream: Pick<Stream, 'send' | 'ask'> = {
    send (one) { sent.push(one); return true },
    async ask (_type, from, to, payload) {
      const node = /node='([^']*)'/.exec(payload.xml)?.[1] ?? ''
      asked.push(node)
      if (fails.disconnected === true) throw new Unavailable('not connected', { disconnected: true })
      const iq = parse(el('iq', { type: 'get', from, to, id: 'q' }, payload).xml)
      const of = apps.filter(({ jid }) => jid === to)
      const list = of.length === 0 ? undefined : listXml(of.map(({ device }) => device))
      const item = node.endsWith('devicelist') ? list : of.find(({ device }) => node.endsWith(`:${device}`))?.bundle
      if (fails.with !== undefined || item === undefined) return parse(errorReply(iq, 'cancel', fails.with ?? 'item-not-found').xml)
      const items = el('items', { node }, el('item', { id: 'current' }, item))
      return parse(el('iq', { type: 'result', from: to, to: from, id: 'q' }, el('pubsub', { xmlns: PUBSUB }, items)).xml)
    }
  }
  const identity: Identity = { id: OURS, aliases: ['alias@chat.example.org'], profile: { name: 'Info', about: '' }, encrypts }
  const receiver: DirectReceiver = {
    message (stanza, _to, fate = {}) {
      taken.push({ text: textOf(child(stanza, 'body')), fate })
      const isNew = !seen.has(stanza.attrs.id ?? '')
      seen.add(stanza.attrs.id ?? '')
      fate.unread?.()
      if (!holding) fate.done?.(isNew)
    },
    refuse () { taken.push({ text: '(refused)', fate: {} }) }
  }
  const omemo = makeOmemo(stream as Stream, makeWorld({ clock, vault }))
  omemo.serve([identity])
  const opening = await omemo.opening(receiver, () => identity)
  const iq = (node: string, to = OURS, type = 'get'): Element =>
    parse(el('iq', { type, from: 'somebody@example.org/app', to, id: 'q' }, el('pubsub', { xmlns: PUBSUB }, el('items', { node }))).xml)
  const ask = (node: string, to = OURS): Element | undefined => {
    const given = omemo.answer(iq(node, to), identity)
    const items = given && child(child(parse(given.xml), 'pubsub', PUBSUB) ?? parse('<none/>'), 'items')
    return items && (child(items, 'item')?.children[0] as Element | undefined)
  }
  if (encrypts) await until(() => ask(`${AXOLOTL}.devicelist`) !== undefined, 'keys')
  return {
    omemo, opening, identity, sent, asked, taken, fails, iq, ask, vault,
    /** From now on, nothing is stored. */
    hold () { holding = true },
    published () {
      const device = Number(/id="?'?(\d+)/.exec(JSON.stringify(ask(`${AXOLOTL}.devicelist`)).replace(/"id":"(\d+)"/, 'id="$1'))?.[1])
      const bundle = ask(`${AXOLOTL}.bundles:${device}`)
      if (bundle === undefined) throw new Error('no bundle')
      return { device, bundle }
    },
    seal: async (theirs: string, body: string, key = `key-${++named}`): Promise<Xml | undefined> => {
      const xml = await omemo.sealing.seal({ ours: OURS, theirs }, { key, body }, signal)
      return xml && el('message', { from: OURS, to: theirs, id: key }, ...xml)
    },
    async hears (stanza: Element): Promise<void> {
      const before = taken.length
      opening.message(stanza, identity)
      await until(() => taken.length > before, 'it is taken')
    },
    texts: () => taken.map(({ text }) => text)
  }
}
