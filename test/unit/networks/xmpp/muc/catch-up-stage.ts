/** A room service with archives and a receiver, for the tests of catching up. */
import assert from 'node:assert/strict'
import { Unavailable } from '../../../../../src/model/errors'
import type { Arrival } from '../../../../../src/model/message'
import { toPlain } from '../../../../../src/model/text'
import type { Archive, Archived, Range } from '../../../../../src/networks/xmpp/muc/archive'
import type { OwnMessages } from '../../../../../src/networks/xmpp/muc/own-messages'
import { makeReceiver, type Receiver } from '../../../../../src/networks/xmpp/muc/receive'
import { OCCUPANT_IDS } from '../../../../../src/networks/xmpp/muc/people'
import { ARCHIVE, type Room, STANZA_IDS } from '../../../../../src/networks/xmpp/muc/room'
import { makeOriginals } from '../../../../../src/networks/xmpp/originals'
import type { Stream } from '../../../../../src/networks/xmpp/wire/stream'
import { el, type Element } from '../../../../../src/networks/xmpp/wire/xml'
import { makeWriteBehind } from '../../../../../src/networks/xmpp/write-behind'
import { makeInbox } from '../../../../support/inbox'
import { quickClock, skippingClock } from '../../../../support/quick'
import { makeMemory, makeWorld } from '../../../../support/world'
import { parse } from '../parse'

export const PAGE_MAX = 100
export const turn = (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })

const textOf = (arrival: Arrival): string => 'content' in arrival ? toPlain(arrival.content.text) : arrival.kind

interface Spoken { ours?: boolean, inside?: string, archived?: boolean }

/** A room service whose rooms keep archives, and a door of the inbox that can be shut for a room. Killed, it starts with what is stored. */
export const stage = (roomIds = ['a@rooms.example.org'], most = PAGE_MAX) => {
  const inbox = makeInbox()
  const memory = makeMemory()
  const archives = new Map<string, Archived[]>(roomIds.map(id => [id, []]))
  const space = new Map<string, number>() // how many arrivals the door still takes; without an entry, all
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
    if (room.id === noRoom && !bound) throw new Unavailable('no such room')
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
    const stream = { pause () { paused.push('pause') }, resume () { paused.push('resume') } } as Stream
    const lasting = { ...memory, set: (key: string, value: string) => alive(() => memory.set(key, value), mine) }
    const [world, notes] = [makeWorld({ memory: lasting, clock }), makeWriteBehind(makeWorld({ memory: lasting, clock }))]
    void receiver?.stop()
    receiver = makeReceiver({
      network: 'xmpp',
      inbox: {
        ...inbox, accept: arrival => alive(() => accept(arrival, mine), mine),
        lastKey: place => alive(() => commits.then(() => inbox.lastKey(place)), mine)
      },
      stream, archive: { page: (room, range, max) => alive(() => pageOf(room as Room, range, max), mine), take: () => false },
      ownMessages, notes, originals: makeOriginals(world), world, echo: () => { echoes++ }
    })
    hearing = new Set()
    rooms = roomIds.map(id => ({
      id, place: id, ready: false, visit: 0, listener: { nick: 'Zentrale' }, nicks: new Map(), people: new Map(),
      features: new Set([STANZA_IDS, OCCUPANT_IDS, ARCHIVE])
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
    /** Something may be said after the room has let us in, and before we know it. */
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

export type Stage = ReturnType<typeof stage>

export const firstVisit = async (at: Stage, index = 0): Promise<void> => {
  await at.enter(index)
  assert.notEqual(at.memory.get(`read ${at.room(index).id}`), undefined)
}

export const all = async (at: Stage, index = 0): Promise<void> => {
  const said = at.said.get(at.room(index).id)!
  await at.inbox.until('all is stored', () => at.texts(index).length >= said.length)
  await turn()
  assert.deepEqual(at.texts(index), said)
}
