import assert from 'node:assert/strict'
import type { Mirror } from '../../../src/plan/directory'
import type { PortalRules } from '../../../src/plan/portals'
import { makePractice, type Practice, until } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

describe('a room that somebody asks for by its name', () => {
  const RULES: PortalRules = { rooms: [{ network: 'blue', id: '*@rooms' }], most: 2, shows: { typing: true, read: false } }
  let red: Practice, blue: Practice
  let started: Started
  let asked: string[]

  const start = async (rules: PortalRules | undefined, path?: string, mirrors: Mirror[] = []): Promise<void> => {
    [red, blue] = [makePractice('red'), makePractice('blue')]
    asked = []
    Object.assign(red.naming, { portal: (id: string) => id.startsWith('ask ') ? { network: 'blue', id: id.slice(4) } : undefined })
    blue.hasRoom = async id => { asked.push(id); return !id.startsWith('no') }
    started = await startBridge([red, blue], mirrors, { ...rules && { portals: rules }, ...path !== undefined && { path } })
  }
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })
  const open = (room: string): Promise<boolean> => red.inbox.portal({ network: 'red', id: room })

  it('is mirrored from then on, over a restart too, as long as the config allows it', async () => {
    await start(RULES)
    assert.equal(await open('ask hall@rooms'), true)
    assert.deepEqual([red.attended, blue.attended].flat().map(({ id }) => id), ['hall@rooms'], 'red makes its room, and attends it, itself')
    await red.say('ask hall@rooms', 'anna', 'hello')
    await until(() => blue.delivered.length === 1)
    assert.deepEqual(blue.read('hall@rooms'), ['anna (red): hello'])
    await started.stop()
    await start(RULES, started.path)
    assert.deepEqual([red.attended, blue.attended].flat().map(({ id }) => id), ['ask hall@rooms', 'hall@rooms'])
    await blue.say('hall@rooms', 'bob', 'hello again', { key: 'again' })
    await until(() => red.delivered.length === 1)
    assert.equal(await open('ask hall@rooms'), true)
    assert.deepEqual(asked, [], 'it is open')
    await started.stop()
    await start({ ...RULES, rooms: [{ network: 'blue', id: 'hall@elsewhere' }] }, started.path)
    assert.deepEqual([red.attended, blue.attended], [[], []])
  })

  it('is none that the config does not allow, that is not there, or that is mirrored already; and there are no more than so many', async () => {
    await start(RULES, undefined, [mirrorOf(['red', 'room'], ['blue', 'taken@rooms'])])
    const found: boolean[] = []
    for (const one of ['hall', 'ask hall@elsewhere', 'ask no@rooms', 'ask taken@rooms', 'ask a@rooms', 'ask b@rooms', 'ask c@rooms']) {
      found.push(await open(one))
    }
    assert.deepEqual(found, [false, false, false, false, true, true, false])
    assert.deepEqual(asked, ['no@rooms', 'a@rooms', 'b@rooms'])
    await started.stop()
    await start(undefined)
    assert.equal(await open('ask hall@rooms'), false)
  })

  it('is opened once, however many ask for it at once', async () => {
    await start(RULES)
    assert.ok((await Promise.all(['ask a@rooms', 'ask a@rooms', 'ask a@rooms'].map(open))).every(one => one))
    assert.deepEqual(blue.attended.map(({ id }) => id), ['a@rooms'])
    assert.equal(await open('ask b@rooms'), true)
  })
})
