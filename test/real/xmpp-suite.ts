/** What must hold with every XMPP server; run with Prosody and with ejabberd. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { xml } from '@xmpp/client'
import type { XmppServer, XmppServerOptions } from '../../sandbox/servers/prosody'
import { Refused, Unavailable } from '../../src/model/errors'
import type { Action, Arrival, Attachment, Delivery, Persona } from '../../src/model/message'
import type { Memory, Network } from '../../src/model/network'
import { plain, type Text, toPlain } from '../../src/model/text'
import { makeXmpp } from '../../src/networks/xmpp'
import { ghostLocal } from '../../src/networks/xmpp/names'
import { makeInbox, type TestInbox } from '../support/inbox'
import { until } from '../support/practice'
import { scratch } from '../support/real'
import { makeMemory, makeWorld } from '../support/world'
import { startPerson, type XmppPerson } from '../support/xmpp-person'

const DOMAIN = 'chat.localhost'
const bob: Persona = { person: { network: 'other', id: '@bob:example.org' }, name: 'Bob (M)' }
const PICTURE = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(40_000, 'pixel')])
const eva: Persona = { person: { network: 'other', id: '@eva:example.org' }, name: 'Eva 😀 (M)' }

const textOf = (arrival: Arrival | undefined): string =>
  arrival?.kind === 'message' || arrival?.kind === 'edit' ? toPlain(arrival.content.text) : `(${arrival?.kind})`

interface Bridge { network: Network, inbox: TestInbox, stop (): Promise<void> }

export const xmppSuite = (start: (options: XmppServerOptions) => Promise<XmppServer>): void => {
  const dir = scratch()
  let server: XmppServer
  let anna: XmppPerson
  let bridge: Bridge
  let room = ''
  let count = 0

  const place = (id = room) => ({ network: 'xmpp', id })
  const key = (): string => `key-${++count}`
  const message = (text: Text | string): Action =>
    ({ kind: 'message', content: { style: 'text', text: typeof text === 'string' ? plain(text) : text } })
  const delivery = (action: Action, as: Persona | null = bob, more: Partial<Delivery> = {}): Delivery =>
    ({ key: key(), place: place(), ...as && { as }, at: 0, attempt: 1, action, ...more })
  const send = (one: Delivery, ms = 60_000) => bridge.network.send(one, AbortSignal.timeout(ms))

  const media = { open: async () => ({ stream: Readable.from([PICTURE]), mime: 'image/png' }) }

  const startBridge = async (rooms: string[], memory: Memory = makeMemory(), inbox = makeInbox()): Promise<Bridge> => {
    const component = { host: '127.0.0.1', port: server.componentPort, domain: DOMAIN, secret: 'geheim' }
    const network = makeXmpp({ component }, makeWorld({ memory, media }))
    network.attend(rooms.map(place))
    await network.start(inbox)
    await inbox.until('in all rooms', () => inbox.connections.get('rooms') === true)
    return { network, inbox, stop: () => network.stop() }
  }

  before(async () => {
    server = await start({
      dir: dir('server'), domain: 'localhost', users: { anna: 'a', carl: 'c' }, component: { domain: DOMAIN, secret: 'geheim' }
    })
    anna = await startPerson(server, 'anna', 'a')
  })
  after(async () => { await anna.stop(); await server.stop() })

  beforeEach(async () => {
    room = `raum${++count}@${server.muc}`
    bridge = await startBridge([room])
    await anna.enter(room, 'Anna')
  })
  afterEach(async () => {
    await anna.leave(room, 'Anna')
    await bridge.stop()
  })

  it('speaks as each person, confirmed by the room\'s echo', async () => {
    const sent = await send(delivery(message('Grüße 😀')))
    await send(delivery(message('and I'), eva))
    await send(delivery(message('and the bridge itself'), null))
    await anna.until('the third', one => one.getChildText('body') === 'and the bridge itself')
    assert.deepEqual(anna.bodies(room), ['Grüße 😀', 'and I', 'and the bridge itself'])
    assert.deepEqual(anna.bodies(room, 'Bob (M)'), ['Grüße 😀'])
    assert.deepEqual(anna.bodies(room, 'Zentrale'), ['and the bridge itself'])
    assert.equal(sent.ids.length, 2)
    assert.equal(bridge.inbox.arrivals.length, 0, 'our own messages do not come back in')
  })

  it('passes on what people say, with ids of the room', async () => {
    await anna.say(room, 'hällo *fett*', 'm1')
    await anna.say(room, '/me winkt', 'm1')
    await anna.say(room, 'third', 'm3', xml('stanza-id', { xmlns: 'urn:xmpp:sid:0', by: room, id: 'forged' }),
      xml('occupant-id', { xmlns: 'urn:xmpp:occupant-id:0', id: 'forged' }))
    await bridge.inbox.until('three', () => bridge.inbox.arrivals.length === 3)
    const [first, second, third] = bridge.inbox.arrivals
    assert.deepEqual([first, second, third].map(textOf), ['hällo fett', 'winkt', 'third'])
    assert.ok(first?.kind === 'message' && first.sender.name === 'Anna' && first.sender.id.startsWith(room))
    assert.ok(second?.kind === 'message' && second.content.style === 'emote')
    for (const one of bridge.inbox.arrivals) assert.ok(one.key.startsWith(`${room} `) && !one.key.includes('forged'), one.key)
    assert.ok(third?.kind === 'message' && third.sender.id === first.sender.id)
  })

  it('takes what somebody says for new, although they mark it as of the past, as only the room may', async () => {
    const past = xml('delay', { xmlns: 'urn:xmpp:delay', from: room, stamp: '2020-01-01T00:00:00Z' })
    await anna.say(room, 'eins', 'd1', past)
    await anna.say(room, 'zwei', 'd2')
    await bridge.inbox.until('both', () => bridge.inbox.arrivals.length === 2)
    assert.deepEqual(bridge.inbox.arrivals.map(textOf), ['eins', 'zwei'])
  })

  it('keeps the order of 600 messages of two persons under an open window', async () => {
    const waiting = new Set<Promise<unknown>>()
    for (let i = 0; i < 600; i++) {
      const one: Promise<unknown> = send(delivery(message(String(i)), i % 3 === 0 ? eva : bob), 60_000).finally(() => waiting.delete(one))
      waiting.add(one)
      if (waiting.size >= bridge.network.can.window) await Promise.race(waiting)
    }
    await Promise.all(waiting)
    await anna.until('the last', one => one.attrs.from?.startsWith(room) === true && one.getChildText('body') === '599')
    assert.deepEqual(anna.bodies(room).map(Number), Array.from({ length: 600 }, (_, i) => i))
  })

  /** How apps take a message back that know XEP-0424 before version 0.4 only. */
  const takingBack = (id: string) =>
    xml('apply-to', { xmlns: 'urn:xmpp:fasten:0', id }, xml('retract', { xmlns: 'urn:xmpp:message-retract:0' }))

  it('takes corrections and retractions of the same occupant only', async () => {
    await anna.say(room, 'helo', 'c1')
    await anna.say(room, 'hello', 'c2', xml('replace', { xmlns: 'urn:xmpp:message-correct:0', id: 'c1' }))
    const carl = await startPerson(server, 'carl', 'c')
    await carl.enter(room, 'Carl')
    await carl.say(room, 'evil', 'c3', xml('replace', { xmlns: 'urn:xmpp:message-correct:0', id: 'c1' }))
    await bridge.inbox.until('three', () => bridge.inbox.arrivals.length === 3)
    const [original, edit, forged] = bridge.inbox.arrivals
    assert.ok(edit?.kind === 'edit' && edit.of === original?.key)
    assert.equal(forged?.kind, 'message')
    assert.equal(textOf(forged), '* evil')
    const given = original?.key.slice(room.length + 1)
    await anna.say(room, 'unsupported', 'c4', xml('retract', { xmlns: 'urn:xmpp:message-retract:1', id: given }))
    await bridge.inbox.until('four', () => bridge.inbox.arrivals.length === 4)
    const deletion = bridge.inbox.arrivals[3]
    assert.ok(deletion?.kind === 'deletion' && deletion.of === original?.key)
    await anna.say(room, 'unsupported', 'c5', takingBack('c2'))
    await bridge.inbox.until('five', () => bridge.inbox.arrivals.length === 5)
    const again = bridge.inbox.arrivals[4]
    assert.ok(again?.kind === 'deletion' && again.of === original?.key && again.sender.id === deletion.sender.id)
    await carl.stop()
  })

  it('edits, deletes and sends files as apps expect', async () => {
    const first = delivery(message('frist'))
    const sent = await send(first)
    await send(delivery({ kind: 'edit', of: first.key, content: { style: 'text', text: plain('first') } }, bob, { target: sent.ids }))
    await send(delivery({ kind: 'deletion', of: first.key }, bob, { target: sent.ids }))
    const url = 'https://files.example.org/a.png'
    const image: Attachment = { kind: 'image', name: 'a.png', mime: 'image/png', at: { network: 'other', ref: 'x' }, url }
    await send(delivery({ kind: 'message', content: { style: 'text', text: [], file: image } }))
    const edit = await anna.until('edit', one => one.getChild('replace')?.attrs.id === first.key)
    assert.equal(edit.getChildText('body'), 'first')
    await anna.until('retraction', one => one.getChild('retract')?.attrs.id === sent.ids[1])
    const file = await anna.until('file', one => one.getChild('x', 'jabber:x:oob')?.getChildText('url') === url)
    assert.equal(file.getChildText('body'), url)
  })

  it('takes a link that an app sends as a file', async () => {
    const url = 'https://upload.example.org/1/Sch%C3%B6n.jpg'
    await anna.say(room, url, 'f1', xml('x', { xmlns: 'jabber:x:oob' }, xml('url', {}, url)))
    await bridge.inbox.until('one', () => bridge.inbox.arrivals.length === 1)
    const [arrival] = bridge.inbox.arrivals
    assert.ok(arrival?.kind === 'message')
    assert.deepEqual(arrival.content, {
      style: 'text', text: [], file: { kind: 'image', name: 'Schön.jpg', mime: 'image/jpeg', at: { network: 'xmpp', ref: url } }
    })
  })

  it('resolves nickname conflicts and follows renames', async () => {
    const carl = await startPerson(server, 'carl', 'c')
    await carl.enter(room, 'Bob (M)')
    await send(delivery(message('one')))
    await send(delivery(message('two'), { ...bob, name: 'Robert (M)' }))
    await carl.until('two', one => one.getChildText('body') === 'two' && one.attrs.from?.startsWith(room) === true)
    assert.deepEqual(carl.bodies(room, 'Bob (M) 2'), ['one'])
    assert.deepEqual([...carl.bodies(room, 'Robert (M)'), ...carl.bodies(room, 'Bob (M) 2')].sort(), ['one', 'two'])
    await carl.stop()
  })

  it('survives every character, quote and bracket in text, names and ids', async () => {
    const all = Array.from({ length: 32 }, (_, i) => String.fromCharCode(i)).join('')
    const texts = [all, ']]> <x/> &amp; \' "', '\ud800 lone \udc00', '\ufffe\uffff', '<message/>', '😀\u202e']
    for (const [index, text] of texts.entries()) {
      await send(delivery(message(`${index} ${text}`), { person: { network: 'other', id: text }, name: `N${index} ${text}` }))
    }
    await anna.until('the last', one => one.getChildText('body')?.startsWith('5 ') === true)
    const bodies = anna.bodies(room)
    assert.equal(bodies.length, texts.length)
    assert.equal(bodies[1], `1 ${texts[1]}`)
    assert.equal(bodies[2], '2 \ufffd lone \ufffd')
    const target = ['x\' injected=\'1', '"><evil/>\u0000']
    await send(delivery({ kind: 'edit', of: 'x', content: { style: 'text', text: plain('quoted') } }, bob, { target }))
    const edit = await anna.until('quoted', one => one.getChildText('body') === 'quoted')
    assert.equal(edit.getChild('replace')?.attrs.id, target[0])
    assert.equal(bridge.inbox.connections.get('component'), true)
  })

  it('refuses what is too long for the link, and goes on', async () => {
    await assert.rejects(send(delivery(message('x'.repeat(600_000)))), Refused)
    await send(delivery(message('&'.repeat(bridge.network.can.textBytesMax))))
    await send(delivery(message('after')))
    assert.equal(bridge.inbox.connections.get('component'), true)
  })

  it('says nothing twice to the archive, and finds what is there', async () => {
    const there = delivery(message('found'))
    const sent = await send(there)
    await bridge.stop()
    bridge = await startBridge([room], makeMemory(new Map([['mark', 'another']])))
    assert.equal(await bridge.network.find?.(there, AbortSignal.timeout(60_000)), undefined, 'a mark of another bridge is not ours')
    await bridge.stop()
    const memory = makeMemory()
    bridge = await startBridge([room], memory)
    const again = delivery(message('again'))
    const second = await send(again)
    await bridge.stop()
    bridge = await startBridge([room], memory)
    assert.deepEqual(await bridge.network.find?.(again, AbortSignal.timeout(60_000)), second)
    assert.equal(await bridge.network.find?.(delivery(message('never')), AbortSignal.timeout(60_000)), undefined)
    assert.equal(sent.ids.length, 2)
  })

  it('catches up on what was said while it was away, in order and once', async () => {
    const memory = makeMemory()
    await bridge.stop()
    const inbox = makeInbox()
    bridge = await startBridge([room], memory, inbox)
    await send(delivery(message('ours')))
    await bridge.stop()
    for (let i = 0; i < 250; i++) await anna.say(room, `away ${i}`, `w${i}`)
    await anna.until('the last', one => one.getChildText('body') === 'away 249' && one.attrs.from?.startsWith(room) === true)
    bridge = await startBridge([room], memory, inbox)
    for (let i = 0; i < 20; i++) await anna.say(room, `live ${i}`, `l${i}`)
    await inbox.until('all', () => inbox.arrivals.length >= 270)
    assert.deepEqual(inbox.arrivals.map(textOf), [
      ...Array.from({ length: 250 }, (_, i) => `away ${i}`), ...Array.from({ length: 20 }, (_, i) => `live ${i}`)
    ])
    const senders = new Set(inbox.arrivals.map(one => one.kind === 'message' ? one.sender.id : ''))
    assert.equal(senders.size, 1, 'the same person live and in the archive')
    await bridge.stop()
    bridge = await startBridge([room], memory, inbox)
    await anna.say(room, 'end', 'end')
    await inbox.until('end', () => inbox.arrivals.some(one => textOf(one) === 'end'))
    assert.equal(inbox.arrivals.length, 271)
  })

  it('reads the archive on from where it was, past our own messages', async () => {
    const memory = makeMemory()
    const inbox = makeInbox()
    await bridge.stop()
    bridge = await startBridge([room], memory, inbox)
    const read = (): string | undefined => memory.get(`read ${room}`)
    await until(() => read() !== undefined, 'the first look at the archive', 60_000)
    const before = read()
    const sent = await send(delivery(message('ours')))
    await bridge.stop()
    bridge = await startBridge([room], memory, inbox)
    await until(() => read() !== before, 'the look at the archive after the restart', 60_000)
    assert.deepEqual(JSON.parse(read() ?? ''), [sent.ids[1], ''])
    await anna.say(room, 'theirs', 't1')
    await inbox.until('theirs', () => inbox.arrivals.length === 1)
  })

  it('pauses when nothing can be stored, and loses nothing', async () => {
    bridge.inbox.refusing = new Unavailable('disk full')
    for (let i = 0; i < 50; i++) await anna.say(room, `p${i}`, `p${i}`)
    await anna.until('the last', one => one.getChildText('body') === 'p49')
    bridge.inbox.refusing = undefined
    await bridge.inbox.until('all', () => bridge.inbox.arrivals.length === 50)
    assert.deepEqual(bridge.inbox.arrivals.map(textOf), Array.from({ length: 50 }, (_, i) => `p${i}`))
  })

  it('sets a room aside that is crowded: the other is live, and then everything is there in order', async () => {
    const other = `neben${++count}@${server.muc}`
    await bridge.stop()
    bridge = await startBridge([room, other])
    await anna.enter(other, 'Anna')
    const heard = (id: string): string[] => bridge.inbox.arrivals.filter(one => one.place.id === id).map(textOf)
    bridge.inbox.crowded.add(room)
    for (let i = 0; i < 300; i++) {
      await anna.say(room, `c${i}`, `c${i}`)
      if (i % 10 === 0) await anna.say(other, `o${i}`, `o${i}`)
    }
    await bridge.inbox.until('the other room', () => heard(other).length === 30)
    await send(delivery(message('and ours are confirmed')))
    assert.deepEqual(heard(room), [])
    bridge.inbox.crowded.clear()
    await anna.say(room, 'c300', 'c300')
    await bridge.inbox.until('all', () => heard(room).length >= 301)
    assert.deepEqual(heard(room), Array.from({ length: 301 }, (_, i) => `c${i}`))
    assert.deepEqual(heard(other), Array.from({ length: 30 }, (_, i) => `o${i * 10}`))
  })

  it('goes on in order when the server restarts in the middle', async () => {
    const todo = Array.from({ length: 300 }, (_, i) => delivery(message(`r${i}`)))
    let restarted: Promise<void> | undefined
    const failed: unknown[] = []
    for (let next = 0; next < todo.length;) { // as a lane does: a window, and back to the first unanswered one
      const batch = todo.slice(next, next + 50)
      const results = await Promise.allSettled(batch.map(one => send(one, 5_000)))
      const bad = results.findIndex(one => one.status === 'rejected')
      if (next === 100 && restarted === undefined) restarted = server.restart()
      next += bad < 0 ? batch.length : bad
      if (bad < 0) continue
      failed.push((results[bad] as PromiseRejectedResult).reason)
      await restarted
      await bridge.inbox.until('back', () => bridge.inbox.connections.get('rooms') === true)
    }
    assert.ok(failed.every(one => one instanceof Unavailable))
    anna = await startPerson(server, 'anna', 'a')
    const found = await Promise.all(todo.map(one => bridge.network.find?.(one, AbortSignal.timeout(60_000))))
    assert.ok(found.every(one => one !== undefined), 'each is found')
    const first = [...new Set((await anna.archived(room)).filter(body => body.startsWith('r')))]
    assert.deepEqual(first, todo.map((_, i) => `r${i}`), 'none is missing, and each came in its turn')
  })

  it('shows people\'s pictures on both sides', async () => {
    const hash = createHash('sha1').update(PICTURE).digest('hex')
    const vcard = xml('vCard', { xmlns: 'vcard-temp' }, xml('PHOTO', {}, xml('TYPE', {}, 'image/png'), xml('BINVAL', {}, PICTURE.toString('base64'))))
    await anna.client.iqCaller.request(xml('iq', { type: 'set' }, vcard))
    const update = xml('x', { xmlns: 'vcard-temp:x:update' }, xml('photo', {}, hash))
    await anna.client.send(xml('presence', { to: `${room}/Anna` }, update))
    await anna.say(room, 'this is me', 'picture')
    await bridge.inbox.until('the message', () => bridge.inbox.arrivals.length === 1)
    const [said] = bridge.inbox.arrivals
    const avatar = said?.kind === 'message' ? said.sender.avatar : undefined
    assert.ok(avatar !== undefined && avatar.ref.endsWith(` ${hash}`))
    const { stream, mime } = await bridge.network.open(avatar.ref, AbortSignal.timeout(60_000))
    assert.deepEqual([await buffer(stream), mime], [PICTURE, 'image/png'])

    await send(delivery(message('and this is me'), { ...bob, avatar: { network: 'other', ref: 'bob' } }))
    await anna.until('Bob\'s picture', one => one.is('presence') && one.attrs.from === `${room}/${bob.name}` &&
      one.getChild('x', 'vcard-temp:x:update')?.getChildText('photo') === hash)
    const shown = (await anna.ask('get', `${room}/${bob.name}`, xml('vCard', { xmlns: 'vcard-temp' }))).getChild('vCard', 'vcard-temp')
    assert.equal(shown?.getChildText('FN'), bob.name)
    assert.equal(shown.getChild('PHOTO')?.getChildText('BINVAL'), PICTURE.toString('base64'))
    await assert.rejects(anna.ask('get', `${ghostLocal(bob.person)}@${DOMAIN}`, xml('vCard', { xmlns: 'vcard-temp' })),
      { condition: 'service-unavailable' }, 'only rooms are told')
  })

  it('answers who it is, and that nobody reads direct messages', async () => {
    const info = await anna.ask('get', DOMAIN, xml('query', { xmlns: 'http://jabber.org/protocol/disco#info' }))
    assert.equal(info.getChild('query')?.getChild('identity')?.attrs.category, 'gateway')
    await anna.ask('get', `zentrale@${DOMAIN}`, xml('ping', { xmlns: 'urn:xmpp:ping' }))
    await assert.rejects(anna.ask('get', DOMAIN, xml('query', { xmlns: 'urn:unknown' })), { condition: 'service-unavailable' })
    await anna.client.send(xml('message', { to: `zentrale@${DOMAIN}`, type: 'chat', id: 'direct' }, xml('body', {}, 'anyone?')))
    const bounce = await anna.until('bounce', one => one.attrs.id === 'direct')
    assert.equal(bounce.attrs.type, 'error')
  })
}
