import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Config } from '../../../src/config/config'
import { loadConfig } from '../../../src/config/load'
import { systemClock } from '../../../src/lib/clock'
import { silentLog } from '../../../src/lib/log'
import { serve } from '../../../src/lib/serve'
import { showFinding } from '../../../src/operate/check'
import { makeOperateApp } from '../../../src/operate/http'
import { makeMetrics } from '../../../src/operate/metrics'
import { makeQueueLines } from '../../../src/operate/queue'
import { checkUnsealed } from '../../../src/operate/unsealed'
import { addressConfig, registrationWith, type Tree, write } from '../../support/config'
import { temporaryFolder } from '../../support/folder'
import { startBridge } from '../../support/started'

describe('zentrale check of a team with encrypted rooms', () => {
  const TOKEN = 'a-token-for-tests'
  const path = join(temporaryFolder(), 'zentrale.db')
  let port: number

  const configWith = (team: unknown[], more: Tree = {}): Config => {
    const config = addressConfig()
    config.store.path = path
    Object.assign(config.operate, { token: TOKEN, listen: { host: '127.0.0.1', port } })
    Object.assign(config.function_addresses[0], { team, ...more })
    return loadConfig(write(config, registrationWith('buergerbuero')), {})
  }
  const check = async (...config: Parameters<typeof configWith>): Promise<string> =>
    (await checkUnsealed(configWith(...config), systemClock)).map(showFinding).join('\n')
  const MIXED = ['@anna:example.org', { name: 'Bernd', addresses: ['bernd@example.org'] }]

  before(async () => {
    const served = await serve(() => {}, { host: '127.0.0.1', port: 0 })
    await served.stop()
    ;({ port } = served)
  })

  it('says nothing before anything was encrypted, nor where all or none of it is', async () => {
    assert.deepEqual(await Promise.all([check(['@anna:example.org']), check(MIXED), check(MIXED, { encrypted_team_rooms: false })]), ['', '', ''])
  })

  it('says who reads elsewhere, and that new rooms are not encrypted any more, asking the store or whoever runs', async () => {
    const { bridge, store, stop } = await startBridge([], [], { path, addresses: configWith(['@anna:example.org']).addresses })
    const served = await serve(makeOperateApp({
      token: TOKEN, metricsPublic: false, networks: [], metrics: makeMetrics([], async () => [], systemClock),
      queue: makeQueueLines(bridge.queue), store, clock: systemClock, log: silentLog, desk: bridge.desk
    }), { host: '127.0.0.1', port })
    const ends = /^! Function address bürgerbüro: gets no more encrypted rooms for its team, because some of it read elsewhere: Bernd\n.*stay so/
    assert.match(await check(MIXED), ends)
    await served.stop()
    await stop()
    assert.match(await check(MIXED), ends)
    assert.match(await check(MIXED, { encrypted_team_rooms: true }),
      /^! Function address bürgerbüro: has encrypted rooms, and some of its team read elsewhere: Bernd\n.*without encryption too/)
    assert.equal(await check(['@anna:example.org']), '')
  })
})
