import assert from 'node:assert/strict'
import { Unavailable } from '../../../src/model/errors'
import { plain } from '../../../src/model/text'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

describe('a contact who has ended everything', () => {
  let red: Practice, blue: Practice
  let started: Started
  const room = 'werkstatt-1'
  const chat = 'werkstatt/red:eva'

  beforeEach(async () => {
    [red, blue] = [makePractice('red'), makePractice('blue', { window: 8 })]
    const team = [agent('Anna', 'red @anna'), { ...agent('Bernd', 'blue bernd'), direct: true }]
    started = await startBridge([red, blue], [], { addresses: [addressOn(['red', 'blue'], team)] })
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const evaWrites = (text: string, more = {}): Promise<unknown> => red.say(chat, 'red:eva', text, { direct: true, to: 'werkstatt', ...more })
  const reads = (where: Practice, place: string, line: string): Promise<void> =>
    until(() => where.read(place).includes(line), `“${line}” at ${place}, where there is ${JSON.stringify(where.read(place))}`)

  const STOPPED = '*: You will get no more messages from us. Send START to get them again.'
  const HINT = '*: You have ended everything with STOP, so we do not answer you here. Send START to get answers again.'
  const STARTED = '*: You get messages from us again. Send STOP to end them.'

  it('has done so by one word, on every network, and the team sees it', async () => {
    await evaWrites('Hello?')
    await evaWrites('Stop!')
    await reads(red, chat, STOPPED)
    await reads(red, room, '*: ⛔ The contact has ended everything with STOP.')
    await red.say(room, '@anna', 'But why?')
    await until(() => red.read(room).some(line => line.includes('Not sent: this contact has ended everything')))
    assert.deepEqual(red.read(chat), [STOPPED])
  })

  it('has done so by a correction too, of their own words alone, and returns by one', async () => {
    const corrects = (sender: string, of: string, text: string): Promise<unknown> => red.inbox.accept({
      kind: 'edit', key: `${sender} ${text}`, of, place: { network: 'red', id: chat }, at: 1_700_000_000_000,
      sender: { id: sender, name: sender }, content: { style: 'text', text: plain(text) }
    })
    await evaWrites('Hello?')
    await evaWrites('Stpo', { key: 'slip' })
    await corrects('red:mallory', 'slip', 'STOP')
    await corrects('red:eva', 'slip', 'Stop')
    await reads(red, chat, STOPPED)
    await reads(red, room, '*: ⛔ The contact has ended everything with STOP.')
    await reads(blue, 'werkstatt/bernd', '*: #1\n⛔ The contact has ended everything with STOP.')
    await red.say(room, '@anna', 'But why?')
    await until(() => red.read(room).some(line => line.includes('Not sent: this contact has ended everything')))
    await evaWrites('Strat', { key: 'return' })
    await corrects('red:mallory', 'return', 'START')
    await corrects('red:eva', 'return', 'Start')
    await reads(red, chat, STARTED)
    assert.deepEqual(red.read(chat), [STOPPED, HINT, STARTED])
  })

  it('gets nothing that was being tried at that moment, and its writer is told', async () => {
    await evaWrites('Hello?')
    const tried = Promise.withResolvers<void>()
    const failing = Promise.withResolvers<void>()
    red.onSend = async ({ place }) => {
      if (place.id !== chat) return
      tried.resolve()
      await failing.promise
    }
    await red.say(room, '@anna', 'Please come at noon')
    await tried.promise
    await evaWrites('Stop')
    red.onSend = () => {}
    failing.reject(new Unavailable('down'))
    await until(() => red.read(room).some(line => line.includes('noon') && line.includes('ended with STOP')))
    await reads(red, chat, STOPPED)
    assert.deepEqual(red.read(chat), [STOPPED])
  })

  it('is reported to every team that has an open case of theirs, in its language, and to no other', async () => {
    await started.stop()
    const [anna, bernd, vera] = [agent('Anna', 'red @anna'), { ...agent('Bernd', 'blue bernd'), direct: true }, agent('Vera', 'red @vera')]
    const named = (name: string, team: typeof anna[], more = {}) => ({
      ...addressOn([], team, { name, slug: name, profile: { name, about: '' }, ...more }),
      identities: ['red', 'blue'].map(network => ({ network, id: name }))
    })
    started = await startBridge([red, blue], [], { addresses: [
      named('werkstatt', [anna, bernd]), named('verkauf', [vera, bernd], { language: 'de' }), named('lager', [vera]), named('kasse', [anna])
    ] })
    for (const to of ['werkstatt', 'verkauf', 'lager']) await red.say(`${to}/red:eva`, 'red:eva', 'Hello?', { direct: true, to })
    await red.say('lager-3', '@vera', '!done')
    await red.say('werkstatt/red:eva', 'red:eva', 'Stop', { direct: true, to: 'werkstatt' })
    const stopped = (where: Practice, place: string): number => where.read(place).filter(line => line.includes('⛔')).length
    await reads(red, 'werkstatt-1', '*: ⛔ The contact has ended everything with STOP.')
    await reads(red, 'verkauf-2', '*: ⛔ Der Kontakt hat alle Nachrichten mit STOP abbestellt.')
    await until(() => stopped(blue, 'verkauf/bernd') === 1 && stopped(blue, 'werkstatt/bernd') === 1)
    await red.say('verkauf/red:eva', 'red:eva', 'Start', { direct: true, to: 'verkauf' })
    await reads(red, 'werkstatt-1', '*: The contact takes messages again (START).')
    await reads(red, 'verkauf-2', '*: Der Kontakt nimmt wieder Nachrichten an (START).')
    assert.equal(stopped(red, 'lager-3'), 0)
  })

  it('is reported to team and room, wherever they said it: in a mirror, or to an address new to them', async () => {
    await started.stop()
    const mirror = mirrorOf(['red', 'us/eva', { 'red:eva': 'Eva' }], ['blue', 'site'])
    const other = addressOn([], [agent('Vera', 'red @vera')], { name: 'lager', slug: 'lager', identities: [{ network: 'red', id: 'lager' }] })
    started = await startBridge([red, blue], [mirror], { addresses: [addressOn(['red', 'blue'], [agent('Anna', 'red @anna')]), other] })
    const says = (place: string, text: string, to?: string): Promise<unknown> =>
      red.say(place, 'red:eva', text, { direct: true, ...to === undefined ? {} : { to } })
    await evaWrites('Hello?')
    await says('us/eva', 'Stop')
    await reads(blue, 'site', '*: Eva gets no more messages (STOP).')
    await reads(red, room, '*: ⛔ The contact has ended everything with STOP.')
    await evaWrites('Are you there?')
    await reads(red, chat, HINT)
    await says('lager/red:eva', 'Start', 'lager')
    await reads(blue, 'site', '*: Eva gets messages again (START).')
    await reads(red, room, '*: The contact takes messages again (START).')
    const kinds = (await started.store.run(tx => tx.desk.consents('red red:eva', 'werkstatt'))).map(({ kind }) => kind)
    assert.deepEqual(kinds, ['granted', 'withdrawn', 'granted'])
    await says('us/eva', 'Stop')
    await evaWrites('And now?')
    await until(() => red.read(chat).filter(line => line === HINT).length === 2)
    assert.equal(await started.store.run(tx => tx.desk.conversationOf('lager', { network: 'red', id: 'red:eva' })), undefined)
  })

  it('gets no answer of the team that has not left yet, even if they ended everything in a mirror', async () => {
    await started.stop()
    const mirror = mirrorOf(['red', 'us/eva', { 'red:eva': 'Eva' }], ['blue', 'site'])
    const address = addressOn(['red', 'blue'], [agent('Anna', 'red @anna')], { undoSeconds: 600 })
    started = await startBridge([red, blue], [mirror], { addresses: [address] })
    await evaWrites('Hello?')
    await red.say(room, '@anna', 'Please come at noon')
    await red.say('us/eva', 'red:eva', 'Stop', { direct: true })
    await until(() => red.read(room).some(line => line.includes('noon') && line.includes('ended everything')))
  })

  it('is told once, when they ask again, how to be answered again; the team sees the question', async () => {
    await evaWrites('Hello?')
    await evaWrites('stop')
    for (const text of ['Are you there?', 'Nobody?']) await evaWrites(text)
    await reads(red, room, 'red:eva (red): Nobody?')
    await reads(red, chat, HINT)
    assert.deepEqual(red.read(chat), [STOPPED, HINT])
    await evaWrites('start')
    await reads(red, chat, STARTED)
    await red.say(room, '@anna', 'Here we are')
    await evaWrites('stop')
    await evaWrites('And now?')
    await until(() => red.read(chat).length === 6)
    assert.deepEqual(red.read(chat).slice(2), [STARTED, '*: Here we are', STOPPED, HINT])
  })

  it('gets no hint when it is a machine that writes', async () => {
    await evaWrites('Hello?')
    await evaWrites('stop')
    await evaWrites('Automatic reply: I am away', { automatic: true })
    await reads(red, room, 'red:eva (red): Automatic reply: I am away')
    await evaWrites('start')
    await reads(red, chat, STARTED)
    assert.deepEqual(red.read(chat), [STOPPED, STARTED])
  })

  it('is nobody of the team who says “Stop” to the address', async () => {
    await evaWrites('Hello?')
    await blue.say('werkstatt/bernd', 'bernd', 'Stop', { direct: true, to: 'werkstatt' })
    await until(() => blue.read('werkstatt/bernd').length > 1)
    assert.ok(!blue.read('werkstatt/bernd').includes(STOPPED))
  })
})
