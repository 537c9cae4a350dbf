/** Rooms that their owners destroy in favour of another one: what must hold with every XMPP server; run with Prosody and with ejabberd. */
import assert from 'node:assert/strict'
import { xml, type Element } from '@xmpp/client'
import type { XmppServer, XmppServerOptions } from '../../sandbox/servers/prosody'
import type { Place } from '../../src/model/address'
import { Unavailable } from '../../src/model/errors'
import type { Delivery, Persona, Sent } from '../../src/model/message'
import { delivery, DOMAIN, heardBody, say, send, textOf, xmppGround } from '../support/xmpp-ground'
import { MUC, type XmppPerson } from '../support/xmpp-person'

const bob: Persona = { person: { network: 'other', id: '@bob:example.org' }, name: 'Bob (M)' }
const ZENTRALE = `zentrale@${DOMAIN}`

/** `tombstones`: the server still says of a room that is gone which other one replaces it. */
export const xmppSuccessorSuite = (start: (options: XmppServerOptions) => Promise<XmppServer>, tombstones: boolean): void => {
  const at = xmppGround(start)
  let [old, next] = ['', '']
  let count = 0

  const place = (): Place => ({ network: 'xmpp', id: old })
  const inRoom = (text: string): Delivery => delivery(say(text), place(), { as: bob })
  /** Sends as a lane does: what may work later is tried again. */
  const insist = async (one: Delivery): Promise<Sent> => {
    try { return await send(at, one) } catch (error) {
      if (error instanceof Unavailable && one.attempt < 100) return await insist({ ...one, attempt: one.attempt + 1 })
      throw error
    }
  }
  const make = async (who: XmppPerson, nick: string, room: string, fields: Record<string, string> = {}): Promise<void> => {
    await who.enter(room, nick)
    const field = (name: string, value: string): Element => xml('field', { var: name }, xml('value', {}, value))
    const all = { FORM_TYPE: `${MUC}#roomconfig`, 'muc#roomconfig_persistentroom': '1', ...fields }
    await who.ask('set', room, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' },
      ...Object.entries(all).map(([name, value]) => field(name, value)))))
  }
  const admit = (owner: XmppPerson): Promise<Element> =>
    owner.ask('set', next, xml('query', { xmlns: `${MUC}#admin` }, xml('item', { jid: ZENTRALE, affiliation: 'member' })))
  const OPEN = { 'muc#roomconfig_whois': 'anyone' }
  const destroy = (): Promise<Element> => at.anna.ask('set', old, xml('query', { xmlns: `${MUC}#owner` }, xml('destroy', { jid: next })))
  const attend = async (): Promise<void> => {
    at.network.attend([place()])
    await at.inbox.until('in', () => at.inbox.connections.get('rooms') === true)
  }
  const texts = (): string[] => at.inbox.arrivals.flatMap(one => one.kind === 'message' ? [textOf(one)] : [])
  const moves = (): (string | undefined)[] => at.inbox.standings.flatMap(({ moved }) => moved ?? [])
  const comes = (who: XmppPerson): Promise<Element> => who.until('Zentrale comes', ({ attrs }) =>
    attrs.from === `${next}/Zentrale` && attrs.type === undefined)

  beforeEach(() => { [old, next] = [`alt${++count}@${at.server.muc}`, `neu${count}@${at.server.muc}`] })

  it('moves with its owner to her other room, under the same place, says so once and loses nothing', async () => {
    await make(at.anna, 'Anna', old, OPEN)
    at.inbox.wants = true
    await attend()
    await send(at, inRoom('one'))
    await make(at.anna, 'Anna', next, OPEN)
    await at.anna.say(next, 'before', 'b1')
    await destroy()
    await insist(inRoom('two'))
    await at.anna.say(next, 'here', 'h1')
    await at.inbox.until('here', () => texts().includes('here'))
    await heardBody(at.anna, 'here')
    assert.deepEqual([texts(), at.anna.bodies(old), at.anna.bodies(next)], [['here'], ['one'], ['before', 'two', 'here']])
    const others = at.inbox.news.flatMap(one => one.kind === 'all' ? [one.others] : [])
    assert.deepEqual(others, ['lost', 'left'], 'as she was called in the old room she is nowhere')
    assert.ok(at.inbox.arrivals.every(one => one.kind === 'receipt' || one.place.id === old), JSON.stringify(at.inbox.arrivals))
    await at.network.stop()
    await at.anna.say(next, 'away', 'a1')
    await at.startBridge(at.server.componentPort, at.inbox)
    await attend()
    await at.inbox.until('away', () => texts().includes('away'))
    await insist(inRoom('three'))
    await heardBody(at.anna, 'three')
    await at.inbox.until('told', () => moves().length > 0)
    assert.deepEqual([texts(), moves()], [['here', 'away'], [next]])
    assert.ok(at.inbox.standings.every(({ standing }) => standing === 'in'))
  })

  it('carries nothing into or from a room of somebody else that is named, unless its owners make it a member', async () => {
    await make(at.anna, 'Anna', old)
    await attend()
    await make(at.carl, 'Carl', next, OPEN)
    await destroy()
    await comes(at.carl)
    await at.inbox.until('it waits', () => at.inbox.connections.get('rooms') === false)
    await at.carl.say(next, 'listen', 'l1')
    await assert.rejects(at.network.send(inRoom('secret'), AbortSignal.timeout(1_000)), Unavailable)
    assert.deepEqual([texts(), moves()], [[], []])
    assert.ok(!at.carl.bodies(next).includes('secret'))
    await at.carl.until('asked', one => one.attrs.from === `${next}/Zentrale` && one.getChildText('body')?.includes(ZENTRALE) === true)
    await admit(at.carl)
    await insist(inRoom('for all'))
    await heardBody(at.carl, 'for all')
    await at.inbox.until('told', () => moves().length > 0)
  })

  it('waits for a room that is made only after the other is gone, and makes none itself', async () => {
    await make(at.anna, 'Anna', old, OPEN)
    await attend()
    await destroy()
    await at.inbox.until('it waits', () => at.inbox.connections.get('rooms') === false)
    await make(at.anna, 'Anna', next, OPEN)
    await admit(at.anna) // if it came before the room showed addresses, it has not seen that she owns it
    await insist(inRoom('one'))
    await heardBody(at.anna, 'one')
    assert.deepEqual(at.anna.bodies(next).filter(body => !body.includes(ZENTRALE)), ['one']) // nor has it seen that it need not ask, then
  })

  if (tombstones) {
    it('finds on its return that a room has moved', async () => {
      await make(at.anna, 'Anna', old, OPEN)
      await attend()
      await at.network.stop()
      await make(at.anna, 'Anna', next, OPEN)
      await destroy()
      await at.startBridge(at.server.componentPort, at.inbox)
      await attend()
      await insist(inRoom('one'))
      await heardBody(at.anna, 'one')
      await at.inbox.until('told', () => moves().length > 0)
      assert.deepEqual([at.anna.bodies(next), moves()], [['one'], [next]])
    })
  }
}
