/** Faults that the simulation found, each in a few lines: clocks that are set, and STOP in the very moment of sending. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { systemClock, type Clock } from '../../../src/lib/clock'
import { Unavailable } from '../../../src/model/errors'
import { openSqlite } from '../../../src/store/sqlite'
import type { Store } from '../../../src/store/store'
import { makePractice, until } from '../../support/practice'
import { temporaryFolder } from '../../support/folder'
import { mirrorOf, startBridge } from '../../support/started'

const YEAR_MS = 365 * 86_400_000
const HOUR_MS = 3_600_000
const MIRROR = mirrorOf(['red', 'room'], ['blue', 'hall'])

/** The machine's clock, which can be set, and on which hours can pass at once. */
const makeSettable = () => {
  let hourly: (() => void) | undefined
  let offset = 0
  const clock: Clock = {
    ...systemClock,
    now: () => Date.now() + offset,
    after (ms, run) {
      if (ms < HOUR_MS) return systemClock.after(ms, run)
      hourly = run
      return { cancel () {} }
    }
  }
  return { clock, hour: () => hourly?.(), set: (by: number) => { offset += by } }
}

describe('when the clock is set', () => {
  it('gives up nothing that waits', async () => {
    const [red, blue] = [makePractice('red'), makePractice('blue')]
    const settable = makeSettable()
    const started = await startBridge([red, blue], [MIRROR], { clock: settable.clock })
    let tries = 0
    blue.onSend = () => { if (++tries < 4) throw new Unavailable('busy', { retryAfterMs: 1, disconnected: tries === 2 }) }
    for (const jump of [10 * YEAR_MS, -20 * YEAR_MS]) {
      tries = 0
      await red.say('room', 'anna', `over ${jump}`)
      await until(() => tries > 0)
      settable.set(jump)
      await until(() => tries === 4)
    }
    await until(() => blue.delivered.length === 2)
    assert.deepEqual(red.read('room'), [])
    await started.stop()
  })

  it('reports a failure, also if it heard of it before the answer to its send', async () => {
    const red = makePractice('red')
    const phone = makePractice('phone', { ghosts: false, afterCrash: 'park' })
    const settable = makeSettable()
    const started = await startBridge([red, phone], [mirrorOf(['red', 'room'], ['phone', 'us/max', { max: 'Max' }])], { clock: settable.clock })
    for (const [index, jump] of [-10 * YEAR_MS, 20 * YEAR_MS].entries()) {
      const answer = Promise.withResolvers<void>()
      phone.onSend = () => answer.promise
      await red.say('room', 'anna', `over ${jump}`)
      await until(async () => (await started.bridge.queue.list('sending')).length === 1)
      const [row] = await started.bridge.queue.list('sending')
      settable.set(jump)
      await phone.inbox.accept({ kind: 'receipt', key: `r${index}`, place: { network: 'phone', id: 'us/max' }, at: 1,
        of: [`phone-${row!.delivery.key}`], outcome: 'failed' })
      answer.resolve()
      await until(() => red.delivered.length === index + 1)
    }
    await started.stop()
  })

  it('remembers for as long as usual what it has seen', async () => {
    const [red, blue] = [makePractice('red'), makePractice('blue')]
    const settable = makeSettable()
    const started = await startBridge([red, blue], [MIRROR], { clock: settable.clock })
    for (const [index, jump] of [-10 * YEAR_MS, 20 * YEAR_MS].entries()) {
      settable.set(jump)
      await red.say('room', 'anna', 'hello', { key: `k${index}` })
      await until(async () => (await started.bridge.queue.show(index + 1))?.state === 'done')
      settable.set(-jump)
      settable.hour()
      assert.equal(await red.say('room', 'anna', 'hello', { key: `k${index}` }), 'seen')
    }
    assert.equal(blue.delivered.length, 2)
    await started.stop()
  })
})

it('sends nothing to a person once their STOP was acknowledged, whichever commit it shares', async () => {
  for (let moment = 1; moment <= 4; moment++) {
    const [red, phone] = [makePractice('red'), makePractice('phone', { afterCrash: 'park' })]
    const inner = openSqlite(join(temporaryFolder(), 'zentrale.db'), systemClock, error => { throw error })
    let left = Infinity
    let stopped: Promise<unknown> | undefined
    let acknowledged = false
    const late: boolean[] = []
    const store: Store = {
      ...inner,
      run (job, patienceMs) {
        const answer = inner.run(job, patienceMs)
        if (--left === 0) stopped = phone.say('us/max', 'max', 'STOP', { direct: true }).then(() => { acknowledged = true })
        return answer
      }
    }
    phone.onSend = ({ as }) => { if (as !== undefined && acknowledged) late.push(true) }
    const started = await startBridge([red, phone], [mirrorOf(['red', 'room'], ['phone', 'us/max', { max: 'Max' }])], { store })
    left = moment
    await red.say('room', 'anna', 'hello')
    await until(() => stopped !== undefined)
    await stopped
    await until(async () => (await started.bridge.queue.list('waiting')).length + (await started.bridge.queue.list('sending')).length === 0)
    assert.deepEqual(late, [], `STOP at call ${moment} of the store`)
    await started.bridge.stop()
    await inner.close()
    await started.store.close()
  }
})
