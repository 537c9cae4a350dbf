import assert from 'node:assert/strict'
import type { Observer } from '../../../src/bridge/observer'
import { systemClock } from '../../../src/lib/clock'
import { MINUTES, watched } from '../../../src/pages/flow'

describe('what flows', () => {
  const told: string[] = []
  const observer: Observer = {
    accepted: (network, outcome) => { told.push(`accepted ${network} ${outcome}`) }, quarantined () {}, retried () {}, receipt () {},
    settled: (network, outcome) => { told.push(`settled ${network} ${outcome}`) },
    connection: (network, name) => { told.push(`connection ${network} ${name}`) }
  }
  let now: number
  const start = () => watched(observer, { ...systemClock, now: () => now })
  beforeEach(() => { now = Date.parse('2026-11-29T22:30:00Z'); told.length = 0 })

  it('is counted by minute for an hour, and since the start for ever, and all is told on', () => {
    const { flow, observer: both } = start()
    both.accepted('red', 'stored')
    both.accepted('red', 'seen')
    both.settled('blue', 'failed', 1, 1)
    now += 60_000
    both.settled('blue', 'done', 1, 3)
    both.accepted('red', 'stored')
    both.accepted('red', 'stored')
    assert.deepEqual(flow.of('red').in.minutes.slice(-3), [0, 1, 2])
    assert.deepEqual(flow.of('blue').out, { total: 1, minutes: [...Array<number>(MINUTES - 1).fill(0), 1] })
    now += 3_600_000
    assert.deepEqual([flow.of('red').in.total, flow.of('red').in.minutes.every(count => count === 0)], [3, true])
    both.connection('red', 'server', true)
    assert.deepEqual(told, ['accepted red stored', 'accepted red seen', 'settled blue failed', 'settled blue done', 'accepted red stored',
      'accepted red stored', 'connection red server'])
    assert.ok(flow.seen() >= 5)
  })
})
