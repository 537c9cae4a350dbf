/**
 * Direct chats between two persons, between real servers: Anna of our own homeserver may write to anybody on XMPP and to phones, and Carla's
 * domain may write to Anna. Nobody else may begin a chat; whoever was written to answers.
 */
import assert from 'node:assert/strict'
import { type Element, xml } from '@xmpp/client'
import { ADDRESS_NUMBER, DOMAIN, PASSWORD, raiseTown, type Town, type TownOptions } from '../../sandbox/town'
import { strangeIn } from '../support/jids'
import type { SeenEvent } from '../support/matrix-person'
import { needs, scratch } from '../support/real'
import { correcting, READ_WITHIN_MS } from '../support/story'
import { startPerson, type XmppPerson } from '../support/xmpp-person'

const ANNA = `_matrix_=40anna=3a${DOMAIN}@chat.${DOMAIN}`
const ghostOf = (network: string, escaped: string): string => `@_zentrale_${network}_${escaped}:${DOMAIN}`
const BERND = ghostOf('xmpp', `bernd=40${DOMAIN}`)
const CARLA = ghostOf('xmpp', `carla=40${DOMAIN}`)
const MAX = ghostOf('sms', '+491701234567')
const REACTIONS = 'urn:xmpp:reactions:0'
const LOOK_MS = 200
const LEAVES_WITHIN_MS = 40_000 // at once, on a busy machine
const STATES = 'http://jabber.org/protocol/chatstates'

const RULES = {
  allow: [
    { from: [`@anna:${DOMAIN}`], to: [`bernd@${DOMAIN}`, 'nobody@*', '+49*'] },
    { from: [`carla@${DOMAIN}`, `*@rooms.${DOMAIN}`], to: [`@anna:${DOMAIN}`] }
  ],
  numbers: { [ADDRESS_NUMBER]: `@anna:${DOMAIN}` }
}

const acted = (servers: Omit<TownOptions, 'dir'>): void => {
  const dir = scratch()
  let town: Town
  let carla: XmppPerson
  before(async () => {
    town = await raiseTown({ dir: dir('town'), language: 'en', directChats: RULES, ...servers })
    await town.xmpp.addUser('carla', PASSWORD)
    carla = await startPerson(town.xmpp, 'carla', PASSWORD)
    await carla.comeOnline()
    await town.people.bernd.comeOnline()
  })
  after(async () => {
    await carla?.stop()
    await town?.stop()
  })

  const tellTo = (person: XmppPerson, text: string, id: string, ...more: Element[]): Promise<void> =>
    person.send(xml('message', { type: 'chat', to: ANNA, id }, ...text === '' ? [] : [xml('body', {}, text)], ...more))
  const reads = (person: XmppPerson, what: string, fits: (one: Element) => boolean = one => one.getChildText('body') === what): Promise<Element> =>
    person.until(what, one => one.is('message') && String(one.attrs.from).startsWith(ANNA) && fits(one), READ_WITHIN_MS)
  const annaReads = (room: string, text: string): Promise<SeenEvent> => town.people.anna.waitFor(room, `Anna reads ${text}`,
    ({ sender, content }) => sender !== town.people.anna.userId && content['body'] === text, READ_WITHIN_MS)
  const chatWith = async (ghost: string): Promise<string> => {
    const { anna } = town.people
    const room = await anna.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [ghost] })
    await anna.waitFor(room, `${ghost} in the chat`, ({ type, state_key: who, content }) =>
      type === 'm.room.member' && who === ghost && content['membership'] === 'join', READ_WITHIN_MS)
    return room
  }
  const invitedBy = async (ghost: string): Promise<string> => {
    for (const end = performance.now() + READ_WITHIN_MS; performance.now() < end;) {
      const filter = JSON.stringify({ room: { timeline: { limit: ++looks } } }) // Synapse answers the same question as it did before
      const { rooms = {} } = await town.people.anna.call('GET', `v3/sync?timeout=0&filter=${encodeURIComponent(filter)}`) as
        { rooms?: { invite?: Record<string, { invite_state: { events: { sender: string, content: Record<string, unknown> }[] } }> } }
      const found = Object.entries(rooms.invite ?? {}).find(([, { invite_state: { events } }]) =>
        events.some(({ sender, content }) => sender === ghost && content['is_direct'] === true))
      if (found !== undefined) return found[0]
      await new Promise(resolve => setTimeout(resolve, LOOK_MS))
    }
    throw new Error(`no invitation of ${ghost}`)
  }

  let looks = 0
  let chat = ''
  it('Anna invites Bernd\'s stand-in, which nobody knew yet: he reads her, and she reads his answer', async () => {
    chat = await chatWith(BERND)
    await town.people.anna.send(chat, 'Hello Bernd')
    const read = await reads(town.people.bernd, 'Hello Bernd')
    assert.equal(read.getChildText('nick', 'http://jabber.org/protocol/nick'), 'Anna (Matrix)')
    await tellTo(town.people.bernd, 'Hello Anna', 'b1', xml('request', { xmlns: 'urn:xmpp:receipts' }))
    assert.equal((await annaReads(chat, 'Hello Anna')).sender, BERND)
    await town.people.bernd.until('received', one => one.getChild('received', 'urn:xmpp:receipts')?.attrs.id === 'b1')
    const profile = await town.people.anna.call('GET', `v3/profile/${encodeURIComponent(BERND)}`)
    assert.equal(profile['displayname'], `bernd@${DOMAIN}`)
  })

  it('corrections, replies, reactions, deletions and typing go both ways', async () => {
    const { anna, bernd } = town.people
    await tellTo(bernd, 'At nin', 'b2')
    const asked = await annaReads(chat, 'At nin')
    await tellTo(bernd, 'At nine', 'b3', correcting('b2'))
    const { content } = await annaReads(chat, '* At nine')
    assert.deepEqual(content['m.relates_to'], { rel_type: 'm.replace', event_id: asked.event_id })
    await anna.send(chat, { 'm.relates_to': { rel_type: 'm.annotation', event_id: asked.event_id, key: '👍' } }, 'm.reaction')
    await reads(bernd, 'a reaction', one => one.getChild('reactions', REACTIONS)?.attrs.id === 'b2')
    await anna.send(chat, { msgtype: 'm.text', body: 'Good', 'm.relates_to': { 'm.in_reply_to': { event_id: asked.event_id } } })
    const answer = await reads(bernd, 'a reply', one => one.getChild('reply', 'urn:xmpp:reply:0')?.attrs.id === 'b2')
    await tellTo(bernd, '', 'b4', xml('reactions', { xmlns: REACTIONS, id: String(answer.attrs.id) }, xml('reaction', {}, '🎉')))
    await anna.waitFor(chat, 'Bernd reacts', ({ type, sender }) => type === 'm.reaction' && sender === BERND)
    const wrong = await anna.send(chat, 'Wrong window')
    const there = await reads(bernd, 'Wrong window')
    await anna.redact(chat, wrong)
    await reads(bernd, 'taken back', one => one.getChild('retract', 'urn:xmpp:message-retract:1')?.attrs.id === there.attrs.id)
    await anna.types(chat, true)
    await reads(bernd, 'typing', one => one.getChild('composing', STATES) !== undefined)
    await tellTo(bernd, '', 'b5', xml('composing', { xmlns: STATES }))
    await anna.seesSignal(chat, 'Bernd types', (type, { user_ids: ids }) => type === 'm.typing' && Array.isArray(ids) && ids.includes(BERND))
  })

  it('goes on after a restart', async () => {
    await town.zentrale.restart()
    await tellTo(town.people.bernd, 'Still there?', 'b6')
    await annaReads(chat, 'Still there?')
    await town.people.anna.send(chat, 'Yes')
    await reads(town.people.bernd, 'Yes')
  })

  it('what Bernd does to what stands in a chat that Anna has left is told to him, by her name', async () => {
    const { anna, bernd } = town.people
    const { attrs: { id: hers } } = await reads(bernd, 'Yes')
    await anna.call('POST', `v3/rooms/${encodeURIComponent(chat)}/leave`, {})
    chat = await chatWith(BERND)
    await anna.send(chat, 'In a new one')
    await reads(bernd, 'In a new one')
    await tellTo(bernd, '', 'c1', xml('retract', { xmlns: 'urn:xmpp:message-retract:1', id: 'b6' }))
    await reads(bernd, 'Deleted here, but not everywhere: the message is still there for Anna (Matrix).')
    await tellTo(bernd, '', 'c2', xml('reactions', { xmlns: REACTIONS, id: String(hers) }, xml('reaction', {}, '🎉')))
    await reads(bernd, 'Your reaction is not seen: Anna (Matrix) has left the chat in which the message stands.')
  })

  it('a third person is invited, or comes later: nothing that Bernd says is read there, he is told, and a new chat goes on', async () => {
    const { anna, bernd } = town.people
    const mallory = `@mallory:${DOMAIN}`
    const leaves = (room: string): Promise<SeenEvent> => anna.waitFor(room, 'the stand-in leaves', ({ type, state_key: who, content }) =>
      type === 'm.room.member' && who === BERND && content['membership'] === 'leave', LEAVES_WITHIN_MS)
    await leaves(await anna.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [mallory, BERND] }))
    await tellTo(bernd, 'For you alone', 'b7')
    await annaReads(chat, 'For you alone')
    await anna.call('POST', `v3/rooms/${encodeURIComponent(chat)}/invite`, { user_id: mallory })
    await tellTo(bernd, 'A secret', 'b8')
    await reads(bernd, 'Not delivered', one => /A secret.*others could read that chat/.test(one.getChildText('body') ?? ''))
    await leaves(chat)
    assert.deepEqual((await anna.events(chat)).filter(({ content }) => content['body'] === 'A secret'), [])
    chat = await chatWith(BERND)
    await anna.send(chat, 'Now we are alone')
    await reads(bernd, 'Now we are alone')
    await tellTo(bernd, 'Good', 'b9')
    await annaReads(chat, 'Good')
  })

  it('Carla writes first: Anna is invited into a direct chat, and answers', async () => {
    await tellTo(carla, 'Good morning', 'c1')
    const room = await invitedBy(CARLA)
    await town.people.anna.join(room)
    await annaReads(room, 'Good morning')
    await town.people.anna.send(room, 'Good morning, Carla')
    await reads(carla, 'Good morning, Carla')
    const heard = town.people.bernd.heard.filter(one => one.getChildText('body')?.includes('Carla') === true)
    assert.equal(heard.length, 0)
  })

  const saysWhoIsWho = servers.xmppServer !== 'ejabberd' // its rooms give nobody an id here
  if (saysWhoIsWho) it('Eva, whose address the room hides, writes to Anna in private: Anna answers her as long as she is there', async () => {
    const { anna, bernd } = town.people
    await town.xmpp.addUser('eva', PASSWORD)
    const eva = await startPerson(town.xmpp, 'eva', PASSWORD)
    await eva.enter(town.muc, 'Eva')
    await anna.send(town.room, 'Who is there?')
    const { attrs: { from } } = await eva.until('Anna in the room', one => one.getChildText('body') === 'Who is there?', READ_WITHIN_MS)
    await eva.say(town.muc, 'Eva is', 'e1')
    const { sender } = await annaReads(town.room, 'Eva is')
    await eva.send(xml('message', { type: 'chat', to: String(from), id: 'e2' }, xml('body', {}, 'Only for you')))
    const room = await invitedBy(sender)
    await anna.join(room)
    const { event_id: only } = await annaReads(room, 'Only for you')
    await anna.send(room, 'Between us')
    const read = await eva.until('Between us', one => one.getChildText('body') === 'Between us', READ_WITHIN_MS)
    assert.deepEqual([read.attrs.type, read.attrs.from], ['chat', from])
    const answering = async (event: string | undefined): Promise<unknown> => {
      await anna.send(room, { msgtype: 'm.text', body: `To ${event}`, 'm.relates_to': { 'm.in_reply_to': { event_id: event } } })
      const answer = await eva.until('an answer', one => one.getChildText('body')?.endsWith(`To ${event}`) === true, READ_WITHIN_MS)
      return answer.getChild('reply')?.attrs.to
    }
    assert.equal(await answering(only), `${town.muc}/Eva`)
    const { event_id: own } = (await anna.events(room)).find(({ content }) => content['body'] === 'Between us') ?? {}
    assert.equal(await answering(own), from)
    assert.deepEqual(eva.heard.flatMap(strangeIn), [])
    await eva.leave(town.muc, 'Eva')
    await eva.stop()
    await anna.send(room, 'Still there?')
    await annaReads(room, 'Not delivered to Eva (XMPP): “Still there?” (this person is not in their room now, and is known only ' +
    'there; please write again later)')
    const words = ['Only for you', 'Between us', 'Still there?']
    assert.equal(bernd.heard.filter(one => words.includes(one.getChildText('body') ?? '')).length, 0)
  })

  it('whoever may not begin gets an error, whether there is such a person or not', async () => {
    await town.xmpp.addUser('eve', PASSWORD)
    const eve = await startPerson(town.xmpp, 'eve', PASSWORD)
    const conditions: string[] = []
    for (const to of [ANNA, `_matrix_=40nobody=3a${DOMAIN}@chat.${DOMAIN}`]) {
      await eve.send(xml('message', { type: 'chat', to, id: to }, xml('body', {}, 'buy')))
      const error = await eve.until('an error', one => one.attrs.type === 'error' && one.attrs.id === to)
      conditions.push(String(error.getChild('error')))
    }
    assert.equal(conditions[0], conditions[1])
    assert.match(conditions[0]!, /service-unavailable/)
    await eve.stop()
    const ghost = ghostOf('xmpp', `eve=40${DOMAIN}`)
    await assert.rejects(town.people.anna.call('GET', `v3/profile/${encodeURIComponent(ghost)}`), 'no stand-in was made')
  })

  it('who does not exist on the other side: Anna is told', async () => {
    const room = await chatWith(ghostOf('xmpp', `nobody=40${DOMAIN}`))
    await town.people.anna.send(room, 'Hello?')
    await annaReads(room, `Not delivered to nobody@${DOMAIN} (XMPP): “Hello?” (nobody can be reached at this address; ` +
    'perhaps it is misspelt)')
  })

  it('Max reads Anna on his phone from her number, and his answer reaches her alone', async () => {
    const { anna, max } = town.people
    const room = await chatWith(MAX)
    await anna.send(room, 'Hello Max')
    await max.next(one => one.text === 'Anna (Matrix): Hello Max' && one.from.endsWith(ADDRESS_NUMBER.slice(1)), READ_WITHIN_MS)
    await max.type({ text: 'Hello Anna', to: ADDRESS_NUMBER })
    assert.equal((await annaReads(room, 'Hello Anna')).sender, MAX)
    await anna.send(room, 'See you')
    await max.next(one => one.text === 'See you', READ_WITHIN_MS)
    await max.type({ text: 'STOP', to: ADDRESS_NUMBER })
    await annaReads(room, '+491701234567 gets no more messages (STOP).')
    await anna.send(room, 'Please')
    await annaReads(room, 'Not delivered to +491701234567 (SMS): “Please” (everything there was ended with STOP)')
    assert.deepEqual(max.inbox.filter(({ text }) => text === 'Please'), [])
  })
}

describe('direct chats on Synapse, Prosody and phones', () => {
  needs('synapse', 'prosody')
  acted({})
})

describe('direct chats on ejabberd', () => {
  needs('ejabberd')
  acted({ homeserver: 'practice', xmppServer: 'ejabberd' })
})
