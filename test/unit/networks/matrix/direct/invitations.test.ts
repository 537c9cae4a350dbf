import assert from 'node:assert/strict'
import { systemClock } from '../../../../../src/lib/clock'
import { ghostMxid } from '../../../../../src/networks/matrix/names'
import type { Homeserver, HsPerson } from '../../../../support/homeserver'
import type { HsEvent } from '../../../../support/homeserver/state'
import { ADDRESS } from '../../../../support/matrix-ground'
import { type Bridge, delivery, said } from '../../../../support/matrix-suite'
import { until } from '../../../../support/practice'
import { quickClock } from '../../../../support/quick'
import { makeMemory } from '../../../../support/world'
import { stage } from '../stage'

describe('Matrix: an invitation to a direct chat', () => {
  let homeserver: Homeserver
  let anna: HsPerson
  const { begin, ready } = stage(at => { ({ homeserver, anna } = at) })

  it('with a ghost is taken after a crash too, although nobody asks for the invitations of all ghosts', async () => {
    const ghost = ghostMxid({ network: 'xmpp', id: 'bernd@example.org' }, homeserver.serverName)
    const first = await ready()
    first.inbox.admitting = () => true
    homeserver.faults.push({ on: /\/(?:join|room_summary)/, times: 1000, status: 500 })
    anna.send(anna.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [ghost] }), 'Hallo')
    await homeserver.pusher.drained()
    await first.network.stop()
    homeserver.faults.splice(0)
    const { inbox, memory } = await ready({ memory: first.memory })
    await inbox.until('the words', () => said(inbox).includes('Hallo'))
    assert.deepEqual(memory.keys('invited '), [])
  })

  it('to a crowd is left after a crash too, between coming in and seeing who is there', async () => {
    const address = `@${ADDRESS}:${homeserver.serverName}`
    const identities = [{ id: address, aliases: [], profile: { name: 'Bürgerbüro', about: '' } }]
    const first = await begin({}, [], identities)
    const room = anna.createRoom({ preset: 'public_chat' })
    for (const name of ['eins', 'zwei', 'drei', 'vier']) homeserver.person(name).join(room)
    homeserver.faults.push({ on: /\/room_summary/, times: 1000, status: 404 }, { on: /\/joined_members/, times: 1000, status: 500 })
    homeserver.state.invite(room, anna.userId, address, { is_direct: true })
    await anna.waitFor(room, ({ state_key: key, content }) => key === address && content.membership === 'join', 10_000)
    await first.network.stop()
    assert.deepEqual(first.memory.keys('invited '), [`invited ${room}`])
    homeserver.faults.splice(0)
    await begin({ memory: first.memory }, [], identities)
    await anna.waitFor(room, ({ state_key: key, content }) => key === address && content.membership === 'leave', 10_000)
  })

  describe('of an address', () => {
    const address = (): string => `@${ADDRESS}:${homeserver.serverName}`
    const is = (membership: string) => ({ state_key: key, content }: HsEvent): boolean => key === address() && content.membership === membership
    const withAddress = (memory = makeMemory()): Promise<Bridge> =>
      begin({ clock: quickClock(20), memory }, [], [{ id: address(), aliases: [], profile: { name: 'Bürgerbüro', about: '' } }])
    const chat = (): string => anna.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [address()] })

    it('that is brought once more does not keep it in a chat that its contact has left', async () => {
      const { memory, inbox, network } = await withAddress()
      const room = chat()
      anna.send(room, 'auf Wiedersehen')
      await inbox.until('the words', () => said(inbox).length === 1)
      const invitation = anna.events(room).find(is('invite'))!
      await homeserver.pusher.drained()
      anna.leave(room)
      await homeserver.pusher.drained()
      await homeserver.pusher.raw('once more', JSON.stringify({ events: [invitation] })) // as by a transaction that comes again, or by an older /sync
      await anna.waitFor(room, is('leave'), 10_000)
      await until(() => memory.get(`dm ${room}`) === undefined, 'it is forgotten')
      const { as, ...answer } = delivery({ network: 'matrix', id: `${address()} ${anna.userId}` }, 'noch da?')
      await assert.rejects(network.send(answer, AbortSignal.timeout(60_000)), { name: 'Refused' })
    })

    it('that is being looked at does not hide that the address is sent out', async () => {
      const { memory, inbox } = await withAddress()
      const room = chat()
      anna.send(room, 'hallo')
      await inbox.until('the words', () => said(inbox).length === 1)
      await homeserver.pusher.drained()
      const looked = { on: /state.m\.room\.encryption.*buergerbuero/, times: 1, delayMs: 500 }
      homeserver.faults.push(looked, { on: /\/messages/, times: 1000, status: 200, body: { chunk: [] } }) // a page that was made before
      await homeserver.pusher.raw('once more', JSON.stringify({ events: [anna.events(room).find(is('invite'))!] }))
      await until(() => looked.times === 0, 'it is looked at once more')
      anna.kick(room, address())
      await until(() => memory.get(`dm ${room}`) === undefined, 'it is forgotten')
    })

    it('that is found at the start and cannot be noted is no error that nobody waits for, and is taken', async () => {
      const memory = makeMemory()
      let failed = 0
      const { set } = memory
      memory.set = async (key, ...more) => {
        if (key.startsWith('invited ') && failed++ === 0) throw new Error('the disk is full')
        await set(key, ...more)
      }
      homeserver.pusher.loseNext(9) // of what is pushed: it is found by asking
      const unheard: unknown[] = []
      const hear = (error: unknown): void => { unheard.push(error) }
      process.on('unhandledRejection', hear)
      const room = chat()
      await withAddress(memory)
      await anna.waitFor(room, is('join'), 10_000).finally(() => process.off('unhandledRejection', hear))
      assert.deepEqual([failed > 0, unheard], [true, []])
    })

    it('that could not be taken at once is left all the same if nothing is said there for a week', async () => {
      const { memory } = await withAddress()
      homeserver.faults.push({ on: /\/join\?.*buergerbuero/, times: 1, status: 500 })
      const room = chat()
      await anna.waitFor(room, is('join'), 10_000)
      assert.ok(memory.get('parting')?.includes(room))
    })
  })

  it('is declined for every name of a ghost that may have none, whether there is such a ghost or not', async () => {
    const { inbox } = await ready()
    inbox.admitting = () => false
    for (const id of ['buergerbuero@chat.example.org', 'chat.example.org', 'rooms.example.org', 'rooms.example.org']) {
      const ghost = ghostMxid({ network: 'xmpp', id }, homeserver.serverName)
      const room = anna.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [ghost] })
      const left = await anna.waitFor(room, ({ state_key: key, content }) => key === ghost && content.membership === 'leave', 10_000)
      assert.match(String(left.content.reason), /^Mit diesem Kontakt .*\n.*this contact/, 'and why, the same for all')
    }
  })

  it('by a ghost whose person is known only in a room is in their name from the beginning, not in that of the room', async () => {
    const { network, memory } = await ready()
    const person = { network: 'xmpp', id: 'raum@rooms.example.org occupant=' }
    const ours = ghostMxid(person, homeserver.serverName)
    const place = { network: 'matrix', id: `${ours} ${anna.userId}` }
    await network.send(delivery(place, 'privat', { as: { person, name: 'Jan (XMPP)' } }), AbortSignal.timeout(60_000))
    const room = memory.keys('dm ')[0]!.slice('dm '.length)
    anna.join(room)
    const names = anna.events(room).filter(({ state_key: key, type }) => type === 'm.room.member' && key === ours)
    assert.deepEqual(names.map(({ content }) => content.displayname), ['Jan (XMPP)'])
  })

  describe('of a ghost', () => {
    const lin = (): string => ghostMxid({ network: 'xmpp', id: 'lin@example.org' }, homeserver.serverName)
    const place = () => ({ network: 'matrix', id: `${lin()} ${anna.userId}` })
    const isNow = (who: string, membership: string) => ({ state_key: key, content }: HsEvent): boolean =>
      key === who && content.membership === membership
    const answer = ({ network }: Bridge, text: string): Promise<unknown> => {
      const { as, ...rest } = delivery(place(), text)
      return network.send(rest, AbortSignal.timeout(60_000))
    }
    const crowded = { name: 'Refused', because: 'crowded' }
    const admitting = async (clock = quickClock(20)): Promise<Bridge> => {
      const bridge = await ready({ clock })
      bridge.inbox.admitting = () => true
      return bridge
    }
    const chat = async (bridge: Bridge): Promise<string> => {
      const room = anna.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [lin()] })
      anna.send(room, 'Hallo')
      await bridge.inbox.until('the words', () => said(bridge.inbox).includes('Hallo'))
      await answer(bridge, 'an Anna allein')
      return room
    }

    for (const [what, options] of Object.entries({
      'in which a third person is invited': { preset: 'trusted_private_chat', invite: ['@mallory:practice.test'] },
      'that anybody may enter': { preset: 'public_chat' },
      'that anybody may read': {
        preset: 'trusted_private_chat',
        initial_state: [{ type: 'm.room.history_visibility', state_key: '', content: { history_visibility: 'world_readable' } }]
      }
    })) {
      it(`${what}: is left at once, and nothing is said there`, async () => {
        const bridge = await admitting()
        const room = anna.createRoom({ ...options, is_direct: true, invite: [...'invite' in options ? options.invite : [], lin()] })
        anna.send(room, 'zu zweit?')
        await anna.waitFor(room, isNow(lin(), 'leave'))
        await chat(bridge)
        assert.deepEqual(said(bridge.inbox), ['Hallo'])
        assert.ok(anna.events(room).every(({ sender, type }) => sender !== lin() || type === 'm.room.member'))
      })
    }

    for (const [what, open] of Object.entries({
      'a third person is invited': (room: string) => { anna.invite(room, homeserver.person('mallory').userId) },
      'a third person is in': (room: string) => {
        anna.invite(room, homeserver.person('mallory').userId)
        homeserver.person('mallory').join(room)
      },
      'anybody may enter': (room: string) => { anna.setState(room, 'm.room.join_rules', '', { join_rule: 'public' }) }
    })) {
      it(`says nothing more as soon as ${what}, and its writer is told; a new one goes on`, async () => {
        const bridge = await admitting()
        const room = await chat(bridge)
        open(room)
        await assert.rejects(answer(bridge, 'geheim'), crowded)
        await anna.waitFor(room, isNow(lin(), 'leave'))
        await assert.rejects(answer(bridge, 'geheim'), crowded)
        assert.ok(anna.events(room).every(({ content }) => content['body'] !== 'geheim'))
        const next = anna.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [lin()] })
        anna.send(next, 'nur wir')
        await bridge.inbox.until('the new chat', () => said(bridge.inbox).includes('nur wir'))
        await answer(bridge, 'allein')
        await anna.waitFor(next, ({ content }) => content['body'] === 'allein')
      })
    }

    it('is left at once when a third person comes, and what Anna said just before still comes in', async () => {
      const bridge = await admitting(systemClock)
      const room = await chat(bridge)
      homeserver.faults.push({ on: /transactions/, times: 1, status: 500 })
      anna.send(room, 'ehe jemand kommt')
      anna.invite(room, homeserver.person('mallory').userId)
      await assert.rejects(answer(bridge, 'geheim'), crowded)
      await anna.waitFor(room, isNow(lin(), 'leave'), 10_000)
      await bridge.inbox.until('the last words', () => said(bridge.inbox).includes('ehe jemand kommt'))
    })

    it('is left when a third person comes, although nothing is said there and Anna changes her name', async () => {
      const bridge = await admitting()
      const room = await chat(bridge)
      anna.invite(room, homeserver.person('mallory').userId)
      homeserver.state.setProfile(anna.userId, 'displayname', 'Anna B.')
      await anna.waitFor(room, isNow(lin(), 'leave'))
    })
  })
})
