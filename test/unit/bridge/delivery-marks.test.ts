import assert from 'node:assert/strict'
import type { DeliveryMarking } from '../../../src/plan/directory'
import { Refused } from '../../../src/model/errors'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

describe('delivery marks', () => {
  let red: Practice, blue: Practice, green: Practice
  let started: Started
  const start = async (deliveryMarks?: DeliveryMarking): Promise<void> => {
    [red, blue, green] = [makePractice('red'), makePractice('blue'), makePractice('green')]
    const mirror = mirrorOf(['red', 'hall'], ['blue', 'hall'], ['green', 'hall'])
    started = await startBridge([red, blue, green], [{ ...mirror, ...deliveryMarks && { deliveryMarks } }])
  }
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })
  const marks = (): unknown[] => [red, blue, green].flatMap(({ name, signals }) => signals.map(({ place, as, does }) =>
    [name, place.id, as, does.kind === 'read' && does.upTo]))
  const delivered = (network: Practice, many: number): Promise<void> => until(() => network.delivered.length >= many, `${many} at ${network.name}`)

  it('stand at the newest message that has arrived in all other places, where it was said', async () => {
    await start('read')
    const gate = Promise.withResolvers<void>()
    green.onSend = () => gate.promise
    await red.say('hall', 'Anna', 'eins', { key: 'one' })
    await red.say('hall', 'Anna', 'zwei', { key: 'two', named: 'second' })
    await delivered(blue, 2)
    assert.deepEqual(marks(), [], 'not everywhere yet')
    gate.resolve()
    await until(() => red.signals.length > 0, 'the mark')
    assert.deepEqual(marks(), [['red', 'hall', undefined, { said: 'second' }]])
    await blue.say('hall', 'Ben', 'drei', { key: 'three' })
    await until(() => blue.signals.length > 0, 'the other mark')
    assert.deepEqual(marks().slice(1), [['blue', 'hall', undefined, { said: 'three' }]])
  })

  it('are not given to what failed somewhere; what comes after it gets one', async () => {
    await start('read')
    green.onSend = ({ action }) => { if (JSON.stringify(action).includes('zu lang')) throw new Refused('too long') }
    await red.say('hall', 'Anna', 'zu lang', { key: 'one' })
    await until(() => red.read('hall').length > 0, 'the notice')
    await red.say('hall', 'Anna', 'kurz', { key: 'two' })
    await until(() => red.signals.length > 0, 'the mark')
    assert.deepEqual(marks(), [['red', 'hall', undefined, { said: 'two' }]])
  })

  it('are a reaction of Zentrale itself, if the config says so, once all other places have the message', async () => {
    await start('reaction')
    const gate = Promise.withResolvers<void>()
    green.onSend = ({ action }) => {
      if (JSON.stringify(action).includes('zu lang')) throw new Refused('too long')
      return gate.promise
    }
    await red.say('hall', 'Anna', 'eins', { key: 'one', named: 'first' })
    await delivered(blue, 1)
    assert.equal(red.delivered.length, 0, 'not everywhere yet')
    gate.resolve()
    await delivered(red, 1)
    await red.say('hall', 'Anna', 'zu lang', { key: 'two' })
    await delivered(red, 2)
    await red.say('hall', 'Anna', 'kurz', { key: 'three' })
    await delivered(red, 3)
    assert.deepEqual(red.delivered.map(({ as, action }) => [as, action.kind === 'reaction' ? action : action.kind]), [
      [undefined, { kind: 'reaction', to: { arrival: 'first' }, emojis: ['✅'] }],
      [undefined, 'message'], // what failed gets words
      [undefined, { kind: 'reaction', to: { arrival: 'three' }, emojis: ['✅'] }]
    ])
    assert.deepEqual(marks(), [])
    await until(async () => (await started.bridge.queue.list('sending')).length === 0, 'all is delivered')
    await started.store.run(async () => undefined, 500) // behind all that was asked of it
    assert.equal(red.delivered.length, 3, 'a mark is not marked')
  })

  it('are not shown unless they are asked for', async () => {
    for (const none of [undefined, 'none'] as const) {
      await start(none)
      await red.say('hall', 'Anna', 'eins')
      await Promise.all([delivered(blue, 1), delivered(green, 1)])
      await until(async () => (await started.bridge.queue.list('sending')).length === 0, 'all is delivered')
      await started.store.run(async () => undefined, 500) // behind all that was asked of it
      assert.deepEqual(marks(), [])
      if (none === undefined) await started.stop()
    }
  })
})
