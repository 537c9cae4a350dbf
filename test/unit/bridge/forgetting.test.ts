import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Malformed, Unavailable } from '../../../src/model/errors'
import { makePractice, until } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { mirrorOf, startBridge } from '../../support/started'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

describe('what was said in a mirror', () => {
  it('is forgotten after its retention_days: what was said, delivered, may have arrived, and could not be read', async () => {
    const clock = skippingClock()
    const [red, blue] = [makePractice('red'), makePractice('blue')]
    const short = { ...mirrorOf(['red', 'room'], ['blue', 'hall']), retentionDays: 10 }
    const long = { ...mirrorOf(['red', 'salon'], ['blue', 'lounge']), name: 'long' }
    const started = await startBridge([red, blue], [short, long], {
      clock, limits: { queueMax: 1000, linkMs: DAY_MS, keepMs: 20 * DAY_MS, drainMs: 1000 }
    })
    blue.onSend = ({ action }) => { if (JSON.stringify(action).includes('perhaps')) throw new Unavailable('cut off', { unknown: true }) }
    await red.say('room', 'anna', 'Canary-delivered')
    await red.say('room', 'anna', 'Canary-perhaps')
    await red.say('salon', 'anna', 'Stays-longer')
    await red.inbox.quarantine('red', 'Canary-unread', new Malformed('no'))
    await until(() => blue.read('lounge').length === 1)
    const has = async (text: string): Promise<boolean> => {
      await started.store.compact()
      return readFileSync(started.path).includes(text)
    }
    assert.deepEqual([await has('Canary-delivered'), await has('Canary-perhaps'), await has('Canary-unread')], [true, true, true])
    const forgets = async (...texts: string[]): Promise<void> => {
      clock.skip(10 * DAY_MS)
      await until(async () => {
        clock.skip(HOUR_MS)
        return (await Promise.all(texts.map(has))).every(isThere => !isThere)
      }, `${texts.join(', ')} forgotten`)
    }
    await forgets('Canary-delivered', 'Canary-perhaps')
    assert.ok(await has('Stays-longer'))
    await forgets('Canary-unread', 'Stays-longer')
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  it('is forgotten also after the store could not do it once', async () => {
    const clock = skippingClock()
    const [red, blue] = [makePractice('red'), makePractice('blue')]
    let failing = false
    let failures = 0
    const started = await startBridge([red, blue], [{ ...mirrorOf(['red', 'room'], ['blue', 'hall']), retentionDays: 1 }], {
      clock, around: store => ({ ...store, run (job, patienceMs) {
        if (!failing) return store.run(job, patienceMs)
        failures++
        return Promise.reject(new Unavailable('busy'))
      } })
    })
    await red.say('room', 'anna', 'Canary-once')
    await until(() => blue.read('hall').length === 1)
    failing = true
    clock.skip(2 * DAY_MS)
    await until(() => failures > 0, 'it fails')
    failing = false
    await until(async () => {
      clock.skip(HOUR_MS)
      await started.store.compact()
      return !readFileSync(started.path).includes('Canary-once')
    }, 'it is forgotten')
    await started.stop()
  })

  it('stays while it is still to be delivered', async () => {
    const clock = skippingClock()
    const [red, blue] = [makePractice('red'), makePractice('blue', { giveUpAfterMs: 30 * DAY_MS })]
    const started = await startBridge([red, blue], [{ ...mirrorOf(['red', 'room'], ['blue', 'hall']), retentionDays: 1 }], { clock })
    blue.onSend = () => { throw new Unavailable('down', { disconnected: true }) }
    await red.say('room', 'anna', 'Late')
    clock.skip(3 * DAY_MS)
    blue.onSend = () => {}
    blue.inbox.connection('blue', 'main', true)
    await until(() => blue.read('hall').some(line => line.includes('Late')), 'it comes')
    await started.stop()
  })
})
