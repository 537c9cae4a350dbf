/** What rooms show of themselves: what must hold with every XMPP server; run with Prosody and with ejabberd. */
import assert from 'node:assert/strict'
import { xml, type Element } from '@xmpp/client'
import type { XmppServer, XmppServerOptions } from '../../sandbox/servers/prosody'
import type { Place } from '../../src/model/address'
import { Refused } from '../../src/model/errors'
import type { Delivery, Persona, Sent, Shown } from '../../src/model/message'
import { delivery, DOMAIN, LOGO, say, send, xmppGround } from '../support/xmpp-ground'
import { MUC } from '../support/xmpp-person'

const bob: Persona = { person: { network: 'other', id: '@bob:example.org' }, name: 'Bob (M)' }
const ZENTRALE = `zentrale@${DOMAIN}`
let count = 0

/** `pictures`: whether the server keeps pictures of rooms (XEP-0486). */
export const xmppProfileSuite = (start: (options: XmppServerOptions) => Promise<XmppServer>, pictures: boolean): void => {
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
    const isLookedAt = (): boolean => at.inbox.profiles.some(({ place: { id }, shown: { what } }) => id === room && what === 'name')
    await at.inbox.until('a look at the room', isLookedAt) // it would find what we set before
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

  it('of which the name is changed by owners only comes in and goes out, and one of before is only looked at', async () => {
    const named = async (name: string): Promise<void> => {
      await at.anna.ask('set', room, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' },
        xml('field', { var: 'FORM_TYPE' }, xml('value', {}, `${MUC}#roomconfig`)), xml('field', { var: 'muc#roomconfig_roomname' },
          xml('value', {}, name)))))
    }
    const names = (): string[] => at.inbox.profiles.filter(({ place: { id }, shown: { what } }) => id === room && what === 'name')
      .map(({ shown: { value }, by }) => `${value}${by === undefined ? '' : '!'}`)
    await at.inbox.until('the look', () => names().length === 1)
    await named('Hers')
    await at.inbox.until('her name', () => names().includes('Hers'))
    await assert.rejects(send(at, change({ what: 'name', value: 'Ours' })), Refused)
    await rule('owner')
    assert.equal((await send(at, change({ what: 'name', value: 'Ours' }))).shows, 'Ours')
    const info = await at.anna.ask('get', room, xml('query', { xmlns: 'http://jabber.org/protocol/disco#info' }))
    assert.equal(info.getChild('query')?.getChild('identity')?.attrs['name'], 'Ours')
    await named('Hers again')
    await at.inbox.until('her name again', () => names().includes('Hers again'))
    assert.ok(!names().includes('Ours'), 'ours does not come back')
  })

  it('is the picture too, where the server keeps one, and only for an owner', async () => {
    const picture = (ref: string): Promise<Sent> => send(at, change({ what: 'picture', value: ref }))
    await assert.rejects(picture('png'), Refused)
    await rule('owner')
    await assert.rejects(picture('nothing there'), Refused)
    if (!pictures) return await assert.rejects(picture('png'), Refused)
    const { shows = '' } = await picture('png')
    const { stream } = await at.network.open(shows, AbortSignal.timeout(10_000))
    assert.deepEqual(Buffer.concat(await stream.toArray() as Buffer[]), LOGO.bytes)
    const before = at.inbox.profiles.length
    await picture('png')
    const hers = Buffer.from('89504e470d0a1a0a00', 'hex')
    await at.anna.ask('set', room, xml('vCard', { xmlns: 'vcard-temp' },
      xml('PHOTO', {}, xml('TYPE', {}, 'image/png'), xml('BINVAL', {}, hers.toString('base64')))))
    await at.inbox.until('hers', () => at.inbox.profiles.slice(before).some(({ shown: { what, value } }) => what === 'picture' && value !== shows))
    assert.ok(at.inbox.profiles.every(({ shown }) => shown.value !== shows), 'ours does not come back')
  })

  it('is for a ghost also the hat of its network, which Zentrale itself has not', async () => {
    await send(at, delivery(say('Hallo'), place(), { as: bob }))
    const hats = async (nick: string): Promise<Element | undefined> =>
      (await at.anna.until(nick, one => one.is('presence') && one.attrs.from === `${room}/${nick}`)).getChild('hats', 'urn:xmpp:hats:0')
    assert.deepEqual((await hats(bob.name))?.getChild('hat')?.attrs, { uri: 'urn:zentrale:network:other', title: 'M' })
    assert.equal(await hats('Zentrale'), undefined)
  })

  it('is refused where we may not change it', async () => {
    await rule('none')
    await at.anna.until('Zentrale is no admin', one => one.is('presence') && one.attrs.from === `${room}/Zentrale` &&
      one.getChild('x', `${MUC}#user`)?.getChild('item')?.attrs.affiliation === 'none')
    const before = count
    await assert.rejects(send(at, topic(`Forbidden ${before}`)), Refused)
  })
}
