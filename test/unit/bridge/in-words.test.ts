/** Phones say in words that somebody reacts. */
import assert from 'node:assert/strict'
import type { MessageArrival } from '../../../src/model/message'
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
