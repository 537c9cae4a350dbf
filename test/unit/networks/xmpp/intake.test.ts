import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Unavailable } from '../../../../src/model/errors'
import type { Arrival } from '../../../../src/model/message'
import { ACCEPTS_OPEN_MAX, makeIntake } from '../../../../src/networks/xmpp/intake'
import { quickClock } from '../../../support/quick'
import { makeWorld } from '../../../support/world'

const arrival = (number: number): Arrival =>
  ({ kind: 'deletion', key: String(number), place: { network: 'xmpp', id: 'r@x' }, at: 0, sender: { id: 'a', name: 'A' }, of: 'x' })

describe('xmpp intake', () => {
  it('stores everything in order, however often storing fails', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 30 }), async failures => {
      const stored: string[] = []
      let calls = 0
      const intake = makeIntake(async ({ key }) => {
        if (failures[calls++]) throw new Unavailable('full')
        if (!stored.includes(key)) stored.push(key)
      }, { pause () {}, resume () {} }, makeWorld({ clock: quickClock(100_000) }))
      await Promise.all(Array.from({ length: 10 }, (_, i) => new Promise<void>(resolve => intake.offer(arrival(i), resolve))))
      assert.deepEqual([...stored].sort(), Array.from({ length: 10 }, (_, i) => String(i)))
    }), { numRuns: 50 })
  })

  it('keeps the order when everything fails for a while', async () => {
    const stored: string[] = []
    let full = true
    let tries = 0
    const intake = makeIntake(async ({ key }) => {
      if (++tries > 25) full = false
      if (full) throw new Unavailable('full')
      stored.push(key)
    }, { pause () {}, resume () {} }, makeWorld({ clock: quickClock(10_000) }))
    await Promise.all(Array.from({ length: 10 }, (_, i) => new Promise<void>(resolve => intake.offer(arrival(i), resolve))))
    assert.deepEqual(stored.map(Number), [...stored.map(Number)].sort((a, b) => a - b))
  })

  it('pauses reading at the limit and goes on at half of it', async () => {
    const reading: string[] = []
    const open: (() => void)[] = []
    const link = { pause: () => { reading.push('pause') }, resume: () => { reading.push('resume') } }
    const intake = makeIntake(() => new Promise<void>(resolve => open.push(resolve)), link, makeWorld())
    for (let i = 0; i < ACCEPTS_OPEN_MAX - 1; i++) intake.offer(arrival(i))
    assert.deepEqual(reading, [])
    const last = new Promise<void>(resolve => intake.offer(arrival(-1), resolve))
    assert.deepEqual(reading, ['pause'])
    for (const done of open) done()
    await last
    assert.deepEqual(reading, ['pause', 'resume'])
  })

  it('goes on reading while nothing can be stored, or our own messages would not be heard again and a full queue never drain', async () => {
    const reading: string[] = []
    const link = { pause: () => { reading.push('pause') }, resume: () => { reading.push('resume') } }
    const intake = makeIntake(async () => { throw new Unavailable('full') }, link, makeWorld())
    intake.offer(arrival(0))
    await new Promise(resolve => setImmediate(resolve))
    for (let i = 1; i < ACCEPTS_OPEN_MAX - 1; i++) intake.offer(arrival(i))
    assert.deepEqual(reading, [])
    intake.offer(arrival(-1))
    assert.deepEqual(reading, ['pause'])
    intake.stop()
  })
})
