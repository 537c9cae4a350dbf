import assert from 'node:assert/strict'
import type { FunctionAddress } from '../../../src/desk/address'
import { Refused } from '../../../src/model/errors'
import type { MessageArrival } from '../../../src/model/message'
import { plain } from '../../../src/model/text'
import type { DirectRules } from '../../../src/plan/directs'
import { addressOn } from '../../support/address'
import { makePractice, type Practice, until } from '../../support/practice'
import { startBridge, type Started } from '../../support/started'

describe('a direct chat between two persons', () => {
  const PHONE = { ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, replies: false, reactions: 'none' } as const
  const NUMBER = 'phone:ours-1'
  let red: Practice, blue: Practice, phone: Practice
  let started: Started
  const now = Date.now()
  let said = 0

  const any = (network: string, id = '*'): { network: string, id: string } => ({ network, id })
  const RULES: DirectRules = {
    allow: [
      { from: [any('red', 'red:*@house')], to: [any('blue'), any('phone', 'phone:+49*')] },
      { from: [any('blue', 'blue:*@partner')], to: [any('red', 'red:anna@house')] }
    ],
    numbers: [{ ours: any('phone', NUMBER), person: any('red', 'red:anna@house') }],
    perDay: 3, shows: { typing: true, read: false }
  }

  const start = async (rules: DirectRules | 'none' = RULES, path?: string, addresses: FunctionAddress[] = []): Promise<void> => {
    [red, blue, phone] = [makePractice('red'), makePractice('blue'), makePractice('phone', PHONE)]
    started = await startBridge([red, blue, phone], [], {
      ...rules !== 'none' && { directChats: rules }, addresses, ...path !== undefined && { path }
    })
  }
  beforeEach(() => start())
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const ANNA = 'red:anna@house'
  const BOB = 'blue:bob@elsewhere'
  const MAX = 'phone:+491701234567'
  const ghost = (on: string, network: string, id: string): string => `${on}:ours ${network} ${id}`
  const chatOf = (ours: string, theirs: string): string => `${ours}/${theirs}`
  const nameOf = (who: string): string => who.slice(who.indexOf(':') + 1).split('@')[0]!
  /** `who` writes to the ghost of `whom`. */
  const write = (who: string, whom: string, text: string, more: Partial<MessageArrival> = {}): Promise<'stored' | 'seen'> => {
    const [on, of] = [who.split(':')[0]!, whom.split(':')[0]!]
    const ours = whom === NUMBER ? NUMBER : ghost(on, of, whom)
    return { red, blue, phone }[on]!.say(chatOf(ours, who), who, text, {
      direct: true, to: ours, key: `said ${++said}`, sender: { id: who, name: nameOf(who) }, ...more
    })
  }
  const reads = (who: string, other: string): string[] => {
    const [on, of] = [who.split(':')[0]!, other.split(':')[0]!]
    return { red, blue, phone }[on]!.read(chatOf(other === NUMBER ? NUMBER : ghost(on, of, other), who))
  }
  const until2 = (who: string, other: string, count: number): Promise<void> =>
    until(() => reads(who, other).length === count, `${who} reads ${count} from ${other}: ${JSON.stringify(reads(who, other))}`)

  it('begins with the first message, and goes on from both sides, over a restart too', async () => {
    await write(ANNA, BOB, 'Hello Bob')
    await until2(BOB, ANNA, 1)
    await write(BOB, ANNA, 'Hello Anna')
    await until2(ANNA, BOB, 1)
    await started.stop()
    await start(RULES, started.path)
    await write(BOB, ANNA, 'Still there?')
    await until2(ANNA, BOB, 1)
    assert.deepEqual(reads(ANNA, BOB), ['bob (blue): Still there?'])
    assert.deepEqual(red.attended, [], 'a chat is no room to be entered')
  })

  const refuses = (why: 'moved' | 'parted'): void => { blue.onSend = () => { throw new Refused('no', undefined, why) } }

  it('tells by their name who is not reached, once they have said it, over a restart too', async () => {
    await write(ANNA, BOB, 'Hello Bob')
    await until2(BOB, ANNA, 1)
    refuses('parted')
    await write(ANNA, BOB, 'one')
    await until2(ANNA, BOB, 1)
    await write(BOB, ANNA, 'Hello Anna')
    await until2(ANNA, BOB, 2)
    await write(ANNA, BOB, 'two')
    await until2(ANNA, BOB, 3)
    const whom = (lines: string[]): (string | undefined)[] => lines.map(line => /^\*: Not delivered to (.*): “/.exec(line)?.[1])
    assert.deepEqual(whom(reads(ANNA, BOB)), [`${BOB} (blue)`, undefined, 'bob (blue)'])
    blue.onSend = () => {}
    red.onSend = () => { throw new Refused('no', undefined, 'parted') }
    await write(BOB, ANNA, 'and I you?')
    await until(() => reads(BOB, ANNA).some(line => line.startsWith('*: Not delivered to anna (red): “and I you?”')), 'she said it first')
    await started.stop()
    await start(RULES, started.path)
    refuses('parted')
    await write(ANNA, BOB, 'three')
    await until2(ANNA, BOB, 1)
    assert.deepEqual(whom(reads(ANNA, BOB)), ['bob (blue)'])
  })

  it('tells who changes or likes what stands where the other has left that they see nothing of it', async () => {
    await write(ANNA, BOB, 'Hello Bob', { key: 'first' })
    await until2(BOB, ANNA, 1)
    await write(BOB, ANNA, 'Hello Anna', { key: 'hers' })
    await until2(ANNA, BOB, 1)
    const about = { place: { network: 'red', id: chatOf(ghost('red', 'blue', BOB), ANNA) }, at: 1, sender: { id: ANNA, name: 'anna' } }
    refuses('moved')
    await red.inbox.accept({ ...about, kind: 'reaction', key: 'like', of: [`red-${red.delivered[0]!.key}`], emojis: ['👍'] })
    await until2(ANNA, BOB, 2)
    blue.onSend = () => ({ unseen: true })
    await red.inbox.accept({ ...about, kind: 'deletion', key: 'back', of: 'first' })
    await until2(ANNA, BOB, 3)
    assert.deepEqual(reads(ANNA, BOB).slice(1), [
      '*: Your reaction is not seen: bob (blue) has left the chat in which the message stands.',
      '*: Deleted here, but not everywhere: the message is still there for bob (blue).'
    ])
  })

  it('carries edits, reactions and deletions, as a mirror does, and who types', async () => {
    await write(ANNA, BOB, 'Helo', { key: 'first' })
    await until2(BOB, ANNA, 1)
    const at = { network: 'red', id: chatOf(ghost('red', 'blue', BOB), ANNA) }
    const there = { network: 'blue', id: chatOf(ghost('blue', 'red', ANNA), BOB) }
    const sender = { id: ANNA, name: 'anna' }
    const content = { style: 'text', text: plain('Hello') } as const
    await red.inbox.accept({ kind: 'edit', key: 'edit', place: at, at: now, sender, of: 'first', content })
    await blue.inbox.accept({
      kind: 'reaction', key: 'thumb', place: there, at: now, sender: { id: BOB, name: 'bob' }, emojis: ['👍'],
      of: [`blue-${blue.delivered[0]!.key}`]
    })
    await until2(ANNA, BOB, 1)
    await red.inbox.accept({ kind: 'deletion', key: 'gone', place: at, at: now, sender, of: 'first' })
    await until2(BOB, ANNA, 3)
    assert.deepEqual(reads(BOB, ANNA), ['Helo', 'Hello', '(deleted)'].map(text => `anna (red): ${text}`))
    assert.deepEqual(reads(ANNA, BOB), ['bob (blue): [👍]'])
    red.does(at.id, ANNA, { kind: 'typing', typing: true })
    red.does(at.id, 'red:eve@house', { kind: 'typing', typing: true })
    assert.deepEqual(blue.signals.map(({ place }) => place.id), [there.id], 'of the two alone')
  })

  it('is begun by nobody whom the config does not name, and told so; nobody else learns who exists', async () => {
    await write('red:eve@strange', BOB, 'buy')
    await until2('red:eve@strange', BOB, 1)
    assert.deepEqual(reads('red:eve@strange', BOB), ['*: Not delivered: you cannot have a chat with this contact here.'])
    await write(BOB, ANNA, 'buy')
    await until2(BOB, ANNA, 1)
    await write('blue:carl@partner', ANNA, 'Good morning')
    await until2(ANNA, 'blue:carl@partner', 1)
    assert.deepEqual(red.delivered.filter(({ as }) => as !== undefined).length, 1)
    const admits = (theirs: string, of: string): boolean => blue.inbox.admits({ network: 'blue', id: theirs }, ghost('blue', 'red', of), true)
    assert.deepEqual([admits(BOB, ANNA), admits('blue:carl@partner', ANNA), admits('blue:carl@partner', 'red:nobody@house')], [false, true, false])
  })

  it('tells the ghost behind an address that somebody typed, whether there is such a person or not', () => {
    const of = (written: string): string | undefined => blue.inbox.ghostOf('blue', written)
    assert.deepEqual([of(ANNA), of('red:nobody')], [ghost('blue', 'red', ANNA), ghost('blue', 'red', 'red:nobody')])
    assert.deepEqual([of(BOB), of('nothing')], [undefined, undefined])
    assert.equal(phone.inbox.ghostOf('phone', ANNA), undefined, 'it has no ghosts')
  })

  it('is over for both when the config does not allow it any more', async () => {
    await write(ANNA, BOB, 'Hello')
    await until2(BOB, ANNA, 1)
    await started.stop()
    await start('none', started.path)
    await write(BOB, ANNA, 'Hello?')
    await write(ANNA, BOB, 'Hello?')
    await until2(ANNA, BOB, 1)
    await until2(BOB, ANNA, 1)
    assert.deepEqual([...reads(ANNA, BOB), ...reads(BOB, ANNA)], Array(2).fill('*: Not delivered: you cannot have a chat with this contact here.'))
  })

  it('is never with a function address or a ghost', async () => {
    await started.stop()
    const allow = [{ from: [any('red'), any('blue')], to: [any('red'), any('blue')] }]
    await start({ ...RULES, allow }, undefined, [addressOn([], [], { identities: [any('red', 'red:werkstatt')] })])
    const of = (id: string): boolean => blue.inbox.admits({ network: 'blue', id: BOB }, ghost('blue', 'red', id), true)
    assert.deepEqual([of('red:werkstatt'), of('red:ours'), of('red:ours blue x'), of('no address'), of(ANNA)], [false, false, false, false, true])
  })

  it('carries the words of nobody but the two, and says so', async () => {
    await write(ANNA, BOB, 'Hello')
    await until2(BOB, ANNA, 1)
    const place = chatOf(ghost('red', 'blue', BOB), ANNA)
    await red.say(place, 'red:olaf@house', 'I am Anna', { direct: true, to: ghost('red', 'blue', BOB), key: 'olaf' })
    await until2(ANNA, BOB, 1)
    assert.deepEqual(reads(ANNA, BOB), ['*: Not passed on: this chat is between two people only, and you are neither of them.'])
    await red.inbox.accept({
      kind: 'reaction', key: 'r', place: { network: 'red', id: place }, at: now, sender: { id: 'red:olaf@house', name: 'Olaf' },
      of: [`red-${red.delivered[0]!.key}`], emojis: ['👍']
    })
    const dora = ghost('red', 'blue', 'blue:dora@x')
    await red.say(chatOf(dora, ANNA), 'red:olaf@house', 'first', { direct: true, to: dora })
    await until2(ANNA, 'blue:dora@x', 1)
    assert.equal(blue.delivered.length, 1)
  })

  it('is begun so often a day, by one person and with one', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'a']) await write(ANNA, `blue:${name}@x`, 'Hello')
    await until(() => blue.delivered.length === 4 && red.delivered.length === 1)
    assert.deepEqual(reads(ANNA, 'blue:d@x'), ['*: Not delivered: you cannot have a chat with this contact here.'])
    const admitted = ['a', 'b', 'c', 'd', 'a']
      .map(name => blue.inbox.admits({ network: 'blue', id: `blue:${name}@partner` }, ghost('blue', 'red', ANNA), true))
    assert.deepEqual(admitted, [true, true, true, false, true])
  })

  it('begins with nothing that cannot be read', async () => {
    await write(ANNA, BOB, '', { content: { style: 'text', text: [], unreadable: 'encrypted' } })
    await write(ANNA, BOB, '', { content: { style: 'text', text: [], unreadable: 'poll' } })
    await until2(ANNA, BOB, 1)
    assert.equal(blue.delivered.length, 0)
    assert.equal(blue.inbox.admits({ network: 'blue', id: BOB }, ghost('blue', 'red', ANNA), false), false)
  })

  describe('with a phone, by a number that stands for one person', () => {
    it('says once whose number it is, and brings every answer to that person', async () => {
      await write(ANNA, MAX, 'Hello Max')
      await until2(MAX, NUMBER, 1)
      await write(MAX, NUMBER, 'Hello')
      await until2(ANNA, MAX, 1)
      await write(ANNA, MAX, 'Until tomorrow')
      await until2(MAX, NUMBER, 2)
      assert.deepEqual(reads(MAX, NUMBER), ['anna (red): anna (red): Hello Max', '*: Until tomorrow'])
      assert.deepEqual(reads(ANNA, MAX), ['+491701234567 (phone): Hello'])
    })

    it('has one-time codes as they came, because nobody else reads it', async () => {
      await write(ANNA, MAX, 'Hallo')
      await phone.inbox.accept({
        kind: 'message', key: 'sms-1', place: { network: 'phone', id: chatOf(NUMBER, MAX) }, at: now, direct: true, to: NUMBER, masked: 600_000,
        sender: { id: MAX, name: 'max', nameless: true }, content: { style: 'text', text: plain('Ihr Code lautet ••••••') }
      }, 'Ihr Code lautet 918273')
      await until2(ANNA, MAX, 1)
      assert.match(reads(ANNA, MAX)[0]!, /: Ihr Code lautet 918273$/)
    })

    it('is with nobody who has no number, and neither from a phone that the config does not name', async () => {
      await write('red:olaf@house', MAX, 'Hello')
      await until2('red:olaf@house', MAX, 1)
      await write(MAX, NUMBER, 'Who is that?')
      await until(async () => (await started.bridge.queue.unrouted()).length === 1)
      assert.equal(phone.delivered.length, 0)
      assert.equal(red.delivered.length, 1)
    })

    it('ends with STOP, and the writer hears that each time', async () => {
      await write(ANNA, MAX, 'Hello Max')
      await until2(MAX, NUMBER, 1)
      await write(MAX, NUMBER, 'STOP')
      await until2(ANNA, MAX, 1)
      await write(ANNA, MAX, 'Please')
      await until2(ANNA, MAX, 2)
      assert.deepEqual(reads(ANNA, MAX), [
        `*: ${MAX} gets no more messages (STOP).`,
        `*: Not delivered to ${MAX} (phone): “Please” (everything there was ended with STOP)`
      ])
      await write(MAX, NUMBER, 'START')
      await write(ANNA, MAX, 'Thanks')
      await until2(MAX, NUMBER, 4)
    })

    it('keeps “stop” a word where people have apps', async () => {
      await write(ANNA, BOB, 'stop')
      await until2(BOB, ANNA, 1)
      await write(BOB, ANNA, 'Stop')
      await until2(ANNA, BOB, 1)
      assert.deepEqual([reads(BOB, ANNA), reads(ANNA, BOB)], [['anna (red): stop'], ['bob (blue): Stop']])
    })
  })
})
