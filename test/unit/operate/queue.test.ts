import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Config } from '../../../src/config/config'
import { loadConfig } from '../../../src/config/load'
import { systemClock } from '../../../src/lib/clock'
import { silentLog } from '../../../src/lib/log'
import { serve } from '../../../src/lib/serve'
import { Malformed, Refused } from '../../../src/model/errors'
import type { Inbox } from '../../../src/model/network'
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
  return { ...started, left, right }
}

const configOf = (path: string, port: number): Config => {
  const config = wholeConfig()
  config.operate.listen.port = port
  return { ...loadConfig(write(config), {}), store: { path, keepDays: 30 } }
}

const order = (more: Partial<QueueOrder> = {}): QueueOrder => ({ action: 'list', text: false, json: false, ...more })

type Run = (more?: Partial<QueueOrder>) => Promise<{ output: string, ok: boolean }>

/** Entries of quarantine and of messages for nobody are not taken for the delivery with the same number. */
const hasOwnIds = async (run: Run, failed: string): Promise<void> => {
  assert.match((await run({ action: 'show', id: 'q1', text: true })).output, /q1 +quarantine .*left\n +because not XML\n +\| raw \+491701234567/)
  const { output } = await run({ state: 'unrouted', json: true })
  const [unrouted] = JSON.parse(output) as { id: string }[]
  assert.match(unrouted!.id, /^u\d+$/)
  assert.match((await run({ action: 'show', id: unrouted!.id, text: true })).output, /\| who are you/)
  for (const order of [{ action: 'retry', id: 'q1' }, { action: 'retry', id: unrouted!.id }, { action: 'drop', id: unrouted!.id }] as const) {
    assert.equal((await run(order)).ok, false, `${order.action} ${order.id}`)
  }
  assert.deepEqual(await run({ action: 'drop', id: 'q1' }), { output: 'q1 is forgotten.', ok: true })
  assert.equal((await run({ action: 'show', id: 'q1' })).ok, false)
  assert.equal((await run({ state: 'quarantine' })).output, 'Nothing.')
  assert.equal((await run({ action: 'show', id: failed })).ok, true, 'the delivery is still there')
}

/** What must hold whichever way the command goes. */
const behaves = async (config: Config): Promise<string> => {
  const run = (more?: Partial<QueueOrder>) => runQueue(config, order(more), systemClock)
  const { output: all } = await run()
  assert.match(all, /failed +\d{4}-.*right .*…57\/.*…67\n +from left room\n +tries 1\n +because no such person as .*…67/)
  assert.match(all, /quarantine .*left\n +because not XML/)
  assert.match(all, /unrouted .*right .*…57\/.*…99/)
  assert.doesNotMatch(all, /secret of the day|who are you|raw|1701234567/)
  const { output: open } = await run({ text: true })
  for (const part of ['secret of the day', 'who are you', 'raw +491701234567', PHONE]) assert.ok(open.includes(part), part)
  const [line] = JSON.parse((await run({ state: 'failed', json: true })).output) as { id: string }[]
  assert.match((await run({ action: 'show', id: line!.id })).output, /because no such person/)
  for (const action of ['show', 'retry', 'drop'] as const) {
    const missing = await run({ action, id: '4711' })
    assert.deepEqual([missing.ok, /Nothing (has|with) the id 4711/.test(missing.output)], [false, true])
  }
  await hasOwnIds(run, line!.id)
  return line!.id
}

describe('zentrale queue', () => {
  it('makes no store where there is none', async () => {
    const path = join(temporaryFolder(), 'data', 'zentrale.db')
    await assert.rejects(runQueue(configOf(path, 1), order(), systemClock), /There is no store at .*zentrale\.db: Zentrale has not run/)
    assert.ok(!existsSync(dirname(path)))
  })

  it('shows what was brought several times and could not be understood once, also after a restart and after it was dropped', async () => {
    const { path, stop, left } = await troubled()
    const bring = async (inbox: Inbox): Promise<void> => {
      for (const age of [1, 2]) await inbox.quarantine('left', `{"event_id":"$a","age":${age}}`, new Malformed('no sender'), '$a')
      await inbox.quarantine('left', 'raw +491701234567', new Malformed('not XML'))
      await inbox.quarantine('right', 'raw +491701234567', new Malformed('not XML'))
    }
    await bring(left.inbox)
    await stop()
    const again = makePractice('left')
    const restarted = await startBridge([again, makePractice('right')], [], { path })
    await bring(again.inbox)
    const ids = (await restarted.bridge.queue.quarantined()).map(({ id, network }) => `${network} ${id}`)
    assert.equal(ids.length, 3, ids.join())
    assert.equal(await restarted.bridge.queue.dropQuarantined(1), true)
    await bring(again.inbox)
    assert.equal((await restarted.bridge.queue.quarantined()).length, 2)
    await restarted.stop()
  })

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
