import assert from 'node:assert/strict'
import type { FunctionAddress } from '../../../src/desk/address'
import type { Capabilities } from '../../../src/model/network'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { startBridge, type Started } from '../../support/started'

describe('who of a team may do what', () => {
  let red: Practice, blue: Practice
  let started: Started
  const clock = skippingClock()
  const TEAM = [agent('Anna', 'red @anna'), agent('Bernd Berger', 'blue b1'), agent('Bernd Braun', 'blue b2'), agent('Dora', 'blue dora')]
  const room = 'werkstatt-1'
  const chat = 'werkstatt/red:eva'

  const start = async (more: Partial<FunctionAddress> = {}, others: FunctionAddress[] = [], can: Partial<Capabilities> = {}): Promise<void> => {
    [red, blue] = [makePractice('red'), makePractice('blue', { window: 8, ...can })]
    started = await startBridge([red, blue], [], { addresses: [addressOn(['red', 'blue'], TEAM, more), ...others], clock })
    await evaWrites('Hello?')
  }
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })
  const evaWrites = (text: string): Promise<unknown> => red.say(chat, 'red:eva', text, { direct: true, to: 'werkstatt' })
  const reads = (where: Practice, place: string, line: string): Promise<void> =>
    until(() => where.read(place).includes(line), `“${line}” at ${place}, where there is ${JSON.stringify(where.read(place))}`)
  const one = async () => (await started.store.run(tx => tx.desk.conversation(1)))!
  const anna = (text: string, more = {}) => red.say(room, '@anna', text, more)
  const bernd = (text: string, more = {}) => blue.say(room, 'b1', text, more)
  const REFUSED = '*: Nothing done: Anna has the case and is on duty. Please talk to each other; Anna can give it up with !release.'

  it('takes no case from a colleague on duty: not by releasing, closing, putting off or passing it on', async () => {
    await start()
    await anna('!take')
    const before = await one()
    for (const [index, command] of ['!release', '!done', '!wait', '!assign Dora', '!take'].entries()) {
      await bernd(command)
      await until(() => blue.read(room).filter(line => line === REFUSED).length === index + 1, command)
    }
    assert.deepEqual(await one(), before)
  })

  it('does all of that with a case of nobody, of a colleague off duty, or of one who lets the contact wait for too long', async () => {
    await start({ claimTimeoutMinutes: 60 })
    await bernd('!assign Dora')
    assert.equal((await one()).owner, 'blue dora')
    await blue.say(room, 'dora', '!duty off')
    await bernd('!take')
    await blue.say(room, 'b2', '!done')
    assert.equal((await one()).state, 'claimed', 'Bernd is on duty')
    await bernd('!duty off')
    await anna('!wait')
    assert.equal((await one()).owner, 'red @anna')
    await anna('Here it is')
    await blue.say(room, 'b2', '!release')
    await reads(blue, room, REFUSED)
    await evaWrites('And now?')
    await anna('!wait')
    clock.skip(2 * 3_600_000)
    await blue.say(room, 'b2', '!release')
    assert.equal((await one()).owner, undefined)
  })

  it('takes no case whose contact is not waiting, however long its owner has said nothing', async () => {
    await start({ claimTimeoutMinutes: 60 })
    await anna('Here it is')
    clock.skip(24 * 3_600_000)
    const before = await one()
    for (const [index, command] of ['!take', '!release', '!done', '!wait', '!assign Dora'].entries()) {
      await bernd(command)
      await until(() => blue.read(room).filter(line => line === REFUSED).length === index + 1, command)
    }
    assert.deepEqual(await one(), before)
  })

  it('tells each time, and all who read it, that an answer was not sent', async () => {
    await start()
    await anna('I have it')
    clock.skip(120_000)
    for (const text of ['One', 'Two', 'Three']) await bernd(text)
    for (const text of ['One', 'Two', 'Three']) {
      await reads(blue, room, `*: Not sent: “${text}”. Anna has the case. The text stays here as an internal note. !send sends it all the same.`)
      await reads(red, room, `Bernd Berger (blue): (not sent) Bernd Berger: ${text}`)
    }
    const told = blue.delivered.flatMap(({ action }) => action.kind === 'message' && action.addressee !== undefined ? [action.addressee] : [])
    assert.deepEqual(told.map(({ person, open }) => [person, open]), [['b1', true], ['b1', true], ['b1', true]])
    assert.deepEqual(red.read(chat), ['*: I have it'])
  })

  it('does not repeat what was not sent where apps show to what it replies', async () => {
    await start({}, [], { quotes: true })
    await anna('I have it')
    clock.skip(120_000)
    await bernd('Me too')
    await reads(blue, room, '*: Not sent. Anna has the case. The text stays here as an internal note. !send sends it all the same.')
  })

  it('shows all of the team what was sent all the same, and by whom, and what is still kept back', async () => {
    await start()
    await anna('I have it')
    await bernd('One')
    await bernd('Two')
    await blue.say(room, 'dora', '!send')
    await reads(blue, room, '*: There is no answer of yours kept back here.')
    await bernd('!send')
    await reads(red, chat, '*: Two')
    await reads(red, room, 'Bernd Berger (blue): Two')
    const [left] = await started.store.run(tx => tx.desk.held(1))
    await reads(blue, room, `*: Bernd Berger has sent: Two\nStill kept back: “One” (!send ${left!.id})`)
    await blue.say(room, 'dora', `!send ${left!.id}`)
    await bernd(`!send ${left!.id}`)
    await reads(red, chat, '*: One')
    assert.deepEqual(red.read(chat), ['*: I have it', '*: Two', '*: One'])
    assert.equal((await one()).owner, 'red @anna')
  })

  it('hard: nobody but the owner of a case answers, whatever they type and wherever', async () => {
    await start({ claim: 'hard', texts: { offer: { text: 'Your offer' } } })
    await anna('I have it')
    await blue.say('werkstatt-queue', 'b1', '#1 Me too')
    await bernd('!send')
    await until(() => blue.read(room).includes(REFUSED))
    await blue.say('werkstatt-queue', 'b1', '#1 !t offer')
    await reads(blue, 'werkstatt-queue', REFUSED)
    assert.deepEqual(red.read(chat), ['*: I have it'])
    const told = /Not sent: “Me too”\. Anna has just taken the case\. The text stays here as an internal note\.$/
    assert.ok(blue.read('werkstatt-queue').some(line => told.test(line)))
  })

  it('passes a case to whom they mean, and asks where two fit; whoever is off duty is named', async () => {
    await start()
    await anna('!assign bernd')
    await reads(red, room, '*: Nothing done. Who is meant: Bernd Berger, Bernd Braun? Please write the whole name.')
    await anna('!assign berg')
    await reads(blue, room, '*: Anna has passed the case on to Bernd Berger.')
    await blue.say(room, 'dora', '!duty off')
    await bernd('!assign dora')
    await reads(blue, room, '*: Please note: Dora is off duty.')
    assert.equal((await one()).owner, 'blue dora')
    await anna('!assign nobody')
    await reads(red, room, '*: There is no nobody.')
  })

  it('passes no case to an address that only points elsewhere', async () => {
    const other = { ...addressOn(['red', 'blue'], TEAM, { redirectOnly: true }), name: 'verkauf', slug: 'verkauf',
      profile: { name: 'Verkauf', about: '' }, identities: [{ network: 'red', id: 'verkauf' }] }
    await start({}, [other])
    await anna('!assign verk')
    await reads(red, room, '*: Nothing done: Verkauf only points to other ways, nobody answers there.')
    assert.equal((await one()).handledBy, 'werkstatt')
  })
})
