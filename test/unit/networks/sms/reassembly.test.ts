/** How long the joiner of parts waits, and how long it recognises what it has passed on. */
import assert from 'node:assert/strict'
import { makeReassembly, type Joined, type Reassembly } from '../../../../src/networks/sms/reassembly'
import { handClock } from '../../../support/quick'
import { makeMemory, makeWorld } from '../../../support/world'

const HOUR_MS = 3_600_000

describe('an SMS in parts', () => {
  const stage = () => {
    const clock = handClock()
    const memory = makeMemory()
    const wall = { offset: 0 }
    const joined: Joined[] = []
    const begin = (stored = async (): Promise<void> => {}): Reassembly => {
      const world = { ...makeWorld({ memory }), clock: { ...clock, now: () => clock.now() + wall.offset } }
      const parts = makeReassembly('main', world, async one => { await stored(); joined.push(one) })
      parts.start()
      return parts
    }
    const add = (
      parts: Reassembly, seq: number, { octets = `octets ${seq}`, from = 'them', connection = 1, total = 2, ref = 1 } = {}
    ): Promise<void> =>
      parts.add(from, 'us', { ref, total, seq }, { octets, dataCoding: 0 }, { connection, at: clock.now(), tick: clock.tick() })
    const advance = async (ms: number): Promise<void> => {
      clock.advance(ms)
      await new Promise(setImmediate)
    }
    return { wall, joined, begin, add, advance }
  }

  it('waits for the rest as long as the link is down', async () => {
    const { joined, begin, add, advance } = stage()
    const parts = begin()
    parts.connected(true)
    await add(parts, 1)
    parts.connected(false)
    await advance(30 * HOUR_MS)
    parts.connected(true)
    await add(parts, 2)
    assert.deepEqual(joined.map(({ pieces }) => pieces.includes(null)), [false])
  })

  it('is handed on as it is once the link has been up for a while', async () => {
    const { joined, begin, add, advance } = stage()
    const parts = begin()
    await add(parts, 1)
    parts.connected(true)
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
        parts.connected(false)
        if (up) parts.connected(true)
        await advance(stepMs)
      }
      assert.equal(joined.length, 1)
    }
  })

  for (const [what, offset] of [['an outage', 0], ['a clock set forward', 1000 * HOUR_MS], ['a clock set back', -1000 * HOUR_MS]] as const) {
    it(`is known again after a restart with ${what}`, async () => {
      const { wall, joined, begin, add, advance } = stage()
      const before = begin()
      before.connected(true)
      await add(before, 1)
      await add(before, 2)
      before.stop()
      wall.offset = offset
      const after = begin()
      await advance(HOUR_MS)
      after.connected(true)
      await add(after, 2, { connection: 2 })
      await advance(HOUR_MS)
      assert.equal(joined.length, 1)
    })
  }

  const texts = (joined: Joined[]): string[] => joined.map(({ pieces }) => pieces.map(piece => piece?.octets ?? '…').join('|'))

  it('is another message when its parts come on the same link, however much of it is equal', async () => {
    const { joined, begin, add } = stage()
    const parts = begin()
    parts.connected(true)
    for (const octets of ['eins', 'zwei', 'drei', 'zwei', 'zwei']) {
      await add(parts, 1, { octets: 'Sehr geehrte Damen' })
      await add(parts, 2, { octets })
    }
    assert.deepEqual(texts(joined), ['eins', 'zwei', 'drei', 'zwei', 'zwei'].map(octets => `Sehr geehrte Damen|${octets}`))
  })

  it('is another message after a break of the link too, if our answers had been read before it', async () => {
    for (const restarts of [false, true]) {
      const { joined, begin, add, advance } = stage()
      let parts = begin()
      parts.connected(true)
      await add(parts, 1)
      await add(parts, 2)
      parts.proof(1)()
      await advance(1)
      parts.connected(false)
      if (restarts) {
        parts.stop()
        parts = begin()
      }
      parts.connected(true)
      await add(parts, 1, { connection: 2 })
      await add(parts, 2, { connection: 2, octets: 'neu' })
      assert.deepEqual(texts(joined), ['octets 1|octets 2', 'octets 1|neu'], String(restarts))
    }
  })

  it('is known again after a break if our answers had not been read, in whatever order its parts come', async () => {
    for (const order of [[1, 2, 3], [3, 2, 1], [3, 1, 2], [2, 3]]) {
      const { joined, begin, add } = stage()
      const parts = begin()
      parts.connected(true)
      for (const seq of [1, 2]) await add(parts, seq, { total: 3 })
      parts.connected(false)
      parts.connected(true)
      for (const seq of order) await add(parts, seq, { total: 3, connection: 2 })
      assert.deepEqual(texts(joined), ['octets 1|octets 2|octets 3'], String(order))
    }
  })

  it('is known again where our answer was so slow that it crossed the next try', async () => {
    const { joined, begin, add, advance } = stage()
    const parts = begin()
    parts.connected(true)
    await add(parts, 1)
    await advance(500)
    await add(parts, 1) // at once: another message, and the former will never be whole
    assert.deepEqual(texts(joined), ['octets 1|…'])
    const slow = stage()
    const release = Promise.withResolvers<void>()
    const late = slow.begin(() => release.promise)
    late.connected(true)
    await slow.add(late, 1)
    const first = slow.add(late, 2)
    await slow.advance(10_000)
    const again = slow.add(late, 2)
    release.resolve()
    await Promise.all([first, again])
    await slow.add(late, 2) // its third try was under way already
    assert.deepEqual(texts(slow.joined), ['octets 1|octets 2'])
  })

  it('of somebody who begins many gives way to the next of theirs, never to those of others', async () => {
    const { joined, begin, add, advance } = stage()
    const parts = begin()
    parts.connected(true)
    await add(parts, 1, { from: 'anna' })
    for (let n = 0; n < 600; n++) {
      await add(parts, 1, { from: 'flood', ref: n })
      await advance(1)
    }
    await add(parts, 2, { from: 'anna' })
    assert.deepEqual(texts(joined.filter(({ from }) => from === 'anna')), ['octets 1|octets 2'])
  })
})
