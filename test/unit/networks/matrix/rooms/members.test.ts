import assert from 'node:assert/strict'
import { senderOf } from '../../../../../src/networks/matrix/rooms/members'

describe('matrix/rooms/members', () => {
  it('take a display name for a name, even if it is what homeservers give to new users; without one, nobody has a name', () => {
    const fritz = '@fritz:example.org'
    assert.deepEqual(senderOf(fritz, { displayname: 'fritz' }), { id: fritz, name: 'fritz' })
    assert.deepEqual(senderOf(fritz, { displayname: ' Fritz ' }), { id: fritz, name: 'Fritz' })
    for (const displayname of [undefined, '', ' ', 7]) {
      assert.deepEqual(senderOf(fritz, { displayname }), { id: fritz, name: 'fritz', nameless: true })
    }
  })
})
