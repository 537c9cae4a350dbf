/** Whether we are in a room at all, on any homeserver: sent out of it, let in again, led to another one, encrypted. */
import assert from 'node:assert/strict'
import { type Log, silentLog } from '../../src/lib/log'
import type { Place } from '../../src/model/address'
import { Refused } from '../../src/model/errors'
import type { Content, Delivery } from '../../src/model/message'
import type { Network } from '../../src/model/network'
import { plain } from '../../src/model/text'
import type { TestInbox } from './inbox'
import { until } from './practice'
import { body, makeMatrixPerson, type Json, type MatrixPerson, type SeenEvent } from './matrix-person'
import { bernd, delivery, makeBridge, newKey, said, type Bridge, type Ground } from './matrix-suite'

const encode = encodeURIComponent

export const membershipSuite = (ground: () => Ground): void => {
  let anna: MatrixPerson
  let people = 0
  const running: Network[] = []
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)
  const bot = (): string => `@${ground().config.registration.sender_localpart}:${ground().serverName}`
  const botIs = (now: string) => ({ type, state_key: key, content }: SeenEvent): boolean =>
    type === 'm.room.member' && key === bot() && content.membership === now
  const placeAt = (id: string): Place => ({ network: 'matrix', id })
  const openRoom = async (): Promise<Place> => placeAt(await anna.createRoom({ preset: 'public_chat' }))
  const standings = ({ standings: all }: TestInbox, { id }: Place): string[] =>
    all.filter(({ place }) => place.id === id).map(({ standing }) => standing)

  const newPerson = async (name: string): Promise<MatrixPerson> => {
    const { userId, accessToken } = await ground().createUser(`${name}${++people}${newKey()}`.toLowerCase())
    return makeMatrixPerson(ground().url, userId, accessToken)
  }
  const to = async (room: string, verb: 'kick' | 'ban' | 'unban' | 'invite', user: string, by = anna): Promise<void> => {
    await by.call('POST', `v3/rooms/${encode(room)}/${verb}`, { user_id: user })
  }
  const start = async (places: Place[], more: Parameters<typeof makeBridge>[1] = {}): Promise<Bridge> => {
    const bridge = makeBridge(ground(), more)
    running.push(bridge.network)
    bridge.network.attend(places)
    await bridge.network.start(bridge.inbox)
    return bridge
  }
  const begin = async (places: Place[], more: Parameters<typeof makeBridge>[1] = {}): Promise<Bridge> => {
    const bridge = await start(places, more)
    await bridge.inbox.until('the rooms are joined', () => bridge.inbox.connections.get('rooms') === true)
    return bridge
  }
  /** Says something in another room: once that has been pushed, everything before it has been. */
  const settled = async ({ inbox }: Bridge, other: Place): Promise<void> => {
    const mark = `mark ${newKey()}`
    await anna.send(other.id, mark)
    await inbox.until('what comes behind', () => said(inbox).includes(mark))
  }
  const texts = ({ arrivals }: TestInbox, { id }: Place): string[] => said({ arrivals: arrivals.filter(({ place }) => place.id === id) })

  before(async () => { anna = await newPerson('anna') })
  afterEach(async () => { await Promise.all(running.splice(0).map(network => network.stop())) })

  for (const verb of ['kick', 'ban'] as const) {
    it(`a room that throws the bot out is neither heard nor spoken into, though ghosts are in it, until it invites the bot (${verb})`, async () => {
      const [place, other] = [await openRoom(), await openRoom()]
      const bridge = await begin([place, other])
      const { network, inbox } = bridge
      await network.send(delivery(place, 'ein Geist'), signal())
      await anna.send(place.id, 'davor')
      await to(place.id, verb, bot())
      await anna.send(place.id, 'unter uns')
      await inbox.until('it is out', () => standings(inbox, place).includes('out'))
      await settled(bridge, other)
      await assert.rejects(network.send(delivery(place, 'noch da?'), signal()), { name: 'Unavailable' })
      if (verb === 'ban') await to(place.id, 'unban', bot())
      await to(place.id, 'invite', bot())
      await inbox.until('it is in again', () => inbox.connections.get('rooms') === true)
      await anna.send(place.id, 'danach')
      await inbox.until('what is said then', () => texts(inbox, place).includes('danach'))
      assert.deepEqual(texts(inbox, place), ['davor', 'danach'])
      assert.deepEqual(standings(inbox, place).filter((one, index, all) => one !== all[index - 1]), ['in', 'out', 'in'])
      await network.send(delivery(place, 'wieder da'), signal())
      assert.deepEqual((await anna.events(place.id)).flatMap(event => event.sender === anna.userId ? [] : event.content.body ?? []),
        ['ein Geist', 'wieder da'])
    })

    it(`the bot finds out at the start that a room has thrown it out meanwhile, and does not go in again (${verb})`, async () => {
      const [place, other] = [await openRoom(), await openRoom()]
      const first = await begin([place, other])
      const { inbox, memory } = first
      await first.network.send(delivery(place, 'ein Geist'), signal())
      await settled(first, place)
      await first.network.stop()
      await anna.send(place.id, 'davor')
      await to(place.id, verb, bot())
      await anna.send(place.id, 'unter uns')
      for (let times = 0; times < 2; times++) {
        const next = await start([place, other], { inbox, memory })
        await inbox.until('it knows', () => standings(inbox, place).at(-1) === 'out' && inbox.connections.get('rooms') === false)
        await inbox.until('it has tried all, and the rest is for those who have a say there', () => inbox.ready.get('rooms') === true)
        await settled(next, other)
        await next.network.stop()
      }
      const known = standings(inbox, place).length
      const last = await start([place, other], { inbox, memory })
      await inbox.until('it has looked', () => standings(inbox, place).length > known && inbox.ready.get('rooms') === true)
      if (verb === 'ban') await to(place.id, 'unban', bot())
      await to(place.id, 'invite', bot())
      await inbox.until('it is in again', () => inbox.connections.get('rooms') === true)
      await anna.send(place.id, 'danach')
      await inbox.until('what is said then', () => texts(inbox, place).includes('danach'))
      await last.network.stop()
      assert.deepEqual(texts(inbox, place).filter(text => !text.startsWith('mark') && text !== 'davor'), ['danach'])
      const comings = (await anna.events(place.id)).filter(botIs('join'))
      assert.equal(comings.length, 2, 'it came once at first and once invited')
    })
  }

  it('a room that throws the bot out is left by all ghosts too, even if we were away; they come back with the bot', async () => {
    const place = await openRoom()
    const first = await begin([place])
    const { inbox, memory } = first
    const [max, others] = [delivery(place, 'Max'), delivery(place, 'Bernd', { as: bernd })]
    for (const one of [max, others]) await first.network.send(one, signal())
    const ghosts = (await anna.events(place.id)).flatMap(({ type, sender }) => type === 'm.room.message' ? [sender] : [])
    assert.equal(ghosts.length, 2)
    await first.network.stop()
    await to(place.id, 'kick', bot())
    await start([place], { inbox, memory })
    const left = (ghost: string) => ({ type, state_key: key, content }: SeenEvent): boolean =>
      type === 'm.room.member' && key === ghost && content.membership === 'leave'
    for (const ghost of ghosts) await anna.waitFor(place.id, 'it leaves', left(ghost))
    await to(place.id, 'invite', bot())
    await inbox.until('it is in again', () => inbox.connections.get('rooms') === true)
    await running.at(-1)!.send(delivery(place, 'wieder da'), signal())
    await anna.waitFor(place.id, 'it speaks', body('wieder da'))
    const { joined } = await anna.call('GET', `v3/rooms/${encode(place.id)}/joined_members`)
    assert.deepEqual(Object.keys(joined as Json).sort(), [anna.userId, bot(), ghosts[0]!].sort())
  })

  for (const hurry of [false, true]) {
    it(`a closed room that was upgraded is followed by invitation${hurry ? ', which may come first' : ''}`, async () => {
      const old = await anna.createRoom({ preset: 'private_chat', room_version: '11', invite: [bot()] })
      const place = placeAt(old)
      const { inbox, network } = await begin([place])
      await anna.send(old, 'vorher')
      await inbox.until('the first', () => texts(inbox, place).length === 1)
      const creation = { predecessor: { room_id: old, event_id: '$unknown' } }
      const next = hurry
        ? await anna.createRoom({ preset: 'private_chat', creation_content: creation, invite: [bot()] })
        : String((await anna.call('POST', `v3/rooms/${encode(old)}/upgrade`, { new_version: '12' })).replacement_room)
      if (hurry) await anna.setState(old, 'm.room.tombstone', '', { body: 'umgezogen', replacement_room: next })
      else {
        await inbox.until('it cannot follow', () => inbox.connections.get('rooms') === false)
        await to(next, 'invite', bot())
      }
      await anna.waitFor(next, 'the bot follows', botIs('join'))
      await inbox.until('it is there', () => inbox.connections.get('rooms') === true)
      await anna.send(next, 'nachher')
      await inbox.until('the second', () => texts(inbox, place).length === 2)
      assert.deepEqual(texts(inbox, place), ['vorher', 'nachher'])
      await network.send(delivery(place, 'auch hier'), signal())
      await anna.waitFor(next, 'the ghost is there', body('auch hier'))
    })
  }

  it('takes an alias that has moved with its room for no error, after a restart too', async () => {
    const name = `umzug${newKey()}`
    const old = await anna.createRoom({ preset: 'public_chat', room_alias_name: name, room_version: '11' })
    const place = placeAt(`#${name}:${ground().serverName}`)
    const first = await begin([place])
    await first.network.stop()
    const upgraded = await anna.call('POST', `v3/rooms/${encode(old)}/upgrade`, { new_version: '12' })
    const errors: string[] = []
    const log: Log = { ...silentLog, error: (_, message) => { errors.push(message) }, child: () => log }
    await begin([place], { memory: first.memory, inbox: first.inbox, log })
    await anna.waitFor(upgraded.replacement_room as string, 'the bot follows', botIs('join'))
    assert.deepEqual(errors, [])
  })

  it('takes back in a room that was replaced what stands there; nothing else refers to that, over a restart too', async () => {
    const place = placeAt(await anna.createRoom({ preset: 'public_chat', room_version: '11' }))
    await anna.setState(place.id, 'm.room.power_levels', '', { users: { [anna.userId]: 100, [bot()]: 50 } }) // the others lose their voice
    const first = await begin([place])
    const before = delivery(place, 'vorher')
    const { ids } = await first.network.send(before, signal())
    const own = await anna.send(place.id, 'Annas')
    const upgraded = await anna.call('POST', `v3/rooms/${encode(place.id)}/upgrade`, { new_version: '12' })
    const next = upgraded.replacement_room as string
    await anna.waitFor(next, 'the bot follows', botIs('join'))
    await first.inbox.until('it is there', () => first.memory.get(`room ${place.id}`) === next)
    await first.network.stop()
    const { network } = await begin([place], { memory: first.memory })
    const content: Content = { style: 'text', text: plain('x') }
    const reply = { by: before.as!, text: 'vorher', said: { arrival: own } }
    const dead: Partial<Delivery>[] = [
      { action: { kind: 'edit', of: before.key, content }, target: ids }, { action: { kind: 'message', content, reply } },
      { action: { kind: 'reaction', to: { arrival: own }, emojis: ['👍'] } },
      { action: { kind: 'reaction', to: { delivery: before.key }, emojis: ['👍'] }, answered: ids }
    ]
    for (const one of dead) {
      await assert.rejects(network.send({ ...delivery(place, ''), ...one }, signal()),
        (error: unknown) => error instanceof Refused && error.because === 'replaced')
    }
    await network.send({ ...delivery(place, ''), action: { kind: 'deletion', of: before.key }, target: ids }, signal())
    await anna.waitFor(place.id, 'its end', ({ type, redacts, content }) => type === 'm.room.redaction' && (redacts ?? content['redacts']) === ids[0])
    const later = await network.send(delivery(place, 'nachher'), signal())
    await network.send({ ...delivery(place, ''), action: { kind: 'edit', of: 'x', content }, target: later.ids }, signal())
    await anna.waitFor(next, 'the correction', body('* x'))
  })

  it('a moderator cannot lead the mirror into a room of their own', async () => {
    const mod = await newPerson('mod')
    const power = { users: { [anna.userId]: 100, [mod.userId]: 50 }, events: { 'm.room.tombstone': 50, 'm.room.power_levels': 100 } }
    const place = placeAt(await anna.createRoom({ preset: 'public_chat', room_version: '11', power_level_content_override: power }))
    const bridge = await begin([place])
    await mod.join(place.id)
    const trap = await mod.createRoom({ preset: 'public_chat', creation_content: { predecessor: { room_id: place.id, event_id: '$unknown' } } })
    await mod.setState(place.id, 'm.room.tombstone', '', { body: 'hier lang', replacement_room: trap })
    await settled(bridge, place)
    await bridge.network.stop()
    const again = await begin([place], bridge)
    await again.network.send(delivery(place, 'bleibt'), signal())
    await anna.waitFor(place.id, 'it stayed', body('bleibt'))
    const seen = await mod.events(trap)
    assert.deepEqual(seen.filter(({ type, state_key: key }) => type === 'm.room.member' && key !== mod.userId), [], 'it never came')
  })

  it('an admin who did not make the room cannot pass off a stranger\'s room as its successor', async () => {
    const stranger = await newPerson('fremd')
    const place = await openRoom()
    const { network } = await begin([place])
    const trap = await stranger.createRoom({ preset: 'public_chat', creation_content: { predecessor: { room_id: place.id, event_id: '$unknown' } } })
    await anna.setState(place.id, 'm.room.tombstone', '', { body: 'hier lang', replacement_room: trap })
    await stranger.waitFor(trap, 'it looked and left', botIs('leave'))
    await network.send(delivery(place, 'bleibt'), signal())
    await anna.waitFor(place.id, 'it stayed', body('bleibt'))
  })

  const ENCRYPTION: Json = { algorithm: 'm.megolm.v1.aes-sha2' }

  it('a room that turns encrypted is reported after what was said before, and encrypted messages in it are ignored', async () => {
    const [place, other] = [await openRoom(), await openRoom()]
    const bridge = await begin([place, other])
    const { inbox } = bridge
    const order: string[] = []
    const brought = new Set<string>() // the homeserver may bring one twice
    const { accept } = inbox
    inbox.accept = arrival => {
      if (arrival.place.id === place.id && !brought.has(arrival.key)) {
        order.push(arrival.kind === 'standing' ? arrival.standing : said({ arrivals: [arrival] })[0]!)
      }
      brought.add(arrival.key)
      return accept(arrival)
    }
    await anna.send(place.id, 'davor')
    await anna.setState(place.id, 'm.room.encryption', '', ENCRYPTION)
    await anna.send(place.id, 'danach')
    await settled(bridge, other)
    assert.deepEqual([...new Set(order)].slice(0, 2), ['davor', 'encrypted']) // what was pushed may be read once more
    await bridge.network.stop()
    inbox.accept = accept
    const again = await begin([place, other], { inbox, memory: bridge.memory })
    assert.equal(standings(inbox, place).at(-1), 'encrypted')
    await anna.send(place.id, { ...ENCRYPTION, ciphertext: 'x' }, 'm.room.encrypted')
    await settled(again, other)
    assert.deepEqual(inbox.quarantined, [])
  })

  it('a room that somebody asked for and that is closed is left with a word, and is no fault of ours, over a restart too', async () => {
    const alias = `platz${newKey().toLowerCase().replace(/[^a-z0-9]/g, '')}`
    const [square, other] = [placeAt(await anna.createRoom({ preset: 'public_chat', room_alias_name: alias })), await openRoom()]
    const bridge = await begin([other])
    const place = placeAt(`#${alias}:${ground().serverName}`)
    assert.equal(await bridge.network.findRoom!(place.id), place.id)
    bridge.network.attend([place])
    await bridge.inbox.until('it is in', () => standings(bridge.inbox, place).includes('in') && bridge.inbox.connections.get('rooms') === true)
    const down: unknown[] = []
    const { connection } = bridge.inbox
    bridge.inbox.connection = (network, name, up, ...rest) => {
      if (name === 'rooms' && !up && rest[0]?.includes(place.id) === true) down.push(rest[0])
      connection(network, name, up, ...rest)
    }
    for (const times of [1, 2]) {
      await anna.setState(square.id, 'm.room.join_rules', '', { join_rule: 'invite' })
      await bridge.inbox.until('it is out', () => standings(bridge.inbox, place).at(-1) === 'out')
      await until(async () => (await anna.events(square.id)).filter(botIs('leave')).length === times, 'the bot leaves')
      await settled(bridge, other)
      const isWord = ({ sender, content }: SeenEvent): boolean => sender === bot() && /no longer open to all/.test(String(content.body))
      assert.equal((await anna.events(square.id)).filter(isWord).length, times)
      await anna.setState(square.id, 'm.room.join_rules', '', { join_rule: 'public' })
      assert.equal(await bridge.network.findRoom!(place.id), place.id)
    }
    await anna.setState(square.id, 'm.room.join_rules', '', { join_rule: 'invite' })
    await bridge.inbox.until('it is out', () => standings(bridge.inbox, place).at(-1) === 'out')
    await settled(bridge, other)
    assert.deepEqual(down, [])
    await bridge.network.stop()
    await begin([place, other], { inbox: bridge.inbox, memory: bridge.memory })
  })

  it('a room that is encrypted already is reported before anything is said in it', async () => {
    const encrypted = [{ type: 'm.room.encryption', state_key: '', content: ENCRYPTION }]
    const place = placeAt(await anna.createRoom({ preset: 'public_chat', initial_state: encrypted }))
    const bridge = makeBridge(ground())
    running.push(bridge.network)
    const tried: Promise<unknown>[] = []
    const { accept } = bridge.inbox
    bridge.inbox.accept = arrival => {
      if (arrival.kind === 'standing') tried.push(assert.rejects(bridge.network.send(delivery(place, 'zu früh'), signal()), { name: 'Unavailable' }))
      return accept(arrival)
    }
    bridge.network.attend([place])
    await bridge.network.start(bridge.inbox)
    await bridge.inbox.until('it is there', () => bridge.inbox.connections.get('rooms') === true)
    await Promise.all(tried)
    assert.deepEqual(standings(bridge.inbox, place), ['encrypted'])
  })

  it('somebody who is not heard is heard neither live nor from the past, but can still send the bot out', async () => {
    const [place, other] = [await openRoom(), await openRoom()]
    const ghost = await newPerson('bifrost_bernd')
    await ghost.call('POST', `v3/rooms/${encode(place.id)}/join`)
    await anna.call('PUT', `v3/rooms/${encode(place.id)}/state/m.room.power_levels/`, { users: { [ghost.userId]: 100 } })
    const notHeardFrom = [`@bifrost_*:${ground().serverName}`]
    const bridge = await begin([place, other], { notHeardFrom })
    await ghost.send(place.id, 'von der alten Brücke')
    await anna.send(place.id, 'von Anna')
    await settled(bridge, other)
    await bridge.network.stop()
    await ghost.send(place.id, 'noch einmal von ihr')
    await anna.send(place.id, 'noch einmal von Anna')
    const again = await begin([place, other], { notHeardFrom, inbox: bridge.inbox, memory: bridge.memory })
    await bridge.inbox.until('what was missed', () => texts(bridge.inbox, place).length > 1) // rooms are read beside one another
    await settled(again, other)
    assert.deepEqual(texts(bridge.inbox, place), ['von Anna', 'noch einmal von Anna'])
    await to(place.id, 'kick', bot(), ghost)
    await bridge.inbox.until('it is sent out', () => standings(bridge.inbox, place).at(-1) === 'out')
  })
}
