import assert from 'node:assert/strict'
import { subjectAfter } from '../../../../../src/networks/xmpp/muc/profile'

describe('what a room shows after it has taken a subject of ours', () => {
  it('is ours as the room spells it, or the one before, which it has kept', () => {
    for (const now of ['Ours  and more', 'Ours and more', 'Ours and', 'Before']) assert.equal(subjectAfter(now, 'Before', ' Ours and more '), now)
    assert.equal(subjectAfter('', 'Before', ''), '')
  })

  it('is not what somebody else has set meanwhile: that is a change of theirs, and goes everywhere', () => {
    for (const now of ['Theirs', '']) assert.equal(subjectAfter(now, 'Before', 'Ours'), 'Ours')
  })
})
