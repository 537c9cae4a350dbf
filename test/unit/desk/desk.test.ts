import assert from 'node:assert/strict'
import type { FunctionAddress } from '../../../src/desk/address'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { startBridge, type Started } from '../../support/started'

describe('a function address', () => {
  let red: Practice, blue: Practice, phone: Practice
  let started: Started
  const PHONE = {
    ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, afterCrash: 'park', textBytesMax: 200
  } as const
  const TEAM = [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd')]

  const start = async (more: Partial<FunctionAddress> = {}): Promise<void> => {
    [red, blue, phone] = [makePractice('red'), makePractice('blue', { window: 8 }), makePractice('phone', PHONE)]
    started = await startBridge([red, blue, phone], [], { addresses: [addressOn(['red', 'blue', 'phone'], TEAM, more)] })
  }
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  /** Max texts to the address. */
  const maxTexts = (text: string) => phone.say('werkstatt/phone:max', 'max', text, {
    direct: true, to: 'werkstatt', sender: { id: 'phone:max', name: 'max' }
  })
  const room = 'werkstatt-1'
  const spoken = (where: Practice, place: string): string[] => where.read(place).filter(line => !line.includes('['))
  const delivered = (where: Practice, place: string, line: string): Promise<void> =>
    until(() => where.read(place).includes(line), `“${line}” at ${place}, where there is ${JSON.stringify(where.read(place))}`)

  it('shows the team what a contact writes, in a room of its own, and the contact only answers', async () => {
    await start()
    await maxTexts('Is my bike ready?')
    await delivered(red, room, 'max (phone): Is my bike ready?')
    await delivered(blue, room, 'max (phone): Is my bike ready?')
    assert.deepEqual(red.read(room)[0], '*: [max (phone) · 🔴 new]')
    await delivered(red, 'werkstatt-queue', '*: #1 max (phone) · 🔴 new: “Is my bike ready?”')
    assert.deepEqual(phone.delivered, [])
    await red.say(room, '@anna', 'Yes, since noon.')
    await delivered(phone, 'werkstatt/phone:max', '*: Yes, since noon.')
    await delivered(blue, room, 'Anna (red): Yes, since noon.')
    await delivered(blue, room, '*: [max (phone) · 🟢 Anna]')
    await delivered(red, 'werkstatt-queue', '*: #1 max (phone) · 🟢 Anna: “Is my bike ready?”')
    assert.equal(phone.delivered.length, 1)
  })

  it('gives the case to the first who answers; the second is held, told, and may send it all the same', async () => {
    await start()
    await maxTexts('Hello?')
    await delivered(blue, room, 'max (phone): Hello?')
    await Promise.all([red.say(room, '@anna', 'I am on it'), blue.say(room, 'bernd', 'Me too')])
    await delivered(phone, 'werkstatt/phone:max', '*: I am on it')
    await delivered(red, room, 'Bernd (blue): (not sent) Bernd: Me too')
    await until(() => blue.delivered.some(({ action }) => action.kind === 'message' && action.addressee?.person === 'bernd' && action.addressee.open))
    assert.match(blue.read(room).find(line => line.includes('Not sent')) ?? '', /Anna has just taken the case/)
    assert.equal(phone.delivered.length, 1)
    await blue.say(room, 'bernd', '!send')
    await delivered(phone, 'werkstatt/phone:max', '*: Me too')
    await blue.say(room, 'bernd', '!send')
    await until(() => blue.read(room).some(line => line.includes('no answer of yours kept back')))
    assert.equal(phone.delivered.length, 2)
  })

  it('keeps notes, threads and commands from the contact', async () => {
    await start()
    await maxTexts('Hello?')
    await delivered(blue, room, 'max (phone): Hello?')
    await red.say(room, '@anna', '!n careful, he owes us money')
    await delivered(blue, room, 'Anna (red): (note) careful, he owes us money')
    await red.say(room, '@anna', 'in the thread', { inThread: true })
    await delivered(blue, room, 'Anna (red): (note) in the thread')
    await red.say(room, '@anna', '!foo bar')
    await until(() => red.read(room).some(line => line.includes('something in it begins with !')))
    await red.say(room, '@mallory', 'I am not in the team')
    await delivered(red, room, '*: Only the team may do this. Nothing went to the contact.')
    await blue.say(room, 'bernd', '!status')
    await until(() => blue.read(room).some(line => /#1 🔴 new · max, phone:max \(phone\) · since today/.test(line)))
    assert.deepEqual(phone.delivered, [])
    assert.match(blue.read(room).join(), /Needs an answer/)
  })

  it('takes, frees, passes on, closes and reopens a case', async () => {
    await start()
    await maxTexts('Hello?')
    await blue.say(room, 'bernd', '!take')
    await delivered(red, room, '*: Bernd has taken #1.')
    await red.say(room, '@anna', '!take')
    await until(() => red.read(room).some(line => line.includes('Bernd has the case and is on duty')))
    await blue.say(room, 'bernd', '!duty off')
    await delivered(red, room, '*: Bernd has given up the case.')
    await red.say(room, '@anna', '!übernehmen')
    await delivered(blue, room, '*: Anna has taken #1.')
    await red.say(room, '@anna', '!an bernd')
    await delivered(blue, room, '*: Anna has passed the case on to Bernd.')
    await blue.say(room, 'bernd', 'All done.')
    await blue.say(room, 'bernd', '!erledigt')
    await delivered(red, room, '*: [max (phone) · ⚪ done]')
    await maxTexts('One more thing')
    await delivered(red, room, 'max (phone): One more thing')
    assert.equal(red.read(room).findLast(line => line.includes('[')), '*: [max (phone) · 🔴 new]') // Bernd is off duty
    assert.deepEqual(spoken(phone, 'werkstatt/phone:max'), ['*: All done.'])
  })

  it('hears somebody who asks again in the same words after the case was closed', async () => {
    await start()
    await maxTexts('Please call me.')
    await red.say(room, '@anna', '!done')
    await delivered(red, room, '*: [max (phone) · ⚪ done]')
    await maxTexts('Please call me.')
    const rings = (): number =>
      blue.delivered.filter(({ place, action }) => place.id === 'werkstatt-queue' && action.kind === 'message').length
    await until(() => rings() === 2, 'it is announced again')
    await until(() => red.read(room).findLast(line => line.includes('[')) === '*: [max (phone) · 🔴 new]')
  })

  it('knows words, labels, projects, standard texts, and finds what was said', async () => {
    const file = { path: '/offer.pdf', name: 'offer.pdf', mime: 'application/pdf' }
    await start({ texts: { offer: { text: 'Dear {contact.name}, your offer is ready. {agent.first_name}', file } } })
    await maxTexts('How much is a new chain?')
    await red.say(room, '@anna', '!project bikes-7')
    await red.say(room, '@anna', '!label offer')
    await red.say(room, '@anna', '!t offer')
    await until(() => phone.read('werkstatt/phone:max').some(line =>
      /^\*: Dear max, your offer is ready. Anna\noffer.pdf: https:\/\/files.example.org\/media\/[\w-]+\.pdf$/.test(line)))
    const token = /media\/([\w-]+)/.exec(phone.read('werkstatt/phone:max').join())![1]!
    const linked = await started.store.run(tx => tx.linked(token, Date.now()))
    assert.deepEqual(linked?.at, { network: 'desk', ref: '/offer.pdf' })
    await red.say('werkstatt-queue', '@anna', '!search chain')
    await until(() => red.read('werkstatt-queue').some(line => /#1 today .* max: How much is a new chain\?/.test(line)))
    await red.say('werkstatt-queue', '@anna', '!project? bikes-7')
    await until(() => red.read('werkstatt-queue').some(line => line.includes('How much') && line.includes('your offer is ready')))
    await red.say(room, '@anna', '!log')
    await until(() => red.read(room).some(line => line.includes('Anna · claimed') && line.includes('labels · offer')))
    await started.store.run(async tx => assert.equal((await tx.desk.verify()).wrong, undefined))
  })

  it('writes first only with consent, and never after STOP', async () => {
    await start()
    const queue = 'werkstatt-queue'
    await red.say(queue, '@anna', '!new phone:eva Good morning')
    await until(() => red.read(queue).some(line => line.includes('there is no consent of phone:eva')))
    await red.say(queue, '@anna', '!consent phone:eva on paper, 3 April')
    await red.say(queue, '@anna', '!new phone:eva Good morning')
    await delivered(phone, 'werkstatt/phone:eva', '*: Good morning')
    await delivered(blue, room, 'Anna (red): Good morning')
    await phone.say('werkstatt/phone:eva', 'phone:eva', 'STOP', { direct: true, to: 'werkstatt' })
    await delivered(red, room, '*: ⛔ The contact has ended everything with STOP.')
    await red.say(room, '@anna', 'But wait')
    await delivered(red, room, '*: Not sent: this contact has ended everything with STOP.')
    assert.deepEqual(spoken(phone, 'werkstatt/phone:eva').filter(line => line.includes('wait')), [])
    const ledger = await started.store.run(tx => tx.desk.consents('phone phone:eva', 'werkstatt'))
    assert.deepEqual(ledger.map(({ kind, how }) => `${kind} ${how}`), ['withdrawn STOP', 'granted on paper, 3 April (Anna)'])
    await red.say(queue, '@anna', '!new phone:eva Once more')
    await until(() => red.read(queue).filter(line => line.includes('ended everything with STOP')).length === 1)
  })

  it('writes to nobody, and notes no consent, whose number may go on behind a blank', async () => {
    await start()
    const queue = 'werkstatt-queue'
    for (const command of ['!consent phone:4930 123 on paper', '!new phone:4930 123-4 Good morning']) await red.say(queue, '@anna', command)
    await until(() => red.read(queue).filter(line => line.includes('phone:4930 is not an address')).length === 2)
    assert.deepEqual(await started.store.run(tx => tx.desk.consents('phone phone:4930', 'werkstatt')), [])
    await red.say(queue, '@anna', '!consent phone:4930 on paper, 3 April')
    await red.say(queue, '@anna', '!new phone:4930 Good morning')
    await delivered(phone, 'werkstatt/phone:4930', '*: Good morning')
  })

  it('greets once and says once when nobody is there', async () => {
    await start({ automatic: { greeting: 'Welcome to {address}.' } })
    await maxTexts('Hello?')
    await delivered(phone, 'werkstatt/phone:max', '*: Welcome to Werkstatt.')
    await delivered(red, room, '*: The contact got: Welcome to Werkstatt.')
    await maxTexts('Anybody?')
    await delivered(red, room, 'max (phone): Anybody?')
    assert.equal(phone.delivered.length, 1)
  })

  it('takes somebody out of the team at once: out of the rooms, their cases are free', async () => {
    await start()
    await maxTexts('Hello?')
    await blue.say(room, 'bernd', 'I look after it')
    await delivered(phone, 'werkstatt/phone:max', '*: I look after it')
    await started.bridge.desk.order('werkstatt', { what: 'say', by: 'admin', words: '!team - blue bernd Bernd' })
    await until(() => red.read(room).at(-1) === '*: [max (phone) · 🔴 new]')
    const last = blue.delivered.findLast(({ action }) => action.kind === 'room' && action.room.name !== 'Inbox Werkstatt')
    assert.deepEqual(last?.action.kind === 'room' && last.action.room.people, [])
    await maxTexts('Still there?')
    await delivered(red, room, 'max (phone): Still there?')
    await blue.say(room, 'bernd', 'I am still here')
    await until(async () => (await started.store.run(tx => tx.desk.entries(1, 1)))[0]?.kind === 'note')
    assert.deepEqual(blue.read(room).filter(line => line.includes('Still there')), [])
    assert.equal(phone.delivered.length, 1)
  })

  it('goes on with a changed config: who came is in, who left is out and their case free, and what an order changed holds', async () => {
    await start()
    await started.bridge.desk.order('werkstatt', { what: 'say', by: 'admin', words: '!team + red @vera Vera' })
    await until(() => red.served[0]?.team?.includes('@vera') === true, 'Vera is in')
    await maxTexts('Hallo?')
    await delivered(red, room, 'max (phone): Hallo?')
    await blue.say(room, 'bernd', 'I am on it')
    await delivered(red, room, '*: [max (phone) · 🟢 Bernd]')
    const profile = { name: 'Garage', about: 'New hours' }
    await started.bridge.renew([addressOn(['red', 'blue', 'phone'], [agent('Anna', 'red @anna'), agent('Eva', 'blue eva')], { profile })], [])
    await until(() => red.read(room).at(-1) === '*: [max (phone) · 🔴 new]')
    await until(() => blue.served[0]?.profile.name === 'Garage')
    const rooms = (where: Practice) => where.delivered.flatMap(({ place, action }) =>
      action.kind === 'room' && place.id === room ? [action.room.people] : [])
    await until(() => rooms(blue).at(-1)?.join() === 'eva', 'Bernd is out')
    assert.deepEqual(rooms(red).at(-1), ['@anna', '@vera'])
    await blue.say(room, 'bernd', 'Still me?')
    await blue.say(room, 'eva', 'Now I am on it')
    await delivered(phone, 'werkstatt/phone:max', '*: Now I am on it')
    assert.deepEqual(phone.read('werkstatt/phone:max'), ['*: I am on it', '*: Now I am on it'])
  })

  it('survives being cut off: conversation, owner and held notes are as they were', async () => {
    await start()
    await maxTexts('Hello?')
    await red.say(room, '@anna', 'Yes?')
    await blue.say(room, 'bernd', 'Yes, please?')
    await delivered(phone, 'werkstatt/phone:max', '*: Yes?')
    const { path } = started
    await started.stop()
    started = await startBridge([red, blue, phone], [], { addresses: [addressOn(['red', 'blue', 'phone'], TEAM)], path })
    await blue.say(room, 'bernd', '!send')
    await delivered(phone, 'werkstatt/phone:max', '*: Yes, please?')
    assert.equal(phone.delivered.length, 2)
  })
})
