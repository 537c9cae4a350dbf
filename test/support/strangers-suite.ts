/** Strangers' chats with an address and their invitations, on any homeserver: they do no harm to anybody else. */
import assert from 'node:assert/strict'
import { systemClock, type Clock } from '../../src/lib/clock'
import type { Place } from '../../src/model/address'
import { Unavailable } from '../../src/model/errors'
import type { Arrival, Delivery } from '../../src/model/message'
import type { Identity, Network } from '../../src/model/network'
import type { TestInbox } from './inbox'
import { ADDRESS } from './matrix-ground'
import { membership, makeMatrixPerson, type Json, type MatrixPerson } from './matrix-person'
import { delivery, makeBridge, newKey, said, type Bridge, type Ground } from './matrix-suite'
import { until } from './practice'
import { quickClock } from './quick'

const encode = encodeURIComponent
const LARGE_STATES = 100
const DAY_MS = 24 * 3600_000
const MOMENT_MS = 3000
const LEAVES_WITHIN_MS = 110_000 // Synapse lets nobody go while it writes a new name of theirs into all of their rooms
const LARGE = 'ü'.repeat(29_000) // three times as large in ASCII JSON, which homeservers send

/** A clock on which a wait of days is over after a moment, and then it is days later. */
const clockThatSkipsDays = (): Clock => {
  let skippedMs = 0
  return {
    ...systemClock, now: () => systemClock.now() + skippedMs,
    after: (ms, run) => ms < DAY_MS ? systemClock.after(ms, run) : systemClock.after(MOMENT_MS, () => { skippedMs += ms; run() })
  }
}

export const strangersSuite = (ground: () => Ground): void => {
  let people = 0
  let contact: MatrixPerson
  let stranger: MatrixPerson
  const running: Network[] = []
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)
  const address = (): string => `@${ADDRESS}:${ground().serverName}`

  const newPerson = async (name: string): Promise<MatrixPerson> => {
    const { userId, accessToken } = await ground().createUser(`${name}${++people}${newKey()}`.toLowerCase())
    return makeMatrixPerson(ground().url, userId, accessToken)
  }
  const identity = (): Identity => ({ id: address(), aliases: [], profile: { name: 'Bürgerbüro', about: 'offen' } })
  const begin = async (more: Parameters<typeof makeBridge>[1] = {}, places: Place[] = []): Promise<Bridge> => {
    const bridge = makeBridge(ground(), more)
    running.push(bridge.network)
    bridge.network.serve([identity()])
    bridge.network.attend(places)
    await bridge.network.start(bridge.inbox)
    await bridge.inbox.until('the address is there', () => bridge.inbox.connections.get('addresses') === true)
    if (places.length > 0) await bridge.inbox.until('the rooms are joined', () => bridge.inbox.connections.get('rooms') === true)
    return bridge
  }
  const chat = (by: MatrixPerson, options: Json = {}): Promise<string> =>
    by.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [address()], ...options })
  const direct = (who: MatrixPerson): Place => ({ network: 'matrix', id: `${address()} ${who.userId}` })
  const heard = ({ arrivals }: TestInbox, { id }: Place): Arrival[] => arrivals.filter(({ place }) => place.id === id)
  const words = (inbox: TestInbox, place: Place): string[] => said({ arrivals: heard(inbox, place) })
  const answer = (place: Place, text: string): Delivery => {
    const { as, ...rest } = delivery(place, text)
    return rest
  }
  /** Invites as an app does that calls a room a direct chat. */
  const inviteAsDirect = (room: string, by: MatrixPerson): Promise<void> =>
    by.setState(room, 'm.room.member', address(), { membership: 'invite', is_direct: true })
  const groupOf = async (options: Json = {}): Promise<string> => {
    const room = await contact.createRoom({ preset: 'public_chat', power_level_content_override: { invite: 0 }, ...options })
    for (const who of [stranger, await newPerson('x'), await newPerson('y'), await newPerson('z')]) await who.join(room)
    return room
  }

  beforeEach(async () => { [contact, stranger] = [await newPerson('kunde'), await newPerson('fremd')] })
  afterEach(async () => { await Promise.all(running.splice(0).map(network => network.stop())) })

  it('the gate stays open, however large the messages of a stranger are', async () => {
    const first = await begin()
    const room = await chat(stranger, { preset: 'private_chat' })
    await stranger.waitFor(room, 'we are in', membership(address(), 'join'))
    for (const version of [1, 2]) { // whose events hold the first too
      for (let state = 0; state < LARGE_STATES; state++) await stranger.setState(room, 'org.example.large', String(state), { version, LARGE })
    }
    await stranger.send(room, 'eins')
    await first.inbox.until('the words', () => words(first.inbox, direct(stranger)).includes('eins'))
    const { inbox, memory } = first
    await first.network.stop()
    for (let times = 0; times < 3; times++) {
      if (times === 1) for (const key of ['since', 'read']) await memory.delete(key === 'since' ? `since ${address()}` : `read ${room}`)
      await stranger.send(room, `fremd ${times}`)
      const customer = await newPerson('kunde')
      const bridge = await begin({ inbox, memory })
      await customer.send(await chat(customer), 'ich komme durch')
      await inbox.until('the customer', () => words(inbox, direct(customer)).length === 1)
      await inbox.until('the stranger too', () => words(inbox, direct(stranger)).includes(`fremd ${times}`))
      await inbox.until('the gate is open', () => inbox.connections.get('intake') !== false) // shut for a moment while it catches up
      await bridge.network.stop()
    }
  })

  describe('a room that is no direct chat', () => {
    it('stays a mirrored room, even if a member without power calls it the direct chat of an address', async () => {
      const place = { network: 'matrix', id: await groupOf() }
      const { inbox, memory } = await begin({}, [place])
      await inviteAsDirect(place.id, stranger)
      await stranger.waitFor(place.id, 'it is declined', membership(address(), 'leave'))
      await stranger.send(place.id, 'für alle')
      await inbox.until('it', () => words(inbox, place).length === 1)
      assert.deepEqual(words(inbox, direct(stranger)), [])
      assert.equal(memory.get(`dm ${place.id}`), undefined)
    })

    it('is left by an address that entered before it was mirrored, and nobody there counts as a contact', async () => {
      const room = await chat(stranger)
      const first = await begin()
      await stranger.send(room, 'eins')
      await first.inbox.until('the chat', () => words(first.inbox, direct(stranger)).length === 1)
      await first.network.stop()
      const bot = `@${ground().config.registration.sender_localpart}:${ground().serverName}`
      await stranger.call('POST', `v3/rooms/${encode(room)}/invite`, { user_id: bot })
      const place = { network: 'matrix', id: room }
      const { inbox, memory } = await begin({ memory: first.memory, clock: quickClock(20) }, [place])
      await stranger.send(room, 'zwei')
      await inbox.until('the room', () => heard(inbox, place).length === 1)
      assert.deepEqual([words(inbox, place), words(inbox, direct(stranger))], [['zwei'], []])
      await stranger.waitFor(room, 'the address leaves', membership(address(), 'leave'), LEAVES_WITHIN_MS)
      await until(() => memory.get(`dm ${room}`) === undefined, 'it is forgotten', LEAVES_WITHIN_MS)
    })

    it('is declined if several people are in it, whatever its inviter says', async () => {
      const room = await groupOf()
      const { inbox, memory } = await begin()
      await inviteAsDirect(room, stranger)
      await stranger.waitFor(room, 'it is declined', membership(address(), 'leave'))
      await stranger.send(room, 'zu vielen')
      await stranger.send(await chat(stranger), 'allein')
      await inbox.until('what is said alone', () => words(inbox, direct(stranger)).length > 0)
      assert.deepEqual(words(inbox, direct(stranger)), ['allein'])
      assert.equal(memory.get(`dm ${room}`), undefined)
    })

    it('is left and forgotten when the contact has left, after what they said has come in', async () => {
      const room = await chat(contact)
      const { inbox, memory, network } = await begin({ clock: quickClock(20) })
      await contact.waitFor(room, 'we are in', membership(address(), 'join'))
      await contact.call('POST', `v3/rooms/${encode(room)}/invite`, { user_id: stranger.userId })
      await stranger.join(room)
      await contact.send(room, 'auf Wiedersehen')
      await contact.call('POST', `v3/rooms/${encode(room)}/leave`, {})
      await stranger.waitFor(room, 'the address leaves', membership(address(), 'leave'), LEAVES_WITHIN_MS)
      await inbox.until('the last words', () => words(inbox, direct(contact)).length === 1)
      await until(() => memory.get(`dm ${room}`) === undefined && memory.get(`read ${room}`) === undefined,
        'it is forgotten', LEAVES_WITHIN_MS)
      await assert.rejects(network.send(answer(direct(contact), 'noch da?'), signal()), { name: 'Refused' })
    })

    it('is forgotten when the address was sent out', async () => {
      const room = await chat(contact, { preset: 'private_chat' })
      const { inbox, memory } = await begin({ clock: quickClock(20) })
      await contact.send(room, 'hallo')
      await inbox.until('it', () => words(inbox, direct(contact)).length === 1)
      await contact.call('POST', `v3/rooms/${encode(room)}/kick`, { user_id: address() })
      await until(() => memory.get(`dm ${room}`) === undefined, 'it is forgotten', LEAVES_WITHIN_MS)
    })

    it('takes the address in again that it has sent out when its contact invites it back, although nobody says that it is direct', async () => {
      const room = await chat(contact, { preset: 'private_chat' })
      const { inbox, network } = await begin()
      await contact.send(room, 'hallo')
      await inbox.until('it', () => words(inbox, direct(contact)).length === 1)
      await contact.call('POST', `v3/rooms/${encode(room)}/kick`, { user_id: address() })
      await until(() => network.send(answer(direct(contact), 'noch da?'), signal()).then(() => false, ({ name }) => name === 'Refused'), 'it is out')
      await contact.call('POST', `v3/rooms/${encode(room)}/invite`, { user_id: address() })
      await contact.send(room, 'wieder da')
      await inbox.until('the words', () => words(inbox, direct(contact)).length === 2)
      const sent = (error: unknown): boolean => error instanceof Unavailable ? false : assert.fail(String(error)) // the words may be there before us
      await until(() => network.send(answer(direct(contact), 'gern'), signal()).then(() => true, sent), 'it is answered')
      await contact.waitFor(room, 'the answer', ({ content }) => content.body === 'gern')
    })

    it('is left only if nothing is said there for a week', async () => {
      const { inbox, memory } = await begin({ clock: clockThatSkipsDays() })
      const spoken = await chat(contact)
      await contact.send(spoken, 'hallo')
      await inbox.until('the words', () => words(inbox, direct(contact)).length === 1)
      const silent = await chat(stranger)
      await stranger.waitFor(silent, 'the address leaves', membership(address(), 'leave'), LEAVES_WITHIN_MS)
      const forgotten = [`dm ${silent}`, `direct ${direct(stranger).id}`]
      await until(() => forgotten.every(key => memory.get(key) === undefined), 'it is forgotten', LEAVES_WITHIN_MS)
      assert.notEqual(memory.get(`dm ${spoken}`), undefined)
    })

    it('is not left if the contact wrote while we were away for longer than that', async () => {
      const { network, memory } = await begin()
      const room = await chat(contact)
      await contact.waitFor(room, 'we are in', membership(address(), 'join'))
      await until(() => memory.get('parting')?.includes(room) === true, 'nothing is said yet')
      await network.stop()
      await contact.send(room, 'hallo?')
      const { inbox } = await begin({ memory, clock: { ...systemClock, now: () => systemClock.now() + 8 * DAY_MS } })
      await inbox.until('the words', () => words(inbox, direct(contact)).includes('hallo?'))
      await until(() => memory.get('parting')?.includes(room) !== true, 'it is not to be left any more')
      assert.equal((await contact.events(room)).some(membership(address(), 'leave')), false)
    })
  })

  it('a third person in a contact\'s chat does not count as the contact', async () => {
    const room = await chat(contact)
    const { inbox, network } = await begin()
    await contact.send(room, 'ich bin es')
    await contact.call('POST', `v3/rooms/${encode(room)}/invite`, { user_id: stranger.userId })
    await stranger.join(room)
    await stranger.send(room, 'ich bin wer anders')
    await inbox.until('both', () => heard(inbox, direct(contact)).length === 2)
    const senders = heard(inbox, direct(contact)).flatMap(one => one.kind === 'message' ? [one.sender.id] : [])
    assert.deepEqual(senders, [contact.userId, stranger.userId])
    assert.deepEqual(senders.map(id => network.naming.direct(address(), id) === direct(contact).id), [true, false])
  })

  it('cannot find out by guessing who wrote to an address: the name of a ghost in a room of the team is not made of the number alone', async () => {
    const first = await begin()
    const slug = `amt-${newKey().toLowerCase().replace(/[^a-z0-9]/g, '')}`
    const [where, other] = [1, 2].map((what): Place => ({ network: 'matrix', id: first.network.naming.room(slug, what)! })) as [Place, Place]
    const number = `+4917${Date.now()}`
    const eva = { person: { network: 'sms', id: number }, name: 'Eva' }
    const tell = async ({ network }: Bridge, place: Place, text: string): Promise<unknown> =>
      await network.send(delivery(place, text, { as: eva }), signal())
    for (const place of [where, other]) {
      const room = { name: 'Eva', topic: '', people: [contact.userId] }
      await first.network.send({ ...answer(place, ''), action: { kind: 'room', room } }, signal())
    }
    const inside = async (place: Place): Promise<string> =>
      await contact.join(String((await contact.call('GET', `v3/directory/room/${encode(place.id)}`)).room_id))
    const [team, next] = [await inside(where), await inside(other)]
    await tell(first, where, 'vorher')
    const asked = await fetch(`${ground().url}/_matrix/client/v3/profile/${encode(`@_zentrale_sms_${number}:${ground().serverName}`)}`)
    assert.equal(asked.status, 404)
    const { sender } = await contact.waitFor(team, 'Eva', ({ content }) => content['body'] === 'vorher')
    assert.match(sender, /^@_zentrale_sms__[0-9a-f]{32}:/)
    await first.network.stop()
    const second = await begin({ inbox: first.inbox, memory: first.memory }, [where, other])
    await tell(second, where, 'nachher')
    await tell(second, other, 'anderswo')
    const again = await contact.waitFor(team, 'Eva again', ({ content }) => content['body'] === 'nachher')
    const elsewhere = await contact.waitFor(next, 'Eva elsewhere', ({ content }) => content['body'] === 'anderswo')
    assert.deepEqual([again.sender, elsewhere.sender], [sender, sender])
  })
}
