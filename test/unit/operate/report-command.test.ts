import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Config } from '../../../src/config/config'
import { systemClock } from '../../../src/lib/clock'
import { silentLog } from '../../../src/lib/log'
import { type Served, serve } from '../../../src/lib/serve'
import { Refused } from '../../../src/model/errors'
import { makeOperateApp } from '../../../src/operate/http'
import { makeMetrics } from '../../../src/operate/metrics'
import { runReport } from '../../../src/operate/report-command'
import { addressOn, agent } from '../../support/address'
import { loadAddressConfig } from '../../support/config'
import { temporaryFolder } from '../../support/folder'
import { makePractice, until } from '../../support/practice'
import { startBridge, type Started } from '../../support/started'

for (const isRunning of [false, true]) {
  describe(`zentrale report, while Zentrale ${isRunning ? 'runs' : 'does not run'}`, () => {
    let config: Config
    let started: Started
    let served: Served | undefined
    const month = new Date().toISOString().slice(0, 7)

    beforeEach(async () => {
      const path = join(temporaryFolder(), 'zentrale.db')
      const loaded = loadAddressConfig()
      const addresses = [addressOn(['matrix', 'xmpp'], [agent('Anna', 'matrix @anna')], { zone: 'UTC' })]
      config = {
        ...loaded, store: { path, keepDays: 30 }, addresses, operate: { ...loaded.operate, logbookKey: 'k', listen: { host: '127.0.0.1', port: 1 } }
      }
      const [matrix, xmpp] = [makePractice('matrix'), makePractice('xmpp')]
      started = await startBridge([matrix, xmpp], [], { path, addresses })
      await xmpp.say('werkstatt/xmpp:eva', 'xmpp:eva', 'Hallo?', { direct: true, to: 'werkstatt' })
      await until(() => matrix.read('werkstatt-1').some(line => line.includes('Hallo?')))
      await matrix.say('werkstatt-1', '@anna', 'Guten Tag')
      await matrix.say('werkstatt-1', '@anna', 'Gern')
      if (!isRunning) return await started.stop()
      const { store, bridge: { desk } } = started
      const metrics = makeMetrics([], async () => [], systemClock)
      served = await serve(makeOperateApp({
        ...config.operate, desk, store, metrics, networks: [], clock: systemClock, log: silentLog,
        queue: { list: async () => [], show: async () => undefined, retry: async () => false, drop: async () => false }
      }), { host: '127.0.0.1', port: 0 })
      config.operate.listen = { host: '127.0.0.1', port: served.port }
    })
    afterEach(async () => {
      await served?.stop()
      if (isRunning) await started.stop()
    })

    it('says what came and went in a month, in three forms, and nothing of another month', async () => {
      const of = (form: 'text' | 'csv' | 'html', when = month): Promise<string> =>
        runReport(config, { name: 'Werkstatt', month: when, form }, systemClock)
      assert.match(await of('text'), /messages of contacts, XMPP +1\n[^]*answers, XMPP +2\n[^]*new cases +1\n[^]*to the first answer +1 /)
      assert.match(await of('csv'), /^\uFEFF"[^]*"answers, XMPP",2\r\n/)
      assert.match(await of('html'), /<th scope="row">answers, XMPP<\/th><td>2<\/td>/)
      assert.match(await of('text', '2020-02'), /answers +0\n[^]*to the first answer +0 +– +–/)
    })

    it('refuses an address that is not there, and what is no month', async () => {
      const of = (name: string, when: string): Promise<string> => runReport(config, { name, month: when, form: 'text' }, systemClock)
      await assert.rejects(of('nobody', month), Refused)
      await assert.rejects(of('werkstatt', '2999-01'), /2999-01 has not begun yet/)
      await assert.rejects(of('werkstatt', '2026-13'), /2026-13 is no month: write it like 2026-11/)
    })
  })
}
