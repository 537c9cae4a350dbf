/** How redeliveries are told from the same words said twice, in cases that depend on durations. */
import assert from 'node:assert/strict'
import { makeRedelivery, type Redelivery } from '../../../../src/networks/sms/redelivery'
import { makeMemory, makeWorld } from '../../../support/world'

const HOUR_MS = 3_600_000

describe('an SMS whose acknowledgement may be lost', () => {
  let tick = 0
  let wall = 0
  const clock = { now: () => wall + tick, tick: () => tick, after: () => assert.fail(), soon: () => assert.fail() }
  const begin = (memory = makeMemory()): Redelivery => makeRedelivery('main', { ...makeWorld({ clock }), memory })
  const take = async (unconfirmed: Redelivery, connection: number, text = 'ok'): Promise<string> => {
    const taken = await unconfirmed.take('them us', [text], { connection, at: clock.now(), tick })
    unconfirmed.answered(taken)
    return taken.key
  }

  beforeEach(() => { tick = wall = 1000 })

  it('is known again after an outage of any length, whatever the clock says', async () => {
    const memory = makeMemory()
    const before = begin(memory)
    before.connected(true)
    const key = await take(before, 1)
    before.connected(false)
    tick += 30 * HOUR_MS
    before.connected(true)
    assert.equal(await take(before, 2), key)
    before.connected(false)
    wall += 10_000 * HOUR_MS
    const after = begin(memory)
    after.connected(true)
    assert.equal(await take(after, 1), key)
  })

  it('is not taken for the same words long after the gateway came back', async () => {
    const unconfirmed = begin()
    const key = await take(unconfirmed, 1)
    unconfirmed.connected(true)
    tick += HOUR_MS
    assert.notEqual(await take(unconfirmed, 2), key)
  })

  it('and comes again does not swallow the same words after it', async () => {
    const unconfirmed = begin()
    const first = await take(unconfirmed, 1)
    tick += HOUR_MS
    assert.equal(await take(unconfirmed, 2), first)
    tick += 100
    assert.notEqual(await take(unconfirmed, 2), first)
  })
})
