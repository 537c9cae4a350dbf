/** What rooms show of themselves: what must hold with every XMPP server; run with Prosody and with ejabberd. */
import assert from 'node:assert/strict'
import { xml, type Element } from '@xmpp/client'
import type { XmppServer, XmppServerOptions } from '../../sandbox/servers/prosody'
import type { Place } from '../../src/model/address'
import { Refused } from '../../src/model/errors'
import type { Delivery, Persona, Shown } from '../../src/model/message'
import { delivery, DOMAIN, send, xmppGround } from '../support/xmpp-ground'
import { MUC } from '../support/xmpp-person'

const bob: Persona = { person: { network: 'other', id: '@bob:example.org' }, name: 'Bob (M)' }
const ZENTRALE = `zentrale@${DOMAIN}`
let count = 0

export const xmppProfileSuite = (start: (options: XmppServerOptions) => Promise<XmppServer>): void => {
  const at = xmppGround(start)
  let room = ''
  const place = (): Place => ({ network: 'xmpp', id: room })
  const change = (shown: Shown): Delivery => delivery({ kind: 'profile', shown, change: { network: 'other', key: 'x' } }, place(), { as: bob })
  const topic = (value: string): Delivery => change({ what: 'topic', value })
  const sets = (subject: string): Promise<void> =>
    at.anna.send(xml('message', { to: room, type: 'groupchat', id: `s${++count}` }, xml('subject', {}, subject)))
  const seesTopic = (value: string): Promise<Element> => at.anna.until(value, one => one.getChildText('subject') === value)
  const topics = (): [string, boolean][] => at.inbox.profiles.filter(({ place: { id }, shown: { what } }) => id === room && what === 'topic')
    .map(({ shown: { value }, by }) => [value, by !== undefined])
  const comes = (value: string): Promise<void> => at.inbox.until(`topic ${value}`, () => topics().some(([one]) => one === value))
  const rule = (affiliation: string) =>
    at.anna.ask('set', room, xml('query', { xmlns: `${MUC}#admin` }, xml('item', { jid: ZENTRALE, affiliation })))
  const isIn = (): Promise<void> => at.inbox.until('in the room', () => at.inbox.connections.get('rooms') === true)

  beforeEach(async () => {
    room = `schild${++count}@${at.server.muc}`
    await at.anna.enter(room, 'Anna')
    await at.anna.ask('set', room, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' })))
    await rule('admin')
    at.network.attend([place()])
    await isIn()
  })

  it('a subject that somebody sets comes in, and ours does not come back', async () => {
    await sets('Hers')
    await comes('Hers')
    const sent = await send(at, topic('Ours\nand more'))
    assert.equal(sent.shows, 'Ours\nand more')
    await seesTopic('Ours\nand more')
    await sets('Hers again')
    await comes('Hers again')
    assert.deepEqual(topics().filter(([value]) => value !== ''), [['Hers', true], ['Hers again', true]])
    assert.ok(at.anna.heard.every(one => one.attrs.from !== `${room}/${bob.name}`), 'and nobody comes in for it')
  })

  it('is not said again where it stands already', async () => {
    await sets('Plan')
    await comes('Plan')
    await send(at, topic('Plan'))
    await send(at, topic('Other'))
    await seesTopic('Other')
    assert.equal(at.anna.heard.filter(one => one.getChildText('subject') === 'Plan').length, 1)
  })

  it('is looked at after a restart: what was set meanwhile is seen, and our own is not taken for news', async () => {
    await send(at, topic('Ours'))
    await at.network.stop()
    await at.startBridge(at.server.componentPort, at.inbox)
    at.network.attend([place()])
    await isIn()
    await sets('After')
    await comes('After')
    assert.ok(topics().every(([value, heard]) => value !== 'Ours' && heard === (value === 'After')))
    await at.network.stop()
    await sets('Meanwhile')
    await seesTopic('Meanwhile')
    await at.startBridge(at.server.componentPort, at.inbox)
    at.network.attend([place()])
    await comes('Meanwhile')
  })

  it('is refused where we may not change it', async () => {
    await rule('none')
    await at.anna.until('Zentrale is no admin', one => one.is('presence') && one.attrs.from === `${room}/Zentrale` &&
      one.getChild('x', `${MUC}#user`)?.getChild('item')?.attrs.affiliation === 'none')
    const before = count
    await assert.rejects(send(at, topic(`Forbidden ${before}`)), Refused)
  })
}
