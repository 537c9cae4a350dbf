import assert from 'node:assert/strict'
import type { Unreadable } from '../../../src/model/message'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const unread = (unreadable: Unreadable) => ({ content: { style: 'text' as const, text: [], unreadable } })

describe('what cannot be read', () => {
  let red: Practice, blue: Practice
  let started: Started
  const room = 'werkstatt-1'
  const chat = 'werkstatt/red:eva'

  beforeEach(async () => {
    [red, blue] = [makePractice('red'), makePractice('blue', { window: 8 })]
    started = await startBridge([red, blue], [mirrorOf(['red', 'hall'], ['blue', 'hall'])], {
      addresses: [addressOn(['red', 'blue'], [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd')], { automatic: { greeting: 'Welcome' } })]
    })
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })
  const reads = (where: Practice, place: string, line: string): Promise<void> =>
    until(() => where.read(place).includes(line), `“${line}” at ${place}, where there is ${JSON.stringify(where.read(place))}`)

  it('of a contact is a case for the team at once, each time, and gets no automatic text', async () => {
    for (const key of ['1', '2']) await red.say(chat, 'red:eva', '', { key, direct: true, to: 'werkstatt', ...unread('encrypted') })
    const line = 'red:eva (red): ⚠ [an encrypted message that cannot be read here]'
    await until(() => red.read(room).filter(one => one === line).length === 2)
    await reads(blue, 'werkstatt-queue', '*: #1 red:eva (red) · 🔴 new: “⚠ [an encrypted message that cannot be read here]”')
    assert.deepEqual(red.read(chat), [])
    const announced = blue.delivered.find(({ place, action }) => place.id === 'werkstatt-queue' && action.kind === 'message')
    assert.equal(announced?.action.kind === 'message' && announced.action.content.style, 'alert', 'it rings')
  })

  it('of a contact who sends much of it is counted in one line, until somebody says something else', async () => {
    const line = 'red:eva (red): ⚠ [an encrypted message that cannot be read here]'
    const comes = async (...keys: string[]): Promise<void> => {
      for (const key of keys) await red.say(chat, 'red:eva', '', { key, direct: true, to: 'werkstatt', ...unread('encrypted') })
    }
    await comes(...Array.from({ length: 40 }, (_, n) => `flood ${n}`))
    await reads(red, room, 'red:eva (red): ⚠ [37 more encrypted messages that cannot be read here]')
    const lines = red.delivered.filter(({ place, action }) => place.id === room && action.kind === 'message' && action.content.style === 'text')
    assert.equal(lines.length, 4)
    assert.equal(red.read(room).filter(one => one === line).length, 3)
    await red.say(chat, 'red:eva', 'Hello?', { direct: true, to: 'werkstatt' })
    await comes('later')
    await until(() => red.read(room).filter(one => one === line).length === 4)
    assert.ok(red.read(room).findLastIndex(one => one === line) > red.read(room).indexOf('red:eva (red): Hello?'))
  })

  it('of the team goes nowhere, and its writer is told', async () => {
    await red.say(chat, 'red:eva', 'Hello?', { direct: true, to: 'werkstatt' })
    await red.say(room, '@anna', '', unread('poll'))
    await reads(red, room, '*: Not passed on: this poll cannot be read here. Please write it as text.')
    await reads(red, chat, '*: Welcome')
    assert.deepEqual(red.read(chat), ['*: Welcome'])
    assert.ok(!blue.read(room).some(line => line.startsWith('Anna')))
  })

  it('in a mirror is seen by the others to be missing, and its writer is told', async () => {
    await red.say('hall', 'red:max', '', unread('poll'))
    await reads(blue, 'hall', 'red:max (red): ⚠ [a poll that cannot be shown here]')
    await reads(red, 'hall', '*: Not passed on: this poll cannot be read here. Please write it as text.')
    await red.say('hall', 'red:max', '', unread('call'))
    await reads(blue, 'hall', 'red:max (red): ⚠ [a call that cannot be taken here]')
    await reads(red, 'hall', '*: Not passed on: calls cannot be taken here. Please write.')
    await red.say('hall', 'red:max', '', unread('kind'))
    await red.say('hall', 'red:max', 'And words')
    await reads(blue, 'hall', 'red:max (red): And words')
    assert.equal(blue.read('hall').length, 3)
  })
})
