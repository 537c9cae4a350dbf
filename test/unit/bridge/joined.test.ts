import assert from 'node:assert/strict'
import { join } from 'node:path'
import { systemClock } from '../../../src/lib/clock'
import type { Mirror } from '../../../src/plan/directory'
import { openSqlite } from '../../../src/store/sqlite'
import { temporaryFolder } from '../../support/folder'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

describe('a place that comes into a mirror, or into another one', () => {
  let red: Practice, blue: Practice
  let started: Started
  let path: string

  const start = async (...mirrors: Mirror[]): Promise<void> => {
    [red, blue] = [makePractice('red'), makePractice('blue')]
    started = await startBridge([red, blue], mirrors, { path })
  }
  const restart = async (...mirrors: Mirror[]): Promise<void> => {
    await started.stop()
    await start(...mirrors)
  }
  const [before, between] = [mirrorOf(['red', 'room'], ['blue', 'hall']), { ...mirrorOf(['red', 'other'], ['blue', 'lobby']), name: 'other' }]
  const hour = 3_600_000
  const now = (): number => systemClock.now()
  /** What networks bring when they catch up: some of it from before, and then something new. */
  const catchUp = async (): Promise<void> => {
    await red.say('room', 'anna', 'said earlier', { at: now() - hour, key: 'earlier' })
    await red.say('room', 'anna', 'said now', { at: now(), key: 'now' })
  }

  beforeEach(async () => {
    path = join(temporaryFolder(), 'zentrale.db')
    await start(before)
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  it('carries nothing there that was said before, while it was in no mirror', async () => {
    await restart(between)
    await restart({ ...mirrorOf(['red', 'room'], ['blue', 'partner']), name: 'anew' })
    await catchUp()
    await until(() => blue.delivered.length > 0)
    assert.deepEqual(blue.read('partner'), ['anna (red): said now'])
    assert.deepEqual(await started.bridge.queue.unrouted(), [], 'it is not kept either')
  })

  it('carries nothing to a partner that has taken the place of another, under the same name of the mirror', async () => {
    await restart(mirrorOf(['red', 'room'], ['blue', 'partner']))
    await catchUp()
    await until(() => blue.delivered.length > 0)
    assert.deepEqual(blue.read('partner'), ['anna (red): said now'])
  })

  it('carries it to those who were there before, and not to a third one', async () => {
    await restart(mirrorOf(['red', 'room'], ['blue', 'hall'], ['blue', 'third']))
    await catchUp()
    await until(() => blue.delivered.length > 2)
    assert.deepEqual(blue.read('third'), ['anna (red): said now'])
    assert.deepEqual(blue.read('hall'), ['anna (red): said earlier', 'anna (red): said now'])
  })

  it('carries nothing of the time without a mirror when the old one is back, be it a reaction', async () => {
    await red.say('room', 'anna', 'said at first', { key: 'first' })
    await until(() => blue.delivered.length === 1)
    await restart()
    await restart(before)
    const place = { network: 'red', id: 'room' }
    await red.inbox.accept({
      kind: 'reaction', key: 'thumb', place, at: now() - hour, sender: { id: 'anna', name: 'anna' }, of: ['first'], emojis: ['👍']
    })
    await catchUp()
    await until(() => blue.delivered.length > 0)
    assert.deepEqual(blue.read('hall'), ['anna (red): said now'])
  })

  it('catches up in a mirror that is only called otherwise, or whose places stand in another order', async () => {
    await restart({ ...mirrorOf(['blue', 'hall'], ['red', 'room']), name: 'called otherwise' })
    await catchUp()
    await until(() => blue.delivered.length > 1)
    assert.deepEqual(blue.read('hall'), ['anna (red): said earlier', 'anna (red): said now'])
    await restart({ ...mirrorOf(['red', 'room'], ['blue', 'hall']), name: 'otherwise again' })
    await red.say('room', 'anna', 'of another outage', { at: now() - hour })
    await until(() => blue.delivered.length > 0)
  })

  it('holds for a mirror that is opened while Zentrale runs, also after the next start', async () => {
    await restart(between)
    await started.bridge.renew([], [before])
    const opened = now()
    await catchUp()
    await until(() => blue.delivered.length > 0)
    assert.deepEqual(blue.read('hall'), ['anna (red): said now'])
    await restart(between, before)
    await red.say('room', 'anna', 'during an outage', { at: opened })
    await red.say('room', 'anna', 'before it was opened', { at: opened - hour })
    await red.say('room', 'anna', 'after it', { at: now() })
    await until(() => blue.delivered.length > 1)
    assert.deepEqual(blue.read('hall'), ['anna (red): during an outage', 'anna (red): after it'])
  })

  it('hears everybody after a day, whatever time their server claims', async () => {
    await restart(between)
    await started.stop()
    ;[red, blue] = [makePractice('red'), makePractice('blue')]
    let days = 0
    const later = (ms: number): number => ms + days * 24 * hour
    const clock = { ...systemClock, now: () => later(systemClock.now()), tick: () => later(systemClock.tick()) }
    started = await startBridge([red, blue], [before], { path, clock })
    await red.say('room', 'anna', 'on the first day', { at: 0 })
    days = 2
    await red.say('room', 'anna', 'on the third day', { at: 0 })
    await until(() => blue.delivered.length > 0)
    assert.deepEqual(blue.read('hall'), ['anna (red): on the third day'])
  })

  it('hears everybody while our own clock is before the moment at which the place came, as on another machine', async () => {
    await restart(between)
    await restart(before)
    await started.stop()
    ;[red, blue] = [makePractice('red'), makePractice('blue')]
    started = await startBridge([red, blue], [before], { path, clock: { ...systemClock, now: () => systemClock.now() - hour } })
    await red.say('room', 'anna', 'said now', { at: now() })
    await until(() => blue.delivered.length > 0)
    assert.deepEqual(blue.read('hall'), ['anna (red): said now'])
  })

  it('catches up in all mirrors of a store that does not know yet since when they are', async () => {
    await started.stop()
    const store = openSqlite(path, systemClock, () => {})
    await store.run(async tx => { for (const [key] of await tx.remembered('joined')) await tx.forget('joined', key) })
    await store.close()
    await start(before)
    await catchUp()
    await until(() => blue.delivered.length > 1)
  })
})
