import assert from 'node:assert/strict'
import { type Shown, HOPS_MAX } from '../../../src/model/message'
import { Refused } from '../../../src/model/errors'
import { toPlain } from '../../../src/model/text'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

describe('what the places of a mirror show of themselves', () => {
  let red: Practice, blue: Practice, phone: Practice
  let started: Started
  let changes = 0
  const PHONE = { ghosts: false, files: 'text', edits: false, deletions: false, profiles: false } as const
  const MIRROR = {
    ...mirrorOf(['red', 'room'], ['blue', 'hall'], ['phone', 'us/max', { max: 'Max' }]), carries: { topic: true, name: true, picture: false }
  }
  const ROOM = { red: 'room', blue: 'hall' }

  const start = async (path?: string): Promise<void> => {
    [red, blue, phone] = [makePractice('red'), makePractice('blue'), makePractice('phone', PHONE)]
    started = await startBridge([red, blue, phone], [MIRROR], path === undefined ? {} : { path })
  }
  const restart = async (): Promise<void> => {
    await started.stop()
    await start(started.path)
  }
  beforeEach(() => start())
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const change = (network: Practice, value: string, more: { what?: Shown['what'], by?: string | undefined, hops?: number } = {}) => {
    const { what = 'topic', by = 'anna', hops } = 'by' in more && more.by === undefined ? { ...more, by: '' } : more
    return network.inbox.accept({
      kind: 'profile', key: `change ${++changes}`, place: { network: network.name, id: ROOM[network.name as 'red' | 'blue'] }, at: Date.now(),
      shown: { what, value }, ...by !== '' && { by: { id: by, name: by, ...hops !== undefined && { hops } } }
    })
  }
  const look = (network: Practice, value: string) => change(network, value, { by: undefined })
  const shown = ({ delivered }: Practice): string[] => delivered.map(({ action }) =>
    action.kind === 'profile' ? `${action.shown.what}: ${action.shown.value}` : 'content' in action ? toPlain(action.content.text) : action.kind)
  const settled = (): Promise<void> => until(async () => {
    const rows = await Promise.all((['waiting', 'sending'] as const).map(state => started.bridge.queue.list(state)))
    return rows.flat().length === 0
  }, 'all is delivered')

  it('is the same in all that can show it, and nothing comes back', async () => {
    await change(red, 'Plan for today')
    await until(() => blue.delivered.length === 1)
    await settled()
    assert.equal(await look(blue, 'Plan for today'), 'seen', 'the echo of our own')
    await change(blue, 'Plan for tomorrow')
    await change(blue, 'Hall', { what: 'name' })
    await change(blue, 'picture:1', { what: 'picture' })
    await until(() => red.delivered.length === 2)
    await settled()
    assert.deepEqual([shown(red), shown(blue), shown(phone)], [['topic: Plan for tomorrow', 'name: Hall'], ['topic: Plan for today'], []])
  })

  it('is not changed by the first look, nor by what has not changed since, over a restart too', async () => {
    await look(red, 'Red')
    await look(blue, 'Blue')
    await restart()
    await look(red, 'Red')
    await look(blue, 'Blue')
    await settled()
    assert.deepEqual([shown(red), shown(blue)], [[], []])
    await restart()
    await look(blue, 'Green')
    await until(() => red.delivered.length === 1)
    assert.deepEqual(shown(red), ['topic: Green'], 'changed while we were away')
  })

  it('is not emptied because a room has forgotten it, but by whoever empties it', async () => {
    await change(red, 'Plan')
    await until(() => blue.delivered.length === 1)
    await settled()
    await look(blue, '') // its server has lost the room
    await settled()
    assert.deepEqual(shown(red), [])
    await change(blue, 'Back')
    await change(blue, '')
    await until(() => shown(red).at(-1) === 'topic: ')
  })

  it('is what was wanted last, and what waits behind it is not shown any more', async () => {
    let release = (): void => {}
    const open = new Promise<void>(resolve => { release = resolve })
    blue.onSend = () => open
    await change(red, 'one')
    await until(() => started.bridge.queue.list('sending').then(rows => rows.length === 1))
    for (const value of ['two', 'three', 'four']) await change(red, value)
    release()
    await settled()
    assert.deepEqual(shown(blue), ['topic: one', 'topic: four'])
  })

  it('is the same in the end, though it was changed in two places at once', async () => {
    let release = (): void => {}
    const open = new Promise<void>(resolve => { release = resolve })
    blue.onSend = () => open
    await change(red, 'red')
    await until(() => started.bridge.queue.list('sending').then(rows => rows.length === 1))
    await change(blue, 'blue') // its server takes ours after that
    release()
    await until(() => red.delivered.length === 1 && blue.delivered.length === 2)
    await settled()
    assert.deepEqual([shown(red), shown(blue)], [['topic: blue'], ['topic: red', 'topic: blue']])
  })

  it('that may not be changed somewhere is told once to whoever changed it, until it works again', async () => {
    blue.onSend = () => { throw new Refused('forbidden') }
    await change(red, 'one')
    await change(red, 'two')
    await until(() => red.delivered.length === 1)
    await restart()
    blue.onSend = ({ action }) => { if (action.kind === 'profile' && action.shown.what === 'topic') throw new Refused('forbidden') }
    await change(red, 'three')
    await settled()
    assert.deepEqual(shown(red), [])
    blue.onSend = () => {}
    await change(red, 'four')
    await settled()
    blue.onSend = () => { throw new Refused('forbidden') }
    await change(red, 'five')
    await until(() => red.delivered.length === 1)
    assert.match(shown(red)[0]!, /The new topic is shown here only: Zentrale may not change the topic of the room on blue/)
  })

  it('ends after so many switchboards', async () => {
    await change(red, 'far travelled', { hops: HOPS_MAX })
    await change(red, 'near', { hops: 1 })
    await until(() => blue.delivered.length === 1)
    assert.deepEqual(blue.delivered.map(({ as }) => as?.hops), [2])
  })

  it('is shortened where it is longer than any app shows', async () => {
    await change(red, `${'x'.repeat(6000)}end`)
    await until(() => blue.delivered.length === 1)
    assert.equal(shown(blue)[0]?.length, 'topic: '.length + 5000)
  })
})
