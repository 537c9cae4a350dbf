import assert from 'node:assert/strict'
import { isOneOf } from '../../../../../src/networks/matrix/rooms/room-news'

describe('Matrix invitations', () => {
  it('are taken from a person or a domain that is listed', () => {
    const list = ['@anna:a.org', ':b.org']
    const taken = ['@anna:a.org', '@x:b.org', '@x:a.org', '@x:c.b.org', '@x:b.org.evil'].filter(mxid => isOneOf(list, mxid))
    assert.deepEqual(taken, ['@anna:a.org', '@x:b.org'])
  })
})
