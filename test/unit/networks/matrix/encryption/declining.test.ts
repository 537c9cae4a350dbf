import assert from 'node:assert/strict'
import { declined } from '../../../../../src/networks/matrix/encryption/declining'
import type { Json } from '../../../../../src/networks/matrix/events/json'

const MINUTE = 60_000

describe('a request to verify that comes to a device', () => {
  const now = 1_000_000_000
  it('is declined by the device that was asked, if what asks is whole', () => {
    const asked = { from_device: 'D', transaction_id: 't', timestamp: now, methods: [] }
    const from = (more: Json, type = 'm.key.verification.request'): Json => ({ type, sender: '@eva:x', content: { ...asked, ...more } })
    const [no, ...rest] = declined([
      from({}), from({}, 'm.room_key'), from({ timestamp: now - 11 * MINUTE }), from({ from_device: 7 }),
      from({ transaction_id: undefined }), { type: 'x' }
    ], now)
    assert.deepEqual(rest, [])
    assert.deepEqual([no?.transaction, Object.keys((no?.body as any).messages['@eva:x'])], ['t', ['D']])
    assert.equal((no?.body as any).messages['@eva:x'].D.code, 'm.user')
  })
})
