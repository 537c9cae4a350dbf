import assert from 'node:assert/strict'
import { systemClock } from '../../../../../src/lib/clock'
import { silentLog } from '../../../../../src/lib/log'
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
