import assert from 'node:assert/strict'
import { systemChance } from '../../../../../src/lib/chance'
import { systemClock } from '../../../../../src/lib/clock'
import { silentLog } from '../../../../../src/lib/log'
import { makeBacklog } from '../../../../../src/networks/matrix/recovery/backlog'
import type { ReadUpTo } from '../../../../../src/networks/matrix/recovery/catch-up'
import { until } from '../../../../support/practice'

describe('Matrix: rooms that are read instead of listened to', () => {
  const ROOM = '!room:test'
  const raw = { type: 'm.room.message', room_id: ROOM }

  it('are not listened to before they are read to the end, whoever releases them, as a declined invitation does', async () => {
    const { promise: read, resolve } = Promise.withResolvers<ReadUpTo | undefined>()
    const backlog = makeBacklog({
      clock: systemClock, chance: systemChance, log: silentLog, signal: new AbortController().signal, bot: '@bot:test',
      readOn: () => read, fails () {}
    })
    backlog.read({ place: { network: 'matrix', id: ROOM }, room: ROOM } as ReadUpTo)
    backlog.release(ROOM)
    assert.equal(backlog.passesOver(raw), true, 'else it overtakes what is still to be read')
    resolve(undefined)
    await until(() => !backlog.has(ROOM))
    assert.equal(backlog.passesOver(raw), false)
  })
})
