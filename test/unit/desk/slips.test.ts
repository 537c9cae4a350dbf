/** What people of a team type by mistake, and where: none of it may reach a contact. */
import assert from 'node:assert/strict'
import type { FunctionAddress } from '../../../src/desk/address'
import type { Content } from '../../../src/model/message'
import { plain, type Text } from '../../../src/model/text'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { startBridge, type Started } from '../../support/started'

describe('what the team says by mistake', () => {
  let red: Practice, blue: Practice, phone: Practice
  let started: Started
  const TEAM = [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd')]
  const room = 'werkstatt-1'
  const queue = 'werkstatt-queue'
  const max = 'werkstatt/phone:max'
  const eva = 'werkstatt/phone:eva'

  const start = async (more: Partial<FunctionAddress> = {}): Promise<void> => {
    [red, blue] = [makePractice('red'), makePractice('blue', { window: 8 })]
    phone = makePractice('phone', { ghosts: false, formatting: false, edits: true, deletions: true, afterCrash: 'park' })
    started = await startBridge([red, blue, phone], [], { addresses: [addressOn(['red', 'blue', 'phone'], TEAM, more)] })
  }
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const texts = (from: string, text: string): Promise<unknown> => phone.say(`werkstatt/phone:${from}`, `phone:${from}`, text, {
    direct: true, to: 'werkstatt', sender: { id: `phone:${from}`, name: from }
  })
  const reads = (where: Practice, place: string, fits: string | RegExp): Promise<void> => until(
    () => where.read(place).some(line => typeof fits === 'string' ? line === fits : fits.test(line)),
    `${fits} at ${place}, where there is ${JSON.stringify(where.read(place))}`)
  const delivered = (): Promise<void> => until(async () => (await started.store.run(tx => tx.depth())).length === 0, 'all delivered')
  const edit = (where: Practice, place: string, sender: string, of: string, content: Content): Promise<unknown> => where.inbox.accept({
    kind: 'edit', key: `edit of ${of} ${JSON.stringify(content).length}`, place: { network: where.name, id: place }, at: 1,
    sender: { id: sender, name: sender }, of, content
  })
  const words = (text: string | Text): Content => ({ style: 'text', text: typeof text === 'string' ? plain(text) : text })
  /** A reply to something that was delivered there, as a network passes it on. */
  const replying = (where: Practice, place: string, fits: RegExp) => {
    const index = where.read(place).findLastIndex(line => fits.test(line))
    assert.ok(index >= 0, `nothing like ${fits} at ${place}: ${JSON.stringify(where.read(place))}`)
    const { key } = where.delivered.filter(({ place: { id } }) => id === place)[index]!
    return { replyTo: [`${where.name}-${key}`] }
  }

  const SLIPS: [typed: string, text?: Text][] = [
    ['! frei'], ['!frei.'], ['!erledigt!'], ['/frei'], ['// careful, he owes us money'], ['/ careful, he owes us money'], ['/me laughs'],
    [' !frei'], ['\u200b!frei'], ['！frei'], ['❗frei'], ['*!frei*'], ['`!frei`'], ['- !frei'], ['!n careful, he owes us money'],
    ['> Hello?\n!n careful, he owes us money'], ['> Hello?\n!frei'], ['> Hello?\n\n// careful'], ['!!!'], ['! wichtig'], ['!senden.'],
    ['Good morning\n!frei'], ['!frie'],
    ['⚠️!n careful'], ['\\!n careful'], ['¡n careful'], ['#1 ¡notiz careful'], ['#1⚠️!n careful'], ['Notiz: careful'], ['internal: careful'],
    ['(intern) careful'], ['ok\n¡n careful'],
    ['ok!n careful'], ['kommt morgen.!n careful'], ['Hallo (!n careful)'], ['ok\n(!n careful)'], ['ok！notiz careful'],
    ['a quotation as a block', [{ kind: 'quote', of: plain('Hello?') }, ...plain('!n careful')]],
    ['bold', [{ kind: 'paragraph', of: [{ kind: 'bold', of: [{ kind: 'text', text: '!frei' }] }] }]],
    ['code', [{ kind: 'code', text: '!frei' }]],
    ['a list', [{ kind: 'list', ordered: false, items: [plain('!n careful')] }]]
  ]
  for (const [typed, text = plain(typed)] of SLIPS) {
    it(`keeps from the contact: ${JSON.stringify(typed)}`, async () => {
      await start()
      await texts('max', 'Hello?')
      await reads(red, room, 'max (phone): Hello?')
      await red.say(room, '@anna', '', { content: words(text) })
      await delivered()
      assert.deepEqual(phone.read(max), [])
    })
  }

  it('tells whoever wrote what begins like a note how to send it, by both ways', async () => {
    await start()
    await texts('max', 'Hello?')
    await reads(red, room, 'max (phone): Hello?')
    await red.say(room, '@anna', 'Note: the shop is closed')
    await reads(red, room, /begins like a note.*!n .*!send; .*!say/)
    await red.say(room, '@anna', '!send')
    await reads(phone, max, '*: Note: the shop is closed')
    await red.say(room, '@anna', '!say Note: also tomorrow')
    await reads(phone, max, '*: Note: also tomorrow')
  })

  it('keeps back a first word to somebody that has a note in it, and sends it to nobody by `!send`', async () => {
    await start()
    await texts('max', 'Hello?')
    await reads(red, room, 'max (phone): Hello?')
    await red.say(room, '@anna', '!consent phone:eva on paper')
    await red.say(room, '@anna', '!new phone:eva Intern: careful')
    await reads(red, room, /also begins like a note/)
    await red.say(room, '@anna', '!send')
    await reads(red, room, /no answer of yours kept back/)
    await delivered()
    assert.deepEqual([phone.read(max), phone.read(eva)], [[], []])
  })

  it('keeps back a file whose name or caption is a note', async () => {
    await start()
    await texts('max', 'Hello?')
    await reads(red, room, 'max (phone): Hello?')
    const file = (name: string, caption = ''): Content => ({
      ...words(caption), file: { kind: 'file', name, mime: 'text/plain', size: 3, at: { network: 'red', ref: `mxc://${name}` } }
    })
    await red.say(room, '@anna', '', { content: file('!n secret.txt') })
    await reads(red, room, /Did you mean !note/)
    await red.say(room, '@anna', '', { content: file('a.txt', '!n secret') })
    await red.say(room, '@anna', '', { content: file('!n secret.txt', 'Here you are') })
    await until(() => red.read(room).filter(line => /Did you mean !note/.test(line)).length === 2, 'both are held')
    await red.say(room, '@anna', '', { content: { ...file('a.txt', 'Here you are'), more: [file('!n secret.txt').file!] } })
    await until(() => red.read(room).filter(line => /Did you mean !note/.test(line)).length === 3, 'and one with more files')
    await delivered()
    assert.deepEqual(phone.read(max), [])
    await red.say(room, '@anna', '', { content: file('offer.txt') })
    await reads(phone, max, /offer\.txt/)
  })

  it('never lets an edit of an answer into a note, a command or something unclear out, and tells its writer', async () => {
    await start()
    await texts('max', 'Hello?')
    await red.say(room, '@anna', 'Good morning', { key: 'a1' })
    await reads(phone, max, '*: Good morning')
    for (const text of ['!n careful, he owes us money', '// careful', '!frei', '! frei', '¡notiz careful', 'Intern: careful']) {
      const before = red.read(room).length
      await edit(red, room, '@anna', 'a1', words(text))
      await delivered()
      assert.deepEqual(phone.read(max), ['*: Good morning'])
      assert.match(red.read(room).slice(before).join(), /still/i, text)
    }
    await edit(red, room, '@anna', 'a1', words('Good morning!'))
    await reads(phone, max, '*: Good morning!')
  })

  it('lets no command about a person see the case at hand: past another\'s claim', async () => {
    await start()
    await texts('max', 'Hello?')
    await blue.say(room, 'bernd', 'I look after it')
    await reads(phone, max, '*: I look after it')
    await red.say(room, '@anna', '!consent phone:eva on paper')
    await red.say(room, '@anna', '!new phone:eva Your tax notice')
    await reads(phone, eva, '*: Your tax notice')
    await delivered()
    assert.deepEqual(phone.read(max), ['*: I look after it'])
  })

  it('lets no command about a person see the case at hand: past STOP', async () => {
    await start()
    await texts('max', 'Hello?')
    await reads(red, room, 'max (phone): Hello?')
    await texts('max', 'STOP')
    await reads(red, room, /STOP/)
    await red.say(room, '@anna', '!consent phone:eva on paper')
    await red.say(room, '@anna', '!new phone:eva Your tax notice')
    await reads(phone, eva, '*: Your tax notice')
    await delivered()
    assert.deepEqual(phone.read(max).filter(line => line.includes('tax')), [])
  })

  it('holds what is written to a person by command while a colleague has their case', async () => {
    await start()
    await texts('eva', 'Hello?')
    await blue.say(room, 'bernd', 'I look after it')
    await reads(phone, eva, '*: I look after it')
    await red.say(queue, '@anna', '!new phone:eva Me too')
    await reads(red, queue, /Bernd/)
    await reads(red, queue, /kept at #1/)
    await delivered()
    assert.deepEqual(phone.read(eva), ['*: I look after it'])
    assert.equal((await started.store.run(tx => tx.desk.held(1))).length, 1)
  })

  it('takes a plain line in the inbox room for talk of the team, also from somebody who has one case', async () => {
    await start()
    await texts('max', 'Hello?')
    await red.say(room, '@anna', 'Good morning')
    await reads(phone, max, '*: Good morning')
    await red.say(queue, '@anna', 'What a tiresome customer')
    await reads(blue, queue, 'Anna (red): What a tiresome customer')
    await delivered()
    assert.deepEqual(phone.read(max), ['*: Good morning'])
    assert.deepEqual(red.read(room).concat(blue.read(room)).filter(line => line.includes('tiresome')), [])
  })

  it('sends a line with a number in front from the inbox room, without the number, and shows it to all of the team', async () => {
    await start()
    await texts('max', 'Hello?')
    await reads(red, queue, /#1/)
    await red.say(queue, '@anna', '#1 Good morning')
    await reads(phone, max, '*: Good morning')
    await reads(blue, room, 'Anna (red): Good morning')
    await reads(red, room, 'Anna (red): Good morning')
  })

  it('takes a reply to the announcement of a case, or to a line about it, for an answer in it, also after a restart', async () => {
    await start()
    await texts('eva', 'First')
    await texts('max', 'Second')
    await reads(red, queue, /#2/)
    await red.say(queue, '@anna', 'An answer to the first', replying(red, queue, /#1 /))
    await reads(phone, eva, '*: An answer to the first')
    const { path } = started
    const reply = replying(red, queue, /#2 /)
    await started.stop()
    started = await startBridge([red, blue, phone], [], { addresses: [addressOn(['red', 'blue', 'phone'], TEAM)], path })
    await red.say(queue, '@anna', 'An answer to the second', reply)
    await reads(phone, max, '*: An answer to the second')
  })

  it('sends no quotation that the contact has not seen: one of a note is held, one of an announcement is left out', async () => {
    await start()
    await texts('max', 'Is my bike ready?\nAnd what is it?')
    await reads(red, room, /Is my bike ready/)
    await red.say(room, '@anna', '!n he owes us money')
    await red.say(room, '@anna', '> he owes us money\nI know')
    await reads(red, room, /quotes or answers something that the contact has not seen/)
    await red.say(room, '@anna', '* > he owes us money\nI know')
    await until(() => red.read(room).filter(line => /the contact has not seen/.test(line)).length === 2, 'the one in a list is held too')
    await red.say(room, '@anna', '> max (phone): And what is it…\n20 €', { key: 'a1' })
    await reads(phone, max, '*: > max (phone): And what is it…\n20 €')
    await edit(red, room, '@anna', 'a1', words('> he owes us money\n20 €'))
    await reads(red, room, /still/)
    await red.say(queue, '@anna', '> #1 🔴 new · max\nGood morning', replying(red, queue, /#1 /))
    await reads(phone, max, '*: Good morning')
    await delivered()
    assert.deepEqual(phone.read(max).filter(line => /money|🔴/.test(line)), [])
  })

  it('holds in a case room what names another case', async () => {
    await start()
    await texts('eva', 'First')
    await texts('max', 'Second')
    await reads(red, 'werkstatt-2', 'max (phone): Second')
    await red.say('werkstatt-2', '@anna', '#1 For the first alone')
    await reads(red, 'werkstatt-2', /#1/)
    await red.say('werkstatt-2', '@anna', '#2 For the second')
    await reads(phone, max, '*: For the second')
    await delivered()
    assert.deepEqual(phone.read(eva), [])
  })

  it('explicit: only marked answers and replies to the contact go out', async () => {
    await start({ answers: 'explicit' })
    await texts('max', 'Hello?')
    await reads(red, room, 'max (phone): Hello?')
    await red.say(room, '@anna', 'Who knows him?')
    await reads(blue, room, /Anna \(red\): .*Who knows him\?/)
    await red.say(room, '@anna', '!a Good morning')
    await reads(phone, max, '*: Good morning')
    await red.say(room, '@anna', 'What may I do for you?', replying(red, room, /Hello/))
    await reads(phone, max, '*: What may I do for you?')
    await red.say(queue, '@anna', '#1 Once more for the team')
    await red.say(queue, '@anna', '#1 !a And for him')
    await reads(phone, max, '*: And for him')
    await delivered()
    assert.deepEqual(phone.read(max), ['*: Good morning', '*: What may I do for you?', '*: And for him'])
  })
  it('as an emote is held, and its writer told why; !send sends it', async () => {
    await start()
    await texts('max', 'Hello?')
    await red.say(room, '@anna', 'laughs', { content: { style: 'emote', text: plain('laughs') } })
    await reads(red, room, '*: Not sent, because with /me the address would speak of itself. To send it to the contact as it is: !send.')
    assert.deepEqual(phone.read(max), [])
    await red.say(room, '@anna', '!send')
    await reads(phone, max, '*: laughs')
  })

  it('as a notice of a machine is not sent, and its writer is told, once for all that come soon after it', async () => {
    await start()
    await texts('max', 'Hello?')
    for (const text of ['On Monday', 'At ten']) {
      await red.say(room, '@anna', text, { automatic: true, content: { style: 'quiet', text: plain(text) } })
    }
    const told = /^\*: Not sent: this came as a notice of a machine/
    await reads(red, room, told)
    await delivered()
    assert.equal(red.read(room).filter(line => told.test(line)).length, 1)
    assert.deepEqual(phone.read(max), [])
  })
})
