import assert from 'node:assert/strict'
import { type Log, silentLog } from '../../../../../src/lib/log'
import type { Beside } from '../../../../../src/model/network'
import { capabilities } from '../../../../support/carried'
import type { Homeserver, HsPerson } from '../../../../support/homeserver'
import { makeInbox } from '../../../../support/inbox'
import { until } from '../../../../support/practice'
import { stage } from '../stage'

describe('Matrix: rooms at a restart', () => {
  let homeserver: Homeserver
  let anna: HsPerson
  let room: string
  const { ready } = stage(at => { ({ homeserver, anna, place: { id: room } } = at) })
  const beside = (id: string): Beside =>
    ({ place: { network: 'xmpp', id }, can: capabilities().get('xmpp')!.can, shows: { typing: true, read: false } })

  /** Starts with what an earlier start has left, and returns what the homeserver was asked. */
  const restart = async (before: string, now: string): Promise<string[]> => {
    anna.setState(room, 'm.room.power_levels', '', { users: { [homeserver.bot]: 50 } })
    const inbox = Object.assign(makeInbox(), { besides: () => [beside(before)] })
    const first = await ready({ inbox })
    await until(() => first.memory.get(`described ${room}`) !== undefined, 'it is told')
    await homeserver.pusher.drained()
    await first.network.stop()
    homeserver.requests.splice(0)
    inbox.besides = () => [beside(now)]
    inbox.connections.clear()
    const second = await ready({ memory: first.memory, inbox })
    anna.send(room, 'da')
    await second.inbox.until('it is heard', () => second.inbox.arrivals.length === 1)
    return homeserver.requests.filter(line => line.includes(encodeURIComponent(room)) || line.includes('joined_rooms'))
  }

  it('that the bot is in are found by one call for all, and are told nothing a second time', async () => {
    const asked = await restart('halle@rooms.example.org', 'halle@rooms.example.org')
    const of = (what: string): string[] => asked.filter(line => line.includes(what))
    assert.equal(of('joined_rooms').length, 1)
    assert.deepEqual([...of('/state/m.room.member/%40zentrale'), ...of('/join/'), ...of('PUT')], [])
  })

  it('are told anew if they are connected with something else', async () => {
    await restart('halle@rooms.example.org', 'saal@rooms.example.org')
    await anna.waitFor(room, ({ type, content }) => type === 'm.bridge' && JSON.stringify(content).includes('saal@'))
  })

  it('are told again what they are connected with if somebody writes over it: once an hour at once, else at the next start', async () => {
    anna.setState(room, 'm.room.power_levels', '', { users: { [homeserver.bot]: 50 } })
    const inbox = Object.assign(makeInbox(), { besides: () => [beside('halle@rooms.example.org')] })
    const first = await ready({ inbox })
    const bridges = () => anna.events(room).filter(({ type }) => type === 'm.bridge')
    const told = (): boolean => JSON.stringify(bridges().at(-1)?.content ?? {}).includes('halle@')
    await until(told, 'it is told')
    await until(() => first.memory.get(`described ${room}`) !== undefined, 'that is known')
    const key = bridges()[0]?.state_key ?? ''
    anna.setState(room, 'm.bridge', key, {})
    await until(told, 'it is told again')
    anna.setState(room, 'm.bridge', key, {})
    await homeserver.pusher.drained()
    anna.send(room, 'da')
    await first.inbox.until('it is heard', () => first.inbox.arrivals.length === 1)
    assert.equal(told(), false)
    await first.network.stop()
    await ready({ memory: first.memory, inbox })
    await until(told, 'it is told at the start')
  })

  it('stay where they are if their alias leads elsewhere by now, and that is logged', async () => {
    const alias = '#halle:practice.test'
    const old = anna.createRoom({ preset: 'public_chat', room_alias_name: 'halle' })
    const first = await ready()
    first.network.attend([{ network: 'matrix', id: alias }])
    await first.inbox.until('it is known', () => first.memory.get(`room ${alias}`) === old)
    await first.network.stop()
    const now = anna.createRoom({ preset: 'public_chat' })
    homeserver.state.aliases.set(alias, now)
    const said = Promise.withResolvers<object>()
    const log: Log = { ...silentLog, error: said.resolve, child: () => log }
    const second = await ready({ memory: first.memory, inbox: first.inbox, log })
    second.network.attend([{ network: 'matrix', id: alias }])
    assert.deepEqual(await said.promise, { place: alias, room: old, now })
  })
})
