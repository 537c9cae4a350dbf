/** Who is in rooms: what must hold with every XMPP server; run with Prosody and with ejabberd. */
import assert from 'node:assert/strict'
import { xml, type Element } from '@xmpp/client'
import type { XmppServer, XmppServerOptions } from '../../sandbox/servers/prosody'
import type { Place } from '../../src/model/address'
import { Refused } from '../../src/model/errors'
import type { Persona } from '../../src/model/message'
import { toPlain } from '../../src/model/text'
import { until } from '../support/practice'
import { type Proxy, startProxy } from '../support/proxy'
import { MUC, type XmppPerson } from '../support/xmpp-person'
import { came, delivery, DOMAIN, say, send, xmppGround } from '../support/xmpp-ground'

const bob: Persona = { person: { network: 'other', id: '@bob:example.org' }, name: 'Bob (M)' }
const eva: Persona = { person: { network: 'other', id: '@eva:example.org' }, name: 'Eva (M)' }
const max: Persona = { person: { network: 'other', id: '@max:example.org' }, name: 'Max (M)' }

export const xmppMembersSuite = (start: (options: XmppServerOptions) => Promise<XmppServer>): void => {
  const at = xmppGround(start)
  let number = 0
  let room: string
  let place: Place
  const admin = (to: string, payload: Element): Promise<Element> => at.anna.ask('set', to, payload)
  const item = (attrs: Record<string, string>): Promise<Element> => admin(room, xml('query', { xmlns: `${MUC}#admin` }, xml('item', attrs)))
  const attend = async (): Promise<void> => {
    at.inbox.wants = true
    at.network.attend([place])
    await at.inbox.until('in the room', () => at.inbox.connections.get('rooms') === true)
  }
  const has = (...names: string[]): Promise<void> =>
    at.inbox.until(names.join(), () => at.inbox.names(place).join() === names.toSorted().join())
  const members = (whole: boolean, ...people: Persona[]): void => at.network.members?.({ place, members: people, whole })
  /** Who is in the room, as she sees it. */
  const inside = (): string[] => {
    const there = new Set<string>()
    for (const one of at.anna.heard) {
      const [from, nick = ''] = String(one.attrs.from).split('/')
      if (!one.is('presence') || from !== room || nick === '') continue // some rooms have a presence of their own
      if (one.attrs.type === undefined) there.add(nick)
      else there.delete(nick)
    }
    return [...there].sort()
  }
  const sees = async (...nicks: string[]): Promise<void> => {
    await at.anna.until(`sees ${nicks.join()}, not ${inside().join()}`, () => inside().join() === nicks.toSorted().join())
  }
  const enters = (who: XmppPerson, nick: string): Promise<void> => who.enter(room, nick)

  beforeEach(async () => {
    room = `leute${++number}@${at.server.muc}`
    place = { network: 'xmpp', id: room }
    await enters(at.anna, 'Anna')
    await admin(room, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' })))
  })

  it('are without any of ours when the room is in no mirror any more, until it is in one again', async () => {
    await attend()
    await send(at, delivery(say('bin da'), place, { as: bob }))
    members(true, bob, eva)
    await sees('Anna', 'Bob (M)', 'Eva (M)', 'Zentrale')
    await at.network.forget!([place])
    await sees('Anna')
    await at.network.forget!([place]) // as after a crash
    await at.inbox.until('nothing is missed', () => at.inbox.connections.get('rooms') === true)
    await at.anna.say(room, 'unter uns', 'u1')
    await attend()
    await sees('Anna', 'Zentrale')
    await at.anna.say(room, 'mit allen', 'u2')
    await at.inbox.until('what is said now', () => at.inbox.arrivals.some(one => one.kind === 'message' && toPlain(one.content.text) === 'mit allen'))
  })

  it('are told, all at the start and then as they come, go and are called; ours are nobody', async () => {
    await enters(at.carl, 'Carl')
    await attend()
    await has('Anna', 'Carl')
    await send(at, delivery(say('Ich bin niemand'), place, { as: bob }))
    members(true, bob, eva)
    await sees('Anna', 'Bob (M)', 'Carl', 'Eva (M)', 'Zentrale')
    await at.carl.send(xml('presence', { to: `${room}/Karl` }))
    await has('Anna', 'Karl')
    await at.carl.leave(room, 'Karl')
    await has('Anna')
    assert.equal(at.inbox.news.some(one => one.kind === 'went' && one.how === 'lost'), true)
    await enters(at.carl, 'Carl')
    await has('Anna', 'Carl')
    await item({ nick: 'Carl', role: 'none' })
    await has('Anna')
    await item({ jid: 'carl@localhost', affiliation: 'outcast' })
    await item({ jid: 'carl@localhost', affiliation: 'none' })
    await enters(at.carl, 'Carl')
    await has('Anna', 'Carl')
    await item({ jid: 'carl@localhost', affiliation: 'outcast' })
    await has('Anna')
    const hows = at.inbox.news.flatMap(one => one.kind === 'went' && one.how !== 'left' ? [one.how] : [])
    assert.deepEqual(hows.slice(-3), ['lost', 'kicked', 'banned']) // before that, where a room gives no ids, the other nick
    const all = at.inbox.news.flatMap(one => one.kind === 'all' ? one.members : one.kind === 'came' ? [one.member] : [])
    assert.deepEqual([...new Set(all.map(({ name }) => name))].sort(), ['Anna', 'Carl', 'Karl'], 'none of ours was ever told')
    await at.network.stop()
    await at.startBridge()
    await attend()
    await has('Anna')
  })

  it('who forge the mark of a switchboard are people all the same', async () => {
    await attend()
    await at.anna.say(room, 'hört mich jemand?', 'f1', xml('mark', { xmlns: 'urn:zentrale:mark:1', hops: '3' }))
    const [said] = await came(at, 1)
    assert.ok(said?.kind === 'message' && said.sender.hops === undefined)
  })

  it('of other places come in, change their names, and go, without a word', async () => {
    await attend()
    members(true, bob, eva)
    await sees('Anna', 'Bob (M)', 'Eva (M)', 'Zentrale')
    members(false, { ...bob, name: 'Robert (M)' }, max)
    await sees('Anna', 'Eva (M)', 'Max (M)', 'Robert (M)', 'Zentrale')
    members(true, { ...bob, name: 'Robert (M)' })
    await sees('Anna', 'Robert (M)', 'Zentrale')
    assert.deepEqual(at.anna.bodies(room), [])
    await at.network.stop()
    await at.startBridge()
    members(true, bob)
    await attend()
    await sees('Anna', 'Bob (M)', 'Zentrale')
  })

  it('of other places who are erased leave every room, and come no more with those who are listed there', async () => {
    await attend()
    await send(at, delivery(say('bin da'), place, { as: bob }))
    members(true, bob, eva)
    await sees('Anna', 'Bob (M)', 'Eva (M)', 'Zentrale')
    assert.deepEqual(await at.network.eraseGhosts?.([bob.person]), [])
    await sees('Anna', 'Eva (M)', 'Zentrale')
    await enters(at.carl, 'Carl')
    await send(at, delivery(say('weiter'), place, { as: eva }))
    await sees('Anna', 'Carl', 'Eva (M)', 'Zentrale')
    await at.network.stop()
    await assert.rejects(at.network.eraseGhosts!([eva.person]), { name: 'Unavailable' })
    await at.startBridge()
  })

  it('of other places who are put out come again only to speak, or on a new visit; those who may not enter keep nobody out', async () => {
    await attend()
    members(true, bob, eva)
    await sees('Anna', 'Bob (M)', 'Eva (M)', 'Zentrale')
    await item({ nick: 'Bob (M)', role: 'none' })
    await item({ nick: 'Eva (M)', role: 'none' })
    await sees('Anna', 'Zentrale')
    members(true, bob, eva, max)
    await sees('Anna', 'Max (M)', 'Zentrale')
    const word = delivery(say('Doch noch ein Wort'), place, { as: bob })
    await until(() => send(at, word).then(() => true, () => false), 'he speaks') // not at once: see expulsion.test.ts
    await sees('Anna', 'Bob (M)', 'Max (M)', 'Zentrale')
    members(true, bob, max)
    members(true, bob, max, eva)
    await sees('Anna', 'Bob (M)', 'Eva (M)', 'Max (M)', 'Zentrale')
  })

  const behindProxy = async (): Promise<Proxy> => {
    const proxy = await startProxy(at.server.componentPort)
    await at.network.stop()
    await at.startBridge(proxy.port)
    return proxy
  }

  /** The process dies, and starts anew without the proxy. Resolves with what ends the dead one. */
  const crash = async (proxy: Proxy): Promise<() => Promise<void>> => {
    const dead = at.network
    proxy.refuse = true
    proxy.reset()
    await at.startBridge()
    return async () => {
      await dead.stop()
      await proxy.stop()
    }
  }

  it('of other places who have gone while the stream was down, or the process dead, are in the room no longer', async () => {
    const proxy = await behindProxy()
    await attend()
    members(true, bob, eva, max)
    await sees('Anna', 'Bob (M)', 'Eva (M)', 'Max (M)', 'Zentrale')
    proxy.reset()
    members(true, bob, eva)
    await sees('Anna', 'Bob (M)', 'Eva (M)', 'Zentrale')
    const over = await crash(proxy)
    await attend()
    members(true, bob)
    await sees('Anna', 'Bob (M)', 'Zentrale')
    await over()
  })

  it('of other places leave a room that has banned us after a crash, also if they were about to speak again', async () => {
    const proxy = await behindProxy()
    await attend()
    members(true, bob, eva)
    await sees('Anna', 'Bob (M)', 'Eva (M)', 'Zentrale')
    const over = await crash(proxy)
    await item({ jid: `zentrale@${DOMAIN}`, affiliation: 'outcast' })
    at.network.attend([place])
    await assert.rejects(send(at, delivery(say('noch da?'), place, { as: bob })), Refused)
    await sees('Anna')
    await over()
  })

  it('of other places ask for no voice where only some may speak', async () => {
    await admin(room, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' },
      xml('field', { var: 'FORM_TYPE', type: 'hidden' }, xml('value', {}, `${MUC}#roomconfig`)),
      xml('field', { var: 'muc#roomconfig_moderatedroom' }, xml('value', {}, '1')))))
    await attend()
    members(true, bob)
    await sees('Anna', 'Bob (M)', 'Zentrale')
    assert.deepEqual(at.anna.bodies(room), [])
    assert.ok(!at.anna.heard.some(one => one.is('message') && one.toString().includes('muc#request')))
    assert.equal(at.inbox.connections.get('rooms'), true)
  })
}
