import assert from 'node:assert/strict'
import { Refused, Unavailable } from '../../../../../src/model/errors'
import { bundleXml, LIST_NODE, listXml, readBundle } from '../../../../../src/networks/xmpp/omemo/elements'
import { type App, makeApp, makeChat, OURS, signal } from '../../../../support/omemo/chat'
import { makeVault } from '../../../../support/world'
import { until } from '../../../../support/practice'
import { handClock } from '../../../../support/quick'
import { el } from '../../../../../src/networks/xmpp/wire/xml'
import { parse } from '../parse'

const OLGA = 'olga@example.org'
const ENDS = { ours: OURS, theirs: OLGA }
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>(resolve => { setImmediate(resolve) })
}
const plainly = (text: string) => parse(`<message type='chat' from='${OLGA}/app' to='${OURS}' id='p${text}'><body>${text}</body></message>`)

const listOf = (...apps: App[]) => parse(el('message', { type: 'headline', from: OLGA, to: OURS },
  el('event', { xmlns: 'http://jabber.org/protocol/pubsub#event' }, el('items', { node: LIST_NODE },
    el('item', { id: 'current' }, listXml(apps.map(({ device }) => device)))))).xml)

describe('what an address says with OMEMO', () => {
  it('is sealed for each device of its reader, if the address writes first', async () => {
    const apps = [makeApp(OLGA), makeApp(OLGA)]
    const chat = await makeChat({ apps })
    const sent = await chat.seal(OLGA, 'hello')
    assert.deepEqual(apps.map(app => app.read(sent!)), ['hello', 'hello'])
    assert.ok(!sent!.xml.includes('hello'))
    assert.match(sent!.xml, /<encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs.conversations.axolotl' name='OMEMO'\/><body>Diese Nachricht ist/)
    assert.match(sent!.xml, /<store xmlns='urn:xmpp:hints'\/>/)
    for (const app of apps) await chat.hears(app.say(chat, 'thanks'))
    assert.deepEqual(chat.texts(), ['thanks', 'thanks'])
  })

  it('is the same if it is tried again, over a crash too, and another one if it says something else', async () => {
    const kept = new Map<string, Uint8Array>()
    const olga = makeApp(OLGA)
    const first = await makeChat({ apps: [olga], vault: makeVault(kept) })
    const one = await first.seal(OLGA, 'hello', 'key')
    const second = await makeChat({ apps: [olga], vault: makeVault(new Map(kept)) })
    assert.deepEqual(await second.seal(OLGA, 'hello', 'key'), one)
    assert.notDeepEqual(await second.seal(OLGA, 'hello!', 'key'), one)
    await second.omemo.sealing.over('key')
    assert.deepEqual(await second.vault.all('omemo sealed '), [])
  })

  it('goes out in the clear to whoever has no keys, and to whoever wrote in the clear last', async () => {
    const nobody = await makeChat()
    assert.equal(await nobody.seal(OLGA, 'hello'), undefined)
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga] })
    await chat.hears(olga.say(chat, 'one'))
    await chat.hears(plainly('two'))
    await until(async () => await chat.seal(OLGA, 'hello') === undefined)
    await chat.hears(olga.say(chat, 'three'))
    assert.ok(await chat.seal(OLGA, 'hello') !== undefined)
  })

  it('stays encrypted if words in the clear come again, or are stored after encrypted ones', async () => {
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga] })
    await chat.hears(plainly('one'))
    await chat.hears(olga.say(chat, 'two'))
    await chat.hears(plainly('one'))
    await settle()
    assert.ok(await chat.seal(OLGA, 'hello') !== undefined)
    chat.hold()
    await chat.hears(plainly('three'))
    const { fate } = chat.taken.at(-1)!
    await chat.hears(olga.say(chat, 'four'))
    fate.done?.(true)
    await settle()
    assert.ok(await chat.seal(OLGA, 'hello') !== undefined)
  })

  it('is sealed if it corrects what was, whatever the chat is now, and in the clear if it corrects what was so', async () => {
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga] })
    const { sealing } = chat.omemo
    const says = async (body: string, key: string, changes?: string) => await sealing.seal(ENDS, { key, body, changes }, signal)
    const isHidden = (...ids: string[]): Promise<boolean[]> => Promise.all(ids.map(id =>
      sealing.hides(ENDS, id.startsWith('<') ? { id: id.slice(1), to: OLGA } : { id, to: OURS })))
    await chat.hears(olga.say(chat, 'one', 'theirs'))
    assert.ok(await says('answer', 'sealed') !== undefined)
    await chat.hears(plainly('two'))
    await settle()
    assert.equal(await says('in the clear', 'clear'), undefined)
    assert.deepEqual(await isHidden('<theirs', 'sealed', 'clear', '<ptwo', 'unknown'), [true, true, false, false, true])
    await chat.hears(parse(`<message type='chat' from='${OLGA}/app' to='${OURS}' id='sealed'><body>of one who was on the way</body></message>`))
    await settle()
    assert.deepEqual(await isHidden('sealed', '<sealed'), [true, false])
    assert.equal(await says('in the clear, corrected', 'third', 'clear'), undefined)
    const corrected = await says('answer, corrected', 'second', 'sealed')
    assert.equal(olga.read(el('message', { from: OURS, to: OLGA, id: 'second' }, ...corrected!)), 'answer, corrected')
    await chat.hears(olga.say(chat, 'three'))
    assert.ok(await says('now a secret', 'fourth', 'clear') !== undefined)
    const correction = olga.say(chat, 'a secret too')
    correction.children.push(parse("<replace xmlns='urn:xmpp:message-correct:0' id='ptwo'/>"))
    await chat.hears(correction)
    assert.deepEqual(await isHidden('clear', '<ptwo'), [true, true])
    assert.equal((await makeChat({ vault: chat.vault }).then(later => later.omemo.sealing.hides(ENDS, { id: 'sealed', to: OURS }))), true)
    await chat.omemo.forget(ENDS)
    assert.deepEqual(await isHidden('sealed'), [false])
  })

  it('is refused if it corrects what was sealed, and encryption is off now', async () => {
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga] })
    await chat.hears(olga.say(chat, 'one'))
    await chat.hears(plainly('two'))
    await settle()
    const off = await makeChat({ vault: chat.vault, encrypts: false })
    assert.equal(await off.seal(OLGA, 'in the clear'), undefined)
    await assert.rejects(off.omemo.sealing.seal(ENDS, { key: 'second', body: 'corrected', changes: 'first' }, signal),
      (error: unknown) => error instanceof Refused && error.because === 'encrypted')
  })

  it('does not go out in the clear once the team was told so', async () => {
    const olga = makeApp(OLGA)
    const { signed, ...bundle } = readBundle(parse(olga.bundle.xml))
    const apps = [{ ...olga, bundle: bundleXml({ ...bundle, signed: { ...signed, signature: Buffer.alloc(64, 1) } }) }]
    const chat = await makeChat({ apps })
    await assert.rejects(chat.seal(OLGA, 'hello', 'key'), (error: unknown) => error instanceof Unavailable && error.unsealed === 'unsigned')
    chat.omemo.heard(listOf())
    await assert.rejects(chat.seal(OLGA, 'hello', 'key'), (error: unknown) => error instanceof Unavailable && error.unsealed === 'deviceless')
    assert.equal(await chat.seal(OLGA, 'hello', 'other'), undefined)
    chat.omemo.heard(listOf(olga))
    apps.splice(0, 1, olga)
    assert.equal(olga.read((await chat.seal(OLGA, 'hello', 'key'))!), 'hello')
  })

  it('is in the clear only after a new message that is stored: not after corrections, nor what is refused or has no words', async () => {
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga] })
    chat.hold()
    await chat.hears(plainly('first of all'))
    await settle()
    assert.ok(await chat.seal(OLGA, 'hello') !== undefined)
    await chat.hears(olga.say(chat, 'one'))
    await chat.hears(plainly('two'))
    chat.taken.at(-1)!.fate.done?.(false)
    await chat.hears(plainly('three'))
    chat.taken.at(-1)!.fate.beyond?.()
    for (const inside of ['<body> \n</body>', "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:omemo:2'/><body>no</body>"]) {
      await chat.hears(parse(`<message type='chat' from='${OLGA}/app' to='${OURS}' id='b'>${inside}</message>`))
      assert.equal(chat.taken.at(-1)!.fate.stays, true)
    }
    await settle()
    assert.ok(await chat.seal(OLGA, 'hello') !== undefined)
    await chat.hears(parse(`<message type='chat' from='${OLGA}/app' to='${OURS}' id='s'><subject>words</subject></message>`))
    chat.taken.at(-1)!.fate.done?.(true)
    await settle()
    assert.equal(await chat.seal(OLGA, 'hello'), undefined)
  })

  it('waits rather than go out in the clear to whoever wrote encrypted last', async () => {
    const kept = new Map<string, Uint8Array>()
    const olga = makeApp(OLGA)
    const chat = await makeChat({ vault: makeVault(kept) })
    const stanza = olga.say(chat, 'one')
    stanza.children = stanza.children.map(one => typeof one !== 'string' && one.name === 'encrypted'
      ? { ...one, children: one.children.filter(each => typeof each !== 'string' && each.name !== 'header') } : one)
    await chat.hears(stanza)
    const later = await makeChat({ vault: makeVault(new Map(kept)) })
    await assert.rejects(later.seal(OLGA, 'hello'), (error: unknown) => error instanceof Unavailable && error.unsealed === 'deviceless')
    const off = await makeChat({ vault: makeVault(new Map(kept)), encrypts: false })
    await assert.rejects(off.seal(OLGA, 'hello'), (error: unknown) => error instanceof Refused && error.because === 'encrypted')
  })

  it('waits if it is not known whether they have keys, and is sealed for those who are known', async () => {
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga] })
    chat.fails.with = 'forbidden'
    await assert.rejects(chat.seal(OLGA, 'hello'), Unavailable)
    await chat.hears(olga.say(chat, 'one'))
    const sent = await chat.seal(OLGA, 'hello')
    assert.equal(olga.read(sent!), 'hello')
  })

  it('is sealed for nobody whose key has a wrong signature', async () => {
    const [olga, eve] = [makeApp(OLGA), makeApp(OLGA)]
    const { signed, ...bundle } = readBundle(parse(olga.bundle.xml))
    const wrong = { ...olga, bundle: bundleXml({ ...bundle, signed: { ...signed, signature: Buffer.alloc(64, 1) } }) }
    const alone = await makeChat({ apps: [wrong] })
    await assert.rejects(alone.seal(OLGA, 'hello'), (error: unknown) => error instanceof Unavailable && error.unsealed === 'unsigned')
    const chat = await makeChat({ apps: [wrong, eve] })
    const sent = await chat.seal(OLGA, 'hello')
    assert.deepEqual([olga.read(sent!), eve.read(sent!)], [undefined, 'hello'])
    const before = chat.asked.length
    await chat.seal(OLGA, 'hello again')
    assert.equal(chat.asked.length, before)
  })

  it('is sealed for those who are known if their list is gone meanwhile, also if the address wrote first', async () => {
    const olga = makeApp(OLGA)
    const apps = [olga]
    const first = await makeChat({ apps })
    assert.equal(olga.read((await first.seal(OLGA, 'one'))!), 'one')
    apps.pop()
    const clock = handClock()
    const later = await makeChat({ apps, vault: first.vault, clock })
    for (const how of [undefined, 'forbidden', undefined]) {
      if (how === undefined) delete later.fails.with
      else later.fails.with = how
      await assert.rejects(later.seal(OLGA, 'two'), (error: unknown) => error instanceof Unavailable && error.unsealed === 'keyless')
      clock.advance(24 * 3_600_000)
    }
  })

  it('waits for two minutes, without a word, if a list cannot be read, and then goes out in the clear if nothing was ever encrypted', async () => {
    const clock = handClock()
    const chat = await makeChat({ apps: [makeApp(OLGA)], clock })
    chat.fails.with = 'internal-server-error'
    for (let minute = 0; minute < 2; minute++) {
      await assert.rejects(chat.seal(OLGA, 'hello'), (error: unknown) => error instanceof Unavailable && error.unsealed === undefined)
      clock.advance(60_000)
    }
    assert.equal(await chat.seal(OLGA, 'hello'), undefined)
  })

  it('waits for a moment, without a word, if their server lets nobody read a list, and then goes out in the clear', async () => {
    const clock = handClock()
    const chat = await makeChat({ apps: [makeApp(OLGA)], clock })
    chat.fails.with = 'forbidden'
    await assert.rejects(chat.seal(OLGA, 'hello'), (error: unknown) => error instanceof Unavailable && error.unsealed === undefined)
    clock.advance(3_000)
    assert.equal(await chat.seal(OLGA, 'hello'), undefined)
  })

  it('waits for the connection, which says nothing about their keys', async () => {
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga] })
    for (const step of [0, 1]) {
      chat.fails.disconnected = true
      await assert.rejects(chat.seal(OLGA, 'hello'), (error: unknown) => error instanceof Unavailable && error.disconnected)
      chat.fails.disconnected = false
      if (step === 0) chat.omemo.heard(listOf(olga))
    }
    assert.equal(olga.read((await chat.seal(OLGA, 'hello'))!), 'hello')
  })

  it('is sealed for no key that has taken the place of a known one, until they write with it', async () => {
    const olga = makeApp(OLGA)
    const other = makeApp(OLGA, 'other', olga.device)
    const first = await makeChat({ apps: [olga] })
    await first.hears(olga.say(first, 'hello'))
    const later = await makeChat({ apps: [other], vault: first.vault })
    await assert.rejects(later.seal(OLGA, 'secret'), (error: unknown) => error instanceof Unavailable && error.unsealed === 'rekeyed')
    await later.hears(other.say(later, 'a new phone', undefined, 1))
    assert.equal(later.texts().at(-1), 'a new phone')
    assert.equal(other.read((await later.seal(OLGA, 'answer'))!), 'answer')
  })

  it('reaches at once a device of which their server tells, and one whose keys were of no use before', async () => {
    const clock = handClock()
    const [phone, tablet] = [makeApp(OLGA), makeApp(OLGA)]
    const { signed, ...bundle } = readBundle(parse(phone.bundle.xml))
    const apps = [{ ...phone, bundle: bundleXml({ ...bundle, signed: { ...signed, signature: Buffer.alloc(64, 1) } }) }]
    const chat = await makeChat({ apps, clock })
    await assert.rejects(chat.seal(OLGA, 'one'), Unavailable)
    apps.splice(0, 1, phone, tablet)
    await assert.rejects(chat.seal(OLGA, 'one'), Unavailable)
    assert.equal(chat.omemo.heard(listOf(phone, tablet)), true)
    const two = (await chat.seal(OLGA, 'two'))!
    assert.deepEqual([phone.read(two), tablet.read(two)], ['two', 'two'])
  })

  it('reaches within two minutes a device that alone could read it and has good keys now, of which nobody tells', async () => {
    const clock = handClock()
    const olga = makeApp(OLGA)
    const { signed, ...bundle } = readBundle(parse(olga.bundle.xml))
    for (const bad of [bundleXml({ ...bundle, signed: { ...signed, signature: Buffer.alloc(64, 1) } }), { xml: '' }]) {
      const apps = [{ ...olga, bundle: bad }]
      const chat = await makeChat({ apps, clock })
      await assert.rejects(chat.seal(OLGA, 'one'), Unavailable)
      apps.splice(0, 1, olga)
      await assert.rejects(chat.seal(OLGA, 'one'), Unavailable)
      clock.advance(2 * 60_000)
      assert.equal(olga.read((await chat.seal(OLGA, 'one'))!), 'one')
    }
  })

  it('reaches a new device once that is known', async () => {
    const clock = handClock()
    const [phone, tablet] = [makeApp(OLGA), makeApp(OLGA)]
    const apps = [phone]
    const chat = await makeChat({ apps, clock })
    assert.equal(phone.read((await chat.seal(OLGA, 'one'))!), 'one')
    apps.push(tablet)
    assert.equal(tablet.read((await chat.seal(OLGA, 'two'))!), undefined)
    await chat.hears(tablet.say(chat, 'from the tablet'))
    assert.equal(tablet.read((await chat.seal(OLGA, 'three'))!), 'three')
  })

  it('reaches after two minutes a new device that says nothing and of which nobody tells', async () => {
    const clock = handClock()
    const [phone, tablet] = [makeApp(OLGA), makeApp(OLGA)]
    const apps = [phone]
    const chat = await makeChat({ apps, clock })
    await chat.seal(OLGA, 'one')
    apps.push(tablet)
    clock.advance(2 * 60_000)
    assert.equal(tablet.read((await chat.seal(OLGA, 'two'))!), 'two')
  })

  it('without words keeps a session going, and begins one anew', async () => {
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga] })
    const empty = await chat.omemo.sealing.empty(ENDS, olga.device, false, signal)
    assert.ok(empty !== undefined && !empty.some(({ xml }) => xml.includes('<payload') || xml.includes('<body')))
    assert.equal(await chat.omemo.sealing.empty(ENDS, 4711, true, signal), undefined)
  })

  it('uses no key twice after an earlier copy of the store was put back, and is read', async () => {
    const kept = new Map<string, Uint8Array>()
    const olga = makeApp(OLGA)
    const first = await makeChat({ apps: [olga], vault: makeVault(kept) })
    await first.hears(olga.say(first, 'hello'))
    assert.equal(olga.read((await first.seal(OLGA, 'one'))!), 'one')
    const copy = new Map(kept)
    const [two, three] = [(await first.seal(OLGA, 'two'))!, (await first.seal(OLGA, 'three'))!]
    assert.deepEqual([olga.read(two), olga.read(three)], ['two', 'three'])
    const second = await makeChat({ apps: [olga], vault: makeVault(copy) })
    assert.deepEqual(second.published().device, first.published().device)
    const four = (await second.seal(OLGA, 'four'))!
    assert.match(four.xml, /prekey='true'/)
    assert.equal(olga.read(four), 'four')
    await second.hears(olga.say(second, 'heard'))
    const five = (await second.seal(OLGA, 'five'))!
    assert.doesNotMatch(five.xml, /prekey='true'/)
    assert.equal(olga.read(five), 'five')
    assert.equal(second.texts().at(-1), 'heard')
  })

  it('goes on in a session after a restart, if they write first', async () => {
    const olga = makeApp(OLGA)
    const first = await makeChat({ apps: [olga] })
    await first.hears(olga.say(first, 'hello'))
    assert.equal(olga.read((await first.seal(OLGA, 'one'))!), 'one')
    const second = await makeChat({ apps: [olga], vault: first.vault })
    await second.hears(olga.say(second, 'two'))
    const three = (await second.seal(OLGA, 'three'))!
    assert.doesNotMatch(three.xml, /prekey='true'/)
    assert.equal(olga.read(three), 'three')
  })

  it('is swept once no delivery can be tried any more', async () => {
    const kept = new Map<string, Uint8Array>()
    const olga = makeApp(OLGA)
    const first = await makeChat({ apps: [olga], vault: makeVault(kept), clock: handClock() })
    await first.seal(OLGA, 'hello', 'key')
    const clock = handClock()
    clock.advance(5 * 24 * 3_600_000)
    const second = await makeChat({ apps: [olga], vault: makeVault(kept), clock })
    await second.seal(OLGA, 'hello', 'other')
    await until(() => [...kept.keys()].filter(key => key.startsWith('omemo sealed ')).join() === 'omemo sealed other')
  })

  it('is forgotten with its chat', async () => {
    const olga = makeApp(OLGA)
    const chat = await makeChat({ apps: [olga] })
    await chat.hears(olga.say(chat, 'one'))
    await chat.omemo.forget(ENDS)
    assert.deepEqual((await chat.vault.all('omemo ')).filter(([key]) => key.includes(OLGA)), [])
  })
})
