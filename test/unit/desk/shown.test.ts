import assert from 'node:assert/strict'
import type { FunctionAddress } from '../../../src/desk/address'
import type { Sender } from '../../../src/model/message'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { startBridge, type Started } from '../../support/started'

describe('what contacts are called', () => {
  let red: Practice, phone: Practice
  let started: Started
  const PHONE = { ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, afterCrash: 'park' } as const
  const NUMBER = 'phone:+491701234577'
  const MAX = { name: 'Max', nameless: false }
  const chat = `werkstatt/${NUMBER}`
  const room = 'werkstatt-1'

  const start = async (more: Partial<FunctionAddress> = {}): Promise<void> => {
    [red, phone] = [makePractice('red'), makePractice('phone', PHONE)]
    started = await startBridge([red, phone], [], { addresses: [addressOn(['red', 'phone'], [agent('Anna', 'red @anna')], more)] })
  }
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const writes = (text: string, sender: Partial<Sender> = {}) => phone.say(chat, NUMBER, text, {
    direct: true, to: 'werkstatt', sender: { id: NUMBER, name: '+49…77', nameless: true, ...sender }
  })
  const reads = (where: Practice, place: string, line: string): Promise<void> =>
    until(() => where.read(place).includes(line), `“${line}” at ${place}, where there is ${JSON.stringify(where.read(place))}`)

  it('puts no address and no masked number into what they read', async () => {
    await start({ automatic: { greeting: 'Good day {name}, welcome.' }, texts: { offer: { text: '{contact.name}, your offer is ready.' } } })
    await writes('Hello?')
    await reads(phone, chat, '*: Good day, welcome.')
    await red.say(room, '@anna', '!t offer')
    await reads(phone, chat, '*: your offer is ready.')
  })

  it('shows the team the whole address of contacts without a name, and the name of those who have one', async () => {
    await start({ automatic: { greeting: 'Good day {name}, welcome.' } })
    await writes('Hello?')
    await reads(red, room, `*: [${NUMBER} (phone) · 🔴 new]`)
    await reads(red, room, `${NUMBER} (phone): Hello?`)
    await red.say(room, '@anna', '!status')
    await until(() => red.read(room).some(line => line.includes(`· ${NUMBER} (phone) ·`)))
    await writes('It is me', MAX)
    await reads(red, room, '*: [Max (phone) · 🔴 new]')
    await red.say(room, '@anna', '!status')
    await until(() => red.read(room).some(line => line.includes(`· Max, ${NUMBER} (phone) ·`)), 'whom they write to, in full')
    assert.ok(red.delivered.every(({ as, action }) => !JSON.stringify([as, action]).includes('+49…77')))
  })

  it('shows no name that forges a line or reverses the text after it', async () => {
    await start()
    await writes('Hello?', { name: 'Max\n#2 🔴 new · Eva\u202e\u2066', nameless: false })
    await red.say('werkstatt-queue', '@anna', '!list')
    await until(() => red.read('werkstatt-queue').some(line => line.includes('since')))
    const shown = JSON.stringify(red.delivered.map(({ as, action }) => [as?.name, action]))
    assert.doesNotMatch(shown, /Max\\n|\u202e|\u2066/)
    const list = red.read('werkstatt-queue').find(line => line.includes('since'))
    assert.equal(list?.split('\n').length, 1)
  })

  it('lets no line of theirs in a direct chat pass for the desk’s or for another case, however broken and long it is', async () => {
    await start({ team: [agent('Anna', 'red @anna'), { ...agent('Bernd', 'red bernd'), direct: true }] })
    const own = 'werkstatt/bernd'
    const GAPS = ['\n', '\r', '\r\n', '\v', '\f', '\u0085', '\u2028', '\u2029']
    await writes(`Hello?${GAPS.map(gap => `${gap}#18 · Dora: pay me`).join('')}`, MAX)
    for (let length = 9_900; length < 10_000; length += 7) await writes(`${'x'.repeat(length)} #18 · Dora: pay me ${'y'.repeat(length)}`, MAX)
    await writes('That is all', MAX)
    await reads(red, own, '*: #1 Max (phone):\n> That is all')
    const lines = red.read(own).flatMap(text => text.replace(/^\*: /, '').split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/))
    assert.deepEqual(lines.filter(line => line.includes('Dora') && !/^(?:> |#1 )/.test(line)), [])
    assert.ok(lines.filter(line => line.includes('Dora')).length > GAPS.length)
  })

  it('lets no name of a file in a direct chat pass for a line of another case', async () => {
    await start({ team: [agent('Anna', 'red @anna'), { ...agent('Bernd', 'red bernd'), direct: true }] })
    const file = { kind: 'file' as const, name: '#2 Dora: please pay.pdf', mime: 'application/pdf', at: { network: 'phone', ref: 'x' } }
    await phone.inbox.accept({
      kind: 'message', key: 'file', place: { network: 'phone', id: chat }, at: 0, direct: true, to: 'werkstatt',
      sender: { id: NUMBER, ...MAX }, content: { style: 'text', text: [], file }
    })
    await writes('That is all', MAX)
    await reads(red, 'werkstatt/bernd', '*: #1 Max (phone):\n> That is all')
    const lines = red.delivered.filter(({ place }) => place.id === 'werkstatt/bernd').map(delivery => JSON.stringify(delivery.action))
    assert.ok(lines.some(line => line.includes('2 Dora please pay.pdf')), lines.join('\n'))
    assert.deepEqual(lines.filter(line => line.includes('#2 Dora') && !line.includes('#1 ')), [])
  })

  it('shows no name that looks like the head of another case or like what was said', async () => {
    await start({ team: [agent('Anna', 'red @anna'), { ...agent('Bernd', 'red bernd'), direct: true }] })
    await writes('Hello?', { name: '#18 🟢 Bernd · Dora: pay me', nameless: false })
    await reads(red, 'werkstatt/bernd', '*: #1 18 Bernd · Dora pay me (phone):\n> Hello?')
    await reads(red, room, '18 Bernd · Dora pay me (phone): Hello?')
    await writes('Again', { name: '🔴', nameless: false })
    await reads(red, room, `${NUMBER} (phone): Again`)
  })

  it('lets no line of theirs pass for the words of somebody else when a case is passed on', async () => {
    const other = addressOn(['phone'], [agent('Vera', 'red @vera')], { name: 'verkauf', slug: 'verkauf', profile: { name: 'Verkauf', about: '' } })
    await start()
    await started.stop()
    started = await startBridge([red, phone], [], { addresses: [
      addressOn(['red', 'phone'], [agent('Anna', 'red @anna')]), { ...other, identities: [{ network: 'phone', id: 'verkauf' }] }
    ] })
    await writes('Hello?\nAnna: Take 20 € off\u2028Anna: promised', MAX)
    await red.say(room, '@anna', '!assign verkauf')
    await reads(red, 'verkauf-1', '*: Max: Hello?\n> Anna: Take 20 € off\n> Anna: promised')
  })
})
