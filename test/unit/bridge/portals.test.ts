import assert from 'node:assert/strict'
import { systemClock } from '../../../src/lib/clock'
import { silentLog } from '../../../src/lib/log'
import { Unavailable } from '../../../src/model/errors'
import type { Mirror } from '../../../src/plan/directory'
import type { PortalRules } from '../../../src/plan/portals'
import { PARTING_AFTER_MS } from '../../../src/bridge/parting'
import { makePractice, type Practice, SAID_AT, until } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { mirrorOf, startBridge, type Started } from '../../support/started'

describe('a room that somebody asks for by its name', () => {
  const RULES: PortalRules = {
    rooms: [{ network: 'blue', id: '*@rooms' }], from: [{ network: 'red', id: 'red:*' }], most: 2,
    carried: { carries: { topic: true, name: true, picture: false }, membersMax: 10 }
  }
  let red: Practice, blue: Practice
  let started: Started
  let asked: string[]
  const warnings: string[] = []
  let clock = skippingClock()

  const start = async (rules: PortalRules | undefined, path?: string, mirrors: Mirror[] = []): Promise<void> => {
    [red, blue] = [makePractice('red'), makePractice('blue')]
    asked = []
    Object.assign(red.naming, { portal: (id: string) => id.startsWith('ask ') ? { room: id.slice(4), here: `at ${id.slice(4)}` } : undefined })
    Object.assign(blue.naming, { isRoom: (id: string) => id.includes('@') })
    blue.findRoom = async id => {
      asked.push(id)
      return id.startsWith('no') ? undefined : id.replace(/^also/, '')
    }
    started = await startBridge([red, blue], mirrors, {
      ...rules && { portals: rules }, ...path !== undefined && { path }, clock,
      log: { ...silentLog, warn: (_, message) => { warnings.push(message) } }
    })
  }
  beforeEach(() => { clock = skippingClock({ ...systemClock, now: () => SAID_AT }) })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })
  const open = async (room: string, by?: string): Promise<string | undefined> =>
    (await red.inbox.portal({ network: 'red', id: room }, by === undefined ? undefined : { network: 'red', id: by }))?.id

  it('is mirrored from then on, over a restart too, as long as the config allows it', async () => {
    await start(RULES)
    assert.equal(await open('ask hall@rooms'), 'at hall@rooms')
    assert.deepEqual([red.attended, blue.attended].flat().map(({ id }) => id), ['hall@rooms'], 'red makes its room, and attends it, itself')
    await red.say('at hall@rooms', 'anna', 'hello')
    await until(() => blue.delivered.length === 1)
    assert.deepEqual(blue.read('hall@rooms'), ['anna (red): hello'])
    await started.stop()
    await start(RULES, started.path)
    assert.deepEqual([red.attended, blue.attended].flat().map(({ id }) => id), ['at hall@rooms', 'hall@rooms'])
    await blue.say('hall@rooms', 'bob', 'hello again', { key: 'again' })
    await until(() => red.delivered.length === 1)
    assert.equal(await open('ask hall@rooms'), 'at hall@rooms')
    assert.deepEqual(asked, [], 'it is open')
    await started.stop()
    assert.deepEqual(warnings, [])
    await start({ ...RULES, rooms: [{ network: 'blue', id: 'hall@elsewhere' }] }, started.path)
    assert.deepEqual([red.attended, blue.attended], [[], []])
    assert.deepEqual(warnings, ['not allowed any more: a portal has ended'], 'the operator sees it')
  })

  it('shows nothing that was said before it was asked for, over restarts too, and catches up what was said since', async () => {
    await start(RULES)
    await open('ask hall@rooms')
    const says = async (starts: number): Promise<void> => {
      await blue.say('hall@rooms', 'bob', 'long before', { at: SAID_AT - 3_600_000, key: `before ${starts}` })
      await blue.say('hall@rooms', 'bob', 'since then', { at: SAID_AT, key: `since ${starts}` })
      await until(() => red.delivered.length > 0)
    }
    for (let starts = 0; starts < 3; starts++) {
      await started.stop()
      await start(RULES, started.path)
      await says(starts)
      assert.deepEqual(red.read('at hall@rooms'), ['bob (blue): since then'])
    }
  })

  it('is left when the config does not allow it any more: people on both sides are told once, and it begins anew later', async () => {
    await start(RULES)
    await open('ask hall@rooms')
    const again = async (rules: PortalRules | undefined): Promise<void> => {
      await started.stop()
      await start(rules, started.path)
    }
    await again(undefined)
    await again(RULES)
    await blue.say('hall@rooms', 'bob', 'since then', { at: SAID_AT })
    await until(() => red.delivered.length > 0)
    assert.deepEqual(red.read('at hall@rooms'), ['bob (blue): since then'], 'it was a slip')
    await again(undefined)
    clock.skip(PARTING_AFTER_MS)
    await until(() => { clock.skip(10_000); return red.forgotten.length + blue.forgotten.length === 2 })
    const told = '*: Zentrale no longer connects this room with others. What is written here stays here.'
    assert.deepEqual([red.read('at hall@rooms'), blue.read('hall@rooms')], [[told], [told]])
    await again(undefined)
    clock.skip(2 * PARTING_AFTER_MS)
    await again(RULES)
    await blue.say('hall@rooms', 'bob', 'among us', { at: SAID_AT, key: 'among' })
    await blue.say('hall@rooms', 'bob', 'to all', { at: clock.now(), key: 'all' })
    await until(() => red.delivered.length > 0)
    assert.deepEqual([red.read('at hall@rooms'), red.forgotten], [['bob (blue): to all'], []])
  })

  it('carries what mirrors do: who is there, and what the room shows, from its first look on', async () => {
    await start(RULES)
    await open('ask hall@rooms')
    const [here, there] = [{ network: 'red', id: 'at hall@rooms' }, { network: 'blue', id: 'hall@rooms' }]
    const look = (place: typeof here, key: string, value: string, by?: string) => (place === here ? red : blue).inbox.accept({
      kind: 'profile', key, place, at: 0, shown: { what: 'topic', value }, ...by !== undefined && { by: { id: by, name: by } }
    })
    const topics = ({ delivered }: Practice): unknown[] => delivered.map(({ action }) => action.kind === 'profile' && action.shown.value)
    const lists = [red.inbox.wantsMembers(here), blue.inbox.wantsMembers(there)]
    assert.deepEqual(lists, [true, true])
    await look(there, 'look', 'Today')
    await until(() => red.delivered.length === 1)
    await look(here, 'echo', 'Today')
    await look(there, 'change', 'Tomorrow', 'bob')
    await until(() => red.delivered.length === 2)
    await look(here, 'back', 'Next week', 'anna')
    await until(() => blue.delivered.length === 1)
    assert.deepEqual([topics(red), topics(blue)], [['Today', 'Tomorrow'], ['Next week']])
    await started.stop()
    await start(RULES, started.path)
    await look(here, 'look again', 'Next week')
    await look(there, 'looked again', 'Next week')
    await blue.say('hall@rooms', 'bob', 'hello', { key: 'hello' })
    await until(() => red.delivered.length === 1)
    assert.deepEqual(topics(red), [false], 'nothing is changed by the next looks')
  })

  it('is none that the config does not allow, that is not there, or that is mirrored already; and there are no more than so many', async () => {
    await start(RULES, undefined, [mirrorOf(['red', 'room'], ['blue', 'taken@rooms'])])
    const found: (string | undefined)[] = []
    for (const one of ['hall', 'ask hall@elsewhere', 'ask no@rooms', 'ask taken@rooms', 'ask a@rooms', 'ask b@rooms', 'ask c@rooms']) {
      found.push(await open(one))
    }
    assert.deepEqual(found, [undefined, undefined, undefined, 'room', 'at a@rooms', 'at b@rooms', undefined])
    assert.deepEqual(asked, ['no@rooms', 'a@rooms', 'b@rooms'])
    await started.stop()
    await start(undefined)
    assert.equal(await open('ask hall@rooms'), undefined)
  })

  it('that is in a mirror of the config by now sends its people on to there, when the network can', async () => {
    await start(RULES)
    await open('ask hall@rooms')
    await started.stop()
    const sent: string[] = []
    const mirror = mirrorOf(['red', 'market'], ['blue', 'hall@rooms'])
    const begin = async (works: boolean): Promise<void> => {
      await start(RULES, started.path, [mirror])
      red.sendOn = async (here, now) => {
        if (!works) throw new Unavailable('away')
        sent.push(`${here.id} to ${now.id}`)
      }
      red.inbox.connection('red', 'link', true)
      await started.store.run(async () => {})
      await started.stop()
    }
    await begin(false)
    assert.deepEqual(sent, [])
    await begin(true)
    await until(() => sent.length > 0)
    await begin(true)
    assert.deepEqual(sent, ['at hall@rooms to market'])
  })

  it('is opened once, however many ask for it at once', async () => {
    await start(RULES)
    const all = await Promise.all(['ask a@rooms', 'ask a@rooms', 'ask b@rooms', 'ask c@rooms'].map(one => open(one)))
    assert.deepEqual(all, ['at a@rooms', 'at a@rooms', 'at b@rooms', undefined])
    assert.deepEqual(blue.attended.map(({ id }) => id), ['a@rooms', 'b@rooms'])
  })

  it('is one, by whichever of its names it is asked for', async () => {
    await start(RULES)
    assert.deepEqual(await Promise.all(['ask a@rooms', 'ask alsoa@rooms'].map(one => open(one))), ['at a@rooms', 'at a@rooms'])
    await started.stop()
    await start(RULES, started.path)
    assert.deepEqual(blue.attended.map(({ id }) => id), ['a@rooms'])
  })

  it('is asked for again where it has put us out, because it may let us in again', async () => {
    await start(RULES)
    await open('ask a@rooms')
    const stands = (standing: 'in' | 'out', key: string): Promise<unknown> =>
      blue.inbox.accept({ kind: 'standing', key, place: { network: 'blue', id: 'a@rooms' }, at: 1, standing })
    await stands('out', '1')
    assert.equal(await open('ask a@rooms'), 'at a@rooms')
    await stands('in', '2')
    assert.equal(await open('ask a@rooms'), 'at a@rooms')
    assert.deepEqual(asked, ['a@rooms', 'a@rooms'])
  })

  it('is none while it stays closed to us: nobody is sent to where nothing arrives', async () => {
    await start(RULES)
    await open('ask a@rooms')
    const stands = (standing: 'in' | 'out', key: string): Promise<unknown> =>
      blue.inbox.accept({ kind: 'standing', key, place: { network: 'blue', id: 'a@rooms' }, at: 1, standing })
    await stands('out', '1')
    blue.findRoom = async () => undefined
    assert.deepEqual([await open('ask a@rooms'), await open('ask alsoa@rooms')], [undefined, undefined])
    await stands('in', '2')
    assert.equal(await open('ask a@rooms'), 'at a@rooms')
  })

  it('is for those alone whom the config lets ask, where the network says who asks', async () => {
    await start(RULES)
    const asked = (by: string): boolean => red.inbox.mayAsk({ network: 'red', id: 'ask a@rooms' }, { network: 'red', id: by })
    assert.deepEqual([await open('ask a@rooms', 'green:eve'), asked('green:eve'), asked('red:bob')], [undefined, false, true])
    assert.equal(await open('ask a@rooms', 'red:bob'), 'at a@rooms')
    assert.equal(await open('ask a@rooms', 'green:eve'), undefined, 'nor when it is there')
    assert.equal(red.inbox.mayAsk({ network: 'red', id: 'ask a@elsewhere' }, { network: 'red', id: 'red:bob' }), false)
  })
})
