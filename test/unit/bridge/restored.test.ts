import assert from 'node:assert/strict'
import { join } from 'node:path'
import { systemClock } from '../../../src/lib/clock'
import { putBack } from '../../../src/plan/restored'
import { openSqlite } from '../../../src/store/sqlite'
import { temporaryFolder } from '../../support/folder'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

describe('after a copy of the store was put back', () => {
  const STOPPED = 5_000
  let red: Practice, blue: Practice
  let started: Started

  beforeEach(async () => {
    const path = join(temporaryFolder(), 'zentrale.db')
    const store = openSqlite(path, systemClock, () => {})
    await store.run(tx => putBack(tx, { stoppedAt: STOPPED, sends: false }, 6_000))
    await store.close()
    ;[red, blue] = [makePractice('red'), makePractice('blue')]
    started = await startBridge([red, blue], [mirrorOf(['red', 'room'], ['blue', 'hall'])], { path })
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  it('what was said before Zentrale stopped goes nowhere, and the operator sees it; what was said later is carried', async () => {
    await red.say('room', 'anna', 'carried already', { at: STOPPED - 1, key: 'old' })
    assert.equal(await red.say('room', 'anna', 'carried already', { at: STOPPED - 1, key: 'old' }), 'seen')
    const [place, sender] = [{ network: 'red', id: 'room' }, { id: 'anna', name: 'anna' }]
    await red.inbox.accept({ kind: 'reaction', key: 'thumb', place, at: STOPPED - 1, sender, of: ['old'], emojis: ['👍'] })
    await red.say('room', 'anna', 'said since', { at: STOPPED })
    await until(() => blue.delivered.length > 0)
    assert.deepEqual(blue.read('hall'), ['anna (red): said since'])
    const kept = await started.bridge.queue.unrouted()
    assert.deepEqual(kept.map(({ arrival: { kind } }) => kind), ['reaction', 'message'])
  })

  it('a deletion takes effect once more, because somebody wants it gone', async () => {
    await red.say('room', 'anna', 'said since', { at: STOPPED, key: 'since' })
    await until(() => blue.delivered.length === 1)
    const place = { network: 'red', id: 'room' }
    await red.inbox.accept({ kind: 'deletion', key: 'gone', place, at: STOPPED - 1, sender: { id: 'anna', name: 'anna' }, of: 'since' })
    await until(() => blue.delivered.length === 2)
    assert.equal(blue.delivered[1]?.action.kind, 'deletion')
  })
})
