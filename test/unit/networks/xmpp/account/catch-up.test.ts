import assert from 'node:assert/strict'
import { Unavailable } from '../../../../../src/model/errors'
import type { Memory } from '../../../../../src/model/network'
import { type AccountCatchUp, makeAccountCatchUp } from '../../../../../src/networks/xmpp/account/catch-up'
import type { Archive, Archived, Page } from '../../../../../src/networks/xmpp/muc/archive'
import { type Element, elementsIn } from '../../../../../src/networks/xmpp/wire/xml'
import { makeWriteBehind } from '../../../../../src/networks/xmpp/write-behind'
import { until } from '../../../../support/practice'
import { quickClock } from '../../../../support/quick'
import { makeMemory, makeWorld } from '../../../../support/world'
import { parse } from '../parse'

const INFO = 'info@example.org'
const PAGE = 3

const words = (from: string, id: string): Element =>
  parse(`<message from='${from}/x' to='${INFO}' type='chat' id='m${id}'><stanza-id xmlns='urn:xmpp:sid:0' by='${INFO}' id='${id}'/></message>`)
const archived = (id: string, from = 'anna@example.org'): Archived => ({ id, at: 1_000, message: parse(`<message from='${from}/x' id='m${id}'/>`) })

/** An archive in memory, and what is taken from it. */
const stage = (memory = makeMemory()) => {
  const items: Archived[] = []
  const taken: string[] = []
  const open = new Map<string, () => void>() // what is being stored
  const at = {
    memory, items, taken, open, storing: false, asked: 0, failing: undefined as Error | undefined, crowded: new Set<string>(),
    before: undefined as (() => void) | undefined, present: 0, catchUp: undefined as unknown as AccountCatchUp,
    add (...ids: string[]) { items.push(...ids.map(id => archived(id))) },
    onPresent: () => {},
    read: () => at.catchUp.read(async () => true, () => { at.present++; at.onPresent() }),
    live (id: string, from = 'anna@example.org', done = () => {}) { at.catchUp.inTurn(words(from, id), done) }
  }
  const page = async (_keeper: unknown, range: { after: string | undefined } | { before: string }): Promise<Page | 'gone'> => {
    at.asked++
    at.before?.()
    await Promise.resolve()
    if (at.failing) throw at.failing
    if ('before' in range) return { items: [], first: items.at(-1)?.id, last: items.at(-1)?.id, complete: true }
    const from = range.after === undefined ? -1 : items.findLastIndex(({ id }) => id === range.after)
    if (range.after !== undefined && from < 0) return 'gone'
    const some = items.slice(from + 1, from + 1 + PAGE)
    return { items: some, first: some[0]?.id, last: some.at(-1)?.id, complete: from + 1 + PAGE >= items.length }
  }
  const world = makeWorld({ memory, clock: quickClock(1_000) })
  at.catchUp = makeAccountCatchUp({
    jid: INFO, archive: { page, take: () => false } as Archive, notes: makeWriteBehind(world), world, isCrowded: place => at.crowded.has(place),
    take (message, done) {
      const { id = '' } = message.attrs
      taken.push(id)
      if (at.storing) open.set(id, done)
      else done()
    }
  })
  return at
}

/** After a login that found these in the archive. */
const loggedIn = async (memory: Memory, ...items: Archived[]) => {
  const at = stage(memory)
  at.items.push(...items)
  at.catchUp.hold()
  await at.read()
  return at
}
const N300 = Array.from({ length: 300 }, (_, i) => archived(`n${i}`))

describe('what came to an account while it was away', () => {
  it('is not what was there before the first login, but all that came since, even while the server is asked', async () => {
    const at = stage()
    at.add('old1', 'old2')
    at.before = () => { if (at.asked > 1 && !at.items.some(({ id }) => id === 'new')) at.add('new') }
    at.catchUp.hold()
    await at.read()
    assert.deepEqual(at.taken, ['mnew'])
    assert.deepEqual([at.present, at.catchUp.isLive()], [1, true])
  })

  it('is read from the last message before which all is stored, in order and before what is live', async () => {
    const memory = makeMemory()
    const first = stage(memory)
    first.add('a')
    first.catchUp.hold()
    await first.read()
    first.storing = true
    for (const id of ['b', 'c', 'd']) { first.add(id); first.live(id) }
    for (const id of ['mc', 'mb']) first.open.get(id)!()
    await until(() => memory.get('read') === 'c', 'the position', 20_000)
    const second = stage(memory)
    second.add('a', 'b', 'c', 'd', 'e', 'f', 'g')
    second.catchUp.hold()
    second.onPresent = () => { second.live('h'); second.add('h') }
    await second.read()
    second.live('i')
    assert.deepEqual(second.taken, ['md', 'me', 'mf', 'mg', 'mh', 'mi'])
  })

  it('is not what we said ourselves, and what is said in rooms', async () => {
    const at = stage(makeMemory(new Map([['read', '']])))
    const inRoom = parse('<message from=\'r@rooms.example/x\' type=\'groupchat\'/>')
    at.items.push(archived('1', INFO), archived('2'), { ...archived('3'), message: inRoom })
    at.catchUp.hold()
    await at.read()
    assert.deepEqual(at.taken, ['m2'])
  })

  it('comes with the time at which it was said, and with no other', async () => {
    const at = stage(makeMemory(new Map([['read', '']])))
    const heard: Element[] = []
    const message = parse('<message from=\'a@b.c/x\'><delay xmlns=\'urn:xmpp:delay\' stamp=\'1999-01-01T00:00:00Z\'/></message>')
    at.items.push({ id: '1', at: 1_000, message })
    const world = makeWorld({ memory: at.memory })
    const catchUp = makeAccountCatchUp({
      jid: INFO, archive: { page: async () => ({ items: at.items, first: '1', last: '1', complete: true }), take: () => false },
      notes: makeWriteBehind(world), world, isCrowded: () => false, take: (message, done) => { heard.push(message); done() }
    })
    catchUp.hold()
    await catchUp.read(async () => true, () => {})
    const delays = elementsIn(heard[0]!).filter(({ name }) => name === 'delay').map(({ attrs }) => attrs.stamp)
    assert.deepEqual(delays, ['1970-01-01T00:00:01.000Z'])
  })

  it('holds up live messages only for some tries if the archive fails, and is read when it answers', async () => {
    const at = stage(makeMemory(new Map([['read', '']])))
    at.add('1')
    at.failing = new Unavailable('busy')
    at.catchUp.hold()
    const reading = at.read()
    at.live('2')
    await until(() => at.taken.includes('m2'), 'what is live', 20_000)
    assert.equal(at.present, 1)
    at.failing = undefined
    await reading
    assert.ok(at.taken.includes('m1'))
    assert.equal(at.catchUp.isLive(), true)
  })

  it('waits for what is being stored, but not for a crowd of its own sender', async () => {
    const at = stage(makeMemory(new Map([['read', '']])))
    at.storing = true
    at.add('1', '2', '3', '4')
    at.catchUp.hold()
    const reading = at.read()
    await until(() => at.taken.length === PAGE, 'the first page', 20_000)
    await new Promise(resolve => { setImmediate(resolve) })
    assert.equal(at.taken.length, PAGE, 'no more before it is stored')
    at.crowded.add(`${INFO} anna@example.org`)
    at.catchUp.look()
    await reading
    assert.deepEqual(at.taken, ['m1', 'm2', 'm3', 'm4'])
    await new Promise(resolve => { setImmediate(resolve) })
    assert.equal(at.memory.get('read'), '', 'nothing is passed by')
  })

  it('takes no memory beyond a thousand messages: the archive has the others, and what it does not have goes out of order', async () => {
    const at = stage(makeMemory(new Map([['read', '']])))
    at.catchUp.hold()
    const ids = Array.from({ length: 1_200 }, (_, i) => `n${i}`)
    at.onPresent = () => {
      for (const id of ids) { at.add(id); at.live(id) }
      at.catchUp.inTurn(parse('<message from=\'anna@example.org/x\' id=\'typing\'/>'), () => {})
      assert.deepEqual(at.taken, ['typing'])
    }
    await at.read()
    assert.deepEqual(at.taken.slice(1), ids.map(id => `m${id}`))
  })

  it('is all there when two messages have one id in the archive, because two people wrote in one microsecond', async () => {
    const memory = makeMemory(new Map([['read', '']]))
    const at = stage(memory)
    const both = (id: string): Archived[] => [archived(id), archived(id, 'otto@example.org')]
    at.items.push(...both('1'), ...both('3')) // 3 is on two pages
    at.catchUp.hold()
    let done = 0
    at.onPresent = () => {
      at.items.push(...both('4'))
      at.live('4', 'anna@example.org', () => { done++ })
      for (const from of ['anna@example.org', 'otto@example.org']) at.live('5', from, () => { done++ })
    }
    await at.read()
    const all = ['m1', 'm1', 'm3', 'm3', 'm4', 'm4', 'm5', 'm5']
    assert.deepEqual([at.taken, done], [all, 3])
    await until(() => memory.get('read') === '5', 'the position', 20_000)
    const later = await loggedIn(memory, ...at.items, ...both('5'), ...both('6'))
    assert.deepEqual(later.taken, ['m6', 'm6'])
  })

  it('is looked for once more, because a busy server may archive late what it kept for a session that was dead', async () => {
    const at = stage(makeMemory(new Map([['read', '']])))
    at.add('1')
    at.catchUp.hold()
    await at.read()
    at.live('3')
    at.add('2', '3')
    await until(() => at.taken.length === 3, 'the one that was late', 20_000)
    assert.deepEqual(at.taken, ['m1', 'm3', 'm2'])
  })

  it('is found by the next login too, however soon that comes, if the server archived it late; and nothing is taken again', async () => {
    const memory = makeMemory(new Map([['read', '']]))
    await loggedIn(memory, ...N300)
    await until(() => memory.get('read') === 'n299', 'the position', 20_000)
    const second = await loggedIn(memory, ...N300.toSpliced(200, 0, archived('late')), archived('new'))
    assert.deepEqual(second.taken, ['mlate', 'mnew'])
    const more = Array.from({ length: 300 }, (_, i) => `o${i}`)
    for (const id of more) { second.add(id); second.live(id) }
    second.add('newer')
    await until(() => memory.get('read') === 'newer', 'the position', 20_000)
    assert.deepEqual(second.taken.slice(2), [...more, 'newer'].map(id => `m${id}`), 'a further look takes nothing again either')
    assert.deepEqual((await loggedIn(memory, ...second.items)).taken, [])
  })

  it('is not taken again if reading begins with one that was late', async () => {
    const memory = makeMemory(new Map([['read', '']]))
    const first = await loggedIn(memory, ...N300)
    first.items.splice(200, 0, archived('late'))
    await until(() => first.taken.includes('mlate'), 'the one that was late', 20_000)
    const more = Array.from({ length: 255 }, (_, i) => `o${i}`)
    for (const id of more) { first.add(id); first.live(id) }
    await until(() => memory.get('read') === 'o254', 'the position', 20_000)
    assert.deepEqual((await loggedIn(memory, ...first.items)).taken, [])
  })

  it('is found by the next login too if it was late before anything else had come', async () => {
    for (const old of [[], ['old']]) {
      const memory = makeMemory()
      const first = stage(memory)
      first.add(...old)
      first.catchUp.hold()
      await first.read()
      first.add('2')
      first.live('2')
      await until(() => memory.get('read') === '2', 'the position', 20_000)
      const second = stage(memory)
      second.add(...old, '1', '2', '3')
      second.catchUp.hold()
      await second.read()
      assert.deepEqual(second.taken, ['m1', 'm3'])
    }
  })

  it('is read again as far as it was not done with, also behind what is', async () => {
    const memory = makeMemory(new Map([['read', '']]))
    const first = stage(memory)
    first.storing = true
    first.catchUp.hold()
    await first.read()
    for (const id of ['a', 'b', 'c']) { first.add(id); first.live(id) }
    for (const id of ['mc', 'ma']) first.open.get(id)!()
    await until(() => memory.get('read') === 'a', 'the position', 20_000)
    const second = stage(memory)
    second.add('a', 'b', 'c')
    second.catchUp.hold()
    await second.read()
    assert.deepEqual(second.taken, ['mb', 'mc'])
  })
})
