import assert from 'node:assert/strict'
import type { FunctionAddress } from '../../../src/desk/address'
import type { MessageArrival } from '../../../src/model/message'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { startBridge, type Started } from '../../support/started'

/** red can encrypt the rooms of a team, blue cannot. */
describe('what was said encrypted', () => {
  let red: Practice, blue: Practice
  let started: Started
  const room = 'werkstatt-1'
  const sealed = { encrypted: true } as const
  const named = (name: string, team: FunctionAddress['team'], more: Partial<FunctionAddress> = {}): FunctionAddress =>
    addressOn([], team, { name, slug: name, profile: { name, about: '' }, ...more })
  const MIXED = named('mixed', [agent('Vera', 'red @vera', 'blue vera')], { encryptedRooms: true })
  const CLEAR = named('open', [agent('Otto', 'red @otto')])
  const CHATS = named('chats', [{ ...agent('Dora', 'red @dora'), direct: true }], {
    encryptedRooms: true, identities: [{ network: 'red', id: 'chats' }]
  })
  const SEALED = named('sealed', [agent('Sven', 'red @sven')], { encryptedRooms: true })

  const start = async (more: Partial<FunctionAddress> = { encryptedRooms: true }, others = [MIXED, CLEAR, CHATS, SEALED]): Promise<void> => {
    [red, blue] = [makePractice('red', { sealsRooms: true }), makePractice('blue')]
    started = await startBridge([red, blue], [], { addresses: [addressOn(['red'], [agent('Anna', 'red @anna')], more), ...others] })
  }
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const eva = (text: string, more: Partial<MessageArrival> = sealed) =>
    red.say('werkstatt/red:eva', 'red:eva', text, { direct: true, to: 'werkstatt', sender: { id: 'red:eva', name: 'Eva' }, ...more })
  const anna = (text: string, more: Partial<MessageArrival> = sealed) => red.say(room, '@anna', text, more)
  const reads = (place: string, line: string): Promise<void> =>
    until(() => red.read(place).includes(line), `“${line}” at ${place}, where there is ${JSON.stringify(red.read(place))}`)
  const copied = (): string => JSON.stringify([...red.delivered, ...blue.delivered]
    .filter(({ place: { id } }) => /mixed|open|chats|sealed/.test(id)).map(({ action }) => action))
  const theCase = async (): Promise<void> => {
    await eva('My diagnosis')
    await anna('!n A note')
    await anna('Come at nine')
    await reads('werkstatt/red:eva', '*: Come at nine')
  }

  it('goes to a team that reads some of it in the clear only if somebody says that it may', async () => {
    await start()
    await theCase()
    for (const to of ['mixed', 'open']) {
      await anna(`!assign ${to}`)
      await reads(room, `*: Nothing done: what was said here, notes too, would stand at ${to} without encryption, because not everything is ` +
      `encrypted there. If it is to go there all the same: !assign ${to} clear`)
    }
    assert.equal((await started.store.run(tx => tx.desk.conversation(1)))?.handledBy, 'werkstatt')
    assert.doesNotMatch(copied(), /diagnosis|A note|nine/)
    await anna('!assign open clear')
    await reads('open-1', '*: Eva: My diagnosis\n(note) Anna: A note\nAnna: Come at nine')
  })

  it('goes without a question to a team that reads all of it encrypted, as does what was said in the clear to any', async () => {
    await start()
    await theCase()
    await anna('!assign sealed')
    await reads('sealed-1', '*: Eva: My diagnosis\n(note) Anna: A note\nAnna: Come at nine')
    await red.say('sealed-1', '@sven', '!assign chats', sealed)
    await reads('chats/@dora', '*: #1\nEva: My diagnosis\n(note) Anna: A note\nAnna: Come at nine')
    assert.ok(red.delivered.filter(({ place: { id } }) => id === 'chats/@dora')
      .every(({ action }) => action.kind !== 'message' || action.secret === true), 'her chat is to be encrypted')
    await started.stop()
    await start({})
    await theCase() // the rooms of this team are in the clear anyway
    await anna('!assign open')
    await reads('open-1', '*: Eva: My diagnosis\n(note) Anna: A note\nAnna: Come at nine')
  })

  it('is told a team that gets the case by an order as a number, with what was said in the clear', async () => {
    await start()
    await theCase()
    await eva('Shall I bring it?', {})
    await reads(room, 'Eva (red): Shall I bring it?')
    const { path } = started
    await started.stop()
    ;[red, blue] = [makePractice('red', { sealsRooms: true }), makePractice('blue')]
    started = await startBridge([red, blue], [], { path, addresses: [{ ...MIXED, identities: [{ network: 'red', id: 'werkstatt' }] }] })
    await reads('mixed-1', '*: Eva: Shall I bring it?\n⚠ Said with encryption before, and therefore not copied here: 3 messages.')
    assert.doesNotMatch(copied(), /diagnosis|A note|nine/)
  })

  it('is not found from a chat of an agent that is not encrypted, and sent from there without its words', async () => {
    await start()
    await theCase()
    await eva('In the clear: nine?', {})
    await reads(room, 'Eva (red): In the clear: nine?')
    await anna('!release')
    const chat = 'werkstatt/@anna'
    const asks = (text: string, more: Partial<MessageArrival> = {}) => red.say(chat, '@anna', text, { direct: true, to: 'werkstatt', ...more })
    await asks('!search nine')
    await until(() => red.read(chat).length === 1)
    assert.match(red.read(chat)[0]!, /^\*: #1 .+ Eva: In the clear: nine\?\nAnd 1 message that is to be read with encryption only: please ask/)
    await asks('!search diagnosis')
    await until(() => red.read(chat).length === 2)
    assert.match(red.read(chat)[1]!, /^\*: And 1 message that is to be read/)
    await asks('!search diagnosis', sealed)
    await until(() => red.read(chat).length === 3)
    assert.match(red.read(chat)[2]!, /^\*: #1 .+ Eva: My diagnosis$/)
    await red.say('werkstatt-queue', '@anna', '!search diagnosis', sealed)
    await until(() => red.read('werkstatt-queue').some(line => line.includes('My diagnosis') && line.includes('#1 ')))
  })
})
