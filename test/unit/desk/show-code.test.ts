import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { FunctionAddress } from '../../../src/desk/address'
import { Unavailable } from '../../../src/model/errors'
import { plain } from '../../../src/model/text'
import { CODES_OF_PLACE_MAX } from '../../../src/plan/codes'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { mirrorOf, startBridge, type Started } from '../../support/started'

describe('a one-time code that came masked', () => {
  const TEAM = [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd')]
  const MINUTES_MS = 600_000
  const CODE = '918273'
  let red: Practice, blue: Practice
  let started: Started
  let clock: ReturnType<typeof skippingClock>

  const start = async (more: Partial<FunctionAddress> = {}, path?: string): Promise<void> => {
    [red, blue] = [makePractice('red'), makePractice('blue')]
    clock = skippingClock()
    started = await startBridge([red, blue], [mirrorOf(['red', 'thread', { 'red:eva': 'Eva' }], ['blue', 'room'])], {
      addresses: [addressOn(['red', 'blue'], TEAM, more)], clock, ...path !== undefined && { path }
    })
  }
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })
  const comes = (key = 'sms-1', code = CODE, place = 'werkstatt/red:bank') => red.inbox.accept({
    kind: 'message', key, place: { network: 'red', id: place }, at: 1, direct: true, masked: MINUTES_MS,
    to: place.includes('/') ? 'werkstatt' : 'red:number',
    sender: { id: place.split('/')[1] ?? 'red:eva', name: 'Bank' }, content: { style: 'text', text: plain('Ihr Code lautet ••••••') }
  }, `Ihr Code lautet ${code}`)
  const reads = (where: Practice, place: string, line: string | RegExp): Promise<void> =>
    until(() => where.read(place).some(one => typeof line === 'string' ? one === line : line.test(one)),
      `${String(line)} at ${place}, where there is ${JSON.stringify(where.read(place))}`)
  const chat = (who: '@anna' | 'bernd') => who === '@anna' ? { where: red, place: 'werkstatt/@anna' } : { where: blue, place: 'werkstatt/bernd' }
  const asks = async (who: '@anna' | 'bernd', words = '!code'): Promise<void> => {
    const { where, place } = chat(who)
    await where.say(place, who, words, { direct: true, to: 'werkstatt' })
  }
  const isOnDisk = (text: string): boolean => readdirSync(dirname(started.path))
    .some(name => readFileSync(join(dirname(started.path), name)).includes(text))

  it('is read by nobody, with a line that says how to see it', async () => {
    await start({ language: 'de' })
    await comes()
    for (const where of [red, blue]) {
      await reads(where, 'werkstatt-1', 'Bank (red): Ihr Code lautet ••••••')
      await reads(where, 'werkstatt-1', /^\*: 🔑 Ein Einmalcode ist hier verdeckt.* 10 Minuten !einmalcode /)
    }
    assert.ok([...red.delivered, ...blue.delivered].every(delivery => !JSON.stringify(delivery).includes(CODE)))
    assert.equal(isOnDisk(CODE), false)
  })

  it('is shown once, to whoever asks in their own chat, which the team hears; and it is in no file, not even then', async () => {
    await start()
    await comes()
    await asks('@anna')
    await reads(red, 'werkstatt/@anna', `*: Ihr Code lautet ${CODE}`)
    for (const where of [red, blue]) await reads(where, 'werkstatt-1', '*: 🔑 Anna has been shown the code.')
    await asks('bernd')
    await reads(blue, 'werkstatt/bernd', /no masked code here/)
    assert.equal([...red.delivered, ...blue.delivered].filter(delivery => JSON.stringify(delivery).includes(CODE)).length, 1)
    await started.stop()
    assert.equal(isOnDisk(CODE), false)
  })

  it('is never shown in a room, to whoever asks there or is not of the team', async () => {
    await start()
    await comes()
    await red.say('werkstatt-1', '@anna', '!code')
    await reads(red, 'werkstatt-1', /in your direct chat with Werkstatt/)
    await red.say('werkstatt/red:bank', 'red:bank', '!code', { direct: true, to: 'werkstatt' })
    await reads(red, 'werkstatt-1', 'red:bank (red): !code')
    assert.ok([...red.delivered, ...blue.delivered].every(delivery => !JSON.stringify(delivery).includes(CODE)))
    await asks('bernd', '#1 !einmalcode')
    await reads(blue, 'werkstatt/bernd', `*: Ihr Code lautet ${CODE}`)
  })

  it('is sent again until it is there, and to the same person', async () => {
    await start()
    await comes()
    let tries = 0
    red.onSend = ({ action }) => {
      if (JSON.stringify(action).includes(CODE) && ++tries < 3) throw new Unavailable('down')
    }
    await asks('@anna')
    await reads(red, 'werkstatt/@anna', `*: Ihr Code lautet ${CODE}`)
    assert.equal(tries, 3)
  })

  it('is forgotten after its minutes, and by a restart', async () => {
    await start()
    await comes()
    await reads(blue, 'werkstatt-1', /masked here/)
    clock.skip(MINUTES_MS + 1)
    await asks('@anna')
    await reads(red, 'werkstatt/@anna', /no masked code here/)
    await comes('sms-2')
    await until(() => blue.read('werkstatt-1').filter(line => line.includes('masked here')).length === 2)
    const { path } = started
    await started.stop()
    await start({}, path)
    await asks('bernd')
    await reads(blue, 'werkstatt/bernd', /no masked code here/)
  })

  it('is one of the last few of its sender', async () => {
    await start()
    for (let index = 0; index <= CODES_OF_PLACE_MAX; index++) await comes(`sms-${index}`, `70000${index}`)
    for (let index = 0; index <= CODES_OF_PLACE_MAX; index++) await asks('@anna')
    await reads(red, 'werkstatt/@anna', /no masked code here/)
    assert.deepEqual(red.read('werkstatt/@anna').filter(line => line.includes('70000')).length, CODES_OF_PLACE_MAX)
    assert.equal(red.read('werkstatt/@anna').some(line => line.includes('700000')), false)
  })

  it('in a mirror is masked too, and the operator alone can have it shown, once', async () => {
    await start()
    await comes('sms-1', CODE, 'thread')
    await comes('sms-2', '555123')
    await reads(blue, 'room', 'Eva (red): Ihr Code lautet ••••••')
    await reads(blue, 'room', /^\*: 🔑 A one-time code is masked here.* zentrale codes/)
    assert.deepEqual(started.bridge.codes().map(({ place, text }) => [place.id, text]), [['thread', `Ihr Code lautet ${CODE}`]])
    assert.deepEqual(started.bridge.codes(), [])
    assert.equal(isOnDisk(CODE), false)
  })

  it('in a message that concerns nobody can be shown by the operator too, once', async () => {
    await start()
    await comes('sms-1', CODE, 'red:bank')
    assert.equal((await started.bridge.queue.unrouted()).length, 1)
    assert.deepEqual(started.bridge.codes().map(({ text }) => text), [`Ihr Code lautet ${CODE}`])
    assert.deepEqual(started.bridge.codes(), [])
    assert.equal(isOnDisk(CODE), false)
  })
})
