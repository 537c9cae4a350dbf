import assert from 'node:assert/strict'
import { silentLog } from '../../../../src/lib/log'
import { makeStrange, makeTake, type ReceiveWorld } from '../../../../src/networks/matrix/receive'

describe('a room that the store does not know', () => {
  it('is named in the log once if somebody else speaks there: it may be a chat of before, which was lost', async () => {
    const named: unknown[] = []
    const { take } = makeTake({
      network: 'matrix', rooms: { placeOf: () => undefined, isOut: () => false, isEncrypted: () => false }, direct: { of: () => undefined },
      members: { prepare: async () => {} }, news: { member: async () => {} }, isOurs: (mxid: string) => mxid.startsWith('@_zentrale_'),
      isUnheard: () => false, powerfulIn: async () => new Set(), typesOf: async () => new Map(), expulsionOf: () => undefined,
      keeper: { reads: () => false }, reading: { readerOf: () => undefined, whose: () => undefined },
      wait: () => ({ load: async () => {}, stop () {} }),
      strange: makeStrange({ ...silentLog, warn: (what: object) => { named.push(what) } }, mxid => !/^@(_zentrale_|robot)/.test(mxid))
    } as unknown as ReceiveWorld)
    const says = (sender: string, room: string, type = 'm.room.message') => ({
      event_id: `$${sender}${room}${type}`, room_id: room, sender, type, origin_server_ts: 1, content: { msgtype: 'm.text', body: 'hallo' }
    })
    await take([
      says('@eva:x', '!lost:x'), says('@eva:x', '!lost:x', 'm.room.encrypted'), says('@robot:x', '!other:x'), says('@_zentrale_a:x', '!ours:x'),
      says('@kim:x', '!chat:x', 'm.room.encrypted')
    ])
    assert.deepEqual(named, [{ room: '!lost:x', by: '@eva:x' }, { room: '!chat:x', by: '@kim:x' }])
  })
})
