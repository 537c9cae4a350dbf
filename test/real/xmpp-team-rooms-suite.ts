/** Rooms of our own for a team: what must hold with every XMPP server; run with Prosody and with ejabberd. */
import assert from 'node:assert/strict'
import { xml, type Element } from '@xmpp/client'
import type { XmppServer, XmppServerOptions } from '../../sandbox/servers/prosody'
import { Refused } from '../../src/model/errors'
import type { Delivery, RoomState } from '../../src/model/message'
import { plain } from '../../src/model/text'
import { until } from '../support/practice'
import { ANNA, came, CARL, delivery, DOMAIN, heardBody, IDENTITY, LOGO, OURS, say, send, textOf, xmppGround } from '../support/xmpp-ground'
import { MUC, type XmppPerson } from '../support/xmpp-person'

/** What the server keeps: how a member is called (XEP-0045 §9.3), pictures of rooms (XEP-0486). */
interface Keeps { nicks: boolean; pictures: boolean }

export const xmppTeamRoomsSuite = (start: (options: XmppServerOptions) => Promise<XmppServer>, keeps: Keeps): void => {
  const at = xmppGround(start)
  let number = 0
  let count = 0
  let room = ''
  const place = () => ({ network: 'xmpp', id: room })
  const make = (state: Partial<RoomState> = {}, more: Partial<Delivery> = {}): Delivery => delivery({
    kind: 'room', room: { name: 'Müller', topic: 'neu', people: [ANNA, CARL], from: OURS, ...state }
  }, place(), more)
  const says = (who: XmppPerson, body: string, ...more: Element[]): Promise<void> => who.say(room, body, `s${++count}`, ...more)
  const info = async (who = at.anna): Promise<string[]> => {
    const answer = await who.ask('get', room, xml('query', { xmlns: 'http://jabber.org/protocol/disco#info' }))
    return answer.getChild('query')?.getChildren('feature').map(({ attrs }) => attrs['var'] ?? '') ?? []
  }
  const heardSubject = (): Promise<Element> =>
    at.anna.until('subject', one => one.attrs.from?.startsWith(room) === true && one.getChild('subject') !== undefined)
  const invitation = (who: XmppPerson): Promise<Element> =>
    who.until('invitation', one => one.getChild('x', 'jabber:x:conference')?.attrs.jid === room)
  const roleOf = (who: XmppPerson, nick: string, role: string): Promise<Element> => who.until(`${nick} is ${role}`, one =>
    one.is('presence') && one.attrs.from === `${room}/${nick}` && one.getChild('x', `${MUC}#user`)?.getChild('item')?.attrs.role === role)
  const eva = { person: { network: 'other', id: '@eva:example.org' }, name: 'Eva (M)' }

  beforeEach(() => { room = at.network.naming.room('buergerbuero', ++number) ?? '' })

  it('or for a portal are destroyed in favour of the room that replaces them, also when we are not in there', async () => {
    const [here, now] = [{ network: 'xmpp', id: `_portal.x@${at.server.muc}` }, { network: 'xmpp', id: `raum@${at.server.muc}` }]
    const about = (): Promise<Element> => at.anna.ask('get', here.id, xml('query', { xmlns: 'http://jabber.org/protocol/disco#info' }))
    at.network.attend([here])
    await at.inbox.until('in', () => at.inbox.connections.get('rooms') === true)
    await about()
    await at.network.stop()
    await at.startBridge()
    await at.network.sendOn?.(here, now)
    await assert.rejects(about(), /gone|item-not-found/)
    await at.network.sendOn?.(here, now) // an answer may have been lost
  })

  it('are made closed, named and archived, and people are asked in by the address', async () => {
    await send(at, make())
    assert.equal((await invitation(at.anna)).attrs.from, OURS)
    await at.anna.enter(room, 'Anna')
    const features = await info()
    for (const feature of ['muc_membersonly', 'muc_nonanonymous', 'muc_persistent', 'muc_hidden', 'urn:xmpp:mam:2']) {
      assert.ok(features.includes(feature), feature)
    }
    const subject = await heardSubject()
    assert.equal(subject.getChildText('subject'), 'neu')
    await send(at, delivery(say('Eine Frage'), place(), { as: eva }))
    await send(at, delivery(say('Ein Hinweis'), place()))
    assert.equal((await heardBody(at.anna, 'Eine Frage')).attrs.from, `${room}/Eva (M)`)
    assert.equal((await heardBody(at.anna, 'Ein Hinweis')).attrs.from, `${room}/Zentrale`)
  })

  it('are made for an admin of all rooms of the server too, whom nobody can make a member', async () => {
    await send(at, make({ people: [`vera@${at.server.domain}`, ANNA] }))
    await invitation(at.anna)
    await at.anna.enter(room, 'Anna')
  })

  it('ask nobody in any more once their case is over, let the members stay, and ask again when it goes on', async () => {
    await send(at, make({ people: [ANNA] }))
    await invitation(at.anna)
    await at.anna.enter(room, 'Anna')
    await send(at, make({ withdrawn: 'Der Vorgang ist erledigt.' }))
    await assert.rejects(at.carl.enter(room, 'Carl'))
    await says(at.anna, 'Ich bin noch da')
    await send(at, make())
    await invitation(at.carl)
    await at.carl.enter(room, 'Carl')
  })

  it('show the picture of their address, where the server can', async () => {
    await send(at, make())
    await send(at, make({ name: 'Maier' }))
    await at.anna.enter(room, 'Anna')
    const vcard = await at.anna.ask('get', room, xml('vCard', { xmlns: 'vcard-temp' })).catch(() => undefined)
    const picture = vcard?.getChild('vCard', 'vcard-temp')?.getChild('PHOTO')?.getChildText('BINVAL')
    assert.equal(picture, keeps.pictures ? LOGO.bytes.toString('base64') : undefined)
  })

  it('name those of ours who are away as they were called, where the server can', async () => {
    await send(at, make())
    await send(at, delivery(say('Eine Frage'), place(), { as: eva }))
    await at.anna.enter(room, 'Anna')
    const answer = await at.anna.ask('get', room, xml('query', { xmlns: `${MUC}#admin` }, xml('item', { affiliation: 'member' })))
    const [ghost] = (answer.getChild('query')?.getChildren('item') ?? []).filter(({ attrs }) => attrs['jid']?.endsWith(`@${DOMAIN}`))
    if (keeps.nicks) assert.equal(ghost?.attrs['nick'], eva.name)
    await says(at.anna, 'Eine Antwort')
    await send(at, delivery(say('Danke'), place(), { as: { person: { network: 'other', id: '@ann:example.org' }, name: 'Anna' } }))
    // a name that somebody inside has is not taken away from them
    assert.equal((await heardBody(at.anna, 'Danke')).attrs.from, `${room}/Anna 2`)
    await send(at, delivery(say('Auch neu'), place(), { as: { person: { network: 'other', id: '@new:example.org' }, name: '\u{1FAE0} Neu' } }))
    await heardBody(at.anna, 'Auch neu') // letters that the server does not know
  })

  it('are gone when their case is forgotten, with all that is remembered of them', async () => {
    await send(at, make())
    await at.anna.enter(room, 'Anna')
    await send(at, delivery(say('Eine Frage'), place(), { as: eva }))
    await says(at.anna, 'Eine Antwort')
    await at.inbox.until('it', () => at.inbox.arrivals.length === 1)
    await at.network.forget!([place()])
    await at.anna.until('out', one => one.is('presence') && one.attrs.type === 'unavailable' && one.attrs.from === `${room}/Anna`)
    assert.match(await info().then(String, String), /item-not-found|gone|^$/)
    await at.network.forget!([place()]) // as after a crash
    await at.network.stop()
    assert.deepEqual(at.memory.keys('').filter(key => `${key} ${at.memory.get(key)}`.includes(room)), [])
    await at.startBridge()
    assert.match(await info().then(String, String), /item-not-found|gone|^$/, 'and it is not made again')
  })

  it('reveal nothing to somebody who guesses their numbers', async () => {
    await send(at, make({ people: [ANNA], name: '🟢 Dora Dachs · eva' }))
    await at.anna.enter(room, 'Anna')
    const counted = `_buergerbuero_${number}@${at.server.muc}`
    const answer = await at.carl.ask('get', counted, xml('query', { xmlns: 'http://jabber.org/protocol/disco#info' })).then(String, String)
    assert.doesNotMatch(answer, /Dora/)
    assert.match(answer, /item-not-found/)
  })

  it('keep strangers out from the first moment, and change nothing when made again', async () => {
    const making = send(at, make({ people: [ANNA] }))
    await until(() => info(at.carl).then(() => true, () => false), 'the room', 60_000)
    const early = at.carl.enter(room, 'Carl').then(() => true, () => false) // ejabberd has no lock on new rooms (XEP-0045 §10.1)
    await making
    await send(at, delivery(say('secret'), place(), { as: eva }))
    if (await early) await roleOf(at.carl, 'Carl', 'none')
    assert.deepEqual(at.carl.bodies(room), [])
    await assert.rejects(at.carl.enter(room, 'Carl 2'), /may not enter/)
    await at.anna.enter(room, 'Anna')
    await heardSubject()
    const before = at.anna.heard.length
    await send(at, make({ people: [ANNA] }))
    await at.anna.ask('get', room, xml('query', { xmlns: 'http://jabber.org/protocol/disco#info' }))
    const changes = at.anna.heard.slice(before).filter(one => !one.is('iq') && one.attrs.from?.startsWith(room) === true)
    assert.deepEqual(changes.map(String), [])
    assert.equal(at.anna.heard.filter(one => one.getChild('x', 'jabber:x:conference')?.attrs.jid === room).length, 1, 'asked in once')
  })

  it('take out whoever is no longer of the team before anything more is said', async () => {
    await send(at, make())
    await at.anna.enter(room, 'Anna')
    await at.carl.enter(room, 'Carl')
    await Promise.all([send(at, make({ people: [ANNA], topic: 'ohne Carl' })), send(at, delivery(say('not for Carl'), place()))])
    await heardBody(at.anna, 'not for Carl')
    await roleOf(at.carl, 'Carl', 'none')
    await at.anna.until('topic', one => one.getChildText('subject') === 'ohne Carl')
    assert.equal(at.carl.bodies(room).includes('not for Carl'), false)
    await assert.rejects(at.carl.enter(room, 'Carl 2'), /may not enter/)
  })

  it('let only the named people speak, whoever comes in later, until everybody may again', async () => {
    await send(at, make({ speakers: [ANNA] }))
    await at.anna.enter(room, 'Anna')
    await at.carl.enter(room, 'Carl')
    await roleOf(at.anna, 'Carl', 'visitor')
    await says(at.carl, 'muted')
    await at.carl.until('error', one => one.attrs.type === 'error' && one.is('message'))
    await send(at, delivery(say('Eva spricht'), place(), { as: eva }))
    await send(at, make())
    await roleOf(at.carl, 'Carl', 'participant')
    await says(at.carl, 'may speak')
    await heardBody(at.anna, 'may speak')
    await at.inbox.until('one', () => at.inbox.arrivals.some(one => textOf(one) === 'may speak'))
    assert.equal(at.inbox.arrivals.some(one => textOf(one) === 'muted'), false)
  })

  it('tell who speaks, also from the archive, and nobody can pretend to be another', async () => {
    const forged = xml('x', { xmlns: `${MUC}#user` }, xml('item', { jid: ANNA, affiliation: 'owner', role: 'moderator' }))
    await send(at, make())
    await at.carl.enter(room, 'Carl')
    await says(at.carl, 'live')
    await says(at.carl, 'live, forged', forged)
    await came(at, 2)
    const addressesOf = (): (string | undefined)[] => at.inbox.arrivals.map(one => one.kind === 'message' ? one.sender.address : 'none')
    assert.deepEqual(addressesOf(), [CARL, CARL])
    const { lastKey } = at.inbox
    const newest = await lastKey(place())
    await at.network.stop()
    await says(at.carl, 'away')
    await says(at.carl, 'away, forged', forged)
    await heardBody(at.carl, 'away, forged')
    await at.startBridge()
    at.inbox.lastKey = async () => newest
    at.network.attend([place()])
    await came(at, 2)
    assert.deepEqual(at.inbox.arrivals.map(textOf), ['away', 'away, forged'])
    assert.equal(addressesOf()[0], CARL)
    assert.notEqual(addressesOf()[1], ANNA)
  })

  it('say a word to one person in the room, as a reply; to whoever is not there, as the address; to whoever whispers, in private', async () => {
    await send(at, make())
    await at.anna.enter(room, 'Anna')
    await at.carl.enter(room, 'Carl')
    const toCarl = (text: string, of: string): Delivery =>
      delivery({ kind: 'message', content: { style: 'quiet', text: plain(text) }, addressee: { of, person: CARL } }, place())
    await says(at.carl, 'meine Antwort')
    const [{ key } = { key: '' }] = await came(at, 1)
    await send(at, toCarl('nicht gesendet', key))
    const heard = await heardBody(at.anna, 'Carl: nicht gesendet')
    assert.deepEqual([heard.attrs.from, heard.attrs.type], [`${room}/Zentrale`, 'groupchat'])
    const { id, to } = heard.getChild('reply', 'urn:xmpp:reply:0')?.attrs ?? {}
    assert.deepEqual([`${room} ${id}`, to], [key, `${room}/Carl`])
    await at.carl.client.send(xml('message', { to: `${room}/Zentrale`, type: 'chat', id: 'whispered' }, xml('body', {}, '!status')))
    const [, whispered] = await came(at, 2)
    await send(at, toCarl('alles ruhig', whispered?.key ?? ''))
    const answer = await heardBody(at.carl, 'alles ruhig')
    assert.deepEqual([answer.attrs.from, answer.attrs.type], [`${room}/Zentrale`, 'chat'])
    await at.carl.leave(room, 'Carl')
    await roleOf(at.anna, 'Carl', 'none')
    await says(at.anna, 'Carl ist weg')
    await came(at, 3)
    await send(at, toCarl('nicht da', key))
    assert.equal((await heardBody(at.carl, 'nicht da')).attrs.from, `${OURS}/zentrale`)
    await send(at, make({ from: `unknown@${DOMAIN}` }))
    await send(at, toCarl('für alle', key))
    assert.equal((await heardBody(at.anna, 'carl: für alle')).attrs.type, 'groupchat')
    assert.deepEqual(at.anna.bodies(room, 'Zentrale'), ['Carl: nicht gesendet', 'carl: für alle'])
  })

  it('take a command in a private message as said in the room, and nothing else', async () => {
    await send(at, make())
    await at.anna.enter(room, 'Anna')
    await send(at, delivery(say('Eva spricht'), place(), { as: eva }))
    const whisper = (nick: string, body: string): Promise<void> =>
      at.anna.client.send(xml('message', { to: `${room}/${nick}`, type: 'chat', id: `w${body}` }, xml('body', {}, body)))
    await whisper('Zentrale', 'doch nicht')
    await whisper('Zentrale', '!senden')
    await whisper(eva.name, '！frei')
    await at.anna.until('words', one => one.getChildText('body')?.includes('nur Befehle') === true && one.attrs.from === `${room}/Zentrale`)
    const arrivals = await came(at, 2)
    assert.deepEqual(arrivals.map(one => [textOf(one), one.place.id, one.kind === 'message' && one.sender.address]),
      [['!senden', room, ANNA], ['！frei', room, ANNA]])
  })

  it('work even if an address has our own name', async () => {
    const zentrale = `zentrale@${DOMAIN}`
    at.network.serve([IDENTITY, { id: zentrale, aliases: [], profile: { name: 'Zentrale', about: '' } }])
    await send(at, make())
    await at.anna.enter(room, 'Anna')
    await says(at.anna, 'im Raum')
    await at.anna.client.send(xml('message', { to: zentrale, type: 'chat', id: `z${room}` }, xml('body', {}, 'an die Zentrale')))
    const arrivals = await came(at, 2)
    assert.deepEqual(arrivals.map(({ place: { id } }) => id).sort(), [room, `${zentrale} ${ANNA}`].sort())
    const answer = say('Antwort')
    await send(at, delivery(answer, { network: 'xmpp', id: `${zentrale} ${ANNA}` }))
    assert.equal((await heardBody(at.anna, 'Antwort')).attrs.from, `${zentrale}/zentrale`)
  })

  it('are not entered if somebody else made them', async () => {
    await at.carl.enter(room, 'Carl')
    await at.carl.ask('set', room, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' })))
    await assert.rejects(send(at, make()), Refused)
    await assert.rejects(send(at, delivery(say('secret'), place(), { as: eva })), Refused)
    assert.deepEqual(at.carl.bodies(room), [])
  })
}
