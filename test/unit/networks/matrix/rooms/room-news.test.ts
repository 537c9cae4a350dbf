import assert from 'node:assert/strict'
import { systemClock } from '../../../../../src/lib/clock'
import { silentLog } from '../../../../../src/lib/log'
import type { RoomEvent } from '../../../../../src/networks/matrix/events/events'
import { Rejected } from '../../../../../src/networks/matrix/homeserver'
import { isOneOf, makeRoomNews, type RoomNewsWorld } from '../../../../../src/networks/matrix/rooms/room-news'
import { until } from '../../../../support/practice'
import { makeMemory } from '../../../../support/world'

describe('Matrix invitations', () => {
  it('are taken from a person or a domain that is listed', () => {
    const list = ['@anna:a.org', ':b.org']
    const taken = ['@anna:a.org', '@x:b.org', '@x:a.org', '@x:c.b.org', '@x:b.org.evil'].filter(mxid => isOneOf(list, mxid))
    assert.deepEqual(taken, ['@anna:a.org', '@x:b.org'])
  })

  /** An invitation at a start; `found`: our rooms once all are tried, which takes longer than anybody waits for at once. */
  const answered = async (found: string[], isStopping = false): Promise<string[]> => {
    const said: string[] = []
    const signal = isStopping ? AbortSignal.abort() : new AbortController().signal
    let rounds = 0
    const news = makeRoomNews({
      homeserver: { call: async (method: string, path: string) => { said.push(`${method} ${path.split('/').at(-1)}`); return {} } },
      rooms: {
        placeOf: (room: string) => rounds > 2 && found.includes(room) ? { network: 'matrix', id: '#a:x' } : undefined,
        awaits: () => false, isNow: () => false, checkRoom () {}, settled: async () => ++rounds > 2 && !isStopping
      },
      direct: { of: () => undefined }, addresses: new Set(), keeper: {}, acceptFrom: [], reading: { readerOf: () => undefined },
      isOurs: (mxid: string) => mxid === '@zentrale:x', log: silentLog, clock: systemClock, memory: makeMemory(), bot: '@zentrale:x', signal
    } as unknown as RoomNewsWorld)
    const content = { membership: 'invite' }
    void news.member({ type: 'm.room.member', room: '!a:x', sender: '@anna:x', stateKey: '@zentrale:x', content } as unknown as RoomEvent)
    await until(() => rounds > (isStopping ? 0 : 2))
    await new Promise(setImmediate)
    return said
  }

  it('are declined only once all our rooms have been found', async () => {
    assert.deepEqual([await answered(['!a:x']), await answered([])], [[], ['POST leave']])
  })

  it('are left for the next start by one that stops', async () => {
    assert.deepEqual(await answered([], true), [])
  })
})

describe('a room of a mirror in which somebody writes encrypted', () => {
  /** What is asked and said, and whether the room itself is encrypted. */
  const told = async (isOn: boolean): Promise<string[]> => {
    const done: string[] = []
    const call = async (method: string, path: string): Promise<object> => {
      done.push(`${method} ${path.split('/').at(method === 'PUT' ? -2 : -1)}`)
      if (method === 'GET' && !isOn) throw new Rejected(404, 'M_NOT_FOUND', 'none')
      return {}
    }
    const news = makeRoomNews({
      homeserver: { call }, direct: { of: () => undefined }, reading: { readerOf: () => undefined }, ghosts: { device: () => 'D' },
      memory: makeMemory(), clock: systemClock, log: silentLog, signal: new AbortController().signal, bot: '@zentrale:x'
    } as unknown as RoomNewsWorld)
    news.unread({ id: '$1', room: '!a:x' })
    await until(() => done.length > 0)
    await new Promise(setImmediate)
    return done
  }

  it('is told so once: by its standing if it is encrypted itself, and in other words if it is not', async () => {
    const asked = (await told(true))[0]
    assert.deepEqual([await told(true), await told(false)], [[asked], [asked, 'PUT m.room.message']])
  })
})
