import assert from 'node:assert/strict'
import { Malformed } from '../../../src/model/errors'
import type { Store } from '../../../src/store/store'
import { makePractice, until } from '../../support/practice'
import { mirrorOf, startBridge } from '../../support/started'

describe('what comes in', () => {
  it('keeps in quarantine what the store can never hold, so that its source does not bring it again and again', async () => {
    const [red, blue] = [makePractice('red'), makePractice('blue')]
    const around = (store: Store): Store => ({
      ...store,
      run: (job, ...rest) => store.run(tx => job({
        ...tx, journal: (arrival, ...more) => arrival.key === 'long' ? Promise.reject(new Malformed('too long')) : tx.journal(arrival, ...more)
      }), ...rest)
    })
    const started = await startBridge([red, blue], [mirrorOf(['red', 'room'], ['blue', 'hall'])], { around })
    await red.say('room', 'anna', 'never', { key: 'long' })
    await red.say('room', 'anna', 'next')
    await until(() => blue.delivered.length === 1)
    assert.deepEqual(blue.read('hall'), ['anna (red): next'])
    const kept = await started.store.run(tx => tx.quarantined(9))
    assert.deepEqual(kept.map(({ why, raw }) => [why, raw.includes('never')]), [['too long', true]])
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })
})
