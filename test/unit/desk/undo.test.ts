import assert from 'node:assert/strict'
import type { FunctionAddress } from '../../../src/desk/address'
import { systemClock } from '../../../src/lib/clock'
import type { Content } from '../../../src/model/message'
import { plain } from '../../../src/model/text'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { startBridge, type Started } from '../../support/started'

const words = (text: string): Content => ({ style: 'text', text: plain(text) })
const UNDO_MS = 30_000

describe('an answer that may be taken back', () => {
  let red: Practice, phone: Practice
  let started: Started
  let clock: ReturnType<typeof skippingClock>
  const PHONE = { ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, afterCrash: 'park', textBytesMax: 200 } as const
  const room = 'werkstatt-1'
  const chat = 'werkstatt/phone:max'

  const start = async (more: Partial<FunctionAddress> = { undoSeconds: 30 }, path?: string): Promise<void> => {
    [red, phone] = [makePractice('red'), makePractice('phone', PHONE)]
    started = await startBridge([red, phone], [], {
      addresses: [addressOn(['red', 'phone'], [agent('Anna', 'red @anna')], more)], clock, ...path === undefined ? {} : { path }
    })
  }
  beforeEach(() => { clock = skippingClock(systemClock) })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const maxTexts = (text: string) => phone.say(chat, 'phone:max', text, { direct: true, to: 'werkstatt' })
  const here = { place: { network: 'red', id: room }, at: 1, sender: { id: '@anna', name: 'Anna' } } as const
  const annaSays = (key: string, text: string) => red.say(room, '@anna', text, { key })
  const annaEdits = (key: string, of: string, text: string) => red.inbox.accept({ ...here, kind: 'edit', key, of, content: words(text) })
  const annaDeletes = (key: string, of: string) => red.inbox.accept({ ...here, kind: 'deletion', key, of })
  const reads = (where: Practice, place: string, line: string): Promise<void> =>
    until(() => where.read(place).includes(line), `“${line}” at ${place}, where there is ${JSON.stringify(where.read(place))}`)
  /** Resolves when what is due has been sent: something that came later has gone all its way. */
  const timePasses = async (ms: number): Promise<void> => {
    clock.skip(ms)
    await red.say(room, '@anna', '!status')
    await until(() => red.read(room).some(line => line.includes('since today')))
  }

  it('waits before it leaves, and whatever follows it in its lane waits too', async () => {
    await start()
    await maxTexts('Hello?')
    await annaSays('a1', 'One')
    await annaSays('a2', 'Two')
    await timePasses(UNDO_MS - 5000)
    assert.deepEqual(phone.read(chat), [])
    clock.skip(6000)
    await reads(phone, chat, '*: Two')
    assert.deepEqual(phone.read(chat), ['*: One', '*: Two'])
  })

  it('an automatic text waits too, for a moment, so that it stands below the question in archives that count in seconds', async () => {
    await start({ automatic: { greeting: 'Good day.' } })
    await maxTexts('Hello?')
    await timePasses(0)
    assert.deepEqual(phone.read(chat), [])
    clock.skip(1000)
    await reads(phone, chat, '*: Good day.')
  })

  it('never leaves if the contact ends everything meanwhile, and the team is told which it was', async () => {
    await start()
    await maxTexts('Hello?')
    await annaSays('a1', 'Please come at noon')
    await maxTexts('STOP')
    await reads(red, room, '*: ⛔ The contact has ended everything with STOP.\nNot sent any more: “Please come at noon”')
    clock.skip(UNDO_MS + 1000)
    await maxTexts('START')
    await reads(phone, chat, '*: You get messages from us again. Send STOP to end them.')
    assert.ok(!phone.read(chat).some(line => line.includes('noon')))
  })

  it('never leaves if it is deleted meanwhile, and its writer is told', async () => {
    await start()
    await maxTexts('Hello?')
    await annaSays('a1', 'Oh no')
    await annaSays('a2', 'Good day')
    await annaDeletes('a3', 'a1')
    await reads(red, room, '*: Taken back before it was sent: the contact got nothing.')
    clock.skip(UNDO_MS + 1000)
    await reads(phone, chat, '*: Good day')
    assert.deepEqual(phone.read(chat), ['*: Good day'])
  })

  it('never leaves if it is edited into a note meanwhile', async () => {
    await start()
    await maxTexts('Hello?')
    await annaSays('a1', 'he owes us money')
    await annaSays('a2', 'Good day')
    await annaEdits('a3', 'a1', '!n he owes us money')
    await reads(red, room, '*: Taken back before it was sent: the contact got nothing.')
    clock.skip(UNDO_MS + 1000)
    await reads(phone, chat, '*: Good day')
    assert.deepEqual(phone.read(chat), ['*: Good day'])
  })

  it('leaves as it was edited last, in its turn, also in more parts than before; a deletion then takes all of them', async () => {
    await start()
    await maxTexts('Hello?')
    await annaSays('a1', 'One')
    await annaSays('a2', 'Two')
    await annaEdits('a3', 'a1', 'First')
    await annaEdits('a4', 'a1', 'The first')
    clock.skip(UNDO_MS + 1000)
    await reads(phone, chat, '*: Two')
    assert.deepEqual(phone.read(chat), ['*: The first', '*: Two'])
    await annaSays('b1', 'short')
    await annaEdits('b2', 'b1', 'long '.repeat(60))
    await annaDeletes('b3', 'b1')
    await annaSays('c1', 'short')
    await annaEdits('c2', 'c1', 'long '.repeat(60))
    clock.skip(UNDO_MS + 1000)
    await until(() => phone.delivered.length === 4)
    assert.deepEqual(phone.read(chat).slice(2).map(line => line.length < 210 && line.includes('long')), [true, true])
  })

  it('waits on after a restart', async () => {
    await start()
    await maxTexts('Hello?')
    await annaSays('a1', 'One')
    await annaSays('a2', 'Two')
    await started.stop()
    await start({ undoSeconds: 30 }, started.path)
    await annaDeletes('a3', 'a1')
    await timePasses(1000)
    assert.deepEqual(phone.read(chat), [])
    clock.skip(UNDO_MS)
    await reads(phone, chat, '*: Two')
    assert.deepEqual(phone.read(chat), ['*: Two'])
  })

  const one = async () => (await started.store.run(tx => tx.desk.conversation(1)))!

  it('leaves the case as it was if it is taken back: the contact waits, within the same time, and was told no name', async () => {
    await start({ undoSeconds: 30, signature: 'first name' })
    await maxTexts('Hello?')
    await red.say(room, '@anna', '!take')
    const before = await one()
    await annaSays('a1', 'Oh no')
    assert.equal((await one()).awaits, false)
    await annaDeletes('a2', 'a1')
    assert.deepEqual(await one(), before)
    await annaSays('b1', 'he owes us money')
    await annaEdits('b2', 'b1', '!n he owes us money')
    assert.deepEqual(await one(), before)
    await red.say(room, '@anna', '!list')
    await until(() => red.read(room).some(line => line.includes('#1 🟢 Anna') && line.endsWith('Needs an answer')))
    await annaSays('c1', 'Good day')
    clock.skip(UNDO_MS + 1000)
    await reads(phone, chat, '*: Good day\n– Anna')
  })

  it('is followed by another that goes out: then the contact does not wait', async () => {
    await start()
    await maxTexts('Hello?')
    await annaSays('a1', 'Oh no')
    await annaSays('a2', 'Good day')
    await annaDeletes('a3', 'a1')
    assert.equal((await one()).awaits, false)
    await annaDeletes('a4', 'a2')
    assert.equal((await one()).awaits, true)
    assert.equal((await one()).saidAt, undefined)
  })

  it('counts as unsaid for whoever gets the case, and for a search', async () => {
    await start()
    await maxTexts('Hello?')
    await annaSays('a1', 'he owes us')
    await annaEdits('a2', 'a1', 'he owes us money')
    await annaDeletes('a3', 'a1')
    await red.say(room, '@anna', '!search owes')
    await until(() => red.read(room).some(line => /^\*: #1 today \S+ \(note\) Anna: he owes us money$/.test(line)))
  })

  it('that was held and sent all the same may be taken back too', async () => {
    await start({ undoSeconds: 30, team: [agent('Anna', 'red @anna'), agent('Bernd', 'red @bernd')] })
    await maxTexts('Hello?')
    await annaSays('a1', 'I have it')
    await red.say(room, '@bernd', 'Oh no', { key: 'b1' })
    await red.say(room, '@bernd', '!send')
    await red.inbox.accept({ ...here, sender: { id: '@bernd', name: 'Bernd' }, kind: 'deletion', key: 'b2', of: 'b1' })
    await reads(red, room, '*: Taken back before it was sent: the contact got nothing.')
    await annaSays('a2', 'Good day')
    clock.skip(UNDO_MS + 1000)
    await reads(phone, chat, '*: Good day')
    assert.deepEqual(phone.read(chat), ['*: I have it', '*: Good day'])
  })

  const leaves = (who: string) => started.bridge.desk.order('werkstatt', { what: 'say', by: 'admin', words: `!team - red ${who} x` })
  const bernds = (place: string) => ({ ...here, place: { network: 'red', id: place }, sender: { id: '@bernd', name: 'Bernd' } })
  const twoOfTeam = (more: Partial<FunctionAddress> = {}) =>
    start({ undoSeconds: 30, team: [agent('Anna', 'red @anna'), agent('Bernd', 'red @bernd')], ...more })
  const isBack = async (where: string): Promise<void> => {
    await reads(red, where, '*: Taken back before it was sent: the contact got nothing.')
    assert.deepEqual([(await one()).awaits, (await one()).saidAt], [true, undefined])
    await annaSays('z1', 'Good day')
    clock.skip(UNDO_MS + 1000)
    await reads(phone, chat, '*: Good day')
    assert.deepEqual(phone.read(chat), ['*: Good day'])
  }

  for (const where of [room, 'werkstatt-queue', 'werkstatt/@bernd']) {
    it(`never leaves if its writer, who is not of the team any more, deletes it, or changes it: written at ${where}`, async () => {
      for (const kind of ['deletion', 'edit'] as const) {
        await twoOfTeam()
        await maxTexts('Hello?')
        await red.say(where, '@bernd', where === room ? 'Oh no' : '#1 Oh no', { key: 'b1' })
        await leaves('@bernd')
        const back = { ...bernds(where), key: 'b2', of: 'b1' }
        await red.inbox.accept(kind === 'edit' ? { ...back, kind, content: words('Oh yes') } : { ...back, kind })
        if (kind === 'edit' && where !== room) await reads(red, room, 'Bernd (red): (not sent) Bernd: Oh no')
        await isBack(where)
        if (kind === 'deletion') await started.stop()
      }
    })
  }

  it('never leaves if its writer deletes it after another team has got the case', async () => {
    const other = { ...addressOn(['red', 'phone'], [agent('Carla', 'red @carla')]), name: 'garage', slug: 'garage', identities: [], undoSeconds: 30 }
    ;[red, phone] = [makePractice('red'), makePractice('phone', PHONE)]
    const own = addressOn(['red', 'phone'], [agent('Anna', 'red @anna')], { undoSeconds: 30 })
    started = await startBridge([red, phone], [], { addresses: [own, other], clock })
    await maxTexts('Hello?')
    await annaSays('a1', 'Oh no')
    await annaSays('a2', '!assign garage')
    await annaDeletes('a3', 'a1')
    await reads(red, room, '*: Taken back before it was sent: the contact got nothing.')
    await until(() => red.read('garage-1').some(line => line.endsWith('\n(note) Anna: Oh no')), 'the other team is not told that it was said')
    assert.equal((await one()).awaits, true)
    await red.say('garage-1', '@carla', 'Good day')
    clock.skip(UNDO_MS + 1000)
    await reads(phone, chat, '*: Good day')
    assert.deepEqual(phone.read(chat), ['*: Good day'])
  })

  it('is taken back by nobody else: neither an outsider nor a colleague', async () => {
    await twoOfTeam()
    await maxTexts('Hello?')
    await annaSays('a1', 'Good day')
    await leaves('@bernd')
    await red.inbox.accept({ ...bernds(room), kind: 'deletion', key: 'b2', of: 'a1' })
    await red.inbox.accept({ ...bernds('werkstatt/@bernd'), kind: 'deletion', key: 'b3', of: 'a1' })
    clock.skip(UNDO_MS + 1000)
    await reads(phone, chat, '*: Good day')
  })

  it('can no longer be changed by somebody who has left the team, once it has left', async () => {
    await twoOfTeam()
    await maxTexts('Hello?')
    await red.say(room, '@bernd', 'Good day', { key: 'b1' })
    await leaves('@bernd')
    clock.skip(UNDO_MS + 1000)
    await reads(phone, chat, '*: Good day')
    await red.inbox.accept({ ...bernds(room), kind: 'deletion', key: 'b2', of: 'b1' })
    assert.equal((await one()).awaits, false)
  })

  it('that has left to a network where nothing can be deleted stays there, and its writer is told', async () => {
    await start({})
    await maxTexts('Hello?')
    await annaSays('a1', 'Oh no')
    await reads(phone, chat, '*: Oh no')
    await annaDeletes('a2', 'a1')
    await reads(red, room, '*: Deleted here, but the contact still has the message: nothing can be taken back by phone.')
  })
})
