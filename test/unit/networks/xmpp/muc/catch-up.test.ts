import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Unavailable } from '../../../../../src/model/errors'
import type { Arrival } from '../../../../../src/model/message'
import { toPlain } from '../../../../../src/model/text'
import type { Archive, Archived, Range } from '../../../../../src/networks/xmpp/muc/archive'
import type { OwnMessages } from '../../../../../src/networks/xmpp/muc/own-messages'
import { makeReceiver, type Receiver } from '../../../../../src/networks/xmpp/muc/receive'
import { ARCHIVE, OCCUPANT_IDS, type Room, STANZA_IDS } from '../../../../../src/networks/xmpp/muc/room'
import { makeOriginals } from '../../../../../src/networks/xmpp/originals'
import type { Link } from '../../../../../src/networks/xmpp/wire/stream'
import { el, type Element } from '../../../../../src/networks/xmpp/wire/xml'
import { makeWriteBehind } from '../../../../../src/networks/xmpp/write-behind'
import { makeInbox } from '../../../../support/inbox'
import { until } from '../../../../support/practice'
import { quickClock, skippingClock } from '../../../../support/quick'
import { makeMemory, makeWorld } from '../../../../support/world'
import { parse } from '../parse'

const PAGE_MAX = 100
const turn = (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })

const textOf = (arrival: Arrival): string => 'content' in arrival ? toPlain(arrival.content.text) : arrival.kind

interface Spoken { ours?: boolean, inside?: string, archived?: boolean }

/** A room service whose rooms keep archives, and a door of the inbox that can be shut for a room. Killed, it starts with what is stored. */
const stage = (roomIds = ['a@rooms.example.org'], most = PAGE_MAX) => {
  const inbox = makeInbox()
  const memory = makeMemory()
  const archives = new Map<string, Archived[]>(roomIds.map(id => [id, []]))
  const space = new Map<string, number>() // arrivals that the door still takes; without an entry, all
  const said = new Map<string, string[]>(roomIds.map(id => [id, []]))
  const paused: string[] = []
  const refused = new Set<string>()
  const taken: string[] = []
  const clock = skippingClock(quickClock(1000))
  let echoes = 0
  let life = 0
  let cut = false
  let noRoom = '' // the id of one that is no more
  let failing = 0 // of the next questions to an archive
  let receiver: Receiver
  let rooms: Room[] = []
  let hearing = new Set<Room>()
  let commits = Promise.resolve()
  const ownMessages: OwnMessages = { mark: () => el('mark'), isOurs: (_room, message) => message.attrs.id === 'ours' }

  /** What the process does after its death has no effect. */
  const alive = <T>(work: () => Promise<T>, mine: number): Promise<T> =>
    mine === life ? work().then(value => mine === life ? value : new Promise<never>(() => {})) : new Promise<never>(() => {})

  const accept = async (arrival: Arrival, mine: number): Promise<'stored' | 'seen'> => {
    const left = space.get(arrival.place.id) ?? Infinity
    if (left <= 0) {
      refused.add(arrival.key)
      throw new Unavailable('crowded', { crowded: true })
    }
    space.set(arrival.place.id, left - 1)
    taken.push(arrival.key)
    const commit = commits.then(turn).then(() => alive(() => inbox.accept(arrival), mine))
    commits = commit.then(() => {}, () => {})
    return await commit
  }

  const pageOf = async (room: Room, range: Range, max = PAGE_MAX): ReturnType<Archive['page']> => {
    const check = (): void => { if (cut || failing > 0) { failing--; throw new Unavailable('no answer') } }
    check()
    const items = archives.get(room.id)!
    const size = Math.min(max, most)
    const before = 'before' in range
    const bound = before ? range.before : range.after
    const at = items.findIndex(({ id }) => id === bound)
    if (room.id === noRoom || (bound && at < 0)) return 'gone'
    const end = before && bound ? at : items.length
    const found = before ? items.slice(Math.max(end - size, 0), end) : items.slice(at + 1, at + 1 + size)
    await turn()
    check()
    return { items: found, first: found[0]?.id, last: found.at(-1)?.id, complete: before || at + 1 + size >= items.length }
  }

  const start = (): void => {
    const mine = ++life
    commits = Promise.resolve()
    const link = { pause () { paused.push('pause') }, resume () { paused.push('resume') } } as Link
    const lasting = { ...memory, set: (key: string, value: string) => alive(() => memory.set(key, value), mine) }
    const [world, notes] = [makeWorld({ memory: lasting, clock }), makeWriteBehind(makeWorld({ memory: lasting, clock }))]
    receiver?.stop()
    receiver = makeReceiver('xmpp', {
      ...inbox, accept: arrival => alive(() => accept(arrival, mine), mine),
      lastKey: place => alive(() => commits.then(() => inbox.lastKey(place)), mine)
    }, link, { page: (room, range, max) => alive(() => pageOf(room, range, max), mine), take: () => false }, ownMessages,
    notes, makeOriginals(notes), world, () => { echoes++ })
    hearing = new Set()
    rooms = roomIds.map(id => ({
      id, ready: false, visit: 0, nicks: new Map(), realJids: new Map(), features: new Set([STANZA_IDS, OCCUPANT_IDS, ARCHIVE])
    } as unknown as Room))
  }

  start()
  return {
    inbox, memory, clock, space, paused, refused, taken, said,
    get echoes () { return echoes },
    room: (index = 0): Room => rooms[index]!,
    kill: start,
    failNext (questions: number) { failing = questions },
    remove (id: string) { noRoom = id },
    /** Something may be said between the moment in which the room lets us in and that in which we know. */
    async enter (index = 0, letIn = async (): Promise<void> => {}): Promise<void> {
      const room = rooms[index]!
      const mine = receiver
      if (hearing.has(room)) return
      mine.hold(room)
      cut = false
      hearing.add(room)
      await letIn()
      if (!hearing.has(room) || room.ready || mine !== receiver) return
      room.ready = true
      room.visit++
      await mine.catchUp(room)
    },
    /** Thrown out, or `cut` off from the server. */
    leave (index = 0, off = false) {
      cut = off
      hearing.delete(rooms[index]!)
      rooms[index]!.ready = false
    },
    say (text: string, { ours = false, inside = '', archived = true }: Spoken = {}, index = 0) {
      const room = rooms[index]!
      const items = archives.get(room.id)!
      const id = `s${items.length}`
      const message = (more: string): Element => parse(`<message type='groupchat' id='${ours ? 'ours' : `m${id}`}' from='${room.id}/Anna' ` +
        `to='z@chat.example.org/z'><body>${text}</body>${inside}${more}</message>`)
      if (archived) items.push({ id, at: undefined, message: message('') })
      if (!ours) said.get(room.id)!.push(text)
      if (hearing.has(room)) receiver.groupchat(room, message(archived ? `<stanza-id xmlns='urn:xmpp:sid:0' by='${room.id}' id='${id}'/>` : ''))
    },
    texts: (index = 0): string[] => inbox.arrivals.filter(({ place }) => place.id === roomIds[index]).map(textOf)
  }
}

type Stage = ReturnType<typeof stage>

const firstVisit = async (at: Stage, index = 0): Promise<void> => {
  await at.enter(index)
  assert.notEqual(at.memory.get(`read ${at.room(index).id}`), undefined)
}

const all = async (at: Stage, index = 0): Promise<void> => {
  const said = at.said.get(at.room(index).id)!
  await at.inbox.until('all is stored', () => at.texts(index).length >= said.length)
  await turn()
  assert.deepEqual(at.texts(index), said)
}

describe('xmpp catching up', () => {
  it('keeps hardly anything of a room that is crowded, reads it from the archive, and other rooms go on', async () => {
    const at = stage(['a@rooms.example.org', 'b@rooms.example.org'])
    const [a] = [at.room(0).id]
    await firstVisit(at, 0)
    await firstVisit(at, 1)
    at.space.set(a, 0)
    for (let n = 0; n < 1500; n++) {
      at.say(`a${n}`)
      if (n % 10 === 0) {
        at.say(`b${n}`, {}, 1)
        await turn()
      }
    }
    await all(at, 1)
    assert.deepEqual([at.texts(0), at.paused], [[], []])
    assert.ok(at.refused.size <= PAGE_MAX + 10, `${at.refused.size} were offered and kept`)
    for (let n = 0; n < 5; n++) at.say('ours', { ours: true })
    assert.equal(at.echoes, 5)
    const drain = (): void => { at.space.set(a, 37) }
    const timer = setInterval(drain, 1)
    await all(at).finally(() => clearInterval(timer))
    assert.ok(at.refused.size < 1500)
    at.space.delete(a)
    at.say('live')
    await all(at)
  })

  it('stores everything once and in order, whatever is crowded, left, entered, cut off and killed meanwhile', async () => {
    const act = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('say' as const), times: fc.integer({ min: 1, max: 12 }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('space' as const), times: fc.integer({ min: 0, max: 9 }) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('turns' as const), times: fc.integer({ min: 1, max: 8 }) }) },
      fc.record({ do: fc.constantFrom('ours' as const, 'free' as const, 'leave' as const, 'enter' as const, 'kill' as const, 'fail' as const),
        times: fc.integer({ min: 1, max: 7 }) }))
    await fc.assert(fc.asyncProperty(fc.array(act, { maxLength: 40 }), async acts => {
      const at = stage(undefined, 4)
      await firstVisit(at)
      const { id } = at.room()
      let count = 0
      let fails = 4 // at the fifth it is given up
      const enter = (): void => { at.enter(0, turn).catch(() => { /* out again */ }) }
      for (const { do: what, times } of acts) {
        if (what === 'say') for (let n = 0; n < times; n++) at.say(`${count++}`)
        if (what === 'ours') for (let n = 0; n < times; n++) at.say('ours', { ours: true })
        if (what === 'space' || what === 'free') await turn() // of what comes in one tick the first are taken, never later ones alone
        if (what === 'space') at.space.set(id, times)
        if (what === 'free') at.space.delete(id)
        if (what === 'turns') for (let n = 0; n < times; n++) await turn()
        if (what === 'leave') at.leave(0, times > 3)
        if (what === 'enter') enter()
        if (what === 'fail') at.failNext(fails-- > 0 ? 1 : 0)
        if (what === 'kill') at.kill()
      }
      await turn()
      at.space.delete(id)
      enter()
      await all(at)
      at.leave()
    }), { numRuns: 30, endOnFailure: true })
  }).timeout(60_000)

  it('begins with what was heard first, where a first visit finds the door shut', async () => {
    const at = stage()
    at.say('before we came')
    at.said.get(at.room().id)!.length = 0
    at.space.set(at.room().id, 0)
    await at.enter(0, async () => { for (let n = 0; n < 30; n++) at.say(`${n}`) })
    for (let n = 30; n < 60; n++) at.say(`${n}`)
    at.space.delete(at.room().id)
    await all(at)
  })

  it('begins with what was refused first, where nothing of the archive could be read before', async () => {
    const at = stage()
    at.say('before we came')
    at.said.get(at.room().id)!.length = 0
    at.failNext(5)
    await at.enter()
    assert.equal(at.memory.get(`read ${at.room().id}`), undefined, 'given up')
    at.space.set(at.room().id, 0)
    at.failNext(12)
    for (let n = 0; n < 30; n++) at.say(`${n}`)
    await turn()
    at.space.delete(at.room().id)
    await all(at)
  })

  it('lets other rooms be entered while one waits for space, and goes on with it after leaving and coming again', async () => {
    const at = stage()
    await firstVisit(at)
    at.leave()
    for (let n = 0; n < 250; n++) at.say(`${n}`)
    at.space.set(at.room().id, 10)
    await at.enter()
    for (let n = 0; n < 3; n++) {
      at.leave()
      at.say(`away ${n}`)
      await at.enter()
      at.say(`back ${n}`)
    }
    await until(() => at.texts().length === 10, 'ten are stored')
    at.space.delete(at.room().id)
    await all(at)
  })

  it('gives up an archive that does not answer only if it never does, however long reading takes', async () => {
    const at = stage(undefined, 4)
    await firstVisit(at)
    at.leave()
    for (let n = 0; n < 40; n++) at.say(`${n}`)
    at.space.set(at.room().id, 0)
    await at.enter()
    for (let n = 0; n < 8; n++) {
      at.failNext(2)
      const stored = at.texts().length
      at.space.set(at.room().id, 4)
      await until(() => at.texts().length > stored, 'some more are stored')
    }
    at.space.delete(at.room().id)
    await all(at)
  })

  it('reads what was missed also from an archive that fails for minutes, and lets nothing pass it by', async () => {
    const at = stage()
    await firstVisit(at)
    at.leave()
    at.say('missed')
    at.failNext(12)
    void at.enter()
    await turn()
    at.say('live')
    await all(at)
  })

  it('leaves no timer when it stops while an archive does not answer', async () => {
    const at = stage()
    await firstVisit(at)
    at.leave()
    at.say('one')
    const before = at.clock.waiting
    at.failNext(5)
    void at.enter().catch(() => {})
    while (at.clock.waiting === before) await turn() // before it asks again
    at.kill()
    await turn()
    assert.equal(at.clock.waiting, 0)
  })

  it('holds nothing back for later, once the door is shut, that the archive has', async () => {
    const at = stage()
    await firstVisit(at)
    at.leave()
    at.say('away')
    at.space.set(at.room().id, 0)
    await at.enter(0, async () => { for (let n = 0; n < 500; n++) at.say(`${n}`) })
    at.space.delete(at.room().id)
    await all(at)
    assert.equal(at.taken.length, new Set(at.taken).size, 'what was held back would come through the door a second time')
  })

  it('reads once more when it was out meanwhile, or is still', async () => {
    for (const enter of ['at once', 'slowly']) {
      const at = stage()
      await firstVisit(at)
      at.leave()
      at.say('missed')
      const entered = at.enter()
      for (let n = 0; n < 50; n++) await undefined // the archive is asked, and has not answered
      at.leave()
      at.say('away')
      const again = at.enter(0, enter === 'at once' ? undefined : async () => {
        for (let n = 0; n < 10; n++) await turn()
        at.say('heard')
        await turn()
      })
      await Promise.allSettled([entered, again])
      await all(at)
    }
  })

  it('waits for a room that is no more, and reads what was missed when it is there again', async () => {
    const at = stage()
    await firstVisit(at)
    at.leave()
    at.say('missed')
    at.remove(at.room().id)
    await at.enter()
    at.say('live')
    await turn()
    assert.deepEqual(at.texts(), [])
    at.remove('')
    await all(at)
  })

  it('never goes back behind what was read: what is of no concern there, such as what was said while a room had us out, stays so', async () => {
    const at = stage()
    await firstVisit(at)
    at.say('stored live')
    await all(at)
    at.leave()
    at.say('while we were out')
    await at.enter()
    await all(at)
    at.clock.skip(2 * 3_600_000)
    for (let n = 0; n < 20; n++) await turn()
    assert.equal((JSON.parse(at.memory.get(`read ${at.room().id}`)!) as string[])[0], 's1')
  })

  it('brings nothing again that was forgotten, and all that was said since, after months in a quiet room', async () => {
    const at = stage()
    await firstVisit(at)
    for (const text of ['one', 'two', 'three']) at.say(text)
    await all(at)
    const before = at.memory.get(`read ${at.room().id}`)
    at.clock.skip(2 * 3_600_000)
    await until(() => at.memory.get(`read ${at.room().id}`) !== before, 'it is remembered')
    at.inbox.forget()
    at.kill()
    at.say('away')
    await at.enter()
    await all(at)
    assert.equal(at.texts().length, 4)
  })

  it('corrects what was said before, also when both were refused', async () => {
    const at = stage()
    await firstVisit(at)
    at.space.set(at.room().id, 1)
    at.say('one')
    const who = '<occupant-id xmlns=\'urn:xmpp:occupant-id:0\' id=\'o\'/>'
    at.say('helo', { inside: who })
    at.say('hello', { inside: `${who}<replace xmlns='urn:xmpp:message-correct:0' id='ms1'/>` })
    at.say('gone', { inside: `${who}<retract xmlns='urn:xmpp:message-retract:1' id='s1'/>` })
    await turn()
    at.space.delete(at.room().id)
    await at.inbox.until('all', () => at.inbox.arrivals.length === 4)
    const { id } = at.room()
    assert.deepEqual(at.inbox.arrivals.map(one => [one.kind, one.key, 'of' in one ? one.of : '']), [
      ['message', `${id} s0`, ''], ['message', `${id} s1`, ''], ['edit', `${id} s2`, `${id} s1`], ['deletion', `${id} s3`, `${id} s1`]
    ])
  })

  it('keeps what the archive does not have', async () => {
    const at = stage()
    await firstVisit(at)
    at.space.set(at.room().id, 0)
    for (let n = 0; n < 10; n++) {
      at.say(`${n}`)
      at.say(`${n} nowhere`, { archived: false })
      await turn()
    }
    at.space.delete(at.room().id)
    await at.inbox.until('all', () => at.texts().length === 20)
    assert.deepEqual([...at.texts()].sort(), [...at.said.get(at.room().id)!].sort())
    assert.deepEqual(at.texts().filter(text => !text.includes('nowhere')), Array.from({ length: 10 }, (_, n) => `${n}`))
  })
})
