/** What function addresses need of the Matrix network, on any homeserver: being an address, and its direct chats. */
import assert from 'node:assert/strict'
import type { Place } from '../../src/model/address'
import type { Arrival, Delivery, MessageArrival } from '../../src/model/message'
import type { Identity, Network } from '../../src/model/network'
import { plain } from '../../src/model/text'
import type { TestInbox } from './inbox'
import { ADDRESS, ALIAS } from './matrix-ground'
import { body, membership, makeMatrixPerson, type Json, type MatrixPerson, type SeenEvent } from './matrix-person'
import { delivery, makeBridge, max, PNG, said, type Bridge, type Ground } from './matrix-suite'
import { until } from './practice'
import { makeMemory } from './world'

const encode = encodeURIComponent

export const addressSuite = (ground: () => Ground): void => {
  let anna: MatrixPerson // of the team
  let contact: MatrixPerson
  let people = 0
  const running: Network[] = []
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)
  const mxid = (name: string): string => `@${name}:${ground().serverName}`
  const address = (): string => mxid(ADDRESS)
  const alias = (): string => `#${ALIAS}:${ground().serverName}`

  const newPerson = async (name: string): Promise<MatrixPerson> => {
    const { userId, accessToken } = await ground().createUser(`${name}${++people}`)
    return makeMatrixPerson(ground().url, userId, accessToken)
  }
  const identity = (profile: Partial<Identity['profile']> = {}): Identity => ({
    id: address(), aliases: [alias()],
    profile: { name: 'Bürgerbüro', about: 'Mo–Fr 8–12 Uhr', website: 'https://example.org', phone: '+4930123456', ...profile }
  })

  const begin = async (more: Parameters<typeof makeBridge>[1] = {}, identities = [identity()], places: Place[] = []): Promise<Bridge> => {
    const bridge = makeBridge(ground(), more)
    running.push(bridge.network)
    bridge.network.serve(identities)
    bridge.network.attend(places)
    await bridge.network.start(bridge.inbox)
    await bridge.inbox.until('the address is there', () => bridge.inbox.connections.get('addresses') === true)
    return bridge
  }
  const direct = (who = contact): Place => ({ network: 'matrix', id: `${address()} ${who.userId}` })
  /** Only of this test's contact: what the one before did not finish is rightly taken up in this one. */
  const heard = ({ arrivals }: TestInbox, who = contact): Arrival[] => arrivals.filter(({ place }) => place.id === direct(who).id)
  const write = (place: Place, text: string, more: Partial<Delivery> = {}): Delivery => {
    const { as, ...rest } = delivery(place, text, more)
    return more.as ? { ...rest, as: more.as } : rest
  }
  const chat = (options: Json = {}): Promise<string> =>
    contact.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [address()], ...options })
  const stateOf = async (who: MatrixPerson, room: string, type: string, key = ''): Promise<Json> =>
    await who.call('GET', `v3/rooms/${encode(room)}/state/${type}/${encode(key)}`)
  const invitation = async (who: MatrixPerson): Promise<{ room: string, event: SeenEvent }> => {
    const answer = await who.call('GET', 'v3/sync?timeout=0') as { rooms?: { invite?: Record<string, { invite_state: { events: SeenEvent[] } }> } }
    const [found] = Object.entries(answer.rooms?.invite ?? {})
    assert.ok(found, 'no invitation')
    return { room: found[0], event: found[1].invite_state.events.find(event => event.type === 'm.room.member' && event.state_key === who.userId)! }
  }

  before(async () => { anna = await newPerson('anna') })
  beforeEach(async () => { contact = await newPerson('kunde') })
  afterEach(async () => { await Promise.all(running.splice(0).map(network => network.stop())) })

  describe('an address', () => {
    it('has a name, a picture, and an about room to which its alias with an umlaut leads', async () => {
      const { network, inbox, memory } = await begin({}, [identity({ logo: { bytes: PNG, mime: 'image/png' } })])
      const profile = await contact.call('GET', `v3/profile/${encode(address())}`)
      assert.equal(profile.displayname, 'Bürgerbüro')
      assert.deepEqual(await contact.download(String(profile.avatar_url)), PNG)
      const room = await contact.join(alias())
      assert.equal((await stateOf(contact, room, 'm.room.name')).name, 'Bürgerbüro')
      assert.equal((await stateOf(contact, room, 'm.room.topic')).topic, 'Mo–Fr 8–12 Uhr\nhttps://example.org\n+4930123456')
      assert.equal((await stateOf(contact, room, 'm.room.avatar')).url, profile.avatar_url)
      const [notice, ...more] = (await contact.events(room)).filter(({ type }) => type === 'm.room.message')
      assert.ok(notice && more.length === 0 && notice.sender === address() && String(notice.content.body).includes(address()))
      assert.deepEqual((await stateOf(contact, room, 'm.room.pinned_events')).pinned, [notice.event_id])
      await assert.rejects(contact.send(room, 'darf ich?'), { errcode: 'M_FORBIDDEN' })
      await assert.rejects(contact.setState(room, 'm.room.topic', '', { topic: 'x' }), { errcode: 'M_FORBIDDEN' })
      network.serve([identity({ about: 'geschlossen', logo: { bytes: PNG, mime: 'image/png' } })])
      await contact.waitFor(room, 'the new topic', ({ type, content }) => type === 'm.room.topic' && String(content.topic).startsWith('geschlossen'))
      await network.stop()
      await begin({ inbox, memory }, [identity({ about: 'wieder da' })])
      await contact.waitFor(room, 'the next', ({ type, content }) => type === 'm.room.topic' && String(content.topic).startsWith('wieder da'))
      assert.equal((await contact.events(room)).filter(({ type }) => type === 'm.room.message').length, 1)
    })

    it('finds its about room again when the memory is lost', async () => {
      await (await begin()).network.stop()
      const { room_id: room } = await contact.call('GET', `v3/directory/room/${encode(alias())}`)
      await (await begin({}, [identity({ about: 'neu' })])).network.stop()
      await contact.join(String(room))
      assert.match(String((await stateOf(contact, String(room), 'm.room.topic')).topic), /^neu/)
      assert.equal((await contact.events(String(room))).filter(({ type }) => type === 'm.room.message').length, 1)
    })

    it('outside of the namespaces is reported, with the line to add', async () => {
      const bridge = makeBridge(ground())
      running.push(bridge.network)
      const details: string[] = []
      const { connection } = bridge.inbox
      bridge.inbox.connection = (...told) => { if (told[1] === 'addresses') details.push(told[3] ?? ''); connection(...told) }
      const here = { ...identity(), aliases: [alias(), `#winter:${ground().serverName}`] } // one alias is missing, which is only told
      bridge.network.serve([{ ...identity(), id: mxid('winter.dienst'), aliases: [] }, here])
      await bridge.network.start(bridge.inbox)
      await bridge.inbox.until('it says so', () => details.length > 0)
      const [practice, test] = ground().serverName.split('.')
      assert.ok(details[0]!.includes(`- { exclusive: true, regex: '@winter\\.dienst:${practice}\\.${test}' }`), details[0])
      assert.equal(bridge.inbox.connections.get('addresses'), false)
      await contact.waitFor(await chat(), 'the other address works', membership(address(), 'join'))
    })
  })

  describe('a direct chat', () => {
    it('is accepted at once, with what was said before we joined', async () => {
      const { network, inbox } = await begin()
      const room = await chat()
      const first = await contact.send(room, 'Guten Tag')
      await contact.send(room, 'Mein Ausweis ist weg')
      await inbox.until('both', () => heard(inbox).length === 2)
      assert.deepEqual(said({ arrivals: heard(inbox) }), ['Guten Tag', 'Mein Ausweis ist weg'])
      const arrival = heard(inbox)[0] as MessageArrival
      assert.deepEqual([arrival.key, arrival.place, arrival.direct, arrival.to, arrival.sender.id],
        [first, direct(), true, address(), contact.userId])
      const sent = await network.send(write(direct(), 'Wir helfen'), signal())
      const answer = await contact.waitFor(room, 'the answer', body('Wir helfen'))
      assert.deepEqual([answer.sender, answer.event_id], [address(), sent.ids[0]])
      await contact.edit(room, first, 'Guten Abend')
      await contact.redact(room, first)
      await inbox.until('the changes', () => heard(inbox).length === 4)
      assert.deepEqual(heard(inbox).slice(2).map(({ kind, place }) => [kind, place.id]), [['edit', direct().id], ['deletion', direct().id]])
    })

    it('of a contact who writes too much is read by itself: others are still heard, and in the end everything comes', async () => {
      const { inbox, network, memory } = await begin()
      const [room, busy, texts] = [await chat(), contact, Array.from({ length: 20 }, (_, n) => String(n))]
      inbox.crowded.add(direct().id)
      for (const text of texts.slice(0, 10)) await busy.send(room, text)
      contact = await newPerson('andere')
      await contact.send(await chat(), 'Und ich?')
      await inbox.until('the other one', () => heard(inbox).length === 1)
      await network.stop() // nothing of what is not read is forgotten
      const again = await begin({ memory, inbox })
      for (const text of texts.slice(10)) await busy.send(room, text)
      inbox.crowded.clear()
      await again.inbox.until('all', () => heard(inbox, busy).length >= 20)
      assert.deepEqual(said({ arrivals: heard(inbox, busy) }), texts)
    })

    it('is accepted after we were away, and what was said meanwhile comes once and in order', async () => {
      const first = await begin()
      const old = await chat()
      await contact.send(old, '0')
      await first.inbox.until('the first', () => heard(first.inbox).length === 1)
      await first.network.stop()
      const other = contact
      contact = await newPerson('kunde')
      const fresh = await chat()
      for (let n = 1; n <= 5; n++) { await other.send(old, String(n)); await contact.send(fresh, `neu ${n}`) }
      const { inbox } = await begin({ memory: first.memory, inbox: first.inbox })
      const from = (who: MatrixPerson): string[] => said({ arrivals: heard(inbox, who) })
      await inbox.until('all', () => from(other).length + from(contact).length === 11)
      assert.deepEqual(from(other), ['0', '1', '2', '3', '4', '5'])
      assert.deepEqual(from(contact), ['neu 1', 'neu 2', 'neu 3', 'neu 4', 'neu 5'])
    })

    it('may have several rooms: we hear all, answer where the contact wrote last, and edit where we wrote', async () => {
      const { network, inbox } = await begin()
      const one = await chat()
      await contact.send(one, 'im ersten')
      await inbox.until('the first', () => heard(inbox).length === 1)
      const early = write(direct(), 'Antwort im ersten')
      const sent = await network.send(early, signal())
      const two = await chat()
      await contact.send(two, 'im zweiten')
      await inbox.until('the second', () => heard(inbox).length === 2)
      await network.send(write(direct(), 'Antwort im zweiten'), signal())
      await contact.waitFor(two, 'the answer there', body('Antwort im zweiten'))
      assert.deepEqual(await network.find!({ ...early, attempt: 2 }, signal()), sent, 'and is not said again here')
      const content = { style: 'text' as const, text: plain('geändert') }
      await network.send(write(direct(), '', { action: { kind: 'edit', of: early.key, content }, target: sent.ids }), signal())
      await contact.waitFor(one, 'the edit', body('* geändert'))
      await contact.send(one, 'wieder im ersten')
      await inbox.until('the third', () => heard(inbox).length === 3)
      await network.send(write(direct(), 'zurück'), signal())
      await contact.waitFor(one, 'the answer here', body('zurück'))
    })

    it('is made by us if there is none, and only once, whatever is cut off or forgotten', async () => {
      const first = await begin()
      const content = { style: 'quiet' as const, text: plain('Ihr Ausweis ist da') }
      const message = write(direct(), '', { action: { kind: 'message', content } })
      const sent = await first.network.send(message, signal())
      assert.deepEqual(await first.network.send({ ...message, attempt: 2 }, signal()), sent)
      await first.network.stop()
      const second = await begin()
      assert.deepEqual(await second.network.send({ ...message, attempt: 3 }, signal()), sent)
      const { room, event } = await invitation(contact)
      assert.deepEqual([event.sender, event.content.is_direct], [address(), true])
      await contact.join(room)
      const seen = await contact.waitFor(room, 'the message', body('Ihr Ausweis ist da'))
      assert.deepEqual([seen.sender, seen.content.msgtype], [address(), 'm.notice'])
      await contact.send(room, 'Danke')
      await second.inbox.until('the thanks', () => heard(second.inbox).length === 1)
      assert.equal(heard(second.inbox)[0]!.place.id, direct().id)
      assert.ok((await contact.events(room)).every(({ type }) => type !== 'm.room.encryption'))
    })

    it('that only a later store knew is found after an earlier one was put back, and all is read that was said in it, once', async () => {
      const facts = new Map<string, string>()
      const first = await begin({ memory: makeMemory(facts) })
      await until(() => facts.has(`since ${address()}`), 'it is remembered what was asked', 60_000)
      await first.network.stop()
      const earlier = new Map(facts)
      const second = await begin({ memory: makeMemory(facts) })
      const room = await chat()
      await contact.send(room, 'vor dem Verlust')
      await second.inbox.until('the words', () => heard(second.inbox).length === 1)
      await second.network.stop()
      await contact.send(room, 'niemand da')
      const third = await begin({ memory: makeMemory(earlier) })
      await third.inbox.until('both', () => heard(third.inbox).length === 2)
      await contact.send(room, 'und weiter')
      await third.inbox.until('the next', () => heard(third.inbox).length > 2)
      assert.deepEqual(said({ arrivals: heard(third.inbox) }), ['vor dem Verlust', 'niemand da', 'und weiter'])
      await third.network.send(write(direct(), 'wir hören Sie'), signal())
      await contact.waitFor(room, 'the answer', body('wir hören Sie'))
    })

    it('is found by a new store, which hears what is said from now on, and nothing that was heard before; one of three is left alone', async () => {
      const first = await begin()
      const [room, shared] = [await chat(), await chat()]
      await contact.send(room, 'alt')
      await first.inbox.until('the words', () => heard(first.inbox).length === 1)
      await contact.waitFor(shared, 'we are in', membership(address(), 'join'))
      const third = await newPerson('dritte')
      await contact.call('POST', `v3/rooms/${encode(shared)}/invite`, { user_id: third.userId })
      await third.join(shared)
      await first.network.stop()
      await contact.send(room, 'niemand da') // nobody says yes to it, so the homeserver may still bring it, as it pleases
      const facts = new Map<string, string>()
      const second = await begin({ memory: makeMemory(facts) })
      await until(() => facts.has(`since ${address()}`), 'all rooms are found', 60_000)
      await contact.send(shared, 'zu dritt')
      await contact.send(room, 'neu')
      const told = (): string[] => said({ arrivals: heard(second.inbox) })
      await second.inbox.until('the new words', () => told().includes('neu'))
      await contact.send(room, 'noch etwas')
      await second.inbox.until('what is said next', () => told().includes('noch etwas'))
      const [brought, late] = [told(), told().includes('niemand da') ? ['niemand da'] : []]
      assert.deepEqual(brought, [...late, 'neu', 'noch etwas'])
    })

    it('is over when the contact has left, until they open another', async () => {
      const { network, inbox } = await begin()
      const room = await chat()
      await contact.send(room, 'auf Wiedersehen')
      await inbox.until('the words', () => heard(inbox).length === 1)
      const other = await newPerson('kunde')
      const elsewhere = await other.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [address()] })
      await other.waitFor(elsewhere, 'we are in', membership(address(), 'join'))
      await contact.call('POST', `v3/rooms/${encode(room)}/leave`, {})
      await other.send(elsewhere, 'danach')
      await inbox.until('what came after', () => heard(inbox, other).length === 1)
      await assert.rejects(network.send(write(direct(), 'noch da?'), signal()), { name: 'Refused', message: 'the contact has left the chat' })
      const next = await chat()
      await contact.waitFor(next, 'we are in again', membership(address(), 'join'))
      await contact.send(next, 'doch noch etwas')
      await inbox.until('it comes in', () => heard(inbox).length === 2)
      await network.send(write(direct(), 'gern'), signal())
      await contact.waitFor(next, 'the answer', body('gern'))
    })

    for (const how of ['at once', 'while we are away']) {
      it(`goes on in the room that replaces its room, if its contact invites us there ${how}, and never behind a tombstone`, async () => {
        let { network, inbox, memory } = await begin()
        const say = (text: string, more: Partial<Delivery> = {}) => network.send(write(direct(), text, more), signal())
        const room = await chat()
        const first = await contact.send(room, 'Guten Tag')
        await inbox.until('the words', () => said(inbox).includes('Guten Tag'))
        const early = write(direct(), 'Wir helfen')
        const { ids } = await network.send(early, signal())
        if (how !== 'at once') await network.stop()
        const next = String((await contact.call('POST', `v3/rooms/${encode(room)}/upgrade`, { new_version: '11' })).replacement_room)
        if (how === 'at once') {
          await until(() => memory.keys('replaced ').length === 1, 'the tombstone')
          const content = { style: 'text' as const, text: plain('geändert') }
          await assert.rejects(say('dahinter'), { name: 'Refused', because: 'parted' })
          await assert.rejects(say('', { action: { kind: 'edit', of: early.key, content }, target: ids }), { name: 'Refused', because: 'moved' })
        }
        await contact.call('POST', `v3/rooms/${encode(next)}/invite`, { user_id: address() })
        await contact.send(next, 'hier geht es weiter')
        if (how !== 'at once') ({ network, inbox, memory } = await begin({ memory, inbox }))
        await inbox.until('the words in the next room', () => said(inbox).includes('hier geht es weiter'))
        await contact.edit(room, first, 'Guten Abend')
        await inbox.until('what is changed in the old one', () => heard(inbox).some(({ kind }) => kind === 'edit'))
        await say('im neuen')
        await contact.waitFor(next, 'the answer', body('im neuen'))
        assert.equal((await contact.events(room)).filter(({ sender, type }) => sender === address() && type === 'm.room.message').length, 1)
      })
    }

    it('is for two: an invitation to a group is declined, with the reason', async () => {
      await begin()
      const group = await chat({ is_direct: false, preset: 'public_chat', invite: [] })
      for (const name of ['x', 'y']) await (await newPerson(name)).join(group)
      await contact.call('POST', `v3/rooms/${encode(group)}/invite`, { user_id: address() })
      await contact.waitFor(group, 'why', one => membership(address(), 'leave')(one) && /Direktchat.*direct chat/s.test(String(one.content.reason)))
    })

    it('cannot be read if it is encrypted: the contact is told once, in two languages, and each message passed on as unreadable', async () => {
      const { inbox } = await begin()
      const room = await chat({ initial_state: [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }] })
      for (const ciphertext of ['1', '2']) await contact.send(room, { algorithm: 'm.megolm.v1.aes-sha2', ciphertext }, 'm.room.encrypted')
      await inbox.until('both', () => inbox.quarantined.length === 2)
      const notice = await contact.waitFor(room, 'the notice', ({ content }) => content.msgtype === 'm.notice')
      assert.ok(notice.sender === address() && /verschlüsselt[^]*encrypted/.test(String(notice.content.body)))
      await contact.send(room, 'ohne Schlüssel')
      await inbox.until('the next one', () => heard(inbox).length === 3)
      assert.deepEqual(heard(inbox).map(one => 'content' in one && one.content.unreadable), ['encrypted', 'encrypted', undefined])
      assert.equal((await contact.events(room)).filter(({ content }) => content.msgtype === 'm.notice').length, 1)
    })

    it('tells what a machine wrote, what is in a thread, and what a message answers', async () => {
      const [{ inbox }, room] = [await begin(), await chat()]
      const root = await contact.send(room, 'ein Mensch')
      await contact.send(room, { msgtype: 'm.notice', body: 'ein Automat' })
      await contact.send(room, { msgtype: 'm.text', body: 'auch einer', 'org.matrix.msc1767.automated': true })
      const answer = (text: string, more: Json = {}) => contact.send(room,
        { msgtype: 'm.text', body: `> <${contact.userId}> ein Mensch\n\n${text}`, 'm.relates_to': { 'm.in_reply_to': { event_id: root }, ...more } })
      await answer('am Rand', { rel_type: 'm.thread', event_id: root, is_falling_back: true })
      await answer('Ja')
      await inbox.until('all', () => heard(inbox).length === 5)
      assert.deepEqual(said({ arrivals: heard(inbox) }), ['ein Mensch', 'ein Automat', 'auch einer', 'am Rand', 'Ja'])
      const marks = heard(inbox).map(one => one.kind === 'message' ? `${[one.automatic, one.inThread, one.replyTo]}` : '')
      assert.deepEqual(marks, [',,', 'true,,', 'true,,', `,true,${root}`, `,,${root}`])
    })
  })

  it('shows a contact the address and nothing else: no bot, no ghost, nobody of the team', async () => {
    const bridge = await begin()
    const room = await chat()
    await contact.send(room, 'Hallo')
    await bridge.inbox.until('the words', () => heard(bridge.inbox).length === 1)
    await bridge.network.send(write(direct(), 'Antwort', { as: { ...max, person: { network: 'matrix', id: anna.userId }, name: 'Anna' } }), signal())
    await contact.waitFor(room, 'the answer', body('Antwort'))
    const all = JSON.stringify([await contact.events(room), await contact.call('GET', `v3/rooms/${encode(room)}/state`)])
    for (const one of [anna.userId, 'Anna', '_zentrale_', mxid('zentrale')]) assert.ok(!all.includes(one), one)
  })
}
