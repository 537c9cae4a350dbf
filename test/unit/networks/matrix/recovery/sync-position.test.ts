import assert from 'node:assert/strict'
import { systemClock } from '../../../../../src/lib/clock'
import { silentLog } from '../../../../../src/lib/log'
import { makeHomeserver } from '../../../../../src/networks/matrix/homeserver'
import { askSync } from '../../../../../src/networks/matrix/recovery/sync-position'
import { makeMemory } from '../../../../support/world'

describe('Matrix: what is new for an address', () => {
  it('may be too much to be told in time: that fails alone, and does not mean that the homeserver is away', async () => {
    const lost: string[] = []
    const homeserver = makeHomeserver('http://127.0.0.1:9', 'secret', { lost: why => { lost.push(why) }, fence () {} }, async () => {
      throw Object.assign(new Error('no answer'), { code: 'UND_ERR_HEADERS_TIMEOUT' })
    })
    const parts = { homeserver, memory: makeMemory(), clock: systemClock, log: silentLog }
    await assert.rejects(askSync(parts, '@amt:x', AbortSignal.timeout(5_000)), { name: 'Unavailable', disconnected: false })
    assert.deepEqual(lost, [])
  })
})
