import assert from 'node:assert/strict'
import fc from 'fast-check'
import { systemClock } from '../../../src/lib/clock'
import { Refused, Unavailable } from '../../../src/model/errors'
import { plain } from '../../../src/model/text'
import { addressOn, agent } from '../../support/address'
import { LANE_STEPS, makeLaneGround } from '../../support/lane-ground'
import { makePractice, until, type Practice } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const HOUR_MS = 3_600_000

describe('a lane', () => {
  let red: Practice, blue: Practice, phone: Practice
  let started: Started

  const PHONE = {
    ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, afterCrash: 'park', textBytesMax: 200
  } as const

  beforeEach(async () => {
    [red, blue, phone] = [makePractice('red'), makePractice('blue', { window: 8 }), makePractice('phone', PHONE)]
    started = await startBridge([red, blue, phone],
      [mirrorOf(['red', 'room'], ['blue', 'hall'], ['phone', 'us/max', { max: 'Max' }], ['phone', 'us/eva', { eva: 'Eva' }])])
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  it('keeps order while deliveries wait and go back, with and without a window', async () => {
    let failures = 5
    const sometimes = (delivery: { attempt: number }): void => {
      if (failures-- > 0 && delivery.attempt < 3) throw new Unavailable('busy', { retryAfterMs: 5 })
    }
    blue.onSend = sometimes
    const texts = Array.from({ length: 100 }, (_, index) => `n${index}`)
    await Promise.all(texts.map(text => red.say('room', 'anna', text)))
    await until(() => blue.delivered.length >= 100)
    assert.equal(new Set(blue.delivered.map(({ key }) => key)).size, 100)
    red.onSend = sometimes
    failures = 5
    await Promise.all(texts.map(text => blue.say('hall', 'bernd', text)))
    await until(() => red.delivered.length === 100)
    assert.deepEqual(red.read('room'), texts.map(text => `bernd (blue): ${text}`))
  })

  it('keeps the order of the commits, whatever fails, wakes it, or is tried before it is heard', () => fc.assert(fc.asyncProperty(
    fc.constantFrom(1, 3), fc.array(fc.constantFrom(...LANE_STEPS), { maxLength: 60, size: 'max' }), async (window, happens) => {
      const ground = makeLaneGround(window)
      for (const step of happens) await ground.step(step)
      for (let count = 0; !ground.isOver && count < 100; count++) {
        for (const step of ['run', 'hear', 'answer', 'time'] as const) await ground.step(step)
      }
      assert.deepEqual(ground.arrived, ground.accepted)
    }), { numRuns: 2000 }))

  it('goes on in other places while one is stuck', async () => {
    blue.onSend = () => new Promise(() => {})
    await red.say('room', 'anna', 'hello')
    await until(() => phone.delivered.length === 2)
    blue.onSend = () => {}
  })

  it('asks the network what became of a delivery before it tries again', async () => {
    let sends = 0
    blue.onSend = () => { sends++; throw new Unavailable('link lost', { disconnected: true, retryAfterMs: 1 }) }
    blue.find = async delivery => ({ ids: [`found-${delivery.key}`] })
    await red.say('room', 'anna', 'hello')
    await until(async () => (await started.bridge.queue.show(1))?.state === 'done')
    assert.equal(sends, 1)
  })

  it('is woken when the link comes up', async () => {
    blue.onSend = () => { throw new Unavailable('down', { disconnected: true, retryAfterMs: 1_000_000 }) }
    await red.say('room', 'anna', 'hello')
    await until(async () => (await started.bridge.queue.list('waiting')).some(({ network, attempt }) => network === 'blue' && attempt === 1))
    blue.onSend = () => {}
    blue.inbox.connection('blue', 'link', true)
    await until(() => blue.delivered.length === 1)
  })

  it('edits a message that is still under way as soon as its id is known, and keeps order', async () => {
    let release = (): void => {}
    blue.onSend = () => new Promise(resolve => { release = resolve; blue.onSend = () => {} })
    const change = { of: 'first', place: { network: 'red', id: 'room' }, at: 1, sender: { id: 'anna', name: 'anna' } } as const
    await red.say('room', 'anna', 'helo', { key: 'first' })
    await red.inbox.accept({ ...change, kind: 'edit', key: 'e', content: { style: 'text', text: plain('hello') } })
    await red.say('room', 'anna', 'more')
    await red.inbox.accept({ ...change, kind: 'deletion', key: 'd' })
    await until(() => phone.delivered.length === 6)
    assert.equal(blue.delivered.length, 0)
    release()
    await until(() => blue.delivered.length === 4)
    assert.deepEqual(blue.read('hall'), ['anna (red): helo', 'anna (red): hello', 'anna (red): more', 'anna (red): (deleted)'])
    const [first, edit, , deletion] = blue.delivered
    assert.deepEqual([edit?.target, deletion?.target], [[`blue-${first?.key}`], [`blue-${first?.key}`]])
  })

  it('lets no edit that waits for an id overtake deliveries that went back meanwhile', async () => {
    await red.say('room', 'anna', 'helo', { key: 'first' })
    await until(() => blue.delivered.length === 1)
    let busy = true
    blue.onSend = () => {
      if (!busy) return
      busy = false
      throw new Unavailable('busy', { retryAfterMs: 1 })
    }
    const base = { place: { network: 'red', id: 'room' }, at: 1, sender: { id: 'anna', name: 'anna' } }
    await Promise.all([
      red.say('room', 'anna', 'second'),
      red.inbox.accept({ ...base, kind: 'edit', key: 'edit', of: 'first', content: { style: 'text', text: plain('hello') } })
    ])
    await until(() => blue.delivered.length === 3)
    assert.deepEqual(blue.read('hall'), ['helo', 'second', 'hello'].map(text => `anna (red): ${text}`))
  })

  it('sends no edit while an earlier one of the same message is unanswered, so that the last one holds', async () => {
    await red.say('room', 'anna', 'one', { key: 'first' })
    await until(() => blue.delivered.length === 1)
    const answer = Promise.withResolvers<void>()
    let tries = 0
    blue.onSend = ({ action }) => action.kind === 'edit' && tries++ === 0 ? answer.promise : undefined
    const base = { place: { network: 'red', id: 'room' }, at: 1, sender: { id: 'anna', name: 'anna' } }
    for (const text of ['two', 'three']) {
      await red.inbox.accept({ ...base, kind: 'edit', key: text, of: 'first', content: { style: 'text', text: plain(text) } })
    }
    await red.say('room', 'anna', 'more')
    await until(() => phone.read('us/max').length === 4)
    answer.reject(new Unavailable('later'))
    await until(() => blue.delivered.length >= 4)
    assert.equal(blue.read('hall').findLast(line => line.includes('t')), 'anna (red): three')
  })

  it('gives back a try that was counted when another comes before it, and sends both once', async () => {
    blue.onSend = () => { throw new Refused('no') }
    await red.say('room', 'anna', 'first')
    await until(async () => (await started.bridge.queue.list('failed')).length === 1)
    const [row] = await started.bridge.queue.list('failed')
    blue.onSend = () => {}
    await Promise.all([started.bridge.queue.retry(row!.id), red.say('room', 'anna', 'second'), red.say('room', 'anna', 'third')])
    await until(() => blue.delivered.length === 3)
    assert.deepEqual(blue.read('hall').sort(), ['first', 'second', 'third'].map(text => `anna (red): ${text}`))
    assert.deepEqual(blue.read('hall').filter(text => !text.endsWith('first')), ['anna (red): second', 'anna (red): third'])
    for (const state of ['waiting', 'sending'] as const) await until(async () => (await started.bridge.queue.list(state)).length === 0)
  })

  it('to a place that lets nobody in ends together what has waited as long, and not what came later', async () => {
    await started.stop()
    const clock = skippingClock(systemClock)
    const [one, two] = [makePractice('red'), makePractice('blue')]
    started = await startBridge([one, two], [mirrorOf(['red', 'room'], ['blue', 'hall'])], { clock })
    const waits = (count: number) => async (): Promise<boolean> => (await started.bridge.queue.list('waiting')).length === count
    two.onSend = () => { throw new Unavailable('not let in', { closed: true, retryAfterMs: 60_000 }) }
    for (const text of ['first', 'second', 'third']) await one.say('room', 'anna', text)
    await until(waits(3))
    clock.skip(16 * 60_000)
    await one.say('room', 'anna', 'late')
    await until(waits(1), 'only what came later waits')
    await until(() => one.delivered.length === 3, 'who wrote the others is told of each')
    two.onSend = () => {}
    clock.skip(120_000)
    await until(() => two.delivered.length === 1)
    assert.deepEqual(two.read('hall'), ['anna (red): late'])
  })

  it('to a place for which nothing can be encrypted ends all together, tells each writer at once, and gives up later messages soon', async () => {
    await started.stop()
    const clock = skippingClock(systemClock)
    const [one, two, other, three] = [makePractice('red'), makePractice('blue'), makePractice('black'), makePractice('green')]
    const mirror = mirrorOf(['red', 'room'], ['blue', 'hall'], ['black', 'yard'], ['green', 'chat'])
    started = await startBridge([one, two, other, three], [mirror], { clock })
    let isGood = false
    const first = Promise.withResolvers<void>()
    three.onSend = async ({ action }) => {
      await first.promise
      if (!isGood && 'content' in action) throw new Unavailable('no good keys', { unsealed: 'unsigned', retryAfterMs: 60_000 })
    }
    const told = (start: string): string[] =>
      [...one.read('room'), ...two.read('hall'), ...other.read('yard')].filter(line => line.startsWith(`*: ${start}`))
    const waiting = (): Promise<{ attempt: number }[]> => started.bridge.queue.list('waiting')
    const tried = (count: number) => async (): Promise<boolean> => (await waiting()).some(({ attempt }) => attempt === count)
    await one.say('room', 'anna', 'first')
    await two.say('hall', 'bernd', 'second')
    first.resolve()
    await until(() => told('Not delivered to green yet').length === 2, 'Anna hears that it waits, and Bernd, behind her')
    assert.match(told('Not delivered to green yet')[1]!, /“second”. Something before it/)
    await other.say('yard', 'carla', 'third')
    await until(() => told('Not delivered to green yet').length === 3, 'Carla, who writes while it waits')
    for (const text of Array.from({ length: 97 }, (_, index) => `n${index}`)) await one.say('room', 'anna', text)
    assert.equal((await waiting()).length, 100)
    clock.skip(14 * 60_000)
    await until(tried(2))
    assert.equal((await waiting()).length, 100)
    clock.skip(2 * 60_000)
    await until(() => told('Not delivered to green: ').length === 100, 'all end together, and each is told')
    assert.ok(told('Not delivered to green: ').every(line => line.includes('wrong signature')))
    assert.equal(told('Not delivered to green yet').length, 3)

    await one.say('room', 'anna', 'later')
    await until(tried(1))
    clock.skip(4 * 60_000)
    await until(tried(2))
    clock.skip(2 * 60_000)
    await until(() => told('Not delivered to green: ').length === 101, 'it is known to be hopeless')
    isGood = true
    await one.say('room', 'anna', 'good')
    await until(() => three.read('chat').includes('anna (red): good'), 'it has recovered')
    isGood = false
    await one.say('room', 'anna', 'last')
    await until(tried(1))
    clock.skip(6 * 60_000)
    await until(tried(2))
    isGood = true
    clock.skip(2 * 60_000)
    await until(() => three.read('chat').includes('anna (red): last'), 'it had its quarter of an hour again')
  })

  it('waits as long as the destination asks, although something behind is due before', async () => {
    await started.stop()
    const clock = skippingClock(systemClock)
    const [one, two] = [makePractice('red'), makePractice('blue', { window: 8 })]
    const more = { undoSeconds: 30, automatic: { greeting: 'Welcome' } }
    started = await startBridge([one, two], [], { addresses: [addressOn(['red', 'blue'], [agent('Anna', 'red @anna')], more)], clock })
    const chat = 'werkstatt/blue:max'
    let fail = (): void => {}
    let tries = 0
    two.onSend = ({ place }) => {
      if (place.id !== chat) return
      tries++
      return new Promise((_, reject) => { fail = () => reject(new Unavailable('busy', { retryAfterMs: HOUR_MS })) })
    }
    await two.say(chat, 'blue:max', 'Hello?', { direct: true, to: 'werkstatt' })
    await until(() => tries === 1)
    await one.say('werkstatt-1', '@anna', 'Good morning')
    fail()
    await until(async () => (await started.bridge.queue.list('waiting')).length === 2)
    clock.skip(31_000)
    await one.say('werkstatt-1', '@anna', '!status')
    await until(() => one.read('werkstatt-1').some(line => line.includes('since today')))
    assert.equal(tries, 1)
    two.onSend = () => {}
    clock.skip(HOUR_MS)
    await until(() => two.read(chat).length === 2)
    assert.deepEqual(two.read(chat), ['*: Welcome', '*: Good morning'])
  })
})
