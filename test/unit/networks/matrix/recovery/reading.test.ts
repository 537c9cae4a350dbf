import assert from 'node:assert/strict'
import type { Direct } from '../../../../../src/networks/matrix/direct/direct'
import type { Backlog } from '../../../../../src/networks/matrix/recovery/backlog'
import type { CatchUpWorld, ReadUpTo } from '../../../../../src/networks/matrix/recovery/catch-up'
import { makeReading } from '../../../../../src/networks/matrix/recovery/reading'
import type { Rooms } from '../../../../../src/networks/matrix/rooms/rooms'
import { until } from '../../../../support/practice'
import { skippingClock } from '../../../../support/quick'
import { makeMemory } from '../../../../support/world'

describe('Matrix: what was missed, if it takes long to be told in which chats', () => {
  it('keeps nobody waiting: each chat that is known is read by itself until then, and so are those that are told', async () => {
    const chat = (room: string): ReadUpTo => ({ place: { network: 'matrix', id: `@amt:x @${room}:x` }, room })
    const clock = skippingClock()
    const looking = Promise.withResolvers<Awaited<ReturnType<Direct['look']>>>()
    const read: string[] = []
    let kept = 0
    const { readNews } = makeReading({
      clock, bot: '@bot:x', isMadeByUs: () => false, world: () => ({ memory: makeMemory() } as Partial<CatchUpWorld> as CatchUpWorld),
      backlog: { has: () => false, read: ({ room }) => { read.push(room) } } as Partial<Backlog> as Backlog,
      listening: () => ({
        rooms: { all: () => [], isOut: () => false } as Partial<Rooms> as Rooms,
        direct: { look: () => looking.promise, known: () => [chat('eva'), chat('max')] } as Partial<Direct> as Direct
      })
    })
    const first = readNews()
    clock.skip(4_000)
    assert.deepEqual(read, [])
    clock.skip(2_000)
    assert.deepEqual(await first, [])
    assert.deepEqual([read, kept], [['eva', 'max'], 0])
    looking.resolve({ rooms: [chat('kim')], keep () { kept++ } })
    await until(() => kept === 1)
    assert.deepEqual(read, ['eva', 'max', 'kim'])
  })
})
