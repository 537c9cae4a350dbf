import assert from 'node:assert/strict'
import { makeXmpp } from '../../../../../src/networks/xmpp'
import { makeRoomNames } from '../../../../../src/networks/xmpp/muc/room-names'
import { makeMemory, makeWorld } from '../../../../support/world'

const SERVICE = 'rooms.example.org'

describe('xmpp room names', () => {
  it('cannot be told from the number of a case, and differ from one Zentrale to the next', () => {
    const named = (secret: string): string | undefined =>
      makeXmpp({ component: { host: '', port: 1, domain: 'chat.example.org', secret }, rooms: SERVICE }, makeWorld()).naming.room('amt', 17)
    const [one = '', again, other] = [named('a'), named('a'), named('b')]
    assert.match(one, /^_amt_17_[0-9a-f]{20}@rooms\.example\.org$/)
    assert.equal(again, one)
    assert.notEqual(other, one)
  })

  it('stay the same when the secret of the config changes, and for rooms that were made under an older name', async () => {
    const memory = makeMemory(new Map([[`team _amt_3@${SERVICE}`, '{}']]))
    const before = makeRoomNames('a', { memory })
    await before.keep()
    const after = makeRoomNames('b', { memory })
    assert.deepEqual([3, 4].map(number => after.of('amt', number, SERVICE)), [`_amt_3@${SERVICE}`, before.of('amt', 4, SERVICE)])
  })
})
