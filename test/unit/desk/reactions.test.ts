/** Reactions at a function address: the team sees the contact's and one another's; the contact sees none, unless the config says so. */
import assert from 'node:assert/strict'
import type { FunctionAddress } from '../../../src/desk/address'
import type { Delivery } from '../../../src/model/message'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { startBridge, type Started } from '../../support/started'

describe('a reaction at a function address', () => {
  let red: Practice, blue: Practice // blue: as a set
  let started: Started
  let count = 0
  const room = 'werkstatt-1'
  const chat = 'werkstatt/blue:max'
  const doras = 'werkstatt/dora'

  const start = async (more: Partial<FunctionAddress> = {}): Promise<void> => {
    [red, blue] = [makePractice('red'), makePractice('blue', { reactions: 'set' })]
    const team = [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd'), { ...agent('Dora', 'red dora'), direct: true }]
    started = await startBridge([red, blue], [], { addresses: [addressOn(['red', 'blue'], team, more)] })
  }
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const settled = (): Promise<void> => until(async () => (await started.store.run(tx => tx.depth())).length === 0, 'all delivered')
  const asks = async (): Promise<void> => {
    const sender = { id: 'blue:max', name: 'Max' }
    await blue.say(chat, 'blue:max', 'Is it ready?', { direct: true, to: 'werkstatt', key: 'q1', named: 'app-q1', sender })
    await settled()
  }
  const at = (network: Practice, place: string): Delivery[] => network.delivered.filter(one => one.place.id === place)
  const lineAt = (network: Practice, place: string, text: string): string =>
    `${network.name}-${at(network, place).find(({ action }) => 'content' in action && JSON.stringify(action.content).includes(text))!.key}`
  const reacts = async (network: Practice, place: string, sender: string, of: string, emojis: string[], key = `r${++count}`): Promise<void> => {
    await network.inbox.accept({
      kind: 'reaction', key, place: { network: network.name, id: place }, at: 1, sender: { id: sender, name: sender }, of: [of], emojis,
      ...network === blue && { whole: true }
    })
    await settled()
  }
  const takesBack = async (place: string, sender: string, of: string): Promise<void> => {
    const by = { id: sender, name: sender }
    await red.inbox.accept({ kind: 'deletion', key: `d${++count}`, place: { network: 'red', id: place }, at: 1, sender: by, of })
    await settled()
  }
  const last = (network: Practice, place: string): string | undefined => network.read(place).at(-1)
  const stateOf = async (): Promise<unknown> => {
    const one = await started.store.run(tx => tx.desk.conversation(1))
    return [one?.state, one?.awaits, one?.cases]
  }

  it('of which one has too many is told to whoever gives it: the contact, and somebody of the team', async () => {
    await start({ language: 'de' })
    await asks()
    await red.say(room, '@anna', 'Tomorrow at nine', { key: 'a1' })
    await settled()
    const many = Array.from({ length: 21 }, (_, index) => String.fromCodePoint(0x1f600 + index))
    const told = '*: Mehr als 20 Reaktionen einer Person auf eine Nachricht werden nicht weitergegeben.'
    await reacts(blue, chat, 'blue:max', lineAt(blue, chat, 'Tomorrow'), many)
    assert.equal(last(blue, chat), told)
    assert.equal(red.read(room).filter(line => line.startsWith('Max (blue): [')).length, 20)
    await reacts(red, room, '@anna', 'a1', many)
    assert.equal(last(red, room), told)
  })

  it('of the contact to an answer is one on the copies of the team, and a line in a direct chat; taken back too', async () => {
    await start()
    await asks()
    await red.say(room, '@anna', 'Tomorrow at nine', { key: 'a1' })
    await settled()
    await reacts(blue, chat, 'blue:max', lineAt(blue, chat, 'Tomorrow'), ['👍'])
    assert.equal(last(red, room), 'Max (blue): [👍]')
    assert.deepEqual(at(red, room).at(-1)?.action, { kind: 'reaction', to: { arrival: 'a1' }, emojis: ['👍'] })
    assert.equal(last(blue, room), 'Max (blue): [👍]')
    assert.equal(last(red, doras), '*: #1\nMax reacts with 👍 to “Tomorrow at nine”')
    await reacts(blue, chat, 'blue:max', lineAt(blue, chat, 'Tomorrow'), [])
    assert.deepEqual([last(red, room), last(blue, room)], ['Max (blue): (deleted)', 'Max (blue): []'])
    assert.equal(last(red, doras), '*: #1\nMax takes back the reaction to “Tomorrow at nine”')
  })

  it('of the contact opens no case, claims none, and is no message that waits for an answer', async () => {
    await start()
    await asks()
    await red.say(room, '@anna', 'Tomorrow at nine', { key: 'a1' })
    await red.say(room, '@anna', '!done')
    await settled()
    assert.deepEqual(await stateOf(), ['done', false, 1])
    await reacts(blue, chat, 'blue:max', lineAt(blue, chat, 'Tomorrow'), ['👍'])
    assert.deepEqual(await stateOf(), ['done', false, 1])
    assert.equal(last(red, room), 'Max (blue): [👍]')
  })

  it('of somebody of the team stays inside, where the others see whose it is', async () => {
    await start()
    await asks()
    const before = blue.read(chat).length
    await reacts(red, room, '@anna', lineAt(red, room, 'ready'), ['👀'], 'eyes')
    assert.equal(last(blue, room), 'Anna (red): [👀]')
    assert.equal(last(red, doras), '*: #1\nAnna reacts with 👀 to “Is it ready?”')
    await takesBack(room, '@anna', 'eyes')
    assert.equal(last(blue, room), 'Anna (red): []')
    await reacts(red, doras, 'dora', lineAt(red, doras, '"kind":"quote"'), ['✅'])
    assert.equal(last(red, room), 'Dora (red): [✅]')
    assert.equal(last(blue, room), 'Dora (red): [✅]')
    assert.equal(blue.read(chat).length, before)
    assert.deepEqual(await stateOf(), ['new', true, 1])
  })

  it('of who has the case is shown to the contact by the address, if the config says so, and only by them taken back', async () => {
    await start({ reactions: 'shown' })
    await asks()
    await reacts(red, room, '@anna', lineAt(red, room, 'ready'), ['👀'])
    assert.deepEqual(blue.read(chat), [], 'nobody has the case')
    await red.say(room, '@anna', '!take')
    await reacts(red, room, '@anna', lineAt(red, room, 'ready'), ['👍'], 'thumb')
    assert.deepEqual(blue.read(chat), ['*: [👍]'])
    assert.deepEqual(at(blue, chat)[0]?.action, { kind: 'reaction', to: { arrival: 'app-q1' }, emojis: ['👍'] })
    await reacts(blue, room, 'bernd', lineAt(blue, room, 'ready'), ['👍', '🎉'])
    await reacts(blue, room, 'bernd', lineAt(blue, room, 'ready'), [])
    assert.deepEqual(blue.read(chat), ['*: [👍]'])
    await red.say(room, '@anna', '!n he is angry', { key: 'n1' })
    await reacts(red, room, '@anna', 'n1', ['😀'])
    assert.deepEqual(blue.read(chat), ['*: [👍]'], 'the contact has no note')
    await takesBack(room, '@anna', 'thumb')
    assert.deepEqual(blue.read(chat), ['*: [👍]', '*: []'])
  })

  it('is shown to no contact who has ended everything', async () => {
    await start({ reactions: 'shown' })
    await asks()
    await red.say(room, '@anna', '!take')
    await blue.say(chat, 'blue:max', 'STOP', { direct: true, to: 'werkstatt', sender: { id: 'blue:max', name: 'Max' } })
    await settled()
    const before = blue.read(chat).length
    await reacts(red, room, '@anna', lineAt(red, room, 'ready'), ['👍'])
    assert.equal(blue.read(chat).length, before)
  })

  it('of an outsider, or of a third person in the chat of the contact, is nobody’s', async () => {
    await start({ reactions: 'shown' })
    await asks()
    const before = [red.delivered.length, blue.delivered.length]
    await reacts(red, room, '@mallory', lineAt(red, room, 'ready'), ['👍'])
    await reacts(blue, chat, 'blue:eve', 'q1', ['👍'])
    await reacts(red, doras, '@mallory', lineAt(red, doras, '"kind":"quote"'), ['👍'])
    assert.deepEqual([red.delivered.length, blue.delivered.length], before)
  })

  it('to an automatic text is to nothing that somebody said', async () => {
    await start({ automatic: { greeting: 'Hello' } })
    await asks()
    const before = [red.delivered.length, blue.delivered.length]
    await reacts(blue, chat, 'blue:max', lineAt(blue, chat, 'Hello'), ['👍'])
    assert.deepEqual([red.delivered.length, blue.delivered.length], before)
  })

  it('to talk in the inbox room is seen in the other inbox rooms', async () => {
    await start()
    await asks()
    await red.say('werkstatt-queue', '@anna', 'Who has time?', { key: 't1' })
    await settled()
    await reacts(blue, 'werkstatt-queue', 'bernd', lineAt(blue, 'werkstatt-queue', 'time'), ['✋'])
    assert.deepEqual([last(red, 'werkstatt-queue'), at(red, 'werkstatt-queue').at(-1)?.action],
      ['Bernd (blue): [✋]', { kind: 'reaction', to: { arrival: 't1' }, emojis: ['✋'] }])
  })
})
