import assert from 'node:assert/strict'
import type { FunctionAddress } from '../../../src/desk/address'
import { presenceOf, type Shows } from '../../../src/model/signal'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const TYPES = { kind: 'typing', typing: true } as const
const reads = (...upTo: string[]) => ({ kind: 'read', upTo }) as const
const RESTS = { kind: 'typing', typing: false } as const

describe('signals', () => {
  let red: Practice, blue: Practice, phone: Practice
  let started: Started
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })
  const make = (): Practice[] => {
    [red, blue, phone] = [makePractice('red'), makePractice('blue'), makePractice('phone', { ghosts: false })]
    delete (phone as Partial<Practice>).signal
    return [red, blue, phone]
  }
  /** What was shown since the last time. */
  const shown = (): unknown[] => [red, blue].flatMap(({ name, signals }) => signals.splice(0).map(({ place, as, does }) =>
    [name, place.id, as === undefined ? '*' : `${as.network} ${as.id}`,
      does.kind === 'typing' ? does.typing : does.kind === 'presence' ? `${does.is} ${does.status}` : does.upTo]))

  /** Everything is delivered, and what it is called there is stored. */
  const settled = (): Promise<void> => until(async () => {
    const open = await Promise.all((['waiting', 'sending'] as const).map(state => started.bridge.queue.list(state)))
    return open.flat().length === 0
  }, 'all is delivered')

  describe('in mirrors', () => {
    const start = async (shows?: Shows): Promise<void> => {
      const mirror = mirrorOf(['red', 'hall'], ['blue', 'hall'], ['phone', 'us/max', { max: 'Max' }])
      started = await startBridge(make(), [{ ...mirror, ...shows && { shows } }], { clock: skippingClock() })
    }

    it('show in the other places who types, as their ghost, and that they have spoken', async () => {
      await start({ typing: true, read: false })
      red.does('hall', '@anna', TYPES)
      assert.deepEqual(shown(), [['blue', 'hall', 'red @anna', true]])
      blue.does('hall', 'ben', TYPES)
      assert.deepEqual(shown(), [['red', 'hall', 'blue ben', true]])
      await red.say('hall', '@anna', 'Guten Morgen')
      assert.deepEqual(shown(), [['blue', 'hall', 'red @anna', false]])
      blue.does('hall', 'ben', RESTS)
      assert.deepEqual(shown(), [['red', 'hall', 'blue ben', false]])
      red.does('elsewhere', '@anna', TYPES)
      assert.deepEqual(shown(), [])
    })

    it('show who is away to the others, only where that is switched on and of whom is there', async () => {
      for (const [presence, seen] of [[true, [['blue', 'hall', 'red @anna', 'away zu Tisch']]], [false, []]] as const) {
        if (!presence) await started.stop()
        const mirror = mirrorOf(['red', 'hall'], ['blue', 'hall'], ['phone', 'us/max', { max: 'Max' }])
        const shows = { typing: true, read: true, presence }
        started = await startBridge(make(), [{ ...mirror, membersMax: 10, shows }], { clock: skippingClock() })
        red.inbox.members({ network: 'red', id: 'hall' }, { kind: 'all', members: [{ id: '@anna', name: 'Anna' }], others: 'lost' })
        for (const id of ['@anna', '@cem']) red.inbox.presence({ network: 'red', id }, presenceOf('away', 'zu Tisch'))
        blue.inbox.presence({ network: 'blue', id: '@anna' }, presenceOf('busy', ''))
        assert.deepEqual(shown(), seen)
      }
    })

    it('that are switched off show nothing', async () => {
      for (const shows of [undefined, { typing: false, read: true }]) {
        await start(shows)
        red.does('hall', '@anna', TYPES)
        red.does('hall', '@anna', RESTS)
        assert.deepEqual(shown(), [])
        await started.stop()
      }
      await start({ typing: true, read: false })
      await red.say('hall', '@anna', 'Guten Morgen', { key: 'morning' })
      await settled()
      let asked = 0
      const run = started.store.run
      started.store.run = (...args) => { asked++; return run(...args) }
      red.does('hall', '@cem', reads('morning'))
      started.store.run = run
      assert.deepEqual([asked, shown()], [0, []], 'the store is not even asked')
    })

    it('tell the writer’s side how far somebody has read, by the message as it stands there', async () => {
      await start({ typing: false, read: true })
      await red.say('hall', '@anna', 'Guten Morgen', { key: 'morning', named: 'm-1' })
      await settled()
      const [{ key } = { key: '' }] = blue.delivered
      blue.does('hall', 'ben', reads(`blue-${key}`))
      await until(() => red.signals.length > 0, 'the mark')
      assert.deepEqual(shown()[0], ['red', 'hall', 'blue ben', { said: 'm-1' }])
      red.does('hall', '@cem', reads('morning'))
      await until(() => blue.signals.length > 0, 'the other mark')
      assert.deepEqual(shown().at(-1), ['blue', 'hall', 'red @cem', { delivered: [`blue-${key}`] }])
      blue.does('hall', 'ben', reads('nobody knows it'))
      blue.does('hall', 'ben', reads(`blue-${key}`))
      await until(() => red.signals.length > 0, 'the third')
      assert.equal(shown().length, 1)
    })

    it('that rest at a place neither show it there nor from there', async () => {
      await start({ typing: true, read: true })
      await red.inbox.accept({ kind: 'standing', key: 'out', place: { network: 'red', id: 'hall' }, at: 1, standing: 'out' })
      red.does('hall', '@anna', TYPES)
      blue.does('hall', 'ben', TYPES)
      assert.deepEqual(shown(), [])
    })
  })

  describe('at an address', () => {
    const TEAM = [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd'), { ...agent('Cem', 'red @cem'), direct: true }]
    const room = 'werkstatt-1'
    const chat = 'werkstatt/blue:eva'
    const start = async (more: Partial<FunctionAddress> = {}): Promise<void> => {
      const address = addressOn(['red', 'blue'], TEAM, { shows: { typing: true, read: false }, ...more })
      started = await startBridge(make(), [], { addresses: [address], clock: skippingClock() })
      await evaWrites('Ist mein Rad fertig?')
      if (!address.redirectOnly) await until(() => red.read(room).some(line => line.includes('Rad fertig')), 'the case')
    }
    const evaWrites = (text: string) => blue.say(chat, 'blue:eva', text, {
      direct: true, to: 'werkstatt', sender: { id: 'blue:eva', name: 'Eva' }, ...text.startsWith('Ist') && { key: 'question' }
    })

    it('of the contact reach the team: as their ghost in rooms, as the address in direct chats', async () => {
      await start()
      blue.does(chat, 'blue:eva', TYPES)
      assert.deepEqual(shown(), [
        ['red', room, 'blue blue:eva', true], ['red', 'werkstatt/@cem', '*', true], ['blue', room, 'blue blue:eva', true]
      ])
      blue.does(chat, 'blue:somebody', TYPES)
      assert.deepEqual(shown(), [])
    })

    it('of the team reach the contact as the address, and colleagues as who it is', async () => {
      await start()
      red.does(room, '@anna', TYPES)
      assert.deepEqual(shown(), [['blue', room, 'red @anna', true], ['blue', chat, '*', true]])
      red.does(room, '@stranger', TYPES)
      red.does('werkstatt-queue', '@anna', TYPES)
      red.does('werkstatt/@cem', '@cem', TYPES)
      assert.deepEqual(shown(), [])
    })

    it('of whoever cannot answer do not reach the contact', async () => {
      await start()
      await red.say(room, '@anna', 'Ja, seit Mittag')
      await until(() => blue.read(chat).length > 0, 'the answer')
      shown()
      blue.does(room, 'bernd', TYPES)
      assert.deepEqual(shown(), [['red', room, 'blue bernd', true]], 'Anna has the case')
      await started.stop()
      await start({ answers: 'explicit' })
      red.does(room, '@anna', TYPES)
      assert.deepEqual(shown(), [['blue', room, 'red @anna', true]], 'what is typed stays inside')
    })

    it('end with the case, with STOP, and where the address only points elsewhere', async () => {
      await start()
      await red.say(room, '@anna', '!done')
      await until(() => red.read(room).some(line => line.includes('⚪')), 'the end')
      shown()
      red.does(room, '@anna', TYPES)
      blue.does(chat, 'blue:eva', TYPES)
      assert.deepEqual(shown(), [])
      await evaWrites('STOP')
      await evaWrites('Doch noch etwas')
      red.does(room, '@anna', TYPES)
      assert.deepEqual(shown(), [])
      await started.stop()
      await start({ redirectOnly: true, automatic: { redirect: 'See our page' } })
      blue.does(chat, 'blue:eva', TYPES)
      assert.deepEqual(shown(), [])
    })

    it('tell the contact that the address has read what they said, once, whoever has; and the team that the contact has', async () => {
      await start({ shows: { typing: false, read: true } })
      const [said] = red.delivered.filter(({ place, action }) => place.id === room && action.kind === 'message')
      const [here] = blue.delivered.filter(({ place, action }) => place.id === room && action.kind === 'message')
      const [line] = red.delivered.filter(({ place, action }) => place.id === 'werkstatt/@cem' && action.kind === 'message')
      await settled()
      red.does(room, '@anna', reads(`red-${said!.key}`))
      await until(() => blue.signals.length > 1, 'the marks')
      assert.deepEqual(shown(), [['blue', room, 'red @anna', { delivered: [`blue-${here!.key}`] }], ['blue', chat, '*', { said: 'question' }]])
      blue.does(room, 'bernd', reads(`blue-${here!.key}`))
      red.does('werkstatt/@cem', '@cem', reads(`red-${line!.key}`))
      red.does('werkstatt/@cem', '@somebody', reads(`red-${line!.key}`))
      red.does(room, '@anna', reads(`red-${said!.key}`))
      await until(() => red.signals.length + blue.signals.length > 1, 'Bernd’s, and Anna’s once more')
      assert.deepEqual(shown(), [['red', room, 'blue bernd', { delivered: [`red-${said!.key}`] }],
        ['blue', room, 'red @anna', { delivered: [`blue-${here!.key}`] }]], 'the contact sees one')

      await red.say(room, '@anna', 'Ja, seit Mittag', { key: 'answer' })
      await until(() => blue.read(chat).length > 0, 'the answer')
      await settled()
      const answer = blue.delivered.find(({ place }) => place.id === chat)!
      blue.does(chat, 'blue:eva', reads(`blue-${answer.key}`))
      await until(() => red.signals.length > 1, 'the contact’s')
      assert.deepEqual(shown()[0], ['red', room, 'blue blue:eva', { said: 'answer' }])
    })

    it('that are switched off show nothing', async () => {
      await start({ shows: { typing: false, read: true } })
      red.does(room, '@anna', TYPES)
      blue.does(chat, 'blue:eva', TYPES)
      assert.deepEqual(shown(), [])
    })
  })
})
