import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { FunctionAddress } from '../../../src/desk/address'
import { Unavailable } from '../../../src/model/errors'
import type { Content, Delivery } from '../../../src/model/message'
import { plain } from '../../../src/model/text'
import { makeSql } from '../../../src/store/sql'
import { makeTx } from '../../../src/store/tx'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { startBridge, type Started } from '../../support/started'

const words = (text: string): Content => ({ style: 'text', text: plain(text) })
const HOUR_MS = 3_600_000
const LONG = { queueMax: 10_000, linkMs: 2400 * HOUR_MS, keepMs: 2400 * HOUR_MS, drainMs: 2000 } // 100 days: longer than what is said here is kept

describe('the ways in which a function address may work', () => {
  let red: Practice, blue: Practice
  let started: Started
  const clock = skippingClock()
  const ANNA = agent('Anna Meier', 'red @anna')
  const BERND = agent('Bernd', 'blue bernd')
  const room = 'werkstatt-1'
  const chat = 'werkstatt/red:eva'

  const start = async (more: Partial<FunctionAddress>, others: FunctionAddress[] = []): Promise<void> => {
    [red, blue] = [makePractice('red'), makePractice('blue', { window: 8 })]
    started = await startBridge([red, blue], [], {
      addresses: [addressOn(['red', 'blue'], [ANNA, BERND], more), ...others], clock, limits: LONG
    })
  }
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const evaWrites = (text: string, more = {}): Promise<unknown> => red.say(chat, 'red:eva', text, { direct: true, to: 'werkstatt', ...more })
  const reads = (where: Practice, place: string, line: string): Promise<void> =>
    until(() => where.read(place).includes(line), `“${line}” at ${place}, where there is ${JSON.stringify(where.read(place))}`)
  const stateOf = async (): Promise<string | undefined> => (await started.store.run(tx => tx.desk.conversation(1)))?.state

  it('open: everybody\'s words go out, and who came first keeps the case', async () => {
    await start({ claim: 'open' })
    await evaWrites('Hello?')
    await red.say(room, '@anna', 'One')
    await blue.say(room, 'bernd', 'Two')
    await reads(red, chat, '*: Two')
    assert.deepEqual(red.read(chat), ['*: One', '*: Two'])
    assert.equal((await started.store.run(tx => tx.desk.conversation(1)))?.owner, 'red @anna')
  })

  it('hard: only who has the case may speak in the rooms', async () => {
    await start({ claim: 'hard' })
    await evaWrites('Hello?')
    await red.say(room, '@anna', 'One')
    await until(() => blue.delivered.some(({ action }) => action.kind === 'room' && action.room.speakers?.length === 0))
    const mine = red.delivered.findLast(({ action, place }) => action.kind === 'room' && place.id === room)
    assert.deepEqual(mine?.action.kind === 'room' && mine.action.room.speakers, ['@anna'])
  })

  it('signs once for each who answers, if it should', async () => {
    await start({ signature: 'first name' })
    await evaWrites('Hello?')
    await red.say(room, '@anna', 'One')
    await red.say(room, '@anna', 'Two')
    await reads(red, chat, '*: Two')
    assert.deepEqual(red.read(chat), ['*: One\n– Anna', '*: Two'])
  })

  it('only points to other ways: no case, no answer from the team', async () => {
    await start({ redirectOnly: true, automatic: { redirect: 'Please write to info.' } })
    await evaWrites('Hello?')
    await reads(red, chat, '*: Please write to info.')
    await evaWrites('Hello again?')
    assert.equal(await stateOf(), 'done')
    assert.deepEqual(red.delivered.filter(({ place, action }) => place.id === room && action.kind === 'message'), [])
    assert.deepEqual(red.read(chat), ['*: Please write to info.'])
  })

  it('direct: somebody without rooms gets all in the chat with the address, and answers by number', async () => {
    await start({ team: [ANNA, { ...BERND, direct: true }] })
    await evaWrites('Hello?')
    await reads(blue, 'werkstatt/bernd', '*: #1 red:eva (red):\n> Hello?')
    await blue.say('werkstatt/bernd', 'bernd', '#1 Yes, please?', { direct: true, to: 'werkstatt' })
    await reads(red, chat, '*: Yes, please?')
    await reads(red, room, 'Bernd (blue): Yes, please?')
    await blue.say('werkstatt/bernd', 'bernd', 'It is his only case, and still: no number', { direct: true, to: 'werkstatt' })
    await until(() => blue.read('werkstatt/bernd').some(line => line.includes('Which case?')))
    await blue.say('werkstatt/bernd', 'bernd', '#1 !done', { direct: true, to: 'werkstatt' })
    await reads(red, room, '*: [red:eva (red) · ⚪ done]')
    await blue.say('werkstatt/bernd', 'bernd', 'Which one now?', { direct: true, to: 'werkstatt' })
    await until(() => blue.read('werkstatt/bernd').filter(line => line.includes('Which case?')).length === 2)
    assert.equal(red.read(chat).length, 1)
  })

  it('carries edits and deletions both ways, of one\'s own words only, and notes never', async () => {
    await start({})
    await evaWrites('Helo?', { key: 'e1' })
    await reads(blue, room, 'red:eva (red): Helo?')
    const eva = { place: { network: 'red', id: chat }, at: 1, sender: { id: 'red:eva', name: 'red:eva' } } as const
    await red.inbox.accept({ ...eva, kind: 'edit', key: 'e2', of: 'e1', content: words('Hello?') })
    await reads(blue, room, 'red:eva (red): Hello?')
    const here = { place: { network: 'red', id: room }, at: 1, sender: { id: '@anna', name: 'Anna' } } as const
    await red.say(room, '@anna', 'Yees?', { key: 'a1' })
    await red.say(room, '@anna', '!n she is nice', { key: 'a2' })
    await red.inbox.accept({ ...here, kind: 'edit', key: 'a3', of: 'a1', content: words('Yes?') })
    await reads(red, chat, '*: Yes?')
    await reads(blue, room, 'Anna Meier (red): Yes?')
    await red.inbox.accept({ ...here, kind: 'edit', key: 'a4', of: 'a2', content: words('!n she is very nice') })
    await reads(blue, room, 'Anna Meier (red): (note) she is very nice')
    await red.inbox.accept({ ...here, sender: { id: '@mallory', name: 'M' }, kind: 'edit', key: 'm', of: 'a1', content: words('Never!') })
    await red.inbox.accept({ ...here, kind: 'deletion', key: 'a5', of: 'a1' })
    await reads(red, chat, '*: (deleted)')
    await reads(blue, room, 'Anna Meier (red): (deleted)')
    assert.deepEqual(red.read(chat), ['*: Yees?', '*: Yes?', '*: (deleted)'])
  })

  it('passes a case on to the team of another address; the contact still writes to the same', async () => {
    const other = { ...addressOn(['red', 'blue'], [agent('Vera', 'blue vera')]), name: 'verkauf', slug: 'verkauf',
      identities: [{ network: 'red', id: 'verkauf' }, { network: 'blue', id: 'verkauf' }], profile: { name: 'Verkauf', about: '' } }
    await start({}, [other])
    await evaWrites('How much is it?')
    await red.say(room, '@anna', '!an verkauf')
    await until(() => blue.read('verkauf-1').some(line => line.includes('How much is it?')))
    await blue.say('verkauf-1', 'vera', '20 €')
    await reads(red, chat, '*: 20 €')
    await evaWrites('Thanks')
    await reads(blue, 'verkauf-1', 'red:eva (red): Thanks')
    await red.say(room, '@anna', 'And a present')
    await until(async () => (await started.store.run(tx => tx.desk.entries(1, 1)))[0]?.kind === 'note')
    assert.deepEqual(red.read(chat), ['*: 20 €'])
  })

  it('frees a case whose owner does not answer in time, and wakes what was put off', async () => {
    await start({ claimTimeoutMinutes: 60 })
    await evaWrites('Hello?')
    await red.say(room, '@anna', 'Moment')
    await evaWrites('And now?')
    await until(async () => await stateOf() === 'claimed')
    clock.skip(2 * HOUR_MS)
    await reads(blue, room, '*: Anna Meier has not answered for a long time: the case is free again.')
    assert.equal(await stateOf(), 'new')
    await blue.say(room, 'bernd', 'I do it')
    await blue.say(room, 'bernd', '!wait 2h')
    await until(async () => await stateOf() === 'snoozed')
    clock.skip(3 * HOUR_MS)
    await reads(red, room, '*: The waiting time is over.')
    assert.equal(await stateOf(), 'claimed')
  })

  it('lets another take a case only when its owner lets the contact wait for too long', async () => {
    await start({ claimTimeoutMinutes: 30 })
    await evaWrites('Hello?')
    await red.say(room, '@anna', 'Moment')
    await blue.say(room, 'bernd', '!take')
    await until(() => blue.read(room).some(line => line.includes('Anna Meier has the case and is on duty')))
    await evaWrites('And now?')
    await red.say(room, '@anna', '!wait')
    clock.skip(HOUR_MS)
    await blue.say(room, 'bernd', '!take')
    await reads(red, room, '*: Bernd has taken #1.')
  })

  it('asks nobody into the rooms of a case any more when it has been closed for a day, and everybody again when it goes on', async () => {
    await start({})
    const wanted = () => [red, blue].map(({ delivered }) => {
      const last = delivered.findLast(({ action, place }) => action.kind === 'room' && place.id === room)?.action
      return last?.kind === 'room' && last.room.withdrawn
    })
    await evaWrites('Hello?')
    await red.say(room, '@anna', '!done')
    await reads(blue, room, '*: [red:eva (red) · ⚪ done]')
    assert.deepEqual(wanted(), [undefined, undefined])
    clock.skip(25 * HOUR_MS)
    await until(() => wanted().every(why => why === 'The case is closed already.'))
    await evaWrites('Once more')
    await until(() => wanted().every(why => why === undefined))
    await red.say(room, '@anna', '!done')
    await until(async () => await stateOf() === 'done')
    await blue.say(room, 'bernd', '!take')
    await until(async () => await stateOf() === 'claimed')
    clock.skip(25 * HOUR_MS)
    await evaWrites('And again')
    await reads(blue, room, 'red:eva (red): And again')
    assert.deepEqual(wanted(), [undefined, undefined])
    assert.equal(await stateOf(), 'claimed')
  })

  it('begins a new case after the days in which it would go on', async () => {
    await start({ followUp: { days: 7 } })
    await evaWrites('Hello?')
    await red.say(room, '@anna', 'Hello!')
    await red.say(room, '@anna', '!done')
    await until(async () => await stateOf() === 'done')
    clock.skip(24 * HOUR_MS)
    await evaWrites('Once more')
    await until(async () => await stateOf() === 'claimed')
    await red.say(room, '@anna', '!done')
    await until(async () => await stateOf() === 'done')
    clock.skip(8 * 24 * HOUR_MS)
    await evaWrites('Something else')
    await reads(blue, room, '*: — new case #1.2 —')
    assert.equal(await stateOf(), 'new')
  })

  it('leaves due cases alone while only the name of their address is known, and handles them when it is back', async () => {
    await start({})
    await evaWrites('Hello?')
    await red.say(room, '@anna', '!wait 1h')
    await until(async () => await stateOf() === 'snoozed')
    const { path } = started
    await started.store.run(tx => tx.forget('desk', 'address werkstatt'))
    await started.stop()
    started = await startBridge([red, blue], [], { addresses: [], path, clock })
    clock.skip(2 * HOUR_MS)
    let commits = started.store.commits()
    await until(() => { const before = commits; commits = started.store.commits(); return commits === before })
    assert.equal(await stateOf(), 'snoozed')
    await started.stop()
    started = await startBridge([red, blue], [], { addresses: [addressOn(['red', 'blue'], [ANNA, BERND])], path, clock })
    await reads(red, room, '*: The waiting time is over.')
    assert.equal(await stateOf(), 'claimed')
  })

  it('starts while the queue is full, and sees to its rooms when there is space again', async () => {
    await start({})
    red.onSend = () => new Promise(() => {})
    await evaWrites('Hello?')
    const { path } = started
    const limits = { queueMax: 1, linkMs: HOUR_MS, keepMs: 24 * HOUR_MS, drainMs: 10 }
    await started.stop()
    ;[red, blue] = [makePractice('red'), makePractice('blue')]
    const blocked = Promise.withResolvers<void>()
    red.onSend = () => blocked.promise
    started = await startBridge([red, blue], [], { addresses: [addressOn(['red', 'blue'], [ANNA], {})], path, clock, limits })
    await assert.rejects(async () => await evaWrites('Refused', { key: 'refused' }), /too much from this place is waiting/)
    blocked.resolve()
    const seenTo = ({ action }: Delivery): boolean => action.kind === 'room' && action.room.people.length === 1
    await until(() => { clock.skip(10_000); return red.delivered.some(seenTo) && blue.delivered.some(({ action }) => action.kind === 'room') })
  })

  it('listens only in rooms of networks on which somebody of the team is', async () => {
    await start({ team: [ANNA] })
    await evaWrites('Hello?')
    await reads(red, room, 'red:eva (red): Hello?')
    const { path } = started
    await started.stop()
    ;[red, blue] = [makePractice('red'), makePractice('blue')]
    started = await startBridge([red, blue], [], { addresses: [addressOn(['red', 'blue'], [ANNA])], path, clock })
    assert.deepEqual(red.attended.map(({ id }) => id), ['werkstatt-queue', 'werkstatt-1'])
    assert.deepEqual(blue.attended, [])
  })

  for (const closed of [true, false]) {
    it(`forgets all of a case that ${closed ? 'was closed' : 'nobody closed'} after its days, and keeps the logbook`, async () => {
      await start({ retentionDays: 10, automatic: { greeting: 'Welcome to us' } })
      await evaWrites('Secret')
      await red.say(room, '@anna', 'Confidential')
      if (closed) {
        await red.say(room, '@anna', '!done')
        await until(async () => await stateOf() === 'done')
      }
      assert.ok((await started.store.run(tx => tx.desk.search('werkstatt', 'Secret', 9))).length === 1)
      await until(async () => (await started.store.run(tx => tx.open())).length === 0, 'all is delivered')
      for (let day = 0; day < 12; day++) clock.skip(24 * HOUR_MS)
      await until(async () => (await started.store.run(tx => tx.desk.allConversations(9))).length === 0)
      await started.stop()
      assert.doesNotMatch(readFileSync(started.path, 'latin1'), /Secret|Confidential/, 'nor where the file has space')
      const db = new DatabaseSync(started.path)
      const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all().map(({ name }) => String(name))
      const left = tables.filter(table => !['logbook', 'consent'].includes(table)).flatMap(table =>
        db.prepare(`SELECT * FROM "${table}"`).all().map(row => `${table} ${JSON.stringify(row)}`))
        .filter(row => /Secret|Confidential|Welcome|eva/.test(row))
      assert.deepEqual(left, [])
      assert.equal((await makeTx(makeSql(db), '').desk.verify()).wrong, undefined)
      db.close()
      started = await startBridge([red, blue] = [makePractice('red'), makePractice('blue')], [], {
        addresses: [addressOn(['red', 'blue'], [ANNA])], path: started.path, clock
      })
      await evaWrites('Hello again')
      await until(async () => (await started.store.run(tx => tx.desk.allConversations(9))).length === 1)
    })
  }

  it('lets the networks forget the places of a case, also if they cannot at first, but no place that somebody needs again', async () => {
    await start({ retentionDays: 10 })
    const told: string[] = []
    red.forget = async places => { told.push(...places.map(({ id }) => `red ${id}`)); throw new Unavailable('down') }
    blue.forget = async places => { told.push(...places.map(({ id }) => `blue ${id}`)) }
    await evaWrites('Secret')
    for (let day = 0; day < 12; day++) clock.skip(24 * HOUR_MS)
    await until(() => told.length >= 3, 'all are told')
    assert.deepEqual([...new Set(told)].sort(), [`blue ${room}`, `red ${room}`, `red ${chat}`].sort())
    await started.stop()
    told.length = 0
    const again = makePractice('red')
    again.forget = async places => { told.push(...places.map(({ id }) => `red ${id}`)) }
    started = await startBridge([red, blue] = [again, makePractice('blue')], [], {
      addresses: [addressOn(['red', 'blue'], [ANNA])], path: started.path, clock
    })
    await until(() => told.length === 2, 'those that could not')
    assert.deepEqual(told.sort(), [`red ${room}`, `red ${chat}`].sort())
    await until(async () => (await started.store.run(tx => tx.remembered('forgotten'))).length === 0)
  })

  it('lets the networks forget also the rooms of teams that have passed the case on', async () => {
    const told = new Set<string>()
    await start({ retentionDays: 10 }, [addressOn(['red'], [ANNA], { name: 'amt', slug: 'amt', identities: [], retentionDays: 10 })])
    red.forget = async places => { for (const { id } of places) told.add(id) }
    await evaWrites('Secret')
    await red.say(room, '@anna', '!assign amt')
    await until(() => red.read('amt-1').length > 0)
    for (let day = 0; day < 12; day++) clock.skip(24 * HOUR_MS)
    await until(() => [room, chat, 'amt-1'].every(place => told.has(place)), 'all are told')
  })

  it('forgets the old words of a case that goes on, and not the new ones', async () => {
    await start({ retentionDays: 10 })
    await evaWrites('Secret')
    for (let day = 0; day < 8; day++) clock.skip(24 * HOUR_MS)
    await evaWrites('Still there?')
    for (let day = 0; day < 4; day++) clock.skip(24 * HOUR_MS)
    await until(async () => (await started.store.run(tx => tx.desk.entries(1, 9))).length === 1)
    const conversation = await started.store.run(tx => tx.desk.conversation(1))
    assert.equal(conversation?.excerpt, undefined)
  })

  it('keeps a logbook and a ledger that nobody can change', async () => {
    await start({})
    await evaWrites('Hello?')
    await red.say(room, '@anna', 'Hello!')
    const lines = await started.store.run(tx => tx.desk.logbook('werkstatt', 1, 9))
    assert.deepEqual(lines.map(({ who, what }) => `${who} ${what}`).reverse(), ['contact opened', 'Anna Meier claimed'])
    assert.deepEqual((await started.store.run(tx => tx.desk.consents('red red:eva', 'werkstatt'))).map(({ how }) => how), ['wrote first'])
  })
})
