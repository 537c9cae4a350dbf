/** A function address that is a plain account: what must hold with every XMPP server; run with Prosody and with ejabberd. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { xml, type Element } from '@xmpp/client'
import type { XmppServer, XmppServerOptions } from '../../sandbox/servers/prosody'
import { Refused, Unavailable } from '../../src/model/errors'
import type { Place } from '../../src/model/address'
import type { Arrival, Attachment, Delivery } from '../../src/model/message'
import type { Identity, Media, Memory, Network } from '../../src/model/network'
import { plain } from '../../src/model/text'
import { FETCH_DEFAULTS } from '../../src/networks/xmpp/files'
import { makeJoined } from '../../src/networks/xmpp/joined'
import { makeInbox, type TestInbox } from '../support/inbox'
import { until } from '../support/practice'
import { startProxy, type Proxy } from '../support/proxy'
import { scratch } from '../support/real'
import { makeMemory, makeWorld } from '../support/world'
import { delivery, LOGO, PROFILE, say, textOf } from '../support/xmpp-ground'
import { startPerson, type XmppPerson } from '../support/xmpp-person'

const PASSWORD = 'geheim-genug'
const ANNA = 'anna@localhost'
/** One that is there, on another network. */
const FILE: Attachment = {
  kind: 'image', name: 'Schönes Logo.png', mime: 'image/png', at: { network: 'matrix', ref: 'png' },
  url: 'https://files.example.org/media/abc/logo.png'
}
const open: Media['open'] = async ({ at: { ref } }) => {
  if (ref !== 'png') throw new Refused('nothing there')
  return { stream: Readable.from([LOGO.bytes]), mime: LOGO.mime, size: LOGO.bytes.length }
}
const REQUEST = xml('request', { xmlns: 'urn:xmpp:receipts' })

interface Bridge { network: Network, inbox: TestInbox, proxy: Proxy }

const LATE_MS_MAX = 120_000 // the last look at the archive comes 70 s after the login
const UNDER_WAY_MAX = 200 // fewer than those by which a message may be late in the archive

/** `inOrder`: the server archives what it passes on before it passes on what comes next. Otherwise a login finds some of it later. */
export const xmppAccountsSuite = (start: (options: XmppServerOptions) => Promise<XmppServer>, inOrder: boolean): void => {
  const dir = scratch()
  let server: XmppServer
  let fetch = FETCH_DEFAULTS
  let anna: XmppPerson
  let memory: Memory
  let at: Bridge
  let count = 0
  let INFO = '' // a new account for each test, because servers bring what they still have of a former one
  let LINK = ''
  let IDENTITY: Identity
  let CHAT: Place
  const all: Bridge[] = []

  const startBridge = async (inbox = makeInbox()): Promise<void> => {
    const proxy = await startProxy(server.c2sPort)
    const account = { jid: INFO, password: PASSWORD, host: '127.0.0.1', port: proxy.port, insecure: true, fetch }
    at = { network: makeJoined({ accounts: [account] }, makeWorld({ memory, media: { open } })), inbox, proxy }
    all.push(at)
    at.network.serve([IDENTITY])
    await at.network.start(inbox)
    await inbox.until('up', () => inbox.connections.get(LINK) === true)
  }

  /** Anna sees it there only once it listens. */
  const isThere = async (): Promise<void> => {
    await anna.until('its presence', one => one.is('presence') && String(one.attrs.from).startsWith(`${INFO}/`) && one.attrs.type === undefined)
  }

  /** As kill -9 looks to the server: the connection is gone, and nothing more comes from there. */
  const kill = async (): Promise<void> => {
    at.proxy.refuse = true
    at.proxy.reset()
    at.inbox.refusing = new Unavailable('dead')
  }

  const write = (body: string, id: string | undefined, ...more: Element[]): Promise<void> =>
    anna.send(xml('message', { to: INFO, type: 'chat', ...id !== undefined && { id } }, xml('body', {}, body), ...more))
  const send = (one: Delivery) => at.network.send(one, AbortSignal.timeout(60_000))
  const came = async (number: number): Promise<Arrival[]> => {
    await at.inbox.until(`${number} arrivals`, () => at.inbox.arrivals.length >= number)
    return at.inbox.arrivals
  }
  const heard = (body: string): Promise<Element> => anna.until(body, one => one.getChildText('body') === body)
  /** Follows what was written before on the same way. */
  const settle = async (): Promise<void> => { await anna.ask('get', INFO, xml('vCard', { xmlns: 'vcard-temp' })).catch(() => {}) }

  before(async () => {
    server = await start({
      dir: dir('server'), domain: 'localhost', users: { anna: 'a' }, component: { domain: 'chat.localhost', secret: 'geheim' }
    })
  })
  after(() => server.stop())
  beforeEach(async () => {
    memory = makeMemory()
    fetch = FETCH_DEFAULTS
    INFO = `info${++count}@localhost`
    LINK = `account ${INFO}`
    IDENTITY = { id: INFO, aliases: [], profile: PROFILE, team: [ANNA] }
    CHAT = { network: 'xmpp', id: `${INFO} ${ANNA}` }
    await server.addUser(`info${count}`, PASSWORD)
    anna = await startPerson(server, 'anna', 'a')
    await anna.ask('get', ANNA, xml('query', { xmlns: 'jabber:iq:roster' }))
    await anna.comeOnline()
    await startBridge()
    await anna.send(xml('presence', { to: INFO, type: 'subscribe' }))
    await isThere()
  })
  afterEach(async () => {
    await anna.stop()
    for (const { network, proxy } of all.splice(0)) {
      await network.stop()
      await proxy.stop()
    }
  })

  it('takes what people write, says so once it is stored, and answers', async () => {
    at.inbox.refusing = new Unavailable('disk full')
    await write('Guten Tag', 'd1', REQUEST, xml('nick', { xmlns: 'http://jabber.org/protocol/nick' }, 'Anna A.'))
    await settle()
    const isReceipt = (one: Element): boolean => one.getChild('received')?.attrs.id === 'd1'
    assert.equal(anna.heard.some(isReceipt), false, 'nothing is stored, so nothing was received')
    at.inbox.refusing = undefined
    const [first] = await came(1)
    assert.ok(first?.kind === 'message' && first.direct === true && first.automatic === undefined)
    assert.deepEqual([first.to, first.place, first.sender], [INFO, CHAT, { id: ANNA, name: 'Anna A.' }])
    assert.equal((await anna.until('receipt', isReceipt)).attrs.from, `${INFO}/zentrale`)
    const answer = delivery(say('Guten Tag, Anna!'), CHAT)
    assert.deepEqual(await send(answer), { ids: [answer.key] })
    assert.deepEqual([(await heard('Guten Tag, Anna!')).attrs.from, (await heard('Guten Tag, Anna!')).attrs.id], [`${INFO}/zentrale`, answer.key])
    await anna.send(xml('message', { to: `${INFO}/zentrale`, id: 'r1' }, xml('received', { xmlns: 'urn:xmpp:receipts', id: answer.key })))
    const [, receipt] = await came(2)
    assert.ok(receipt?.kind === 'receipt' && receipt.outcome === 'delivered' && receipt.of.includes(answer.key as string))
  })

  it('takes and makes corrections, retractions, replies and reactions', async () => {
    await write('helo', 'e1')
    await write('hello', 'e2', xml('replace', { xmlns: 'urn:xmpp:message-correct:0', id: 'e1' }))
    await anna.send(xml('message', { to: INFO, type: 'chat', id: 'e3' }, xml('retract', { xmlns: 'urn:xmpp:message-retract:1', id: 'e1' })))
    const first = delivery(say('frist'), CHAT)
    const { ids } = await send(first)
    await send(delivery({ kind: 'edit', of: first.key, content: { style: 'text', text: plain('first') } }, CHAT, { target: ids }))
    await send(delivery({ kind: 'reaction', to: { arrival: 'e1' }, emojis: ['👍'] }, CHAT))
    await send(delivery({ kind: 'deletion', of: first.key }, CHAT, { target: ids }))
    assert.equal((await heard('first')).getChild('replace')?.attrs.id, first.key)
    await anna.until('reaction', one => one.getChild('reactions')?.attrs.id === 'e1')
    await anna.until('retraction', one => one.getChild('retract')?.attrs.id === first.key)
    await write('Danke', 'e4', xml('reply', { xmlns: 'urn:xmpp:reply:0', id: first.key, to: INFO }))
    await anna.send(xml('message', { to: INFO, type: 'chat', id: 'e5' },
      xml('reactions', { xmlns: 'urn:xmpp:reactions:0', id: first.key }, xml('reaction', {}, '🎉'))))
    const [original, edit, deletion, reply, reaction] = await came(5)
    assert.ok(edit?.kind === 'edit' && edit.of === original?.key && textOf(edit) === 'hello')
    assert.ok(deletion?.kind === 'deletion' && deletion.of === original?.key)
    assert.ok(reply?.kind === 'message' && reply.replyTo?.includes(ids[0]!))
    assert.ok(reaction?.kind === 'reaction' && reaction.of.includes(ids[0]!) && reaction.emojis[0] === '🎉')
  })

  it('puts a file on its server, where people fetch it from', async () => {
    fetch = { ...FETCH_DEFAULTS, allowHosts: [`127.0.0.1:${server.httpPort}`] }
    await at.network.stop()
    await startBridge()
    const one = delivery({ kind: 'message', content: { style: 'text', text: [], file: FILE } }, CHAT)
    await at.network.upload?.(one, AbortSignal.timeout(60_000))
    await at.network.upload?.(one, AbortSignal.timeout(60_000))
    await send(one)
    const said = await anna.until('a file', message => message.getChild('x', 'jabber:x:oob') !== undefined)
    const url = said.getChildText('body') ?? ''
    assert.notEqual(url, FILE.url)
    assert.match(url, /\/Sch%C3%B6nes(%20|_)Logo\.png$/i)
    assert.equal(said.getChild('x', 'jabber:x:oob')?.getChildText('url'), url)
    const got = await globalThis.fetch(url)
    assert.deepEqual([got.status, got.headers.get('content-type'), Buffer.from(await got.arrayBuffer())], [200, 'image/png', LOGO.bytes])
  })

  it('goes out with our link what its server does not take, or may not get', async () => {
    for (const file of [{ ...FILE, at: { network: 'matrix', ref: 'gone' } }, FILE]) {
      const one = delivery({ kind: 'message', content: { style: 'text', text: [], file } }, CHAT)
      await assert.rejects(async () => at.network.upload?.(one, AbortSignal.timeout(60_000)), Refused)
      await send(one)
    }
    await anna.until('two links', () => anna.heard.filter(one => one.getChildText('body') === FILE.url).length === 2)
  })

  it('fails a message to nobody, and refuses what is for others', async () => {
    const nobody = { network: 'xmpp', id: `${INFO} nobody@localhost` }
    await assert.rejects(send(delivery(say('?'), nobody)), Unavailable)
    await assert.rejects(send(delivery(say('?'), nobody, { attempt: 5 })), Refused)
    await assert.rejects(send(delivery(say('?'), { network: 'xmpp', id: 'raum@rooms.localhost' })), Refused)
  })

  it('keeps the order of 300 messages each way', async () => {
    const out = Array.from({ length: 300 }, (_, i) => delivery(say(`w${i}`), CHAT))
    for (let i = 0; i < 300; i++) await write(`v${i}`, `v${i}`)
    await Promise.all(out.map(one => send(one)))
    await heard('w299')
    await came(300)
    const bodies = anna.heard.map(one => one.is('message') ? one.getChildText('body') ?? '' : '').filter(body => /^w\d+$/.test(body))
    assert.deepEqual(bodies, out.map((_, i) => `w${i}`))
    assert.deepEqual(at.inbox.arrivals.map(textOf), out.map((_, i) => `v${i}`))
  })

  it('loses and doubles nothing when it is killed before anything is stored', async () => {
    at.inbox.refusing = new Unavailable('slow disk')
    for (let i = 0; i < 20; i++) await write(`k${i}`, i % 3 === 0 ? undefined : `k${i}`, REQUEST)
    await settle()
    await kill()
    for (let i = 20; i < 40; i++) await write(`k${i}`, `k${i}`)
    await startBridge()
    await came(40)
    await write('end', 'end')
    await came(41)
    const [got, all] = [at.inbox.arrivals.map(textOf), [...Array.from({ length: 40 }, (_, i) => `k${i}`), 'end']]
    assert.deepEqual(inOrder ? got : got.toSorted(), inOrder ? all : all.toSorted())
  })

  it('does not take again what it stored when it was killed', async () => {
    for (let i = 0; i < 10; i++) await write(`s${i}`, i % 2 === 0 ? undefined : `s${i}`)
    await came(10)
    const inbox = at.inbox
    await kill()
    inbox.refusing = undefined
    await startBridge(inbox)
    await write('end', 'end')
    await came(11)
    assert.deepEqual(inbox.arrivals.map(textOf), [...Array.from({ length: 10 }, (_, i) => `s${i}`), 'end'])
  })

  it('takes up the same session after a break, and nothing is lost or doubled', async () => {
    const before = anna.heard.length
    for (let i = 0; i < 10; i++) {
      await write(`b${i}`, undefined)
      if (i % 3 === 0) at.proxy.reset()
      if (i % 3 === 0) await at.inbox.until('down', () => at.inbox.connections.get(LINK) === false)
      if (i % 3 === 2) await at.inbox.until('up', () => at.inbox.connections.get(LINK) === true)
    }
    await came(10)
    assert.deepEqual(at.inbox.arrivals.map(textOf), Array.from({ length: 10 }, (_, i) => `b${i}`))
    const gone = anna.heard.slice(before).filter(one => one.is('presence') && one.attrs.type === 'unavailable')
    assert.deepEqual(gone, [], 'nobody saw it go')
  })

  it('finds in the archive what it said when the answer was lost', async () => {
    const one = delivery(say('over the break'), CHAT)
    at.proxy.fromServer.hold = true
    const lost = assert.rejects(send(one), (error: unknown) => error instanceof Unavailable && error.disconnected)
    await heard('over the break')
    at.proxy.reset()
    at.proxy.fromServer.hold = false
    await lost
    await at.inbox.until('up again', () => at.inbox.connections.get(LINK) === true)
    assert.deepEqual(await at.network.find?.({ ...one, attempt: 2 }, AbortSignal.timeout(60_000)), { ids: [one.key] })
    assert.equal(await at.network.find?.(delivery(say('never said'), CHAT), AbortSignal.timeout(60_000)), undefined)
  })

  it('reads what came in an hour away, in order and once, and says that it came', async () => {
    await write('before', 'a0')
    await came(1)
    const { inbox } = at
    await at.network.stop()
    for (let i = 0; i < 250; i++) await write(`away ${i}`, i % 5 === 0 ? undefined : `w${i}`, ...i === 249 ? [REQUEST] : [])
    await settle()
    await startBridge(inbox)
    for (let i = 0; i < 20; i++) await write(`live ${i}`, `l${i}`)
    await came(271)
    assert.deepEqual(inbox.arrivals.map(textOf),
      ['before', ...Array.from({ length: 250 }, (_, i) => `away ${i}`), ...Array.from({ length: 20 }, (_, i) => `live ${i}`)])
    await anna.until('receipt', one => one.getChild('received')?.attrs.id === 'w249')
  })

  it('loses and doubles nothing of what many people write while it logs in again and again', async () => {
    const people = [anna]
    for (const name of ['otto', 'paul', 'rosa']) {
      await server.addUser(name, name).catch(() => { /* it is there */ })
      people.push(await startPerson(server, name, name))
      await people.at(-1)!.comeOnline()
    }
    const { inbox } = at
    const sent: string[] = []
    let over = false
    /** No faster than the server archives it: each message costs ejabberd more than the one before, and what is asked waits behind them all. */
    const writing = people.map(async (one, who) => {
      while (!over) {
        for (let i = 0; i < 4; i++) {
          sent.push(`${who} ${sent.length}`)
          await one.send(xml('message', { to: INFO, type: 'chat', id: sent.at(-1) }, xml('body', {}, sent.at(-1)!)))
        }
        await one.ask('get', 'localhost', xml('ping', { xmlns: 'urn:xmpp:ping' }))
        await inbox.until('room for more', () => over || sent.length - inbox.arrivals.length < UNDER_WAY_MAX)
      }
    })
    try {
      for (let login = 0; login < 20; login++) {
        const before = inbox.arrivals.length
        await kill()
        await at.network.stop()
        inbox.refusing = undefined
        await startBridge(inbox)
        await inbox.until('some of it', () => inbox.arrivals.length > before + 8)
      }
    } finally {
      over = true
      await Promise.allSettled(writing)
      for (const one of people.slice(1)) await one.stop()
    }
    await Promise.all(writing)
    // ejabberd gives back what was on its way to a session that has died, although it archives it. So it comes all the same.
    const missing = (): string[] => {
      const came = new Set(inbox.arrivals.map(textOf))
      return sent.filter(body => !came.has(body))
    }
    await inbox.until('all', () => missing().length === 0, LATE_MS_MAX).catch(error => { throw new Error(`${error}: ${missing()}`) })
    assert.deepEqual(inbox.arrivals.map(textOf).toSorted(), sent.toSorted(), 'nothing twice')
  })

  it('goes on when its server restarts', async () => {
    await write('one', 'x1')
    await came(1)
    await server.restart()
    await anna.stop()
    anna = await startPerson(server, 'anna', 'a')
    await anna.comeOnline()
    await at.inbox.until('up again', () => at.inbox.connections.get(LINK) === true)
    await write('two', 'x2')
    await came(2)
    await send(delivery(say('three'), CHAT))
    await heard('three')
    assert.deepEqual(at.inbox.arrivals.map(textOf), ['one', 'two'])
  })

  it('lets a crowded contact hold up nobody else, also while it catches up', async () => {
    const { inbox } = at
    await at.network.stop()
    for (let i = 0; i < 30; i++) await write(`c${i}`, `c${i}`)
    await settle()
    inbox.crowded.add(CHAT.id)
    await startBridge(inbox)
    await server.addUser('carl', 'c')
    const carl = await startPerson(server, 'carl', 'c')
    await carl.send(xml('message', { to: INFO, type: 'chat', id: 'carl1' }, xml('body', {}, 'and I')))
    await came(1)
    assert.deepEqual(inbox.arrivals.map(textOf), ['and I'])
    inbox.crowded.clear()
    await came(31)
    assert.deepEqual(inbox.arrivals.map(textOf), ['and I', ...Array.from({ length: 30 }, (_, i) => `c${i}`)])
    await carl.stop()
  })

  it('takes what another app of the account got, and nothing of what is written there', async () => {
    const phone = await startPerson(server, `info${count}`, PASSWORD)
    await phone.comeOnline()
    await anna.send(xml('message', { to: String(phone.client.jid), type: 'chat', id: 'p1' }, xml('body', {}, 'to the phone')))
    await came(1)
    await phone.send(xml('message', { to: ANNA, type: 'chat', id: 'p2' }, xml('body', {}, 'from the phone')))
    await heard('from the phone')
    const forged = xml('received', { xmlns: 'urn:xmpp:carbons:2' }, xml('forwarded', { xmlns: 'urn:xmpp:forward:0' },
      xml('message', { xmlns: 'jabber:client', from: 'boss@localhost/x', to: INFO, type: 'chat', id: 'f' }, xml('body', {}, 'forged'))))
    await anna.send(xml('message', { to: INFO, type: 'chat', id: 'p3' }, forged))
    await write('last', 'p4')
    await came(2)
    assert.deepEqual(at.inbox.arrivals.map(textOf), ['to the phone', 'last'])
    await phone.stop()
  })

  it('shows whether somebody answers, its name and its picture', async () => {
    at.network.serve([{ ...IDENTITY, profile: { ...PROFILE, present: { available: false, text: 'ab 9 Uhr' } } }])
    const away = await anna.until('away', one => one.is('presence') && one.getChildText('show') === 'away')
    assert.deepEqual([away.attrs.from, away.getChildText('status')], [`${INFO}/zentrale`, 'ab 9 Uhr'])
    assert.match(away.getChild('x', 'vcard-temp:x:update')?.getChildText('photo') ?? '', /^[0-9a-f]{40}$/)
    const card = (): Promise<Element | undefined> =>
      anna.ask('get', INFO, xml('vCard', { xmlns: 'vcard-temp' })).then(one => one.getChild('vCard'), () => undefined)
    await until(() => memory.get(`account ${INFO} published`) !== undefined, 'the profile', 60_000)
    const shown = await card()
    assert.deepEqual([shown?.getChildText('FN'), shown?.getChild('PHOTO')?.getChildText('BINVAL')?.replace(/\s/g, '')],
      [PROFILE.name, LOGO.bytes.toString('base64')])
  })

  it('has the commands of the team in a menu, behind its full address', async () => {
    const COMMANDS = 'http://jabber.org/protocol/commands'
    const full = `${INFO}/zentrale`
    const menu = { missing: '?', items: [{ node: 'take', name: 'Übernehmen', words: '!übernehmen', fields: [] }] }
    at.network.serve([{ ...IDENTITY, menu }])
    const list = await anna.ask('get', full, xml('query', { xmlns: 'http://jabber.org/protocol/disco#items', node: COMMANDS }))
    const [item] = list.getChild('query')?.getChildren('item') ?? []
    assert.deepEqual([item?.attrs['jid'], item?.attrs['node'], item?.attrs['name']], [full, 'take', 'Übernehmen'])
    const done = await anna.ask('set', full, xml('command', { xmlns: COMMANDS, node: 'take', action: 'execute' }))
    assert.equal(done.getChild('command')?.attrs['status'], 'completed')
    const [arrival] = await came(1)
    assert.deepEqual([textOf(arrival), arrival?.place], ['!übernehmen', CHAT])
  })

  it('forgets a contact', async () => {
    await at.network.forget?.([CHAT])
    await anna.until('no longer subscribed', one => one.is('presence') && one.attrs.from === INFO && one.attrs.type === 'unsubscribed')
    await at.network.forget?.([CHAT])
  })
}
