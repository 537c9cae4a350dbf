import assert from 'node:assert/strict'
import type { FunctionAddress } from '../../../src/desk/address'
import { Refused } from '../../../src/model/errors'
import type { Content } from '../../../src/model/message'
import { plain, toPlain } from '../../../src/model/text'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { startBridge, type Started } from '../../support/started'

const words = (text: string): Content => ({ style: 'text', text: plain(text) })

describe('an answer that is changed or taken back', () => {
  let red: Practice, blue: Practice, phone: Practice
  let started: Started
  const TEAM = [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd', 'red @bernd')]
  const PHONE = { ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, textBytesMax: 200 } as const
  const room = 'werkstatt-1'
  const eva = 'werkstatt/red:eva'
  const max = 'werkstatt/phone:max'

  const start = async (more: Partial<FunctionAddress> = {}): Promise<void> => {
    [red, blue, phone] = [makePractice('red'), makePractice('blue', { window: 8 }), makePractice('phone', PHONE)]
    started = await startBridge([red, blue, phone], [], { addresses: [addressOn(['red', 'blue', 'phone'], TEAM, more)], clock: skippingClock() })
  }
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const evaWrites = (text: string) => red.say(eva, 'red:eva', text, { direct: true, to: 'werkstatt' })
  const maxWrites = (text: string) => phone.say(max, 'phone:max', text, { direct: true, to: 'werkstatt' })
  const anna = (text: string, more = {}) => red.say(room, '@anna', text, more)
  const bernd = (text: string, more = {}) => blue.say(room, 'bernd', text, more)
  const berndsPlace = { place: { network: 'blue', id: room }, at: 1, sender: { id: 'bernd', name: 'Bernd' } } as const
  const annasPlace = { place: { network: 'red', id: room }, at: 1, sender: { id: '@anna', name: 'Anna' } } as const
  const berndEdits = (key: string, of: string, text: string) => blue.inbox.accept({ ...berndsPlace, kind: 'edit', key, of, content: words(text) })
  const berndDeletes = (key: string, of: string) => blue.inbox.accept({ ...berndsPlace, kind: 'deletion', key, of })
  const annaEdits = (key: string, of: string, text: string) => red.inbox.accept({ ...annasPlace, kind: 'edit', key, of, content: words(text) })
  const reads = (where: Practice, place: string, line: string): Promise<void> =>
    until(() => where.read(place).includes(line), `“${line}” at ${place}, where there is ${JSON.stringify(where.read(place))}`)
  const done = (where: Practice, place: string): string[] => where.delivered.filter(one => one.place.id === place)
    .filter(({ action }) => action.kind !== 'room').map(({ action }) => action.kind)
  const settled = (): Promise<void> => until(async () => (await started.store.run(tx => tx.depth())).length === 0, 'all delivered')

  /** Anna has the case; Bernd's answer is held, and he sends it all the same, as `by` types the command. */
  const sentAfterAll = async (by = () => bernd('!send')): Promise<void> => {
    await anna('I have it')
    await bernd('On Mondey', { key: 'b1' })
    await until(() => blue.read(room).some(line => line.includes('Not sent: “On Mondey”')))
    await by()
  }

  it('that cannot be corrected because its contact has left that chat: its writer and the team are told', async () => {
    await start()
    await evaWrites('When?')
    await anna('On Mondey', { key: 'a1' })
    await reads(red, eva, '*: On Mondey')
    red.onSend = ({ place, action }) => {
      if (place.id === eva && action.kind === 'edit') throw new Refused('the contact has left the chat', undefined, 'moved')
    }
    await annaEdits('a2', 'a1', 'On Monday')
    const told = /“On Monday” \(the contact has left the chat.*again\)/
    for (const where of [red, blue]) await until(() => where.read(room).some(line => told.test(line)))
    assert.deepEqual(red.read(eva), ['*: On Mondey'])
  })

  it('into more than may be said there is told to its writer, and not to the contact', async () => {
    await start()
    await maxWrites('When?')
    await anna('On Monday', { key: 'a1' })
    await reads(phone, max, '*: On Monday')
    await annaEdits('e1', 'a1', 'Monday '.repeat(400))
    await until(() => red.read(room).some(line => line.includes('Not delivered to')))
    await settled()
    assert.deepEqual(phone.read(max), ['*: On Monday'])
  })

  it('and of which nothing is known any more is said again with a star, to the team and by an agent to the contact', async () => {
    await start()
    await evaWrites('When?')
    await reads(blue, room, 'red:eva (red): When?')
    await red.inbox.accept({
      kind: 'edit', key: 'x1', of: 'long ago', place: { network: 'red', id: eva }, at: 1, sender: { id: 'red:eva', name: 'red:eva' },
      content: words('Where?')
    })
    await reads(blue, room, 'red:eva (red): * Where?')
    assert.deepEqual(red.read(eva), [])
  })

  it('reaches the contact as an edit, also if it was sent by !send', async () => {
    await start()
    await evaWrites('When?')
    await sentAfterAll()
    await reads(red, eva, '*: On Mondey')
    await berndEdits('b2', 'b1', 'On Monday')
    await reads(red, eva, '*: On Monday')
    await reads(red, room, 'Bernd (blue): On Monday')
    assert.deepEqual(done(red, eva), ['message', 'message', 'edit'])
    await berndEdits('b3', 'b1', '!n she is difficult')
    await reads(blue, room, '*: The change did not go out: the contact still sees what was there before.')
    await settled()
    assert.deepEqual(red.read(eva), ['*: I have it', '*: On Mondey', '*: On Monday'])
  })

  it('with a picture is one message on both sides: its words are corrected, and both are taken back', async () => {
    await start()
    for (const network of [red, blue]) Object.assign(network.can, { captions: true })
    const file = (network: string) => ({ kind: 'image', name: 'a.png', mime: 'image/png', at: { network, ref: 'x' } } as const)
    await red.say(eva, 'red:eva', '', { direct: true, to: 'werkstatt', key: 'e1', content: { ...words('Brokn'), file: file('red') } })
    await reads(blue, room, 'red:eva (red): Brokna.png')
    const evas = { place: { network: 'red', id: eva }, at: 1, sender: { id: 'red:eva', name: 'red:eva' } } as const
    await red.inbox.accept({ ...evas, kind: 'edit', key: 'e2', of: 'e1', content: { ...words('Broken'), file: file('red') } })
    await reads(blue, room, 'red:eva (red): Brokena.png')
    await bernd('', { key: 'b1', content: { ...words('Like thsi'), file: file('blue') } })
    await reads(red, eva, '*: Like thsia.png')
    await berndEdits('b2', 'b1', 'Like this')
    await reads(red, eva, '*: Like thisa.png')
    await berndDeletes('b3', 'b1')
    await red.inbox.accept({ ...evas, kind: 'deletion', key: 'e3', of: 'e1' })
    await settled()
    assert.deepEqual(done(red, eva), ['message', 'edit', 'deletion'])
    await reads(blue, room, 'red:eva (red): (deleted)')
  })

  it('is taken back, also if it was sent by !send from another app of its writer', async () => {
    await start()
    await evaWrites('When?')
    await sentAfterAll(() => red.say(room, '@bernd', '!send'))
    await reads(red, eva, '*: On Mondey')
    await berndDeletes('b2', 'b1')
    await until(() => done(red, eva).at(-1) === 'deletion')
    await settled()
    assert.deepEqual(done(red, eva), ['message', 'message', 'deletion'])
    assert.deepEqual(red.read(room).filter(line => line.endsWith('(deleted)')).length, 1, 'of what the team was shown as not sent')
    assert.deepEqual(blue.read(room).filter(line => line.endsWith('(deleted)')).length, 1, 'of what the team was shown as sent')
  })

  it('stays on a phone, also if it was sent by !send, and its writer is told; an edit is a message more', async () => {
    await start()
    await maxWrites('When?')
    await sentAfterAll()
    await reads(phone, max, '*: On Mondey')
    await berndEdits('b2', 'b1', 'On Monday')
    await reads(phone, max, '*: * On Monday')
    await berndDeletes('b3', 'b1')
    await reads(blue, room, '*: Deleted here, but the contact still has the message: nothing can be taken back by phone.')
  })

  it('is found once in the case if it was sent by !send, and a reply to it is no reply to something unseen', async () => {
    await start()
    await evaWrites('When?')
    await sentAfterAll()
    await reads(red, eva, '*: On Mondey')
    await bernd('!search Mondey')
    await until(() => blue.read(room).some(line => /^\*: #1 today \S+ Bernd: On Mondey$/.test(line)), JSON.stringify(blue.read(room)))
    await bernd('I mean Monday', { replyTo: ['b1'] })
    await bernd('!send')
    await reads(red, eva, '*: I mean Monday')
    assert.deepEqual(blue.read(room).filter(line => line.includes('has not seen')), [])
  })

  it('keeps the line with its writer\'s name, if it had one', async () => {
    await start({ signature: 'first name' })
    await evaWrites('When?')
    await anna('On Mondey', { key: 'a1' })
    await anna('At teen', { key: 'a2' })
    await reads(red, eva, '*: On Mondey\n– Anna')
    await annaEdits('a3', 'a1', 'On Monday')
    await reads(red, eva, '*: On Monday\n– Anna')
    await annaEdits('a4', 'a2', 'At ten')
    await reads(red, eva, '*: At ten')
    await reads(blue, room, 'Anna (red): On Monday')
    assert.deepEqual(red.read(eva), ['*: On Mondey\n– Anna', '*: At teen', '*: On Monday\n– Anna', '*: At ten'])
    await bernd('See you', { key: 'b1' })
    await bernd('!send')
    await reads(red, eva, '*: See you\n– Bernd')
    await berndEdits('b2', 'b1', 'See you then')
    await reads(red, eva, '*: See you then\n– Bernd')
  })

  const STILL_HELD = '*: Still not sent, because an edit sends nothing. To send the text to the contact as it is now: !send; or write it again.'
  const STAYS_NOTE = '*: Not sent: it stays a note, because an edit sends nothing and does nothing. Please write the text again.'
  const DOES_NOTHING = '*: Not sent: this edit does nothing. Please write the text again.'
  const lines = (line: string): number => red.read(room).filter(one => one === line).length

  it('from a slip that was kept back is not sent, its writer is told how, and !send sends what it says now', async () => {
    await start()
    await evaWrites('When?')
    await anna('1n mistyped', { key: 'a1' })
    await annaEdits('a2', 'a1', 'On Monday')
    await reads(red, room, STILL_HELD)
    await settled()
    assert.deepEqual(red.read(eva), [])
    await anna('!send')
    await reads(red, eva, '*: On Monday')
  })

  it('from a note, also one in a thread, is never sent, and its writer is told unless it is a note again', async () => {
    await start()
    await evaWrites('When?')
    await anna('!n she is difficult', { key: 'a1' })
    await anna('so is he', { key: 'a2', inThread: true })
    await annaEdits('a3', 'a1', '!n she is very difficult')
    await annaEdits('a4', 'a2', 'so is she')
    await settled()
    assert.equal(lines(STAYS_NOTE), 0)
    await annaEdits('a5', 'a1', 'On Monday')
    await reads(red, room, STAYS_NOTE)
    await annaEdits('a6', 'a1', '!release')
    await until(() => lines(STAYS_NOTE) === 2)
    await settled()
    assert.deepEqual(red.read(eva), [])
  })

  it('without the number that said in the inbox to whom it goes does not go out, and its writer is told', async () => {
    await start()
    await evaWrites('When?')
    const inbox = { place: { network: 'red', id: 'werkstatt-queue' }, at: 1, sender: { id: '@anna', name: 'Anna' }, kind: 'edit' } as const
    await red.say('werkstatt-queue', '@anna', '#1 On Monday', { key: 'a1' })
    await reads(red, eva, '*: On Monday')
    await red.inbox.accept({ ...inbox, key: 'a2', of: 'a1', content: words('she is difficult') })
    await reads(red, 'werkstatt-queue', '*: The change did not go out: the contact still sees what was there before.')
    await red.inbox.accept({ ...inbox, key: 'a3', of: 'a1', content: words('#1 On Tuesday') })
    await reads(red, eva, '*: On Tuesday')
    assert.deepEqual(red.read(eva), ['*: On Monday', '*: On Tuesday'])
  })

  it('from a command, or from what named no case, does nothing, and its writer is told', async () => {
    await start()
    await evaWrites('When?')
    const inbox = { place: { network: 'red', id: 'werkstatt-queue' }, at: 1, sender: { id: '@anna', name: 'Anna' }, kind: 'edit' } as const
    await anna('!status', { key: 'a1' })
    await annaEdits('a2', 'a1', 'On Monday')
    await reads(red, room, DOES_NOTHING)
    await red.say('werkstatt-queue', '@anna', 'On Monday', { key: 'a3' })
    await red.inbox.accept({ ...inbox, key: 'a4', of: 'a3', content: words('#1 On Monday') })
    await until(() => red.read('werkstatt-queue').filter(line => line === DOES_NOTHING).length === 1)
    await red.inbox.accept({ ...inbox, key: 'a5', of: 'a3', content: words('!release') })
    await until(() => red.read('werkstatt-queue').filter(line => line === DOES_NOTHING).length === 2)
    await settled()
    assert.deepEqual(red.read(eva), [])
  })
})

describe('a contact\'s message that is changed or taken back', () => {
  let red: Practice, blue: Practice
  let started: Started
  const TEAM = [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd')]
  const [room, inbox, eva] = ['werkstatt-1', 'werkstatt-queue', 'werkstatt/red:eva']
  const evas = { place: { network: 'red', id: eva }, at: 1, sender: { id: 'red:eva', name: 'Eva' } } as const

  const start = async (more: Partial<FunctionAddress> = {}): Promise<void> => {
    [red, blue] = [makePractice('red'), makePractice('blue')]
    started = await startBridge([red, blue], [], { addresses: [addressOn(['red', 'blue'], TEAM, more)], clock: skippingClock() })
  }
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const writes = (key: string, text: string) => red.say(eva, 'red:eva', text, { direct: true, to: 'werkstatt', key, sender: evas.sender })
  const edits = (key: string, of: string, text: string) => red.inbox.accept({ ...evas, kind: 'edit', key, of, content: words(text) })
  const takesBack = (key: string, of: string) => red.inbox.accept({ ...evas, kind: 'deletion', key, of })
  const settled = (): Promise<void> => until(async () => (await started.store.run(tx => tx.depth())).length === 0, 'all delivered')

  /** What is still to be read there: each message as it was edited last, unless it was deleted. */
  const left = (where: Practice, place: string): string[] => {
    const shown = new Map<string, string>()
    for (const { key, action, place: { id } } of where.delivered) {
      if (id !== place) continue
      if (action.kind === 'message') shown.set(key, toPlain(action.content.text))
      else if (action.kind === 'edit') shown.set(action.of, toPlain(action.content.text))
      else if (action.kind === 'deletion') shown.delete(action.of)
    }
    return [...shown.values()]
  }

  it('and opened the case goes from what announces it too, which announces it again without words', async () => {
    await start()
    await writes('e1', 'My PIN is 4711')
    await writes('e2', 'Hello?')
    await settled()
    await takesBack('e3', 'e1')
    await settled()
    for (const where of [red, blue]) {
      assert.deepEqual(left(where, inbox), ['#1 Eva (red) · 🔴 new'])
      assert.deepEqual(left(where, room), ['Hello?'])
    }
  })

  it('and opened a case that is closed does not come back with the next one', async () => {
    await start({ followUp: 'reopen' })
    await writes('e1', 'My PIN is 4711')
    await red.say(room, '@anna', '!done')
    await settled()
    await takesBack('e2', 'e1')
    await settled()
    assert.deepEqual(left(blue, inbox), [])
    const before = blue.delivered.length
    await writes('e3', 'Hello?')
    await settled()
    assert.deepEqual(left(blue, inbox), ['#1 Eva (red) · 🔴 new: “Hello?”'])
    assert.doesNotMatch(JSON.stringify(blue.delivered.slice(before)), /4711/)
  })

  it('and did not open the case leaves what announces it; what opened it is corrected there', async () => {
    await start()
    await writes('e1', 'Whre are you?')
    await writes('e2', 'Hello?')
    await takesBack('e3', 'e2')
    await settled()
    assert.deepEqual(left(blue, inbox), ['#1 Eva (red) · 🔴 new: “Whre are you?”'])
    await edits('e4', 'e1', 'Where are you?')
    await settled()
    assert.deepEqual(left(blue, inbox), ['#1 Eva (red) · 🔴 new: “Where are you?”'])
    await takesBack('e5', 'e1')
    await settled()
    assert.deepEqual(left(blue, inbox), ['#1 Eva (red) · 🔴 new'])
  })
  it('and gets new words in a closed case opens it again, and is announced; the same words, or those of a machine, open none', async () => {
    await start({ followUp: 'reopen' })
    await writes('e1', 'Thank you')
    await red.say(room, '@anna', '!done')
    await settled()
    await edits('e2', 'e1', 'Thank you')
    await red.inbox.accept({ ...evas, kind: 'edit', key: 'e3', of: 'e1', content: { style: 'quiet', text: plain('12:01') } })
    await settled()
    assert.match(left(blue, inbox).join('\n'), /^#1 Eva \(red\) · ⚪ done: .*$/)
    await edits('e4', 'e1', 'Thank you, but where is it?')
    await settled()
    const line = '#1 Eva (red) · 🔴 new: “Thank you, but where is it?”'
    assert.equal(left(blue, inbox).at(-1), line)
    const announced = blue.delivered.findLast(({ place, action }) => place.id === inbox && action.kind === 'message')?.action
    assert.equal(announced?.kind === 'message' && announced.content.style, 'alert', 'it rings')
    assert.ok(red.read(room).includes('*: [Eva (red) · 🔴 new]'))
  })
})
