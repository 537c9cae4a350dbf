/** How long the joiner of parts waits, and for how long it knows again what it has handed on. */
import assert from 'node:assert/strict'
import { makeParts, type Joined, type Parts } from '../../../../src/networks/sms/parts'
import { handClock } from '../../../support/quick'
import { makeMemory, makeWorld } from '../../../support/world'

const HOUR_MS = 3_600_000

describe('an SMS in parts', () => {
  const stage = () => {
    const clock = handClock()
    const memory = makeMemory()
    const wall = { offset: 0 }
    const joined: Joined[] = []
    const begin = (): Parts => {
      const world = { ...makeWorld({ memory }), clock: { ...clock, now: () => clock.now() + wall.offset } }
      const parts = makeParts('main', world, async one => { joined.push(one) })
      parts.start()
      return parts
    }
    const add = (parts: Parts, seq: number): Promise<void> =>
      parts.add('them', 'us', { ref: 1, total: 2, seq }, { octets: `octets ${seq}`, dataCoding: 0 })
    const advance = async (ms: number): Promise<void> => {
      clock.advance(ms)
      await new Promise(setImmediate)
    }
    return { wall, joined, begin, add, advance }
  }

  it('waits for the rest as long as the link is down', async () => {
    const { joined, begin, add, advance } = stage()
    const parts = begin()
    parts.link(true)
    await add(parts, 1)
    parts.link(false)
    await advance(30 * HOUR_MS)
    parts.link(true)
    await add(parts, 2)
    assert.deepEqual(joined.map(({ pieces }) => pieces.includes(null)), [false])
  })

  it('is handed on as it is once the link has been up for a while', async () => {
    const { joined, begin, add, advance } = stage()
    const parts = begin()
    await add(parts, 1)
    parts.link(true)
    await advance(HOUR_MS)
    assert.deepEqual(joined.map(({ pieces }) => pieces.includes(null)), [true])
  })

  it('is handed on as it is after three days at the latest, also where the link comes and goes or never comes back', async () => {
    for (const [up, stepMs] of [[true, HOUR_MS / 10], [false, HOUR_MS]] as const) {
      const { joined, begin, add, advance } = stage()
      const parts = begin()
      await add(parts, 1)
      for (let ms = 0; ms < 72 * HOUR_MS; ms += stepMs) {
        assert.equal(joined.length, 0)
        parts.link(false)
        if (up) parts.link(true)
        await advance(stepMs)
      }
      assert.equal(joined.length, 1)
    }
  })

  for (const [what, offset] of [['an outage', 0], ['a clock set forward', 1000 * HOUR_MS], ['a clock set back', -1000 * HOUR_MS]] as const) {
    it(`is known again after a restart with ${what}`, async () => {
      const { wall, joined, begin, add, advance } = stage()
      const before = begin()
      before.link(true)
      await add(before, 1)
      await add(before, 2)
      before.stop()
      wall.offset = offset
      const after = begin()
      await advance(HOUR_MS)
      after.link(true)
      await add(after, 2)
      await advance(HOUR_MS)
      assert.equal(joined.length, 1)
    })
  }
})
