import assert from 'node:assert/strict'
import { makePractice } from '../../support/practice'
import { mirrorOf, startBridge } from '../../support/started'

describe('what a place is connected with', () => {
  it('is each other place of its mirror, as it is called, and nothing where there is no mirror', async () => {
    const [red, blue, phone] = [makePractice('red'), makePractice('blue'), makePractice('phone', { ghosts: false, deletions: false })]
    const mirror = { ...mirrorOf(['red', 'room'], ['blue', 'hall'], ['phone', 'us/max', { max: 'Max' }]), shows: { typing: true, read: false } }
    const started = await startBridge([red, blue, phone], [mirror])
    await blue.inbox.accept({ kind: 'profile', key: 'p', place: { network: 'blue', id: 'hall' }, at: 0, shown: { what: 'name', value: 'Halle' } })
    const [hall, thread, ...others] = red.inbox.besides({ network: 'red', id: 'room' })
    assert.deepEqual([hall?.place.id, hall?.people, hall?.can.label, hall?.shows], ['hall', undefined, 'blue', { typing: true, read: false }])
    assert.deepEqual([thread?.place.id, thread?.people, thread?.can.deletions, others], ['us/max', ['Max'], false, []])
    assert.deepEqual(red.inbox.besides({ network: 'red', id: 'elsewhere' }), [])
    await started.stop()
  })
})
