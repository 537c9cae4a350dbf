import assert from 'node:assert/strict'
import { systemClock } from '../../../src/lib/clock'
import { silentLog } from '../../../src/lib/log'
import { type Served, serve } from '../../../src/lib/serve'
import { Refused, Unavailable } from '../../../src/model/errors'
import { ask } from '../../../src/lib/ask'
import { makeOperateApp, type Operated } from '../../../src/operate/http'
import { makeMetrics } from '../../../src/operate/metrics'
import { makeQueueLines } from '../../../src/operate/queue'
import { makePractice, type Practice, until } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'
import { emptyDesk } from '../../support/address'

const TOKEN = 'a-token-for-tests'

interface Running { url: string; left: Practice; right: Practice; started: Started; metrics: Operated['metrics']; stop (): Promise<void> }

/** A bridge between two practice networks, one of whose people is a phone, with the operator's HTTP. */
const run = async (metricsPublic = false): Promise<Running> => {
  const left = makePractice('left')
  const right = makePractice('right')
  const metrics = makeMetrics(['left', 'right'], () => started.store.run(tx => tx.depth()), systemClock)
  const started: Started = await startBridge([left, right],
    [mirrorOf(['left', 'room'], ['right', '+4930123457/+491701234567', { '+491701234567': 'Max' }])],
    { observer: metrics.observer })
  const app = makeOperateApp({
    token: TOKEN, metricsPublic, networks: ['left', 'right'], metrics, queue: makeQueueLines(started.bridge.queue),
    store: started.store, clock: systemClock, log: silentLog, desk: emptyDesk
  })
  const served: Served = await serve(app, { host: '127.0.0.1', port: 0 })
  return { url: `http://127.0.0.1:${served.port}`, left, right, started, metrics,
    stop: async () => { await served.stop(); await started.stop() } }
}

describe('the operator\'s HTTP', () => {
  let running: Running
  beforeEach(async () => { running = await run() })
  afterEach(async () => { await running.stop() })
  const get = (path: string, token?: string) => ask(systemClock, running.url + path, token === undefined ? {} : { token })
  const post = (path: string, token?: string) =>
    ask(systemClock, running.url + path, { method: 'POST', ...token === undefined ? {} : { token } })

  it('says that it is alive as long as the store takes writes', async () => {
    assert.equal((await get('/healthz')).status, 200)
    await running.started.store.close()
    const { status, body } = await get('/healthz')
    assert.equal(status, 503)
    assert.match(JSON.stringify(body), /the store is closed/)
  })

  it('is ready when every network has a link and all are up', async () => {
    const { observer } = running.metrics
    assert.deepEqual((await get('/readyz')).body, { ready: false, waiting: ['left', 'right'], links: [] })
    observer.connection('left', 'server', true)
    observer.connection('right', 'server', false, 'a detail that is for the operator')
    const half = await get('/readyz')
    assert.equal(half.status, 503)
    assert.doesNotMatch(JSON.stringify(half.body), /detail/)
    observer.connection('right', 'server', true)
    assert.equal((await get('/readyz')).status, 200)
    observer.connection('right', 'rooms', false, 'not tried yet', false)
    assert.equal((await get('/readyz')).status, 503)
    observer.connection('right', 'rooms', false, 'somebody has destroyed one', true)
    const { status, body } = await get('/readyz', TOKEN)
    assert.equal(status, 200, 'nobody can keep us from being ready')
    assert.match(JSON.stringify(body), /"name":"rooms","up":false,.*"why":"somebody has destroyed one"/)
  })

  it('shows and changes nothing else without the token', async () => {
    for (const path of ['/metrics', '/admin/queue', '/admin/queue/1', '/admin/links', '/admin/nothing']) {
      for (const token of [undefined, '', 'wrong', `${TOKEN}x`]) assert.equal((await get(path, token)).status, 401, path)
    }
    assert.equal((await post('/admin/queue/1/drop', 'wrong')).status, 401)
    assert.equal((await get('/metrics', TOKEN)).status, 200)
    assert.equal((await get('/nothing', TOKEN)).status, 404)
  })

  it('shows metrics to all where the config says so', async () => {
    const open = await run(true)
    const { status, body, headers } = await ask(systemClock, `${open.url}/metrics`)
    assert.equal(status, 200)
    assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/)
    assert.match(String(body), /zentrale_arrivals_total/)
    assert.equal((await ask(systemClock, `${open.url}/admin/queue`)).status, 401)
    await open.stop()
  })

  it('counts the path from accept to done', async () => {
    await running.left.say('room', 'Anna', 'hello')
    await until(() => running.right.delivered.length === 1)
    await until(async () =>
      /deliveries_total\{network="right",outcome="done"\} 1/.test(String((await get('/metrics', TOKEN)).body)), 'done counted')
    assert.match(String((await get('/metrics', TOKEN)).body), /arrivals_total\{network="left",outcome="stored"\} 1/)
  })

  it('lists, shows, drops: numbers masked and no texts unless asked for', async () => {
    running.right.onSend = () => { throw new Unavailable('not now', { retryAfterMs: 1_000_000 }) }
    await running.left.say('room', 'Anna', 'the secret of the day')
    const waiting = async () => (await get('/admin/queue?state=waiting', TOKEN)).body as { id: number, place: string, attempt: number }[]
    await until(async () => (await waiting())[0]?.attempt === 1, 'tried once')
    const [line] = await waiting()
    assert.match(line!.place, /…57\/.*…67$/)
    assert.doesNotMatch(JSON.stringify(line), /secret of the day|1701234567/)
    const open = (await get(`/admin/queue/${line!.id}?text=1`, TOKEN)).body as { text: string, place: string }
    assert.match(open.text, /the secret of the day/)
    assert.match(open.place, /\+491701234567/)
    assert.equal((await post(`/admin/queue/${line!.id}/drop`, TOKEN)).status, 200)
    assert.deepEqual(await waiting(), [])
  })

  it('tries again what failed, in the lane that runs', async () => {
    running.right.onSend = () => { throw new Refused('no such person') }
    await running.left.say('room', 'Anna', 'once more')
    const failed = async () => (await get('/admin/queue?state=failed', TOKEN)).body as { id: number, reason: string }[]
    await until(async () => (await failed()).length === 1, 'failed')
    assert.equal((await failed())[0]?.reason, 'no such person')
    running.right.onSend = () => {}
    assert.equal((await post(`/admin/queue/${(await failed())[0]!.id}/retry`, TOKEN)).status, 200)
    await until(() => running.right.delivered.length === 1, 'delivered after all')
  })

  it('refuses what makes no sense', async () => {
    assert.equal((await get('/admin/queue?state=everything', TOKEN)).status, 400)
    for (const id of ['0', '999', '-1', 'x', '1e3', '9'.repeat(40)]) {
      assert.equal((await get(`/admin/queue/${id}`, TOKEN)).status, 404, id)
      assert.equal((await post(`/admin/queue/${id}/retry`, TOKEN)).status, 404, id)
      assert.equal((await post(`/admin/queue/${id}/drop`, TOKEN)).status, 404, id)
    }
  })
})
