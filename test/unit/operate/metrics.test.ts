import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { systemClock } from '../../../src/lib/clock'
import { maskNumbers } from '../../../src/lib/log'
import { CONNECTIONS_MAX, makeMetrics } from '../../../src/operate/metrics'
import type { Depth } from '../../../src/store/store'
import { needs } from '../../support/real'

const made = (depth: Depth[] = []) => makeMetrics(['matrix', 'sms'], async () => depth, { ...systemClock, now: () => 100_000 })

/** Something of everything. */
const busy = () => {
  const metrics = made([{ network: 'sms', state: 'waiting', count: 7, oldestAt: 40_000 }])
  const { observer } = metrics
  observer.accepted('matrix', 'stored')
  observer.accepted('matrix', 'stored')
  observer.accepted('sms', 'seen')
  observer.quarantined('matrix')
  observer.settled('sms', 'done', 30, 3)
  observer.settled('sms', 'failed', 5000, 0)
  observer.retried('sms')
  observer.receipt('sms', 'delivered')
  observer.connection('sms', 'main', true)
  observer.connection('matrix', 'homeserver', false, 'no answer from +491701234567')
  return metrics
}

describe('metrics', () => {
  it('count what happened, by network and outcome', async () => {
    const text = await busy().text()
    for (const line of [
      'zentrale_arrivals_total{network="matrix",outcome="stored"} 2',
      'zentrale_arrivals_total{network="sms",outcome="stored"} 0',
      'zentrale_arrivals_total{network="sms",outcome="seen"} 1',
      'zentrale_quarantined_total{network="matrix"} 1',
      'zentrale_deliveries_total{network="sms",outcome="done"} 1',
      'zentrale_deliveries_total{network="sms",outcome="failed"} 1',
      'zentrale_remote_messages_total{network="sms"} 3',
      'zentrale_retries_total{network="sms"} 1',
      'zentrale_receipts_total{network="sms",outcome="delivered"} 1',
      'zentrale_delivery_seconds_count{network="sms"} 1',
      'zentrale_delivery_seconds_bucket{le="0.025",network="sms"} 0',
      'zentrale_delivery_seconds_bucket{le="0.05",network="sms"} 1',
      `zentrale_build_info{version="",node="${process.versions.node}"} 1`,
      'zentrale_link_up{network="sms",link="main"} 1',
      'zentrale_link_up{network="matrix",link="homeserver"} 0',
      'zentrale_queue_messages{network="sms",state="waiting"} 7',
      'zentrale_queue_messages{network="matrix",state="failed"} 0',
      'zentrale_queue_oldest_age_seconds{network="sms",state="waiting"} 60'
    ]) assert.ok(text.split('\n').includes(line), `${line} is not in\n${text}`)
    assert.match(text, /process_resident_memory_bytes/)
  })

  it('tell of each function address what came, went, failed and waits, and how long the first answer took', async () => {
    const metrics = makeMetrics(['matrix'], async () => [], { ...systemClock, now: () => 100_000 }, {
      addresses: ['info', 'werkstatt'],
      cases: async () => [
        { address: 'info', state: 'new', count: 2, oldestAt: 40_000 }, { address: 'info', state: 'claimed', count: 1, oldestAt: null },
        { address: 'alt', state: 'new', count: 1, oldestAt: null }
      ],
      totals: async () => ([
        ['in', 'sms', '', 1], ['claim lost', 'matrix', '', 1], ['parts', 'sms', '', 5], ['opened', 'sms', '', 1],
        ['first answer', 'sms', '50000', 1], ['first answer open', 'sms', '40', 1], ['closing', 'sms', '300', 1], ['closing', 'sms', '301', 2]
      ] as const).map(([what, network, detail, count]) => ({ whose: 'address', name: 'info', what, network, detail, count }))
    })
    const text = await metrics.text()
    for (const line of [
      'zentrale_address_messages_total{address="info",what="in"} 1',
      'zentrale_address_messages_total{address="info",what="claim lost"} 1',
      'zentrale_address_messages_total{address="werkstatt",what="failed"} 0',
      'zentrale_address_cases{address="info",state="new"} 2',
      'zentrale_address_cases{address="alt",state="new"} 1', 'zentrale_address_retired{address="alt"} 1',
      'zentrale_address_cases{address="werkstatt",state="new"} 0',
      'zentrale_address_waiting_age_seconds{address="info"} 60',
      'zentrale_address_waiting_age_seconds{address="werkstatt"} 0',
      'zentrale_address_parts_total{address="info",network="sms"} 5',
      'zentrale_address_cases_total{address="info",what="opened"} 1',
      'zentrale_address_cases_total{address="werkstatt",what="closed"} 0',
      'zentrale_address_closing_seconds_bucket{le="300",address="info",hours="wall"} 1',
      'zentrale_address_closing_seconds_sum{address="info",hours="wall"} 902',
      'zentrale_address_closing_seconds_count{address="info",hours="wall"} 3',
      'zentrale_address_first_answer_seconds_bucket{le="60",address="info",hours="business"} 1',
      'zentrale_address_first_answer_seconds_bucket{le="14400",address="info",hours="wall"} 0',
      'zentrale_address_first_answer_seconds_bucket{le="86400",address="info",hours="wall"} 1'
    ]) assert.ok(text.split('\n').includes(line), line)
    const { status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
    if (status !== null) assert.equal(`${stdout}${stderr}`, '')
  })

  it('forget what left the queue', async () => {
    const depth: Depth[] = [{ network: 'sms', state: 'waiting', count: 1, oldestAt: 0 }]
    const metrics = made(depth)
    assert.match(await metrics.text(), /queue_oldest_age_seconds\{network="sms",state="waiting"\} 100/)
    depth.length = 0
    const after = await metrics.text()
    assert.match(after, /queue_messages\{network="sms",state="waiting"\} 0/)
    assert.doesNotMatch(after, /queue_oldest_age_seconds\{network="sms",state="waiting"\}/)
  })

  it('keep their labels bounded, whatever links are called', async () => {
    const metrics = made()
    for (let n = 0; n < CONNECTIONS_MAX * 3; n++) metrics.observer.connection('sms', `link${n}`, true)
    const lines = (await metrics.text()).split('\n').filter(line => line.startsWith('zentrale_link_up{'))
    assert.equal(lines.length, CONNECTIONS_MAX + 1)
    assert.equal(metrics.connections().length, CONNECTIONS_MAX + 1)
  })

  it('remember since when a link is as it is, and mask numbers', () => {
    let now = 1
    const metrics = makeMetrics([], async () => [], { ...systemClock, now: () => now })
    const look = () => metrics.connections()[0]
    metrics.observer.connection('sms', 'main', false, 'dialling +491701234567')
    now = 2
    metrics.observer.connection('sms', 'main', false, 'dialling +491701234567')
    assert.deepEqual(look(), { network: 'sms', name: 'main', up: false, ready: false, since: 1, detail: maskNumbers('dialling +491701234567') })
    metrics.observer.connection('sms', 'main', true)
    assert.deepEqual(look(), { network: 'sms', name: 'main', up: true, ready: true, since: 2 })
  })

  it('never throw at whoever reports', () => {
    fc.assert(fc.property(fc.integer(), fc.nat(), fc.string(), (latency, parts, name) => {
      const { observer } = made()
      observer.settled('sms', 'done', latency, parts)
      observer.connection(name, name, true, name)
    }))
  })

  describe('promtool check metrics', () => {
    needs('promtool')
    it('is content', async () => {
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: await busy().text(), encoding: 'utf8' })
      assert.equal(`${stdout}${stderr}`.trim(), '')
      assert.equal(status, 0)
    })
  })
})
