import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Config } from '../../../src/config/config'
import { loadConfig } from '../../../src/config/load'
import { systemClock } from '../../../src/lib/clock'
import { silentLog } from '../../../src/lib/log'
import { serve } from '../../../src/lib/serve'
import { runAddress } from '../../../src/operate/address-command'
import { showFinding } from '../../../src/operate/check'
import { makeOperateApp } from '../../../src/operate/http'
import { makeMetrics } from '../../../src/operate/metrics'
import { makeQueueLines } from '../../../src/operate/queue'
import { checkRetired, retiredNow } from '../../../src/operate/retired'
import { addressOn, agent } from '../../support/address'
import { addressConfig, registrationWith, write } from '../../support/config'
import { temporaryFolder } from '../../support/folder'
import { makePractice } from '../../support/practice'
import { startBridge } from '../../support/started'

const COULD = 'Contacts with an open case and the team are told, once. Anna can still answer in the rooms that they have. ' +
  'Whoever writes to it gets an automatic text, until its contacts are forgotten.'

describe('what the operator sees of an address that was taken out of the config', () => {
  const TOKEN = 'a-token-for-tests'
  const former = addressOn(['red'], [agent('Anna', 'red @anna')])
  let path: string
  beforeEach(async () => {
    path = join(temporaryFolder(), 'zentrale.db')
    const red = makePractice('red')
    const { stop } = await startBridge([red], [], { addresses: [former], path })
    await red.say('werkstatt/red:eva', 'red:eva', 'Hello?', { direct: true, to: 'werkstatt' })
    await stop()
  })

  const configAt = (port: number): Config => {
    const config = addressConfig()
    config.store.path = path
    Object.assign(config.operate, { token: TOKEN, listen: { host: '127.0.0.1', port } })
    return loadConfig(write(config, registrationWith('buergerbuero')), {})
  }
  const freePort = async (): Promise<number> => {
    const { port, stop } = await serve(() => {}, { host: '127.0.0.1', port: 0 })
    await stop()
    return port
  }
  const check = async (config: Config): Promise<string> => (await checkRetired(config, systemClock)).map(showFinding).join('\n')

  it('is said while nothing runs: how many cases are open, what happens with them, and how to end it', async () => {
    const config = configAt(await freePort())
    assert.equal(await check(config), [
      '! Function address werkstatt: is not in the config any more, and has 1 open case', `    ${COULD}`,
      '    To end it, let the team close the cases (!done), put it back into the config,',
      '    or give its identities to another address, which takes the conversations over: werkstatt'
    ].join('\n'))
    const { output } = runAddress(config, { action: 'list', format: 'text' }, 0, { retired: await retiredNow(config, systemClock) })
    assert.match(output, /^bürgerbüro: .*\nwerkstatt: retired, not in the config any more; 1 open case$/)
  })

  it('is asked of the Zentrale that runs, which also knows where there is no way any more', async () => {
    const started = await startBridge([], [], { path })
    const served = await serve(makeOperateApp({
      token: TOKEN, metricsPublic: false, networks: [], metrics: makeMetrics([], async () => [], systemClock),
      queue: makeQueueLines(started.bridge.queue), store: started.store, clock: systemClock, log: silentLog, desk: started.bridge.desk
    }), { host: '127.0.0.1', port: 0 })
    assert.equal((await check(configAt(served.port))).split('\n')[0],
      '! Function address werkstatt: is not in the config any more, and has 1 open case; it is not reached as werkstatt any more')
    await served.stop()
    await started.stop()
  })

  it('is nothing where there is no store yet', async () => {
    path = join(temporaryFolder(), 'nothing.db')
    assert.equal(await check(configAt(await freePort())), '')
  })

  it('is that only putting it back helps, if nothing but its name is known', async () => {
    const { store, stop } = await startBridge([], [], { path })
    await store.run(tx => tx.forget('desk', 'address werkstatt'))
    await stop()
    assert.equal(await check(configAt(await freePort())), '✗ Function address werkstatt: is not in the config any more, and has 1 open case\n' +
    '    Nothing else is known about it, so nobody can answer: put it back into the config')
  })
})
