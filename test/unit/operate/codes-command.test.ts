import assert from 'node:assert/strict'
import { ask } from '../../../src/lib/ask'
import { systemClock } from '../../../src/lib/clock'
import { silentLog } from '../../../src/lib/log'
import { serve } from '../../../src/lib/serve'
import { Refused } from '../../../src/model/errors'
import { plain } from '../../../src/model/text'
import { runCodes } from '../../../src/operate/codes-command'
import { makeOperateApp } from '../../../src/operate/http'
import { makeMetrics } from '../../../src/operate/metrics'
import { loadAddressConfig } from '../../support/config'
import { makePractice } from '../../support/practice'
import { mirrorOf, startBridge } from '../../support/started'

describe('zentrale codes', () => {
  it('shows each code that came masked in a mirror once, to whoever has the token', async () => {
    const [left, right] = [makePractice('left'), makePractice('right')]
    const { bridge, store, stop } = await startBridge([left, right], [mirrorOf(['left', 'thread', { max: 'Max' }], ['right', 'room'])])
    const { operate } = loadAddressConfig()
    const served = await serve(makeOperateApp({
      ...operate, desk: bridge.desk, store, codes: bridge.codes, networks: [], metrics: makeMetrics([], async () => [], systemClock),
      clock: systemClock, log: silentLog,
      queue: { list: async () => [], show: async () => undefined, retry: async () => false, drop: async () => false }
    }), { host: '127.0.0.1', port: 0 })
    const config = { operate: { ...operate, listen: { host: '127.0.0.1', port: served.port } } }
    await left.inbox.accept({
      kind: 'message', key: 'sms-1', place: { network: 'left', id: 'thread' }, at: 1, masked: 600_000, sender: { id: 'max', name: 'Max' },
      content: { style: 'text', text: plain('Your code: ••••••') }
    }, 'Your code: 918273')
    const stranger = await ask(systemClock, `http://127.0.0.1:${served.port}/admin/codes`, { method: 'POST', token: 'another-token' })
    assert.deepEqual([stranger.status, JSON.stringify(stranger.body).includes('918273')], [401, false])
    assert.equal(await runCodes(config, systemClock), 'left thread: Your code: 918273')
    assert.equal(await runCodes(config, systemClock), 'No masked code waits.')
    await served.stop()
    await stop()
    await assert.rejects(runCodes(config, systemClock), Refused)
  })
})
