/** Phones say in words that somebody reacts. What was encrypted is not changed in the clear. */
import assert from 'node:assert/strict'
import type { EditArrival, MessageArrival } from '../../../src/model/message'
import { plain } from '../../../src/model/text'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const PHONE = {
  ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, replies: false, reactions: 'none', afterCrash: 'park'
} as const

describe('a reaction in words', () => {
  let red: Practice, phone: Practice
  let started: Started

  beforeEach(async () => {
    [red, phone] = [makePractice('red'), makePractice('phone', PHONE)]
    started = await startBridge([red, phone], [mirrorOf(['red', 'hall'], ['phone', 'us/max', { max: 'Max' }])])
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const says = async (...texts: string[]): Promise<void> => {
    for (const text of texts) await red.say('hall', 'Anna', text, { key: text })
    await until(() => phone.delivered.length === texts.length)
  }
  const sends = (text: string, reacts: MessageArrival['reacts']) => phone.say('us/max', 'max', text, reacts === undefined ? {} : { reacts })
  const shown = async (): Promise<string> => {
    const before = red.delivered.length
    await until(() => red.delivered.length > before || red.delivered.length > 0)
    return red.read('hall').at(-1) ?? ''
  }

  it('is one to the only message lately that begins so, and the next takes its place', async () => {
    await says('Wir kommen um neun', 'Bringt Kuchen mit')
    await sends('Liked “…”', { to: 'Anna (red):  Wir kommen', emojis: ['👍'] })
    assert.equal(await shown(), 'Max (phone): [👍]')
    assert.deepEqual(red.delivered[0]?.action, { kind: 'reaction', to: { arrival: 'Wir kommen um neun' }, emojis: ['👍'] })
    await sends('Loved “…”', { to: 'Anna (red): Wir kommen um neun', emojis: ['❤'] })
    await until(() => red.delivered.length === 3)
    await sends('Removed a heart from “…”', { to: 'Anna (red): Wir kommen um neun', emojis: [] })
    await until(() => red.delivered.length === 4)
    assert.deepEqual(red.read('hall'), ['Max (phone): [👍]', 'Max (phone): (deleted)', 'Max (phone): [❤]', 'Max (phone): (deleted)'])
  })

  it('stays the text that it is where it fits several messages, or none', async () => {
    await says('Wir kommen um neun', 'Wir kommen um zehn')
    await sends('Liked “Wir”', { to: 'Anna (red): Wir', emojis: ['👍'] })
    assert.equal(await shown(), 'Max (phone): Liked “Wir”')
    await sends('Liked “Sie”', { to: 'Sie', emojis: ['👍'] })
    await until(() => red.delivered.length === 2)
    assert.equal(red.read('hall').at(-1), 'Max (phone): Liked “Sie”')
  })
})

describe('a correction of what was encrypted', () => {
  let red: Practice, blue: Practice
  let started: Started

  beforeEach(async () => {
    [red, blue] = [makePractice('red'), makePractice('blue')]
    started = await startBridge([red, blue], [mirrorOf(['red', 'hall'], ['blue', 'hall'])])
    await red.say('hall', 'anna', '100 Euro', { key: 'said', encrypted: true })
    await until(() => blue.delivered.length === 1)
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const corrects = async (text: string, more: Partial<EditArrival> = {}): Promise<void> => {
    const before = blue.delivered.length
    await red.inbox.accept({
      kind: 'edit', key: `edit ${text}`, of: 'said', place: { network: 'red', id: 'hall' }, at: 1, sender: { id: 'anna', name: 'anna' },
      content: { style: 'text', text: plain(text) }, ...more
    })
    await until(() => blue.delivered.length > before)
  }

  it('corrects it if it was encrypted too', async () => {
    await corrects('200 Euro', { encrypted: true })
    assert.deepEqual(blue.delivered.map(({ action }) => action.kind), ['message', 'edit'])
  })

  it('is said beside it if whoever carried it could have written it, and goes with it', async () => {
    await corrects('900 Euro')
    assert.deepEqual(blue.read('hall'), ['anna (red): 100 Euro', 'anna (red): * 🔓 900 Euro'])
    assert.deepEqual(blue.delivered.map(({ action }) => action.kind), ['message', 'message'])
    const by = { place: { network: 'red', id: 'hall' }, at: 1, sender: { id: 'anna', name: 'anna' } }
    await red.inbox.accept({ kind: 'deletion', key: 'gone', of: 'said', ...by })
    await until(() => blue.delivered.length === 4)
    const [said, beside] = blue.delivered.map(({ key }) => key)
    assert.deepEqual(blue.delivered.slice(2).map(({ action }) => 'of' in action && action.of).sort(), [said, beside].sort())
  })
})
