/**
 * Bernd enters a room of Matrix from his XMPP app: he asks the component for it by its name, and is sent to a room on the room service that is
 * mirrored with it. Carla and a stranger ask too. On Synapse, with both XMPP servers.
 */
import assert from 'node:assert/strict'
import { type Element, xml } from '@xmpp/client'
import { DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { needs, scratch } from '../support/real'
import { READ_WITHIN_MS, storyOf, type Story } from '../support/story'
import { MUC, startPerson, type XmppPerson } from '../support/xmpp-person'

const COMPONENT = `chat.${DOMAIN}`
const GATEWAY = 'jabber:iq:gateway'
const INFO = 'http://jabber.org/protocol/disco#info'

const acted = (xmppServer: 'prosody' | 'ejabberd'): void => {
  const dir = scratch()
  let town: Town
  let story: Story
  let carla: XmppPerson
  let dora: XmppPerson // admin of all rooms of the server
  let eve: XmppPerson
  let square = ''
  let muc = ''
  let asked = 0
  before(async () => {
    town = await raiseTown({
      dir: dir('town'), language: 'en', xmppServer, admins: ['dora'],
      portals: { rooms: [`#*:${DOMAIN}`], from: [`bernd@${DOMAIN}`, `carla@${DOMAIN}`, `dora@${DOMAIN}`] }
    })
    story = storyOf(town)
    const comes = async (name: string): Promise<XmppPerson> => {
      await town.xmpp.addUser(name, PASSWORD)
      const person = await startPerson(town.xmpp, name, PASSWORD)
      await person.comeOnline()
      return person
    }
    await town.people.bernd.comeOnline()
    carla = await comes('carla')
    dora = await comes('dora')
    eve = await comes('eve')
    square = await town.people.anna.createRoom({ preset: 'public_chat', room_alias_name: 'square' })
    await town.people.anna.createRoom({ preset: 'private_chat', room_alias_name: 'secret' })
    await town.people.anna.setState(square, 'm.room.topic', '', { topic: 'The square of all' })
    await town.people.anna.send(square, 'said before')
  })
  after(async () => {
    await eve?.stop()
    await dora?.stop()
    await carla?.stop()
    await town?.stop()
  })

  const nameOf = (room: string): string => `#${room}\\3a${DOMAIN}@${COMPONENT}`
  const errorOf = async (person: XmppPerson, to: string): Promise<Element> => {
    const nick = `n${++asked}`
    await person.send(xml('presence', { to: `${to}/${nick}` }, xml('x', { xmlns: MUC })))
    const answer = await person.until(`an answer about ${to}`, one => one.is('presence') && one.attrs.from === `${to}/${nick}`, READ_WITHIN_MS)
    assert.equal(answer.attrs.type, 'error')
    return answer.getChild('error')!
  }
  const invited = (person: XmppPerson, at: string): Promise<Element> => person.until('an invitation', one =>
    one.is('message') && one.getChild('x', 'jabber:x:conference')?.attrs.jid === at, READ_WITHIN_MS)
  const sentOn = async (person: XmppPerson, to: string): Promise<string> => {
    const gone = (await errorOf(person, to)).getChildText('gone') ?? ''
    const [, at = ''] = /^xmpp:(.+)\?join$/.exec(gone) ?? []
    await invited(person, at)
    return at
  }

  it('he is sent to a room of ours, is invited, and reads and is read; what was said before is not carried', async () => {
    const { bernd } = town.people
    const info = (await bernd.ask('get', nameOf('square'), xml('query', { xmlns: INFO }))).getChild('query', INFO)
    assert.deepEqual([info?.getChild('identity')?.attrs.category, info?.getChild('identity')?.attrs.name], ['conference', `#square:${DOMAIN}`])
    muc = await sentOn(bernd, nameOf('square'))
    assert.ok(muc.endsWith(`@${town.xmpp.muc}`), muc)
    await bernd.enter(muc, 'Bernd')
    await bernd.until('the topic that it had before', one => String(one.attrs.from).startsWith(muc) &&
      one.getChildText('subject') === 'The square of all', READ_WITHIN_MS)
    await town.people.anna.setState(square, 'm.room.topic', '', { topic: 'Market day' })
    await bernd.until('its topic', one => String(one.attrs.from).startsWith(muc) && one.getChildText('subject') === 'Market day', READ_WITHIN_MS)
    await bernd.until('Anna, who says nothing', one => one.is('presence') && one.attrs.from === `${muc}/Anna (Matrix)`, READ_WITHIN_MS)
    await story.annaSays('Hello Bernd', square)
    await story.berndReads('Hello Bernd', () => true, muc)
    await bernd.say(muc, 'Hello Anna', 'b1')
    await story.annaReads('Hello Anna', () => true, square)
    assert.equal(bernd.bodies(muc).includes('said before'), false)
    const named = (await bernd.ask('get', muc, xml('query', { xmlns: INFO }))).getChild('query', INFO)
    assert.equal(named?.getChild('identity')?.attrs.name, `#square:${DOMAIN}`)
  })

  it('whoever asks for it in another spelling, by the gateway, or after a restart, finds the same room', async () => {
    assert.equal(await sentOn(carla, `#square%${DOMAIN}@${COMPONENT}`), muc)
    await carla.enter(muc, 'Carla')
    const typed = (name: string): Promise<Element> => carla.ask('set', COMPONENT,
      xml('query', { xmlns: GATEWAY }, xml('prompt', {}, name)))
    assert.equal((await typed(`#square:${DOMAIN}`)).getChild('query', GATEWAY)?.getChildText('jid'), muc)
    assert.equal((await typed(town.alias)).getChild('query', GATEWAY)?.getChildText('jid'), town.muc, 'it is mirrored already')
    await town.zentrale.restart()
    assert.equal(await sentOn(carla, nameOf('square')), muc)
    await story.annaSays('Hello again', square)
    await story.berndReads('Hello again', () => true, muc)
    await carla.until('Carla reads it', one => one.getChildText('body') === 'Hello again' && String(one.attrs.from).startsWith(muc))
  })

  it('an admin of all rooms of the server is sent there too, though nobody can make her a member', async () => {
    assert.equal(await sentOn(dora, nameOf('square')), muc)
    await dora.enter(muc, 'Dora')
    await story.annaSays('Hello Dora', square)
    await dora.until('Dora reads it', one => one.getChildText('body') === 'Hello Dora' && String(one.attrs.from).startsWith(muc), READ_WITHIN_MS)
  })

  it('a stranger learns nothing and comes in nowhere; nobody comes into a room that is closed or not there', async () => {
    const answers: string[] = []
    for (const name of ['square', 'secret', 'nowhere']) {
      answers.push(String(await errorOf(eve, nameOf(name))))
      await assert.rejects(eve.ask('get', nameOf(name), xml('query', { xmlns: INFO })), { condition: 'item-not-found' })
      await assert.rejects(eve.ask('set', COMPONENT, xml('query', { xmlns: GATEWAY }, xml('prompt', {}, `#${name}:${DOMAIN}`))),
        { condition: 'item-not-found' })
    }
    for (const name of ['secret', 'nowhere']) answers.push(String(await errorOf(carla, nameOf(name))))
    assert.equal(new Set(answers).size, 1)
    assert.match(answers[0]!, /item-not-found.*There is no such room, or it is not open to you from here/)
    await assert.rejects(eve.enter(muc, 'Eve'), /registration-required/)
  })

  it('closing the room on Matrix ends it, and opening it again brings it back for whoever asks', async () => {
    const { anna, bernd } = town.people
    await anna.setState(square, 'm.room.join_rules', '', { join_rule: 'invite' })
    await anna.waitFor(square, 'Zentrale has left', ({ type, content, state_key: who }) =>
      type === 'm.room.member' && who === `@zentrale:${DOMAIN}` && content['membership'] === 'leave', READ_WITHIN_MS)
    await bernd.until('that it rests', one => one.is('message') && String(one.attrs.from).startsWith(`${muc}/`) &&
      /Zentrale is no longer in it/.test(one.getChildText('body') ?? ''), READ_WITHIN_MS)
    await anna.send(square, 'among us')
    assert.ok((await errorOf(carla, nameOf('square'))).getChild('item-not-found') !== undefined, 'nobody is sent to where nothing arrives')
    await anna.setState(square, 'm.room.join_rules', '', { join_rule: 'public' })
    assert.equal(await sentOn(carla, nameOf('square')), muc)
    await bernd.until('that it is back', one => one.is('message') && String(one.attrs.from).startsWith(`${muc}/`) &&
      /works again/.test(one.getChildText('body') ?? ''), READ_WITHIN_MS)
    await story.annaSays('for all again', square)
    await story.berndReads('for all again', () => true, muc)
    assert.equal(bernd.bodies(muc).includes('among us'), false)
  })
}

describe('a room of Matrix that somebody on XMPP enters by its name, on Prosody', () => {
  needs('synapse', 'prosody')
  acted('prosody')
})

describe('a room of Matrix that somebody on XMPP enters by its name, on ejabberd', () => {
  needs('synapse', 'ejabberd')
  acted('ejabberd')
})
