import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Config } from '../../../src/config/config'
import { loadConfig } from '../../../src/config/load'
import { systemClock } from '../../../src/lib/clock'
import { silentLog } from '../../../src/lib/log'
import { serve } from '../../../src/lib/serve'
import { Malformed, Refused } from '../../../src/model/errors'
import { makeOperateApp } from '../../../src/operate/http'
import { makeMetrics } from '../../../src/operate/metrics'
import { makeQueueLines } from '../../../src/operate/queue'
import { type QueueOrder, runQueue } from '../../../src/operate/queue-command'
import { wholeConfig, write } from '../../support/config'
import { makePractice, until } from '../../support/practice'
import { temporaryFolder } from '../../support/folder'
import { mirrorOf, startBridge } from '../../support/started'
import { emptyDesk } from '../../support/address'

const PHONE = '+4930123457/+491701234567'

/** A bridge with one delivery that failed, something that was not understood, and a message that concerned nobody. */
const troubled = async () => {
  const left = makePractice('left')
  const right = makePractice('right')
  right.onSend = () => { throw new Refused('no such person as +491701234567') }
  const path = join(temporaryFolder(), 'zentrale.db')
  const started = await startBridge([left, right], [mirrorOf(['left', 'room'], ['right', PHONE, { '+491701234567': 'Max' }])], { path })
  await left.say('room', 'Anna', 'the secret of the day')
  await left.inbox.quarantine('left', 'raw +491701234567', new Malformed('not XML'))
  await right.say('+4930123457/+491709999999', '+491709999999', 'who are you', { direct: true })
  await until(async () => (await started.bridge.queue.list('failed')).length === 1, 'failed')
  return { ...started, right }
}

const configOf = (path: string, port: number): Config => {
  const config = wholeConfig()
  config.operate.listen.port = port
  return { ...loadConfig(write(config), {}), store: { path, keepDays: 30 } }
}

const order = (more: Partial<QueueOrder> = {}): QueueOrder => ({ action: 'list', text: false, json: false, ...more })

/** What must hold whichever way the command goes. */
const behaves = async (config: Config): Promise<number> => {
  const run = (more?: Partial<QueueOrder>) => runQueue(config, order(more), systemClock)
  const { output: all } = await run()
  assert.match(all, /failed +\d{4}-.*right .*…57\/.*…67\n +from left room\n +tries 1\n +because no such person as .*…67/)
  assert.match(all, /quarantine .*left\n +because not XML/)
  assert.match(all, /unrouted .*right .*…57\/.*…99/)
  assert.doesNotMatch(all, /secret of the day|who are you|raw|1701234567/)
  const { output: open } = await run({ text: true })
  for (const part of ['secret of the day', 'who are you', 'raw +491701234567', PHONE]) assert.ok(open.includes(part), part)
  const [line] = JSON.parse((await run({ state: 'failed', json: true })).output) as { id: number }[]
  assert.match((await run({ action: 'show', id: line!.id })).output, /because no such person/)
  for (const action of ['show', 'retry', 'drop'] as const) {
    const missing = await run({ action, id: 4711 })
    assert.deepEqual([missing.ok, /There is no delivery 4711/.test(missing.output)], [false, true])
  }
  return line!.id
}

describe('zentrale queue', () => {
  it('works on the store while nothing runs', async () => {
    const { path, stop } = await troubled()
    await stop()
    const config = configOf(path, 1)
    const id = await behaves(config)
    assert.match((await runQueue(config, order({ action: 'retry', id }), systemClock)).output, /will be tried again/)
    assert.match((await runQueue(config, order({ state: 'waiting' }), systemClock)).output, new RegExp(`${id}  waiting`))
    assert.match((await runQueue(config, order({ action: 'drop', id }), systemClock)).output, /will not be sent/)
    assert.equal((await runQueue(config, order({ state: 'waiting' }), systemClock)).output, 'Nothing.')
  })

  it('goes through the Zentrale that runs', async () => {
    const { bridge, store, path, right, stop } = await troubled()
    const metrics = makeMetrics([], async () => [], systemClock)
    const token = wholeConfig().operate.token
    const app = makeOperateApp({ token, metricsPublic: false, networks: [], metrics, queue: makeQueueLines(bridge.queue), store,
      clock: systemClock, log: silentLog, desk: emptyDesk })
    const served = await serve(app, { host: '127.0.0.1', port: 0 })
    const config = configOf(path, served.port)
    const id = await behaves(config)
    right.onSend = () => {}
    assert.equal((await runQueue(config, order({ action: 'retry', id }), systemClock)).ok, true)
    await until(() => right.read(PHONE).some(text => text.includes('secret of the day')), 'delivered')
    const wrong = { ...config, operate: { ...config.operate, token: 'not-the-token' } }
    await assert.rejects(runQueue(wrong, order(), systemClock), /the running Zentrale says 401/)
    await served.stop()
    await assert.rejects(runQueue(config, order(), systemClock), /in use by another process/)
    await stop()
  })
})
