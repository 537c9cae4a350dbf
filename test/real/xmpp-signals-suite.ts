/** Typing and read marks: what must hold with every XMPP server; run with Prosody and with ejabberd. */
import assert from 'node:assert/strict'
import { xml, type Element } from '@xmpp/client'
import type { XmppServer, XmppServerOptions } from '../../sandbox/servers/prosody'
import type { Place } from '../../src/model/address'
import type { Persona } from '../../src/model/message'
import { presenceOf, type SignalIn, type SignalOut } from '../../src/model/signal'
import { MUC } from '../support/xmpp-person'
import { ANNA, came, delivery, heardBody, IDENTITY, OURS, say, send, xmppGround } from '../support/xmpp-ground'

const INFO = 'http://jabber.org/protocol/disco#info'
const STATES = 'http://jabber.org/protocol/chatstates'
const MARKERS = 'urn:xmpp:chat-markers:0'
const bob: Persona = { person: { network: 'other', id: '@bob:example.org' }, name: 'Bob (M)' }
const eva: Persona = { person: { network: 'other', id: '@eva:example.org' }, name: 'Eva (M)' }

export const xmppSignalsSuite = (start: (options: XmppServerOptions) => Promise<XmppServer>): void => {
  const at = xmppGround(start)
  const type = (place: Place, typing: boolean, as?: Persona): void =>
    at.network.signal?.({ place, does: { kind: 'typing', typing }, ...as && { as: as.person } })
  const read = (place: Place, upTo: SignalOut['does'] & { kind: 'read' }, as?: Persona): void =>
    at.network.signal?.({ place, does: upTo, ...as && { as: as.person } })
  const shows = (name: string, from: string): Promise<Element> => at.anna.until(`${name} from ${from}`, one =>
    one.is('message') && one.attrs.from === from && (one.getChild(name, STATES) ?? one.getChild(name, MARKERS)) !== undefined)
  const comes = (fits: (signal: SignalIn) => boolean): Promise<void> => at.inbox.until('a signal', () => at.inbox.signals.some(fits))

  it('in a room are shown by who is inside, and come in from everybody else', async () => {
    const room = `raum@${at.server.muc}`
    const place = { network: 'xmpp', id: room }
    await at.anna.enter(room, 'Anna')
    await at.anna.ask('set', room, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' })))
    at.network.attend([place])
    await at.inbox.until('in the room', () => at.inbox.connections.get('rooms') === true)
    const { ids: [, answer = ''] } = await send(at, delivery(say('Kommt ihr?'), place, { as: bob }))
    await at.anna.say(room, 'Ja', 'a1')
    const [said] = await came(at, 1)
    type(place, true, eva)
    type(place, true, bob)
    await shows('composing', `${room}/${bob.name}`)
    type(place, false, bob)
    await shows('active', `${room}/${bob.name}`)
    assert.ok(said?.kind === 'message' && said.named !== undefined)
    read(place, { kind: 'read', upTo: { said: said.named } }, bob)
    const mark = await shows('displayed', `${room}/${bob.name}`)
    assert.equal(mark.getChild('displayed', MARKERS)?.attrs.id, said.named)
    read(place, { kind: 'read', upTo: { said: said.named } })
    await shows('displayed', `${room}/Zentrale`)
    assert.ok(at.anna.heard.every(one => one.attrs.from !== `${room}/${eva.name}`), 'nobody came for it')

    const by = (...inside: Element[]): Promise<void> => at.anna.send(xml('message', { to: room, type: 'groupchat' }, ...inside))
    await by(xml('composing', { xmlns: STATES }))
    await comes(({ sender, does }) => sender.id === said.sender.id && does.kind === 'typing' && does.typing)
    await by(xml('displayed', { xmlns: MARKERS, id: answer }))
    await comes(({ sender, does }) => sender.id === said.sender.id && does.kind === 'read' && does.upTo[0] === answer)
    assert.equal(at.inbox.arrivals.length, 1, 'and nothing of it is stored')
  })

  it('say who is away in a room: ghosts that are inside, also under another name, and others, also before we entered', async () => {
    const room = `weg@${at.server.muc}`
    const place = { network: 'xmpp', id: room }
    const appears = (show: string, status: string): Promise<void> =>
      at.anna.send(xml('presence', { to: `${room}/Anna` }, xml('show', {}, show), xml('status', {}, status)))
    await at.anna.enter(room, 'Anna')
    await at.anna.ask('set', room, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' })))
    await appears('dnd', 'am Telefon')
    at.inbox.wants = true
    at.network.attend([place])
    const says = (what: string): Promise<void> => at.inbox.until(what, () => [...at.inbox.present.values()].includes(what))
    await says('busy: am Telefon')
    await appears('xa', '')
    await says('away')
    await send(at, delivery(say('Hallo'), place, { as: bob }))
    at.network.signal?.({ place, as: bob.person, does: presenceOf('away', 'zu Tisch') })
    const shown = (nick: string): Promise<Element> => at.anna.until(`${nick} is away`, one =>
      one.is('presence') && one.attrs.from === `${room}/${nick}` && one.getChildText('show') === 'away')
    assert.equal((await shown(bob.name)).getChildText('status'), 'zu Tisch')
    await send(at, delivery(say('Ich heiße anders'), place, { as: { ...bob, name: 'Bobby (M)' } }))
    await shown('Bobby (M)')
    assert.deepEqual([...at.inbox.present.values()], ['away'], 'and ours are nobody')
  })

  it('in a direct chat are those of the address, and come in from its contact', async () => {
    const place = { network: 'xmpp', id: `${OURS} ${ANNA}` }
    await at.anna.send(xml('message', { to: OURS, type: 'chat', id: 'a2' }, xml('body', {}, 'Hallo?'), xml('active', { xmlns: STATES })))
    await came(at, 1)
    await at.anna.send(xml('message', { to: OURS, type: 'chat' }, xml('composing', { xmlns: STATES })))
    await comes(one => one.place.id === place.id && one.sender.id === ANNA && one.does.kind === 'typing' && one.does.typing)
    await at.anna.send(xml('message', { to: OURS, type: 'chat' }, xml('displayed', { xmlns: MARKERS, id: 'key-1' })))
    await comes(({ does }) => does.kind === 'read' && does.upTo[0] === 'key-1')
    type(place, true)
    await shows('composing', `${OURS}/zentrale`)
    read(place, { kind: 'read', upTo: { said: 'a2' } })
    assert.equal((await shows('displayed', `${OURS}/zentrale`)).getChild('displayed', MARKERS)?.attrs.id, 'a2')
    assert.equal(at.inbox.arrivals.length, 1)
  })

  it('are announced by an address, and read marks asked for, only where they are switched on', async () => {
    const place = { network: 'xmpp', id: `${OURS} ${ANNA}` }
    const asks = async (text: string): Promise<boolean> => {
      await send(at, delivery(say(text), place))
      return (await heardBody(at.anna, text)).getChild('markable', MARKERS) !== undefined
    }
    const features = async (): Promise<unknown[]> => {
      const answer = await at.anna.ask('get', OURS, xml('query', { xmlns: INFO }))
      const all = answer.getChild('query', INFO)?.getChildren('feature').map(({ attrs }) => String(attrs.var)) ?? []
      return all.filter(one => one === STATES || one === MARKERS)
    }
    assert.deepEqual([await features(), await asks('ohne')], [[], false])
    at.network.serve([{ ...IDENTITY, shows: { typing: true, read: true } }])
    assert.deepEqual([await features(), await asks('mit')], [[STATES, MARKERS], true])
  })
}
