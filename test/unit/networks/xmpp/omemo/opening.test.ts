import assert from 'node:assert/strict'
import { AXOLOTL, readBundle } from '../../../../../src/networks/xmpp/omemo/elements'
import { child, type Element, elementsIn } from '../../../../../src/networks/xmpp/wire/xml'
import { makeApp, makeChat, OURS } from '../../../../support/omemo/chat'
import { until } from '../../../../support/practice'
import { handClock } from '../../../../support/quick'
import { makeVault } from '../../../../support/world'
import { parse } from '../parse'

const OLGA = 'olga@example.org'
const plainly = (text: string): Element => parse(`<message type='chat' from='${OLGA}/app' to='${OURS}' id='p'><body>${text}</body></message>`)
const turn = (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })
const settle = async (): Promise<void> => { for (let i = 0; i < 20; i++) await turn() }

/** The same with one byte of the key for us changed. */
const spoiled = (stanza: Element): Element => {
  const copy = structuredClone(stanza)
  const header = child(child(copy, 'encrypted', AXOLOTL)!, 'header')!
  const key = elementsIn(header).find(({ name }) => name === 'key')!
  const bytes = Buffer.from(String(key.children[0]), 'base64')
  bytes[bytes.length - 20]! ^= 1
  key.children = [bytes.toString('base64')]
  return copy
}

describe('what is written to an address with OMEMO', () => {
  it('is opened, and marked as encrypted; its writer gets something to take the session by', async () => {
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga] })
    await chat.hears(olga.say(chat, 'hello'))
    assert.deepEqual([chat.texts(), chat.taken[0]?.fate.sealed], [['hello'], true])
    await until(() => chat.sent.length === 1)
    assert.equal(olga.read(chat.sent[0]!), '')
    await chat.hears(olga.say(chat, 'again'))
    assert.deepEqual(chat.texts(), ['hello', 'again'])
  })

  it('is dropped if it comes again, also if it was the first of a session', async () => {
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga] })
    const [one, two] = [olga.say(chat, 'one'), olga.say(chat, 'two')]
    for (const stanza of [one, one, two, one, two]) chat.opening.message(stanza, chat.identity)
    await chat.hears(olga.say(chat, 'three'))
    await until(() => chat.texts().includes('three'))
    assert.deepEqual(chat.texts(), ['one', 'two', 'three'])
  })

  it('keeps its order, encrypted or not', async () => {
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga] })
    const said = [olga.say(chat, 'one'), plainly('two'), olga.say(chat, 'three'), plainly('four')]
    for (const stanza of said) chat.opening.message(stanza, chat.identity)
    await until(() => chat.taken.length === 4)
    assert.deepEqual(chat.texts(), ['one', 'two', 'three', 'four'])
  })

  it('is offered again after a crash, until it is stored', async () => {
    const kept = new Map<string, Uint8Array>()
    const olga = makeApp(OLGA)
    const first = await makeChat({ apps: [olga], vault: makeVault(kept) })
    first.hold()
    for (const text of ['one', 'two']) await first.hears(olga.say(first, text))
    const second = await makeChat({ apps: [olga], vault: makeVault(new Map(kept)) })
    assert.deepEqual(second.texts(), ['one', 'two'])
    await until(async () => (await second.vault.all('omemo taken ')).length === 0)
    await second.hears(olga.say(second, 'three'))
    assert.deepEqual(second.texts(), ['one', 'two', 'three'])
  })

  it('that cannot be opened is told, and the session begins anew', async () => {
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga] })
    await chat.hears(olga.say(chat, 'one'))
    await until(() => chat.sent.length === 1)
    olga.read(chat.sent[0]!)
    await chat.hears(spoiled(olga.say(chat, 'two')))
    assert.ok(chat.taken[1]?.fate.unread !== undefined && chat.taken[1].fate.sealed === undefined)
    await until(() => chat.sent.filter(({ xml }) => xml.includes('<encrypted')).length === 3)
    const read = chat.sent.slice(1).map(one => olga.read(one))
    assert.ok(read.includes('') && read.some(text => text?.includes('Please write again')), JSON.stringify(read))
    await chat.hears(olga.say(chat, 'three'))
    assert.equal(chat.texts().at(-1), 'three')
  })

  it('is told to be for others if there is no key for us, and our device is told again', async () => {
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga] })
    const stanza = olga.say(chat, 'one')
    const key = elementsIn(child(child(stanza, 'encrypted', AXOLOTL)!, 'header')!).find(({ name }) => name === 'key')!
    Object.assign(key, { attrs: { ...key.attrs, rid: '1' } })
    await chat.hears(stanza)
    assert.ok(chat.taken[0]?.fate.unread !== undefined)
    await until(() => chat.sent.some(({ xml }) => xml.includes('devicelist')))
  })

  it('is marked once if a device that we know has another key now, and not if it is a new device', async () => {
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga] })
    await chat.hears(olga.say(chat, 'one'))
    await chat.hears(makeApp(OLGA).say(chat, 'from my tablet', undefined, 1))
    const other = makeApp(OLGA, 'other key', olga.device)
    chat.opening.message(other.say(chat, undefined, undefined, 2), chat.identity)
    const correction = other.say(chat, 'corrected')
    correction.children.push(parse("<replace xmlns='urn:xmpp:message-correct:0' id='x'/>"))
    await chat.hears(correction)
    await chat.hears(other.say(chat, 'two'))
    await chat.hears(other.say(chat, 'three'))
    assert.deepEqual(chat.texts(), ['one', 'from my tablet', 'corrected', 'two', 'three'])
    const told = chat.taken.map(({ fate }) => fate.rekeyed)
    assert.match(String(told[3]), /^([0-9a-f]{8} ){7}[0-9a-f]{8}$/)
    assert.deepEqual([...told.slice(0, 3), told[4]], [undefined, undefined, undefined, undefined])
  })

  it('with a one-time key that was used before is not opened, and the next message is', async () => {
    const [olga, other] = [makeApp(OLGA), makeApp(OLGA)]
    const chat = await makeChat({ apps: [olga, other] })
    const { bundle } = chat.published()
    const late = other.say(chat, 'late')
    await chat.hears(olga.say(chat, 'first'))
    assert.ok(JSON.stringify(bundle) !== JSON.stringify(chat.published().bundle))
    await chat.hears(late)
    assert.ok(chat.taken[1]?.fate.unread !== undefined)
    await until(() => chat.sent.some(one => { try { return other.read(one) === '' } catch { return false } }))
    await chat.hears(other.say(chat, 'now'))
    assert.equal(chat.texts().at(-1), 'now')
  })

  it('uses up the keys of all who write at once', async () => {
    const apps = Array.from({ length: 30 }, (_, index) => makeApp(`anna${index}@example.org`, `anna ${index}`))
    const chat = await makeChat({ apps })
    const before = readBundle(chat.published().bundle).ones
    for (const [index, app] of apps.entries()) chat.opening.message(app.say(chat, 'hello', `id ${index}`, index), chat.identity)
    await until(() => chat.taken.length === 30)
    const after = readBundle(chat.published().bundle).ones.map(({ id }) => id)
    assert.deepEqual(before.slice(0, 30).filter(({ id }) => after.includes(id)), [])
    assert.ok(after.length >= 80)
  })

  it('heals a session no more often than is of use', async () => {
    const clock = handClock()
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga], clock })
    await chat.hears(olga.say(chat, 'one'))
    await until(() => chat.sent.length === 1)
    olga.read(chat.sent[0]!)
    for (let i = 0; i < 30; i++) await chat.hears(spoiled(olga.say(chat, 'spoiled')))
    await settle()
    const empty = chat.sent.filter(({ xml }) => xml.includes('<encrypted') && !xml.includes('<payload'))
    assert.equal(empty.length, 2)
  })

  it('says nothing if it has no words, and an answer without words comes after many', async () => {
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga] })
    await chat.hears(olga.say(chat, 'one'))
    await until(() => chat.sent.length === 1)
    chat.opening.message(olga.say(chat, undefined), chat.identity)
    for (let i = 0; i < 52; i++) await chat.hears(olga.say(chat, String(i)))
    await until(() => chat.sent.length === 2)
    assert.equal(chat.taken.length, 53)
  })

  it('is bounded for each chat, and beyond that given back', async () => {
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga] })
    for (let i = 0; i < 70; i++) chat.opening.message(plainly(String(i)), chat.identity)
    await until(() => chat.taken.length === 70)
    assert.equal(chat.texts().filter(text => text === '(refused)').length, 6)
  })
})
