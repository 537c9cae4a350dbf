import assert from 'node:assert/strict'
import { systemChance } from '../../../../../src/lib/chance'
import { systemClock } from '../../../../../src/lib/clock'
import { silentLog } from '../../../../../src/lib/log'
import type { RoomEvent } from '../../../../../src/networks/matrix/events/events'
import type { Homeserver } from '../../../../../src/networks/matrix/homeserver'
import { makeMemberLists } from '../../../../../src/networks/matrix/rooms/member-lists'
import { makeInbox } from '../../../../support/inbox'

describe('matrix/rooms/member-lists', () => {
  const place = { network: 'matrix', id: '!room:example.org' }
  const event = (id: string, user: string, content: RoomEvent['content'], sender = user): RoomEvent =>
    ({ id, room: place.id, type: 'm.room.member', sender, stateKey: user, content }) as RoomEvent

  const stage = (there: Record<string, { display_name: string }> = {}) => {
    const inbox = makeInbox()
    const found: string[] = []
    inbox.wants = true
    const lists = makeMemberLists({
      homeserver: { call: async () => ({ joined: there }) } as unknown as Homeserver, ghosts: { async found (mxids) { found.push(...mxids) } },
      rooms: { placeOf: () => place, isNow: () => true }, clock: systemClock, chance: systemChance, log: silentLog,
      signal: new AbortController().signal, inbox: () => inbox, isNobody: mxid => mxid === '@unheard:example.org'
    })
    return { inbox, lists, found }
  }

  it('believe no event that is read again, because it may be out of date by now: the homeserver is asked', async () => {
    const { inbox, lists } = stage({ '@dora:example.org': { display_name: 'Dorothea' } })
    const events = [
      event('$1', '@dora:example.org', { membership: 'join', displayname: 'Dora' }), event('$2', '@dora:example.org', { membership: 'leave' }),
      event('$3', '@dora:example.org', { membership: 'join', displayname: 'Dorothea' })
    ]
    for (const one of events) lists.changed(one)
    assert.equal(inbox.news.length, 3)
    for (const one of events.slice(0, 2)) lists.changed(one)
    await inbox.until('the answer', () => inbox.news.some(({ kind }) => kind === 'all'))
    assert.deepEqual(inbox.names(place), ['Dorothea'])
  })

  it('believe no event that has waited, because what comes behind it may be older: the homeserver is asked', async () => {
    const { inbox, lists } = stage({ '@dora:example.org': { display_name: 'Dora' } })
    lists.changed(event('$2', '@dora:example.org', { membership: 'join', displayname: 'Dora' }))
    lists.changed({ ...event('$1', '@dora:example.org', { membership: 'leave' }), age: 60_000 })
    await inbox.until('the answer', () => inbox.news.some(({ kind }) => kind === 'all'))
    assert.deepEqual(inbox.names(place), ['Dora'])
  })

  it('tell which ghosts the homeserver has in the room, because one may have come in just before a crash', async () => {
    const { inbox, lists, found } = stage({ '@_zentrale_xmpp_bernd:example.org': { display_name: 'Bernd (XMPP)' } })
    lists.entered(place.id)
    await inbox.until('the answer', () => inbox.news.length > 0)
    assert.deepEqual(found, ['@_zentrale_xmpp_bernd:example.org'])
  })

  it('say nothing of ghosts, of another switchboard either, nor of those who are not heard', () => {
    const { inbox, lists } = stage()
    for (const [n, user] of ['@_zentrale_xmpp_bernd:elsewhere.example', '@unheard:example.org'].entries()) {
      lists.changed(event(`$${n}`, user, { membership: 'join' }))
    }
    lists.changed(event('$9', '@dora:example.org', { membership: 'invite' }))
    assert.deepEqual(inbox.news, [])
  })

  it('tell who left, who was put out and who was banned', () => {
    const { inbox, lists } = stage()
    const mod = '@mod:example.org'
    lists.changed(event('$1', '@a:example.org', { membership: 'leave' }))
    lists.changed(event('$2', '@b:example.org', { membership: 'leave' }, mod))
    lists.changed(event('$3', '@c:example.org', { membership: 'ban' }, mod))
    assert.deepEqual(inbox.news.map(one => one.kind === 'went' && one.how), ['left', 'kicked', 'banned'])
  })
})
