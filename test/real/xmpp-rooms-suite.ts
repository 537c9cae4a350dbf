/** Entering rooms, speaking there and being put out: what must hold with every XMPP server; run with Prosody and with ejabberd. */
import assert from 'node:assert/strict'
import { xml, type Element } from '@xmpp/client'
import type { XmppServer, XmppServerOptions } from '../../sandbox/servers/prosody'
import type { Place } from '../../src/model/address'
import { Refused, Unavailable } from '../../src/model/errors'
import { ghostLocal } from '../../src/networks/xmpp/names'
import type { Delivery, Persona, Sent } from '../../src/model/message'
import { came, delivery, DOMAIN, say, send, textOf, xmppGround } from '../support/xmpp-ground'
import { MUC, type XmppPerson } from '../support/xmpp-person'

const bob: Persona = { person: { network: 'other', id: '@bob:example.org' }, name: 'Bob (M)' }
const eva: Persona = { person: { network: 'other', id: '@eva:example.org' }, name: 'Eva (M)' }
const ZENTRALE = `zentrale@${DOMAIN}`

export const xmppRoomsSuite = (start: (options: XmppServerOptions) => Promise<XmppServer>): void => {
  const at = xmppGround(start)
  let room = ''
  let count = 0

  const place = (): Place => ({ network: 'xmpp', id: room })
  const inRoom = (text: string, as = bob): Delivery => delivery(say(text), place(), { as })

  /** Sends as a lane does: what may work later is tried again. */
  const insist = async (one: Delivery): Promise<Sent> => {
    try { return await send(at, one) } catch (error) {
      if (error instanceof Unavailable && one.attempt < 5) return await insist({ ...one, attempt: one.attempt + 1 })
      throw error
    }
  }

  /** Makes `room`, as Anna's, and lets Zentrale try to come in. */
  const owned = async (fields: Record<string, string> = {}): Promise<void> => {
    await at.anna.enter(room, 'Anna')
    const field = (name: string, value: string): Element => xml('field', { var: name }, xml('value', {}, value))
    await at.anna.ask('set', room, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' },
      field('FORM_TYPE', `${MUC}#roomconfig`), ...Object.entries(fields).map(([name, value]) => field(name, value)))))
    at.network.attend([place()])
  }
  const rule = (item: Record<string, string>) => at.anna.ask('set', room, xml('query', { xmlns: `${MUC}#admin` }, xml('item', item)))
  const connection = (up: boolean): Promise<void> => at.inbox.until(`rooms ${up}`, () => at.inbox.connections.get('rooms') === up)
  /** Leaves out what is no news. */
  const standings = (): string => ['in', ...at.inbox.standings.filter(one => one.place.id === room).map(({ standing }) => standing)]
    .filter((one, index, all) => index > 0 && one !== all[index - 1]).join()
  const stands = (expected: string): Promise<void> => at.inbox.until(`stands ${expected}`, () => standings() === expected)
  const gone = (nick: string): Promise<Element> => at.anna.until(`${nick} is out`, one =>
    one.is('presence') && one.attrs.from === `${room}/${nick}` && one.attrs.type === 'unavailable')
  const heard = (body: string): Promise<Element> => at.anna.until(body, one =>
    one.getChildText('body') === body && one.attrs.from?.startsWith(room) === true)
  const isWaiting = (error: unknown): boolean => error instanceof Unavailable && error.disconnected

  beforeEach(() => { room = `raum${++count}@${at.server.muc}` })

  it('is out of a room that kicked it, with all its people and also after a restart, until the room asks it in', async () => {
    await owned()
    await send(at, inRoom('one'))
    await rule({ nick: 'Zentrale', role: 'none' })
    await Promise.all([gone('Zentrale'), gone(bob.name), stands('out')])
    await at.anna.say(room, 'among ourselves', 'x1')
    await assert.rejects(send(at, inRoom('two')), Refused)
    await at.network.stop()
    const before = at.anna.heard.length
    await at.startBridge(at.server.componentPort, at.inbox)
    at.network.attend([place()])
    await assert.rejects(send(at, inRoom('three')), Refused)
    await at.anna.client.send(xml('message', { to: room }, xml('x', { xmlns: `${MUC}#user` }, xml('invite', { to: ZENTRALE }))))
    await stands('out,in')
    assert.deepEqual(at.anna.bodies(room), ['one', 'among ourselves'])
    await send(at, inRoom('four'))
    await at.anna.say(room, 'with all', 'x2')
    await at.inbox.until('all', () => at.inbox.arrivals.some(one => textOf(one) === 'with all'))
    assert.deepEqual(at.inbox.arrivals.map(textOf), ['with all'])
    assert.ok(at.anna.heard.slice(before).some(one => one.attrs.from === `${room}/Zentrale`))
  })

  it('comes back to a room that kicked it when somebody whom it saw there invites it directly; anybody else is told how', async () => {
    await owned({ 'muc#roomconfig_whois': 'anyone' })
    await send(at, inRoom('one'))
    await rule({ nick: 'Zentrale', role: 'none' })
    await stands('out')
    const invites = (who: XmppPerson) => who.send(xml('message', { to: ZENTRALE }, xml('x', { xmlns: 'jabber:x:conference', jid: room })))
    await invites(at.carl)
    const answer = await at.carl.until('how to', one => one.getChildText('body')?.includes('aus dem Raum heraus') === true)
    assert.deepEqual([answer.attrs.from, answer.attrs.type, standings()], [ZENTRALE, 'chat', 'out'])
    await invites(at.anna)
    await stands('out,in')
    await send(at, inRoom('two'))
    await heard('two')
  })

  it('is out of a room that bans it or is destroyed, and comes back by itself when the ban is over', async () => {
    await owned()
    await send(at, inRoom('one'))
    await rule({ jid: ZENTRALE, affiliation: 'outcast' })
    await stands('out')
    await gone(bob.name)
    await rule({ jid: ZENTRALE, affiliation: 'none' })
    await stands('out,in')
    await connection(true)
    await at.anna.ask('set', room, xml('query', { xmlns: `${MUC}#owner` }, xml('destroy', {})))
    await stands('out,in,out')
    await assert.rejects(send(at, inRoom('two')), Refused)
  })

  it('lets a banned person say nothing, and others go on', async () => {
    await owned()
    await send(at, inRoom('one'))
    const join = await at.anna.until('Bob', one => one.is('presence') && one.attrs.from === `${room}/${bob.name}`)
    const jid = String(join.getChild('x', `${MUC}#user`)?.getChild('item')?.attrs.jid).split('/')[0]!
    await rule({ jid, affiliation: 'outcast' })
    await assert.rejects(insist(inRoom('two')), Refused)
    await insist(inRoom('three', eva))
  })

  it('waits for a room for members only until it is an admin, and makes its people members', async () => {
    await owned({ 'muc#roomconfig_membersonly': '1' })
    const first = inRoom('one')
    await assert.rejects(send(at, first), isWaiting)
    await connection(false)
    await rule({ jid: ZENTRALE, affiliation: 'member' })
    await connection(true)
    await assert.rejects(send(at, first), isWaiting)
    await at.anna.until('asking', one => one.attrs.from === `${room}/Zentrale` && one.getChildText('body')?.includes(ZENTRALE) === true)
    await connection(false)
    await rule({ jid: ZENTRALE, affiliation: 'admin' })
    await connection(true)
    await send(at, first)
    await send(at, inRoom('two', eva))
    await heard('two')
  })

  it('waits for a room with a password until the right one is in the config, and its people wait when it is changed', async () => {
    const lock = (password: string): Promise<Element> => {
      const field = (name: string, value: string): Element => xml('field', { var: name }, xml('value', {}, value))
      return at.anna.ask('set', room, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' },
        field('FORM_TYPE', `${MUC}#roomconfig`), field('muc#roomconfig_passwordprotectedroom', '1'), field('muc#roomconfig_roomsecret', password))))
    }
    const again = async (passwords: Record<string, string>): Promise<void> => {
      await at.network.stop()
      at.passwords = passwords
      await at.startBridge(at.server.componentPort, at.inbox)
      at.network.attend([place()])
    }
    const waits = (why: RegExp) => (error: unknown): boolean => isWaiting(error) && why.test(String(error))
    await at.anna.enter(room, 'Anna')
    await lock('sesam')
    at.network.attend([place()])
    await assert.rejects(send(at, inRoom('one')), waits(/asks for a password: write it under xmpp\.passwords/))
    await again({ [room]: 'simsalabim' })
    await assert.rejects(send(at, inRoom('one')), waits(/does not take the password that stands under xmpp\.passwords/))
    await again({ [room]: 'sesam' })
    await send(at, inRoom('one'))
    await heard('one')
    await lock('neu')
    await assert.rejects(send(at, inRoom('two', eva)), waits(/does not take the password/))
    await connection(false)
    await send(at, inRoom('still in'))
    await again({ [room]: 'neu' })
    await insist(inRoom('two', eva))
    await heard('two')
    await connection(true)
  })

  it('waits for a voice in a moderated room, asks for it, and gives it where it may', async () => {
    await owned({ 'muc#roomconfig_moderatedroom': '1', members_by_default: '0' })
    const first = inRoom('one')
    await assert.rejects(send(at, first), isWaiting)
    await connection(false)
    const isRequest = (one: Element): boolean => one.attrs.from === room && String(one.getChild('x', 'jabber:x:data')).includes(bob.name)
    await at.anna.until('request', isRequest)
    await rule({ nick: bob.name, role: 'participant' })
    await connection(true)
    await send(at, first)
    await rule({ jid: ZENTRALE, affiliation: 'admin' })
    await insist(inRoom('two', eva))
    await heard('two')
  })

  it('lets a person without a voice hold up nobody who has one, and gives none that a moderator has taken', async () => {
    await owned({ 'muc#roomconfig_moderatedroom': '1', members_by_default: '0' })
    await assert.rejects(send(at, inRoom('one')), { name: 'Unavailable', voiceless: true })
    await rule({ nick: bob.name, role: 'participant' })
    await connection(true)
    await send(at, inRoom('two'))
    await assert.rejects(send(at, inRoom('three', eva)), { name: 'Refused', because: 'voiceless' })
    await connection(false)
    await send(at, inRoom('four'))
    await rule({ nick: eva.name, role: 'participant' })
    await connection(true)
    await send(at, inRoom('five', eva))
    await rule({ jid: ZENTRALE, affiliation: 'admin' })
    await at.anna.until('that we are an admin', one => one.is('presence') && one.attrs.from === `${room}/Zentrale` &&
      one.getChild('x', `${MUC}#user`)?.getChild('item')?.attrs.affiliation === 'admin')
    await rule({ nick: eva.name, role: 'visitor' })
    await at.inbox.until('that she is muted', () => at.inbox.arrivals.some(one => one.kind === 'expulsion' && one.how === 'muted'))
    await assert.rejects(send(at, inRoom('six', eva)), { name: 'Refused', because: 'expelled' })
    await rule({ nick: eva.name, role: 'participant' })
    await at.inbox.until('that she is not, the second time', () => at.inbox.arrivals.filter(one => one.kind === 'expulsion' && one.how === 'let in' &&
      one.person.id === eva.person.id).length === 2)
    await insist(inRoom('seven', eva))
    await heard('seven')
    assert.deepEqual([bob, eva].map(({ name }) => at.anna.bodies(room, name)), [['two', 'four'], ['five', 'seven']])
  })

  it('is not put out because of a private message or a request to one of ours, and tells its writer that nobody got it', async () => {
    await owned()
    await send(at, inRoom('one'))
    const before = at.anna.heard.length
    for (let i = 0; i < 20; i++) {
      for (const nick of [bob.name, 'Zentrale']) {
        await at.anna.client.send(xml('message', { to: `${room}/${nick}`, type: 'chat', id: `p${i}` }, xml('body', {}, `psst ${i}`)))
        await at.anna.ask('get', `${room}/${nick}`, xml('query', { xmlns: 'urn:unknown' })).catch(() => { /* of course */ })
      }
      await at.anna.say(room, `loud ${i}`, `s${i}`)
    }
    await send(at, inRoom('two'))
    await at.inbox.until('all', () => at.inbox.arrivals.length >= 20)
    const answers = at.anna.heard.filter(one =>
      one.is('message') && one.attrs.type === 'chat' && one.getChildText('body')?.includes('im Raum') === true)
    assert.deepEqual([bob.name, 'Zentrale'].map(nick => answers.filter(one => one.attrs.from === `${room}/${nick}`).length), [20, 20])
    assert.ok(answers.every(one => one.getChild('automatic')))
    assert.deepEqual(at.inbox.arrivals.map(textOf), Array.from({ length: 20 }, (_, i) => `loud ${i}`), 'nothing is lost and nothing leaks')
    const left = at.anna.heard.slice(before).filter(one => one.is('presence') && one.attrs.type === 'unavailable')
    assert.deepEqual(left.map(({ attrs }) => attrs['from']), [], 'nobody was put out')
  })

  it('takes a private message to one of ours as one to a direct chat, where the room shows who writes and they may have one', async () => {
    const asked: string[] = []
    at.inbox.admitting = (theirs, ours) => asked.push(`${theirs.id} ${ours}`) > 0 && at.inbox.arrivals.length === 0
    const whisper = (id: string): Promise<void> =>
      at.anna.client.send(xml('message', { to: `${room}/${bob.name}`, type: 'chat', id }, xml('body', {}, `psst ${id}`)))
    await owned({ 'muc#roomconfig_whois': 'anyone' })
    await send(at, inRoom('one'))
    await whisper('shown')
    const [said] = await came(at, 1)
    const anna = `anna@${at.server.domain}`
    const ghost = `${ghostLocal(bob.person)}@${at.server.component.domain}`
    assert.ok(said?.kind === 'message' && said.direct === true && said.to === ghost && said.sender.id === anna && textOf(said) === 'psst shown')
    assert.equal(said.place.id, `${ghost} ${anna}`)
    assert.deepEqual(asked, [`${anna} ${ghost}`])
    const before = at.anna.heard.length
    await whisper('unwanted')
    await at.anna.until('told again', one => at.anna.heard.indexOf(one) >= before && one.getChildText('body')?.includes('im Raum') === true)
    at.inbox.admitting = () => false
  })

  it('takes one from somebody whose address the room hides, and answers them alone, by another name too, as long as they are there', async () => {
    await owned({ 'muc#roomconfig_whois': 'moderators' })
    await send(at, inRoom('one'))
    const features = String(await at.anna.ask('get', room, xml('query', { xmlns: 'http://jabber.org/protocol/disco#info' })))
    at.inbox.admitting = () => true
    await at.anna.client.send(xml('message', { to: `${room}/${bob.name}`, type: 'chat', id: 'hidden' }, xml('body', {}, 'psst')))
    if (!features.includes('urn:xmpp:occupant-id:0')) { // nobody can know who writes
      await at.anna.until('told', one => one.getChildText('body')?.includes('im Raum') === true && one.attrs.from === `${room}/${bob.name}`)
      at.inbox.admitting = () => false
      return
    }
    const [said] = await came(at, 1)
    assert.ok(said?.kind === 'message' && said.direct === true && said.sender.name === 'Anna' && textOf(said) === 'psst')
    assert.ok(said.place.id.startsWith(`${ghostLocal(bob.person)}@${at.server.component.domain} ${room} `), said.place.id)
    const answer = (text: string): Delivery => ({ ...inRoom(text), place: said.place })
    await at.anna.enter(room, 'Anna II')
    await insist(answer('only you'))
    const read = await at.anna.until('the answer', one => one.getChildText('body') === 'only you')
    assert.deepEqual([read.attrs.type, read.attrs.from], ['chat', `${room}/${bob.name}`])
    await at.anna.leave(room, 'Anna II')
    await at.anna.until('gone', one => one.is('presence') && one.attrs.type === 'unavailable' && one.attrs.from === `${room}/Anna II`)
    await assert.rejects(insist(answer('too late')), (error: unknown) => error instanceof Refused && error.because === 'absent')
    at.inbox.admitting = () => false
  })

  it('finds, after a restart too, what is corrected and taken back', async () => {
    await owned({ 'muc#roomconfig_whois': 'anyone' })
    await connection(true)
    await at.anna.say(room, 'helo', 'c1')
    const [original] = await came(at, 1)
    await at.network.stop()
    await gone('Zentrale')
    const before = at.anna.heard.length
    await at.startBridge(at.server.componentPort, at.inbox)
    at.network.attend([place()])
    await at.anna.until('Zentrale', one => at.anna.heard.indexOf(one) >= before && one.attrs.from === `${room}/Zentrale`)
    await at.anna.say(room, 'hello', 'c2', xml('replace', { xmlns: 'urn:xmpp:message-correct:0', id: 'c1' }))
    const given = original?.key.slice(room.length + 1)
    await at.anna.say(room, 'unsupported', 'c3', xml('retract', { xmlns: 'urn:xmpp:message-retract:1', id: given }))
    const [, edit, deletion] = await came(at, 3)
    assert.ok(edit?.kind === 'edit' && edit.of === original?.key && textOf(edit) === 'hello')
    assert.ok(deletion?.kind === 'deletion' && deletion.of === original?.key)
  })

  it('tells who is who after a change of nick, where only the nick says so', async () => {
    await owned()
    await connection(true)
    await at.carl.enter(room, 'Carl')
    await at.carl.enter(room, 'Karl')
    await at.carl.say(room, 'renamed', 'n1')
    await at.inbox.until('his words', () => at.inbox.arrivals.some(one => one.kind === 'message'))
    const [first, second] = at.inbox.arrivals
    if (first?.kind === 'message') return assert.match(first.sender.id, /^raum\d+@\S+ \S/, 'the room has ids that stay')
    assert.ok(first?.kind === 'renamed' && second?.kind === 'message')
    assert.deepEqual([first.person, first.now, second.sender.id], [`${room}/Carl`, `${room}/Karl`, `${room}/Karl`])
  })

  it('knows people by the same account in what it reads from the archive as in what it hears, where the room says who is who', async () => {
    await owned({ 'muc#roomconfig_whois': 'moderators' })
    await connection(true)
    await rule({ affiliation: 'admin', jid: ZENTRALE })
    const restart = async (meanwhile = async (): Promise<unknown> => undefined): Promise<void> => {
      await at.network.stop()
      await gone('Zentrale')
      await meanwhile()
      const before = at.anna.heard.length
      await at.startBridge(at.server.componentPort, at.inbox)
      at.network.attend([place()])
      await at.anna.until('Zentrale', one => at.anna.heard.indexOf(one) >= before && one.attrs.from === `${room}/Zentrale`)
    }
    await restart()
    await at.anna.say(room, 'heard', 'k1')
    await came(at, 1)
    at.anna.heard.length = 0
    await restart(() => at.anna.say(room, 'missed', 'k2'))
    const [heard, missed] = await came(at, 2)
    assert.ok(heard?.kind === 'message' && missed?.kind === 'message' && textOf(missed) === 'missed')
    assert.match(String(heard.sender.account), /^anna@/)
    const { id, name } = heard.sender // a nick alone may be somebody else's by now
    assert.deepEqual(missed.sender, id === `${room}/${name}` ? { id, name } : heard.sender)
  })
}

/** The same for rooms that keep no archive. */
export const xmppNoArchiveSuite = (start: (options: XmppServerOptions) => Promise<XmppServer>): void => {
  const at = xmppGround(options => start({ ...options, archive: false }))
  let room = ''
  let count = 0

  const restart = async (): Promise<void> => {
    await at.startBridge(at.server.componentPort, at.inbox)
    at.network.attend([{ network: 'xmpp', id: room }])
    await at.inbox.until('in', () => at.inbox.connections.get('rooms') === true)
  }
  const texts = (): string[] => at.inbox.arrivals.map(textOf)

  beforeEach(async () => {
    room = `raum${++count}@${at.server.muc}`
    at.network.attend([{ network: 'xmpp', id: room }])
    await at.inbox.until('in', () => at.inbox.connections.get('rooms') === true)
    await at.anna.enter(room, 'Anna')
  })

  it('takes what was said while it was away from the past that the room shows, once, in order, and nothing from before its first visit', async () => {
    const other = `alt${count}@${at.server.muc}`
    await at.anna.enter(other, 'Anna')
    await at.anna.ask('set', other, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' })))
    await at.anna.say(other, 'before all', 'b1')
    await at.anna.until('before all', one => one.getChildText('body') === 'before all')
    at.network.attend([{ network: 'xmpp', id: other }])
    await at.anna.say(room, 'heard', 'h1')
    await at.anna.say(room, 'heard', 'h1')
    await came(at, 2)
    await send(at, delivery(say('ours'), { network: 'xmpp', id: room }, { as: bob }))
    await at.network.stop()
    for (let i = 0; i < 10; i++) await at.anna.say(room, `away ${i}`, 'same')
    await at.anna.until('the last', one => one.getChildText('body') === 'away 9')
    await restart()
    at.network.attend([{ network: 'xmpp', id: other }])
    await at.anna.say(room, 'live', 'l1')
    await at.anna.say(other, 'live too', 'l1')
    const all = ['heard', 'heard', ...Array.from({ length: 10 }, (_, i) => `away ${i}`), 'live', 'live too']
    await came(at, all.length)
    assert.deepEqual(texts().sort(), [...all].sort())
    assert.deepEqual(texts().filter(text => text !== 'live too'), all.slice(0, -1))
    await at.network.stop()
    await restart()
    await at.anna.say(room, 'end', 'e1')
    await at.inbox.until('end', () => texts().includes('end'))
    assert.equal(texts().length, all.length + 1)
  })

  it('lets nobody who takes a nick change the words of whoever had it before', async () => {
    await at.anna.leave(room, 'Anna')
    await at.anna.enter(room, 'Gast')
    await at.anna.say(room, 'Anna\'s words', 'g1')
    await at.anna.say(room, 'Anna\'s own words', 'g2', xml('replace', { xmlns: 'urn:xmpp:message-correct:0', id: 'g1' }))
    await came(at, 2)
    await at.anna.leave(room, 'Gast')
    await at.anna.until('out', one => one.attrs.from === `${room}/Gast` && one.attrs.type === 'unavailable')
    await at.carl.enter(room, 'Gast')
    await at.carl.say(room, 'Carl\'s words', 'g3', xml('replace', { xmlns: 'urn:xmpp:message-correct:0', id: 'g1' }))
    await at.carl.say(room, 'unsupported', 'g4', xml('retract', { xmlns: 'urn:xmpp:message-retract:1', id: 'g1' }))
    await at.carl.say(room, 'end', 'g5')
    await at.inbox.until('end', () => texts().includes('end'))
    assert.deepEqual(at.inbox.arrivals.map(one => [one.kind, 'content' in one ? textOf(one) : 'unknown' in one && one.unknown]), [
      ['message', 'Anna\'s words'], ['edit', 'Anna\'s own words'], ['message', '* Carl\'s words'], ['deletion', true], ['message', 'end']
    ])
  })
}
