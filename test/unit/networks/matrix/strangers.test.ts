import assert from 'node:assert/strict'
import type { Place } from '../../../../src/model/address'
import type { Identity, Network } from '../../../../src/model/network'
import type { Homeserver } from '../../../support/homeserver'
import type { HsEvent } from '../../../support/homeserver/state'
import type { TestInbox } from '../../../support/inbox'
import { ADDRESS, practiceGround } from '../../../support/matrix-ground'
import { delivery, makeBridge, said, type Bridge, type Ground } from '../../../support/matrix-suite'
import { until } from '../../../support/practice'
import { quickClock } from '../../../support/quick'

const TOO_LONG = 'x'.repeat(33 * 2 ** 20)

describe('Matrix: strangers', () => {
  let homeserver: Homeserver
  let ground: Ground
  const running: Network[] = []
  const address = (): string => `@${ADDRESS}:${ground.serverName}`

  beforeEach(async () => { ({ homeserver, ground } = await practiceGround()) })
  afterEach(async () => {
    await Promise.all(running.splice(0).map(network => network.stop()))
    await homeserver.stop()
  })

  const begin = async (more: Parameters<typeof makeBridge>[1] = {}): Promise<Bridge> => {
    const bridge = makeBridge(ground, more)
    running.push(bridge.network)
    const identity: Identity = { id: address(), aliases: [], profile: { name: 'Bürgerbüro', about: 'offen' } }
    bridge.network.serve([identity])
    await bridge.network.start(bridge.inbox)
    await bridge.inbox.until('the address is there', () => bridge.inbox.connections.get('addresses') === true)
    return bridge
  }
  const direct = () => ({ preset: 'trusted_private_chat', is_direct: true, invite: [address()] })
  const chatOf = (name: string): string => homeserver.person(name).createRoom(direct())

  it('whose invitations hang keep no customer waiting', async () => {
    const { inbox } = await begin()
    homeserver.faults.push({ on: /fremd.*\/join/, times: 1000, delayMs: 100_000 })
    for (let chats = 0; chats < 40; chats++) homeserver.state.createRoom('@fremd:practice.test', direct(), `!fremd${chats}`)
    const room = chatOf('kunde')
    homeserver.person('kunde').send(room, 'guten Tag')
    await inbox.until('the customer', () => said(inbox).includes('guten Tag'))
  })

  it('who are gone before we have read what they said are left all the same, and heard', async () => {
    const { inbox, network } = await begin({ clock: quickClock(50) })
    homeserver.faults.push({ on: /joined_members/, times: 1, delayMs: 500 })
    const [customer, room] = [homeserver.person('kunde'), chatOf('kunde')]
    await customer.waitFor(room, ({ state_key: key, content }) => key === address() && content.membership === 'join')
    customer.invite(room, homeserver.person('fremd').userId)
    homeserver.person('fremd').join(room)
    customer.send(room, 'auf Wiedersehen')
    customer.leave(room)
    await customer.waitFor(room, ({ state_key: key, content }) => key === address() && content.membership === 'leave')
    assert.deepEqual(said(inbox), ['auf Wiedersehen'])
    const place = { network: 'matrix', id: `${address()} ${customer.userId}` }
    await assert.rejects(network.send(delivery(place, 'noch da?'), AbortSignal.timeout(60_000)), { name: 'Refused' })
  })

  describe('whose coming or going is read once more, later than what came after it', () => {
    const is = (who: string, membership: string) => ({ state_key: key, content }: HsEvent): boolean =>
      key === who && content.membership === membership
    const read = async (event: HsEvent): Promise<void> => {
      await homeserver.pusher.drained()
      assert.equal((await homeserver.pusher.raw('once more', JSON.stringify({ events: [event] }))).status, 200)
    }
    const place = (): Place => ({ network: 'matrix', id: `${address()} ${homeserver.person('kunde').userId}` })
    const chat = async (inbox: TestInbox): Promise<string> => {
      const room = homeserver.person('kunde').createRoom({ ...direct(), preset: 'public_chat' })
      homeserver.person('kunde').send(room, 'hallo')
      await inbox.until('it', () => said(inbox).length === 1)
      return room
    }

    it('are left if they have left', async () => {
      const { inbox, network } = await begin({ clock: quickClock(20) })
      const [customer, room] = [homeserver.person('kunde'), await chat(inbox)]
      customer.leave(room)
      await read(customer.events(room).find(is(customer.userId, 'join'))!)
      await customer.waitFor(room, is(address(), 'leave'), 10_000)
      await assert.rejects(network.send(delivery(place(), 'noch da?'), AbortSignal.timeout(60_000)), { name: 'Refused' })
    })

    it('are answered if they are there', async () => {
      const { inbox, network, memory } = await begin()
      const [customer, room] = [homeserver.person('kunde'), await chat(inbox)]
      customer.leave(room)
      await homeserver.pusher.drained()
      customer.join(room)
      await read(customer.events(room).find(is(customer.userId, 'leave'))!)
      await network.send(delivery(place(), 'noch da?'), AbortSignal.timeout(60_000))
      assert.equal(memory.get('parting')?.includes(room) ?? false, false)
    })
  })

  it('who are answered once their invitation is taken, whatever was there before', async () => {
    const { inbox, network } = await begin()
    const [customer, room] = [homeserver.person('kunde'), chatOf('kunde')]
    const answer = (): Promise<unknown> =>
      network.send(delivery({ network: 'matrix', id: `${address()} ${customer.userId}` }, 'gern'), AbortSignal.timeout(60_000))
    customer.send(room, 'hallo')
    await inbox.until('it', () => said(inbox).length === 1)
    customer.kick(room, address())
    await until(() => answer().then(() => false, ({ name }) => name === 'Refused'), 'it is out')
    homeserver.faults.push({ on: /room_summary/, times: 1, delayMs: 1000 })
    customer.invite(room, address())
    await until(() => homeserver.faults[0]?.times === 0, 'the invitation is being taken')
    await assert.rejects(answer(), { name: 'Unavailable' })
    await until(() => answer().then(() => true, ({ name }) => { assert.equal(name, 'Unavailable'); return false }), 'it is in')
    await customer.waitFor(room, ({ content }) => content.body === 'gern')
  })

  it('whose chat cannot be read keep nobody else from being heard, and are heard later', async () => {
    const { inbox, memory, network } = await begin()
    homeserver.state.createRoom('@fremd:practice.test', direct(), '!fremd')
    const [stranger, customer, room] = [homeserver.person('fremd'), homeserver.person('kunde'), chatOf('kunde')]
    stranger.send('!fremd', 'eins')
    customer.send(room, 'guten Tag')
    await inbox.until('both', () => inbox.arrivals.length === 2)
    await network.stop()
    const trouble = { on: /fremd.*\/(messages|context)/, times: 1000, status: 500 }
    homeserver.faults.push(trouble)
    stranger.send('!fremd', 'zwei')
    customer.send(room, 'noch etwas')
    const again = await begin({ inbox, memory, clock: quickClock(20) })
    await inbox.until('the customer', () => said(inbox).includes('noch etwas'))
    customer.send(room, 'und noch etwas')
    await inbox.until('the customer as it comes', () => said(inbox).includes('und noch etwas'))
    assert.notEqual(inbox.connections.get('intake'), false)
    trouble.times = 0
    await inbox.until('the stranger in the end', () => said(inbox).includes('zwei'))
    await again.network.stop()
    assert.deepEqual(said(inbox).sort(), ['eins', 'guten Tag', 'noch etwas', 'und noch etwas', 'zwei'])
  })

  it('who make the answer to what is new too long keep no known chat from being read', async () => {
    const first = await begin()
    const room = chatOf('kunde')
    homeserver.person('kunde').send(room, 'eins')
    await first.inbox.until('the words', () => first.inbox.arrivals.length === 1)
    await first.network.stop()
    homeserver.faults.push({ on: /\/sync(?!.*%22rooms%22)/, times: 1000, status: 200, body: { TOO_LONG } })
    homeserver.pusher.loseNext(1)
    homeserver.person('kunde').send(room, 'zwei')
    const { inbox } = await begin(first)
    await inbox.until('the next', () => inbox.arrivals.length === 2)
  })

  it('whose messages make a page too long are read in smaller pages', async () => {
    const first = await begin()
    const room = chatOf('kunde')
    homeserver.person('kunde').send(room, 'eins')
    await first.inbox.until('the words', () => first.inbox.arrivals.length === 1)
    await first.network.stop()
    homeserver.faults.push({ on: /\/messages.*limit=(100|25)\b/, times: 1000, status: 200, body: { TOO_LONG } })
    homeserver.pusher.loseNext(1)
    homeserver.person('kunde').send(room, 'zwei')
    const { inbox } = await begin(first)
    await inbox.until('the next', () => inbox.arrivals.length === 2)
    assert.ok(homeserver.requests.some(line => line.includes('/messages') && line.includes('limit=7')))
  })

  it('who come all at once get rooms a few at a time, so that the homeserver has time for everybody else', async () => {
    const { network } = await begin()
    const room = { name: 'Müller', topic: '', people: [homeserver.person('anna').userId] }
    const make = (what: number, signal = new AbortController().signal): Promise<unknown> => network.send({
      key: `room${what}`, attempt: 1, at: 0, place: { network: 'matrix', id: network.naming.room('amt', what)! }, action: { kind: 'room', room }
    }, signal)
    const creates = (): number => homeserver.requests.filter(line => line.includes('/createRoom')).length
    const made = homeserver.state.rooms.size
    const asked = creates()
    homeserver.faults.push({ on: /createRoom/, times: 100, delayMs: 200 })
    const all = Array.from({ length: 12 }, (_, what) => make(what + 1))
    let most = 0
    const finished = Promise.all(all).then(() => true)
    while (!await Promise.race([finished, new Promise<false>(resolve => setImmediate(() => resolve(false)))])) {
      most = Math.max(most, creates() - asked - (homeserver.state.rooms.size - made))
    }
    assert.deepEqual([most, homeserver.state.rooms.size - made], [2, 12])
    const busy = [make(13), make(14)]
    const hurried = new AbortController()
    const waits = make(15, hurried.signal)
    hurried.abort()
    await assert.rejects(waits, { name: 'Unavailable', disconnected: true }) // it says nothing about this room
    await Promise.all(busy)
  })

  it('who came with a contact are no reason to leave the chat when its invitation comes again', async () => {
    const { inbox } = await begin()
    const room = chatOf('kunde')
    homeserver.person('kunde').send(room, 'eins')
    await inbox.until('the words', () => said(inbox).includes('eins'))
    for (const name of ['eins', 'zwei', 'drei']) {
      homeserver.state.invite(room, '@kunde:practice.test', homeserver.person(name).userId)
      homeserver.person(name).join(room)
    }
    homeserver.pusher.push({
      type: 'm.room.member', room_id: room, sender: '@kunde:practice.test', state_key: address(), event_id: '$again',
      content: { membership: 'invite', is_direct: true }, origin_server_ts: 1
    })
    await homeserver.pusher.drained()
    const next = chatOf('andere') // its invitation is looked at behind the other
    homeserver.person('andere').send(next, 'auch')
    await inbox.until('the words of another', () => said(inbox).includes('auch'))
    homeserver.person('kunde').send(room, 'zwei')
    await inbox.until('more words', () => said(inbox).includes('zwei'))
    assert.equal(homeserver.membership(room, address()), 'join')
  })
})
