import assert from 'node:assert/strict'
import { join } from 'node:path'
import { PARTING_AFTER_MS } from '../../../src/bridge/parting'
import { Unavailable } from '../../../src/model/errors'
import type { Mirror } from '../../../src/plan/directory'
import { temporaryFolder } from '../../support/folder'
import { makePractice, until, type Practice } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { mirrorOf, startBridge, type Started } from '../../support/started'

describe('a place that is in no mirror any more', () => {
  let red: Practice, blue: Practice
  let started: Started
  let path: string
  let clock: ReturnType<typeof skippingClock>

  const mirror = mirrorOf(['red', 'room'], ['blue', 'hall'])
  const other = { ...mirrorOf(['red', 'other'], ['blue', 'lobby']), name: 'other' }
  const GONE = '*: Zentrale no longer connects this room with others. What is written here stays here.'

  const start = async (mirrors: Mirror[], more: Parameters<typeof startBridge>[2] = {}): Promise<void> => {
    [red, blue] = [makePractice('red'), makePractice('blue')]
    started = await startBridge([red, blue], mirrors, { path, clock, ...more })
  }
  const restart = async (mirrors: Mirror[], more: Parameters<typeof startBridge>[2] = {}): Promise<void> => {
    await started.stop()
    await start(mirrors, more)
  }
  const left = (): string[] => [...red.forgotten, ...blue.forgotten].map(({ id }) => id).sort()
  const told = (): string[] => [...red.delivered, ...blue.delivered].map(({ place }) => place.id).sort()

  /** Minutes pass until it is so. */
  const passing = (check: () => boolean): Promise<void> => until(() => { clock.skip(10_000); return check() })

  beforeEach(async () => {
    path = join(temporaryFolder(), 'zentrale.db')
    clock = skippingClock()
    await start([mirror, other])
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  it('tells people once, after what was still to be said there, and then we leave it', async () => {
    blue.onSend = () => { throw new Unavailable('away', { disconnected: true }) }
    await red.say('room', 'anna', 'before')
    await restart([other])
    clock.skip(PARTING_AFTER_MS)
    await passing(() => left().length === 2)
    assert.deepEqual(blue.read('hall'), ['anna (red): before', GONE])
    assert.deepEqual(red.read('room'), [GONE])
    assert.deepEqual(left(), ['hall', 'room'])
    await restart([other])
    clock.skip(2 * PARTING_AFTER_MS)
    assert.deepEqual([told(), left(), red.attended.map(({ id }) => id)], [[], [], ['other']])
  })

  it('stays and says nothing if the place is back before that', async () => {
    await restart([])
    clock.skip(PARTING_AFTER_MS / 2)
    await restart([other, mirror])
    clock.skip(3 * PARTING_AFTER_MS)
    assert.deepEqual([told(), left()], [[], []])
  })

  it('stays if it is in another mirror by now, be it one that was opened meanwhile', async () => {
    await restart([{ ...mirrorOf(['red', 'room'], ['blue', 'partner']), name: 'anew' }])
    await started.bridge.renew([], [{ ...mirrorOf(['red', 'other'], ['blue', 'third']), name: 'more' }])
    clock.skip(PARTING_AFTER_MS)
    await passing(() => left().length === 2)
    assert.deepEqual([told(), left()], [['hall', 'lobby'], ['hall', 'lobby']])
  })

  it('waits for a network that is away, or that is not in the config now', async () => {
    await started.stop()
    red = makePractice('red')
    blue = makePractice('blue')
    started = await startBridge([red], [], { path, clock })
    clock.skip(PARTING_AFTER_MS)
    await passing(() => left().length === 2)
    await restart([], {})
    blue.onSend = () => { throw new Unavailable('away', { disconnected: true }) }
    clock.skip(2 * PARTING_AFTER_MS)
    assert.deepEqual(left(), [])
    blue.onSend = () => {}
    await passing(() => left().length === 2)
    assert.deepEqual(told(), ['hall', 'lobby'])
  })

  it('takes back what waits to be said there if the place comes back', async () => {
    await restart([other])
    blue.onSend = () => { throw new Unavailable('away', { disconnected: true }) }
    clock.skip(PARTING_AFTER_MS)
    await passing(() => red.forgotten.length === 1)
    await restart([other, mirror])
    await red.say('room', 'anna', 'again', { at: clock.now() })
    await until(() => blue.delivered.length > 0)
    clock.skip(2 * PARTING_AFTER_MS)
    assert.deepEqual(blue.read('hall'), ['anna (red): again'])
    assert.deepEqual(left(), [])
  })

  it('leaves it again if that failed, and says nothing anew', async () => {
    await restart([other])
    blue.forget = async () => { throw new Unavailable('away') }
    clock.skip(PARTING_AFTER_MS)
    await passing(() => red.forgotten.length === 1)
    await restart([other])
    clock.skip(PARTING_AFTER_MS)
    await passing(() => blue.forgotten.length === 1)
    assert.deepEqual([told(), left()], [[], ['hall']])
  })

  it('says nothing where it was put out, and to phones', async () => {
    const [sms, with_] = [makePractice('sms', { ghosts: false }), mirrorOf(['red', 'room'], ['sms', 'phone', { '+49': 'Eva' }])]
    await started.stop()
    red = makePractice('red')
    started = await startBridge([red, sms], [with_], { path, clock })
    await red.inbox.accept({ kind: 'standing', key: 'out', place: { network: 'red', id: 'room' }, at: clock.now(), standing: 'out' })
    await started.stop()
    red = makePractice('red')
    const later = makePractice('sms', { ghosts: false })
    started = await startBridge([red, later], [], { path, clock })
    clock.skip(PARTING_AFTER_MS)
    await passing(() => red.forgotten.some(({ id }) => id === 'room'))
    assert.deepEqual([red.read('room'), later.delivered], [[], []])
  })
})
