import assert from 'node:assert/strict'
import type { Clock } from '../../../../src/lib/clock'
import { Rejected } from '../../../../src/networks/matrix/homeserver'
import { makeLink } from '../../../../src/networks/matrix/link'
import { Unavailable } from '../../../../src/model/errors'

/** A clock that a test moves on. */
const handClock = () => {
  let now = 0
  let timers: { at: number, run: () => void }[] = []
  const clock: Clock = {
    now: () => now, tick: () => now, soon: queueMicrotask,
    after (ms, run) {
      const timer = { at: now + ms, run }
      timers.push(timer)
      return { cancel: () => { timers = timers.filter(other => other !== timer) } }
    }
  }
  const pass = async (ms: number): Promise<void> => {
    const end = now + ms
    for (;;) {
      await new Promise(setImmediate)
      const next = timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0]
      if (next === undefined) { now = end; return }
      timers = timers.filter(timer => timer !== next)
      now = next.at
      next.run()
    }
  }
  return { clock, pass }
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

describe('the link to the homeserver', () => {
  const start = (probe: () => Promise<unknown>) => {
    const { clock, pass } = handClock()
    const words: string[] = []
    let asked = 0
    const link = makeLink({
      clock, chance: { fraction: () => 0.5, token: () => '' },
      probe: () => { asked++; return probe() },
      changed: (up, why) => { words.push(up ? 'up' : `down: ${why}`) }, found: () => {}
    })
    queueMicrotask(link.ask)
    return { link, pass, words, asked: () => asked }
  }

  it('that is refused says why, and asks ever more seldom', async () => {
    const { pass, words, asked } = start(() => Promise.reject(new Rejected(403, 'M_FORBIDDEN', 'homeserver: 403 M_FORBIDDEN')))
    await pass(HOUR_MS)
    assert.equal(words[0], 'down: homeserver: 403 M_FORBIDDEN')
    assert.ok(!words.includes('up'))
    assert.ok(asked() < 140, `${asked()} questions in an hour`)
  })

  it('that is lost again each time it is found is asked ever more seldom too', async () => {
    const { link, pass, asked } = start(async () => {})
    for (let s = 0; s < HOUR_MS / 1000; s++) {
      link.lost('HTTP 502')
      await pass(1000)
    }
    assert.ok(asked() < 140, `${asked()} questions in an hour`)
  })

  it('that held for a while is asked soon after it is lost', async () => {
    const { link, pass, words } = start(async () => {})
    for (let outage = 0; outage < 10; outage++) {
      await pass(MINUTE_MS)
      link.lost('ECONNREFUSED')
      await pass(2000)
      assert.equal(words.at(-1), 'up')
    }
  })

  it('tells what the last failure was', async () => {
    let trouble = new Unavailable('nobody there', { disconnected: true })
    const { link, pass, words } = start(() => { link.lost(trouble.message); return Promise.reject(trouble) })
    await pass(MINUTE_MS)
    trouble = new Unavailable('it does not know us', { disconnected: true })
    await pass(MINUTE_MS)
    assert.equal(words.at(-1), 'down: it does not know us')
  })
})
