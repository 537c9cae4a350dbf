/** What people are told of a message that was taken back meanwhile. */
import assert from 'node:assert/strict'
import { Refused } from '../../../src/model/errors'
import type { Arrival } from '../../../src/model/message'
import { plain } from '../../../src/model/text'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const ROOM = { network: 'red', id: 'room' }
const SENDER = { id: 'anna', name: 'anna' }

describe('what is left of a message that was taken back', () => {
  let red: Practice, blue: Practice
  let started: Started
  let release: () => void
  let fails = false

  beforeEach(async () => {
    [red, blue] = [makePractice('red'), makePractice('blue')]
    const held = new Promise<void>(resolve => { release = resolve })
    fails = true
    blue.onSend = async ({ action }) => {
      await held
      if (fails && action.kind !== 'deletion') throw new Refused('no')
    }
    started = await startBridge([red, blue], [mirrorOf(['red', 'room'], ['blue', 'hall'])])
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const takeBack = (of: string): Promise<unknown> => {
    const deletion: Arrival = { kind: 'deletion', key: `no ${of}`, of, place: ROOM, at: 1, sender: SENDER }
    return red.inbox.accept(deletion)
  }
  const toldOf = async (): Promise<string[]> => {
    await until(() => red.delivered.length > 0, 'the notice')
    return red.read('room')
  }

  it('is that it did not arrive: no notice repeats its words, nor those of its correction', async () => {
    await red.say('room', 'anna', 'PIN 4711', { key: 'k' })
    await red.inbox.accept({
      kind: 'edit', key: 'e', of: 'k', place: ROOM, at: 1, sender: SENDER, content: { style: 'text', text: plain('PIN 4712') }
    })
    await takeBack('k')
    release()
    const [first = '', ...others] = await toldOf()
    assert.match(first, /^\*: Not delivered to blue: “…” \(/)
    assert.deepEqual(others.filter(line => line.includes('PIN')), [])
  })

  it('is the same when a receipt says later that it failed', async () => {
    fails = false
    release()
    await red.say('room', 'anna', 'PIN 4711', { key: 'k' })
    await until(() => blue.delivered.length === 1)
    await takeBack('k')
    await until(() => blue.delivered.length === 2)
    const of = [`blue-${blue.delivered[0]!.key}`]
    await blue.inbox.accept({ kind: 'receipt', key: 'r', place: { network: 'blue', id: 'hall' }, at: 1, of, outcome: 'failed' })
    assert.match((await toldOf())[0]!, /^\*: Not delivered to blue: “…” \(/)
  })

  it('is nothing of a file that could not be fetched', async () => {
    fails = false
    blue.onUpload = async () => { await new Promise<void>(resolve => { release = resolve }); throw new Refused('gone', 'gone') }
    blue.onSend = () => {}
    const file = { kind: 'image', name: 'pin 4711.png', mime: 'image/png', at: { network: 'red', ref: 'red://x' } } as const
    await red.say('room', 'anna', '', { key: 'k', content: { style: 'text', text: [], file } })
    await takeBack('k')
    release()
    await until(() => blue.delivered.length === 2)
    assert.deepEqual(red.read('room'), [])
  })
})
