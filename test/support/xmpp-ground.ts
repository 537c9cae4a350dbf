/** A real XMPP server with a bridge that serves one function address, and two people, for tests of function addresses. */
import { Readable } from 'node:stream'
import type { Element } from '@xmpp/client'
import type { XmppServer, XmppServerOptions } from '../../sandbox/servers/prosody'
import type { Place } from '../../src/model/address'
import { Refused } from '../../src/model/errors'
import type { Action, Arrival, Delivery, Sent } from '../../src/model/message'
import type { Identity, Media, Memory, MenuItem, Network, Profile } from '../../src/model/network'
import { plain, toPlain } from '../../src/model/text'
import { makeXmpp } from '../../src/networks/xmpp'
import { makeInbox, type TestInbox } from './inbox'
import { scratch } from './real'
import { makeMemory, makeWorld } from './world'
import { startPerson, type XmppPerson } from './xmpp-person'

export const DOMAIN = 'chat.localhost'
export const OURS = `bürgerbüro@${DOMAIN}`
export const ALIAS = `buergerbuero@${DOMAIN}`
export const ANNA = 'anna@localhost'
export const CARL = 'carl@localhost'
export const LOGO = { bytes: Buffer.from('89504e470d0a1a0a', 'hex'), mime: 'image/png' }
export const PROFILE: Profile = {
  name: 'Bürgerbüro', about: 'Mo–Fr 9–17 Uhr', website: 'https://example.org/', phone: '+49 30 123', logo: LOGO,
  present: { available: true, text: 'offen bis 17 Uhr' }
}
/** Anna is of its team, Carl is not. */
const TAKE: MenuItem = { node: 'take', name: 'Vorgang übernehmen', words: '!übernehmen', fields: [
  { name: 'case', label: 'Vorgang', kind: 'case', required: true }, { name: 'long', label: 'Text', kind: 'lines', required: false }
] }
export const IDENTITY: Identity = { id: OURS, aliases: [ALIAS], profile: PROFILE, team: [ANNA], menu: { missing: 'Bitte ausfüllen.', items: [TAKE] } }

export interface XmppGround {
  server: XmppServer
  anna: XmppPerson
  carl: XmppPerson
  memory: Memory
  inbox: TestInbox
  network: Network
  passwords: Record<string, string> // of rooms
  startBridge (port?: number, inbox?: TestInbox): Promise<void>
}

/** The one file on other networks. */
const open: Media['open'] = async ({ at: { ref } }) => {
  if (ref !== 'png') throw new Refused('nothing there')
  return { stream: Readable.from([LOGO.bytes]), mime: LOGO.mime, size: LOGO.bytes.length }
}

/** Inside a describe. */
export const xmppGround = (start: (options: XmppServerOptions) => Promise<XmppServer>): XmppGround => {
  const dir = scratch()
  const at = {
    async startBridge (port = at.server.componentPort, inbox = makeInbox()) {
      const component = { host: '127.0.0.1', port, domain: DOMAIN, secret: 'geheim' }
      at.inbox = inbox
      at.network = makeXmpp({ component, rooms: at.server.muc, passwords: at.passwords }, makeWorld({ memory: at.memory, media: { open } }))
      at.network.serve([IDENTITY])
      await at.network.start(at.inbox)
      await at.inbox.until('up', () => at.inbox.connections.get('component') === true)
    }
  } as XmppGround
  before(async () => {
    at.server = await start({
      dir: dir('server'), domain: 'localhost', users: { anna: 'a', carl: 'c' }, admins: ['vera'], component: { domain: DOMAIN, secret: 'geheim' }
    })
  })
  after(() => at.server.stop())
  beforeEach(async () => {
    at.memory = makeMemory()
    at.passwords = {}
    await at.startBridge()
    at.anna = await startPerson(at.server, 'anna', 'a')
    at.carl = await startPerson(at.server, 'carl', 'c')
    for (const one of [at.anna, at.carl]) await one.comeOnline()
  })
  afterEach(async () => {
    await at.anna.stop()
    await at.carl.stop()
    await at.network.stop()
  })
  return at
}

export const textOf = (arrival: Arrival | undefined): string =>
  arrival?.kind === 'message' || arrival?.kind === 'edit' ? toPlain(arrival.content.text) : `(${arrival?.kind})`

export const say = (text: string, style: 'text' | 'quiet' = 'text'): Action => ({ kind: 'message', content: { style, text: plain(text) } })

let count = 0
export const delivery = (action: Action, place: Place, more: Partial<Delivery> = {}): Delivery =>
  ({ key: `key-${++count}`, place, at: 0, attempt: 1, action, ...more })

export const send = (at: XmppGround, one: Delivery): Promise<Sent> => at.network.send(one, AbortSignal.timeout(60_000))

export const came = async ({ inbox }: XmppGround, number: number): Promise<Arrival[]> => {
  await inbox.until(`${number} arrivals`, () => inbox.arrivals.length >= number)
  return inbox.arrivals
}

export const heardBody = (who: XmppPerson, body: string): Promise<Element> => who.until(body, one => one.getChildText('body') === body)
