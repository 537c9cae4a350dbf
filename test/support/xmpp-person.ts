/** Somebody with an XMPP app, for tests: hears everything, says what it is told to. */
import { client, xml, type Client, type Element } from '@xmpp/client'
import type { XmppServer } from '../../sandbox/servers/prosody'

export const MUC = 'http://jabber.org/protocol/muc'
const MAM = 'urn:xmpp:mam:2'
const RSM = 'http://jabber.org/protocol/rsm'
const ANSWERED_WITHIN_MS = 120_000

export interface XmppPerson {
  readonly client: Client
  readonly heard: Element[] // everything since the start
  /** Resolves when the server knows that they are online. Messages to them before that may get lost. */
  comeOnline (): Promise<void>
  enter (room: string, nick: string): Promise<void>
  leave (room: string, nick: string): Promise<void>
  say (room: string, body: string, id: string, ...more: Element[]): Promise<void>
  send (stanza: Element): Promise<void>
  /** The bodies of a room's messages, in order; the room's old ones are not asked for. */
  bodies (room: string, nick?: string): string[]
  /** The bodies in a room's archive (XEP-0313), oldest first. */
  archived (room: string): Promise<string[]>
  /** Resolves with the first thing heard that fits, also if it was heard before. Throws after `limitMs`. */
  until (what: string, fits: (stanza: Element) => boolean, limitMs?: number): Promise<Element>
  ask (type: 'get' | 'set', to: string, payload: Element): Promise<Element>
  stop (): Promise<void>
}

export const startPerson = async (server: XmppServer, username: string, password: string): Promise<XmppPerson> => {
  const heard: Element[] = []
  const watchers = new Set<(stanza: Element) => void>()
  const person = client({ service: `xmpp://127.0.0.1:${server.c2sPort}`, domain: server.domain, username, password })
  person.on('error', () => { /* start() rejects with it, and servers are stopped in tests */ })
  person.on('stanza', (stanza: Element) => { heard.push(stanza); for (const watcher of [...watchers]) watcher(stanza) })
  await person.start()
  person.reconnect.stop()
  const isFrom = (one: Element, room: string, nick?: string): boolean =>
    nick === undefined ? String(one.attrs.from).startsWith(`${room}/`) : one.attrs.from === `${room}/${nick}`
  const messages = (room: string, nick?: string): Element[] =>
    heard.filter(one => one.is('message') && one.getChild('body') !== undefined && isFrom(one, room, nick))
  const self: XmppPerson = {
    client: person, heard,
    async comeOnline () {
      await person.send(xml('presence'))
      await self.until('their own presence', one => one.is('presence') && one.attrs.from === String(person.jid))
    },
    async enter (room, nick) {
      const before = heard.length
      await person.send(xml('presence', { to: `${room}/${nick}` }, xml('x', { xmlns: MUC }, xml('history', { maxchars: '0' }))))
      const answer = await self.until(`${nick} in ${room}`,
        one => heard.indexOf(one) >= before && one.is('presence') && one.attrs.from === `${room}/${nick}`)
      if (answer.attrs.type === 'error') throw new Error(`${nick} may not enter ${room}: ${String(answer.getChild('error'))}`)
    },
    leave: (room, nick) => person.send(xml('presence', { to: `${room}/${nick}`, type: 'unavailable' })),
    send: stanza => person.send(stanza),
    say: (room, body, id, ...more) => person.send(xml('message', { to: room, type: 'groupchat', id }, xml('body', {}, body), ...more)),
    bodies: (room, nick) => messages(room, nick).map(one => one.getChildText('body') ?? ''),
    async archived (room) {
      const bodies: string[] = []
      for (let after = ''; ;) {
        const from = heard.length
        const set = xml('set', { xmlns: RSM }, xml('max', {}, '1000'), ...after === '' ? [] : [xml('after', {}, after)])
        const answer = await self.ask('set', room, xml('query', { xmlns: MAM, queryid: `q${from}` }, set))
        const results = heard.slice(from).flatMap(one => one.getChild('result', MAM) ?? [])
        bodies.push(...results.map(one => one.getChild('forwarded')?.getChild('message')?.getChildText('body') ?? ''))
        after = answer.getChild('fin', MAM)?.getChild('set', RSM)?.getChildText('last') ?? ''
        if (after === '' || results.length === 0) return bodies
      }
    },
    until: (what, fits, limitMs = 60_000) => new Promise((resolve, reject) => {
      const before = heard.find(fits)
      if (before !== undefined) return resolve(before)
      const look = (stanza: Element): void => { if (fits(stanza)) { over(); resolve(stanza) } }
      const timer = setTimeout(() => { over(); reject(new Error(`${what}: not within ${limitMs} ms`)) }, limitMs)
      const over = (): void => { clearTimeout(timer); watchers.delete(look) }
      watchers.add(look)
    }),
    ask: (type, to, payload) => person.iqCaller.request(xml('iq', { type, to }, payload), ANSWERED_WITHIN_MS),
    stop: async () => { await person.stop().catch(() => { /* its server may be gone */ }) }
  }
  return self
}
