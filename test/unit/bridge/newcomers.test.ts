import assert from 'node:assert/strict'
import type { MemberNews } from '../../../src/model/members'
import type { Standing } from '../../../src/model/message'
import { makePractice, until } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { mirrorOf, startBridge } from '../../support/started'

const DAY_MS = 24 * 3_600_000

describe('newcomers', () => {
  it('are told that the mirror rests, once a day; nobody else is, and nobody where it does not', async () => {
    const clock = skippingClock()
    const [red, blue] = [makePractice('red'), makePractice('blue')]
    const started = await startBridge([red, blue], [{ ...mirrorOf(['red', 'room'], ['blue', 'hall']), membersMax: 100 }], { clock })
    const tell = (news: MemberNews): void => red.inbox.members({ network: 'red', id: 'room' }, news)
    const comes = (id: string, name = id): void => tell({ kind: 'came', member: { id, name } })
    const stands = (standing: Standing): Promise<unknown> =>
      blue.inbox.accept({ kind: 'standing', key: standing, place: { network: 'blue', id: 'hall' }, at: clock.now(), standing })
    const told = (): number => red.read('room').filter(line => line.includes('is no longer in it')).length
    /** What was to be told is told. */
    const settled = async (): Promise<void> => {
      await started.store.run(async () => {})
      await until(async () => (await started.bridge.queue.list('waiting')).length + (await started.bridge.queue.list('sending')).length === 0)
    }

    tell({ kind: 'all', members: [{ id: '@anna', name: 'Anna' }], others: 'left' })
    comes('@ben')
    await settled()
    assert.equal(told(), 0, 'it does not rest')
    await stands('out')
    await until(() => told() === 1, 'the first word, to all who are there')
    comes('@anna', 'Anna B.')
    await settled()
    assert.equal(told(), 1, 'she was there')
    comes('@cem')
    await until(() => told() === 2, 'he is told')
    comes('@dora')
    await settled()
    assert.equal(told(), 2, 'he and she are told together')
    clock.skip(DAY_MS + 1)
    comes('@emil')
    await until(() => told() === 3, 'the next day')
    await stands('in')
    clock.skip(DAY_MS + 1)
    comes('@frida')
    await settled()
    assert.equal(told(), 3)
    assert.deepEqual(blue.read('hall').filter(line => line.includes('no longer')), [])
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })
})
