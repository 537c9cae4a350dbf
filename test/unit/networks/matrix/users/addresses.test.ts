import assert from 'node:assert/strict'
import type { Delivery } from '../../../../../src/model/message'
import type { Place } from '../../../../../src/model/address'
import type { Identity, Network } from '../../../../../src/model/network'
import type { Homeserver, HsPerson } from '../../../../support/homeserver'
import { ADDRESS, ALIAS, practiceGround } from '../../../../support/matrix-ground'
import { delivery, makeBridge, PNG, said, type Bridge, type Ground } from '../../../../support/matrix-suite'
import { until } from '../../../../support/practice'
import { quickClock } from '../../../../support/quick'

const OURS = `@${ADDRESS}:practice.test`
const PROFILE = { name: 'Bürgerbüro', about: 'Mo–Fr', logo: { bytes: PNG, mime: 'image/png' }, present: { available: true, text: 'bis 12 Uhr' } }
const IDENTITY: Identity = { id: OURS, aliases: [`#${ALIAS}:practice.test`], profile: PROFILE }

describe('Matrix: function addresses under faults', () => {
  let homeserver: Homeserver
  let ground: Ground
  let kunde: HsPerson
  let details: Map<string, string | undefined>
  const running: Network[] = []
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)

  const count = (pattern: RegExp): number => homeserver.requests.filter(line => pattern.test(line)).length
  const begin = async (more: Parameters<typeof makeBridge>[1] = {}): Promise<Bridge> => {
    const bridge = makeBridge(ground, more)
    running.push(bridge.network)
    details = new Map()
    const { connection } = bridge.inbox
    bridge.inbox.connection = (network, name, up, detail) => { details.set(name, detail); connection(network, name, up, detail) }
    bridge.network.serve([IDENTITY])
    await bridge.network.start(bridge.inbox)
    return bridge
  }
  const ready = async (more: Parameters<typeof makeBridge>[1] = {}): Promise<Bridge> => {
    const bridge = await begin(more)
    await bridge.inbox.until('it is an address', () => bridge.inbox.connections.get('addresses') === true)
    await until(() => count(/\/sync\?.*buergerbuero/) > 0, 'it is asked what came')
    await homeserver.pusher.drained()
    return bridge
  }
  const write = (place: Place, text: string, more: Partial<Delivery> = {}): Delivery => {
    const { as, ...rest } = delivery(place, text, more)
    return rest
  }
  const chat = (): string => kunde.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [OURS] })
  const direct = (): Place => ({ network: 'matrix', id: `${OURS} ${kunde.userId}` })

  beforeEach(async () => {
    ({ homeserver, ground } = await practiceGround())
    kunde = homeserver.person('kunde')
  })
  afterEach(async () => {
    await Promise.all(running.splice(0).map(network => network.stop()))
    await homeserver.stop()
  })

  it('an address is made once: nothing of it is set again at a restart, its picture is stored once', async () => {
    const first = await ready()
    assert.deepEqual(homeserver.state.users.get(OURS)?.presence, { presence: 'online', status_msg: 'bis 12 Uhr' })
    const made = homeserver.state.rooms.size
    await until(() => homeserver.state.users.get('@zentrale:practice.test')?.avatar_url !== undefined, 'our own user has its picture')
    await first.network.stop()
    homeserver.requests.splice(0)
    await ready({ memory: first.memory, inbox: first.inbox })
    assert.equal(homeserver.state.rooms.size, made)
    assert.equal(count(/\/(upload|register|displayname|avatar_url|createRoom|state|send)\b/), 0)
  })

  it('an address that cannot be made now is made later, and shows as a link that is down', async () => {
    homeserver.faults.push({ on: /POST .*\/register/, times: 3, status: 500 })
    const { inbox } = await begin({ clock: quickClock(20) })
    await inbox.until('it is missed', () => inbox.connections.get('addresses') === false)
    assert.match(details.get('addresses')!, /^@buergerbuero:practice\.test: homeserver: 500/)
    await inbox.until('it is there', () => inbox.connections.get('addresses') === true)
  })

  it('an alias that leads to somebody else’s room is left to them, and said', async () => {
    homeserver.state.aliases.set(`#${ALIAS}:practice.test`, kunde.createRoom())
    const { inbox, network } = await begin()
    await inbox.until('it says so', () => details.get('addresses')?.includes('leads to another room already') === true)
    await network.send(write(direct(), 'geht trotzdem'), signal())
  })

  it('every room is made once, though the connection breaks when it is', async () => {
    const { network } = await ready()
    const team = { network: 'matrix', id: network.naming.room('amt', 1)! }
    const room = { name: 'Müller', topic: '', people: [kunde.userId] }
    for (const message of [write(direct(), 'von uns'), write(team, '', { action: { kind: 'room', room } })]) {
      const before = homeserver.state.rooms.size
      homeserver.faults.push({ on: /createRoom/, times: 1, breaks: 'after' })
      await assert.rejects(network.send(message, signal()), { name: 'Unavailable' })
      await network.send({ ...message, attempt: 2 }, signal())
      assert.equal(homeserver.state.rooms.size, before + 1)
    }
  })

  it('a direct chat of ours whose contact was not invited before the crash invites them', async () => {
    const { network } = await ready()
    const { userId } = kunde
    homeserver.faults.push({ on: /createRoom/, times: 1, breaks: 'after' })
    await assert.rejects(network.send(write(direct(), 'eins'), signal()), { name: 'Unavailable' })
    const [room] = [...homeserver.state.rooms.values()].slice(-1)
    room!.state.delete(`m.room.member\0${userId}`)
    await network.send(write(direct(), 'zwei'), signal())
    const event = room!.state.get(`m.room.member\0${userId}`)
    assert.deepEqual([event?.content.membership, event?.content.is_direct], ['invite', true])
  })

  it('an invitation is accepted although another server fails, which says nothing about ours', async () => {
    const { inbox } = await ready({ clock: quickClock(20) })
    const ups: boolean[] = []
    const { connection } = inbox
    inbox.connection = (network, name, up, detail) => { if (name === 'homeserver') ups.push(up); connection(network, name, up, detail) }
    homeserver.faults.push({ on: /\/join\b/, times: 3, status: 502, body: { errcode: 'M_UNKNOWN' } })
    kunde.send(chat(), 'Hallo')
    await inbox.until('the words', () => inbox.arrivals.length === 1)
    assert.deepEqual(ups, [])
  })

  it('an invitation is accepted although the answer to our join is lost: we do not count ourselves among the others', async () => {
    const { inbox } = await ready()
    homeserver.faults.push({ on: /buergerbuero.*\/join|\/join.*buergerbuero/, times: 1, breaks: 'after' })
    const room = kunde.createRoom({ preset: 'private_chat', invite: [OURS] })
    kunde.send(room, 'Guten Tag')
    await inbox.until('it is taken', () => said(inbox).includes('Guten Tag'))
    assert.equal(homeserver.membership(room, OURS), 'join')
  })

  it('an invitation that the homeserver lost is found when it is found again', async () => {
    const first = await ready()
    homeserver.pusher.loseNext(1000)
    kunde.send(chat(), 'Hallo')
    homeserver.pusher.loseNext(0)
    homeserver.pusher.restarted()
    kunde.send(kunde.createRoom({ invite: ['@zentrale:practice.test'] }), 'irgendwas')
    await first.inbox.until('the words', () => first.inbox.arrivals.length === 1)
    assert.deepEqual(said(first.inbox), ['Hallo'])
  })

  it('what is said while we come in stays in order', async () => {
    const { inbox } = await ready()
    homeserver.faults.push({ on: /GET .*\/messages/, times: 1, delayMs: 300 })
    const room = chat()
    kunde.send(room, '0')
    await kunde.waitFor(room, ({ state_key: key, content }) => key === OURS && content.membership === 'join')
    for (let n = 1; n < 20; n++) kunde.send(room, String(n))
    await inbox.until('all', () => inbox.arrivals.length === 20)
    assert.deepEqual(said(inbox), Array.from({ length: 20 }, (_, n) => String(n)))
  })

  it('rooms of the team are only read at a restart, not entered and described again', async () => {
    const first = await ready()
    const { userId } = kunde
    const places = [1, 2, 3].map(what => ({ network: 'matrix', id: first.network.naming.room('amt', what)! }))
    const room = { name: 'Müller', topic: '', people: [userId] }
    for (const place of places) await first.network.send(write(place, '', { action: { kind: 'room', room } }), signal())
    const rooms = places.map(({ id }) => homeserver.state.resolve(id))
    for (const id of rooms) kunde.join(id)
    kunde.send(rooms[0]!, 'vorher')
    await first.inbox.until('it comes in', () => first.inbox.arrivals.length === 1)
    await first.network.stop()
    await (await ready({ memory: first.memory, inbox: first.inbox })).network.stop()
    kunde.send(rooms[1]!, 'nachher')
    homeserver.requests.splice(0)
    const second = makeBridge(ground, { memory: first.memory, inbox: first.inbox })
    running.push(second.network)
    second.network.attend(places)
    await second.network.start(second.inbox)
    await second.inbox.until('the missed', () => second.inbox.arrivals.length === 2)
    await homeserver.pusher.drained()
    assert.deepEqual(said(second.inbox), ['vorher', 'nachher'])
    const touched = homeserver.requests.filter(line => !line.startsWith('GET') && rooms.some(id => line.includes(encodeURIComponent(id))))
    assert.deepEqual(touched, [])
  })

  it('a crash between coming in and reading loses nothing', async () => {
    const first = await ready()
    homeserver.faults.push({ on: /GET .*\/messages/, times: 1000, status: 500 })
    const room = chat()
    kunde.send(room, '0')
    await kunde.waitFor(room, ({ state_key: key, content }) => key === OURS && content.membership === 'join')
    kunde.send(room, '1')
    await homeserver.pusher.drained()
    await first.network.stop()
    homeserver.faults.splice(0)
    const { inbox } = await ready({ memory: first.memory, inbox: first.inbox })
    await inbox.until('both', () => inbox.arrivals.length === 2)
    assert.deepEqual(said(inbox), ['0', '1'])
  })
})
