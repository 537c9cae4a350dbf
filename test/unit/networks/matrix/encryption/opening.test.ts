import assert from 'node:assert/strict'
import type { Opened } from '../../../../../src/networks/matrix/encryption/encryption'
import { makeOpening } from '../../../../../src/networks/matrix/encryption/opening'
import { readEvent, type RoomEvent } from '../../../../../src/networks/matrix/events/events'

describe('what comes in encrypted', () => {
  const raw = { event_id: '$1', room_id: '!a:x', sender: '@eva:x', type: 'm.room.encrypted', content: {} }

  const opened = async (read: Opened, isRoom = true): Promise<{ taken: RoomEvent[], kept: string[] }> => {
    const kept: string[] = []
    const open = makeOpening({
      encryption: { open: async () => read }, readerOf: () => '@info:x', isSaid: () => true,
      waiting: { holds: () => false, async keep ({ id }) { if (isRoom) kept.push(id); return isRoom } }
    })
    const taken = await open([{ raw, event: readEvent(raw) }])
    return { taken: taken.map(({ event }) => event as RoomEvent), kept }
  }

  it('is taken if it can be read', async () => {
    const { taken, kept } = await opened({ event: { ...raw, type: 'm.room.message' } })
    assert.deepEqual([taken.map(({ type, sealed }) => [type, sealed]), kept], [[['m.room.message', 'read']], []])
  })

  for (const unread of [{ later: 'no key' }, { why: 'broken' }]) {
    it(`waits on disk if it can${'why' in unread ? ' never be read' : 'not be read yet'}; without room it is taken as it came`, async () => {
      assert.deepEqual(await opened(unread), { taken: [], kept: ['$1'] })
      assert.deepEqual((await opened(unread, false)).taken.map(({ type, sealed }) => [type, sealed]), [['m.room.encrypted', undefined]])
    })
  }
})
