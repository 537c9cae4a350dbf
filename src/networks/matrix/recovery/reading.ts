/** Reads what was not pushed, and what was pushed faster than it can be taken. */
import { type Clock, within } from '../../../lib/clock'
import { makeSlots } from '../../../lib/slots'
import type { Place } from '../../../model/address'
import { Unavailable } from '../../../model/errors'
import type { Backlog } from './backlog'
import { catchUp, READ_BACK_MS, type CatchUpWorld, type Reader, type ReadUpTo } from './catch-up'
import { isComing, hasPosition } from './history-position'
import { readDirect } from '../direct/chats'
import type { Direct } from '../direct/direct'
import { sourceOf } from '../names'
import type { Rooms } from '../rooms/rooms'
import { readTeamRoom } from '../rooms/team-rooms'

export interface Reading {
  /**
   * Reads what may have been missed: of direct chats, those in which something happened, as the homeserver says; of other rooms all, because
   * Synapse does not answer the bot's /sync. `known` says how far rooms were read before; resolves with the same for the next time. The
   * first time, while nothing else is taken, rooms of teams only go into the backlog, because there may be thousands.
   */
  readNews (known?: ReadUpTo[]): Promise<ReadUpTo[]>
  /** From now on, reads crowded rooms from their history. Throws if it cannot know where to begin in one of them. */
  toBacklog (crowded: Iterable<string>): Promise<void>
}

interface Parts {
  backlog: Backlog; clock: Clock; bot: string
  listening (): { rooms: Rooms, direct: Direct }
  isMadeByUs (place: Place): boolean
  world (): CatchUpWorld
}

const EACH_MS_MAX = 10_000 // for a room, while all the others wait
const FIRST_AT_ONCE = 16 // rooms read at a time, while everything else waits
const AGAIN_AT_ONCE = 4 // beside messages
const CHATS_MS_MAX = 30_000 // for all chats together, while everything else waits
const LOOK_MS_MAX = 5_000 // to be told what happened to addresses: of thousands of rooms, that is a long answer
const APART_EACH_MS_MAX = 5 * 60_000
const APART_MAX = 16 // rooms read by themselves at the same time
const APART_OF_ONE_MAX = 2 // of them: chats with people of one server, or with one person of our own server; or rooms of one team

/** Reads a room by itself, as far as it can be taken. */
export const makeReadApart = (world: () => CatchUpWorld, domain: string) => {
  const slots = makeSlots(APART_MAX, APART_OF_ONE_MAX, Infinity) // as many may wait as there are rooms in the backlog
  const sharer = ({ id }: Place): string => {
    const theirs = readDirect({ id })?.theirs
    return theirs === undefined ? readTeamRoom(id, domain)?.address ?? id : sourceOf(theirs, domain)
  }
  return async (one: ReadUpTo): Promise<ReadUpTo | undefined> => {
    const giveBack = await slots.take(sharer(one.place), world().signal)
    try {
      return (await catchUp(world(), [one], APART_EACH_MS_MAX))[0]
    } finally {
      giveBack()
    }
  }
}

export const makeReading = ({ listening, backlog, clock, bot, isMadeByUs, world }: Parts): Reading => {
  const readBy = (as: string): Reader => ({ as, notBefore: clock.now() - READ_BACK_MS })
  const withReader = (one: ReadUpTo): ReadUpTo => isMadeByUs(one.place) ? { ...one, by: readBy(bot) } : one

  /** Until it is told in which chats something happened, each is read from its history, so that nothing is overtaken. */
  const later = (looking: ReturnType<Direct['look']>, direct: Direct): Awaited<ReturnType<Direct['look']>> => {
    direct.known().forEach(backlog.read)
    looking.then(({ rooms, keep }) => {
      rooms.forEach(backlog.read)
      keep()
    }, () => {}) // it is asked again soon
    return { rooms: [], keep () {} }
  }

  return {
    async readNews (known) {
      const { rooms, direct } = listening()
      const looking = direct.look()
      const looked = known === undefined ? await within(clock, looking, LOOK_MS_MAX) : await looking
      const chats = looked ?? later(looking, direct)
      const { memory } = world()
      const before = new Map((known ?? []).filter(({ room }) => !isComing(memory, room)).map(one => [one.room, one]))
      const all = (list: ReadUpTo[]): ReadUpTo[] => list.filter(({ room }) => !backlog.has(room) && !rooms.isOut(room))
        .map(one => before.get(one.room) ?? one)
      if (known === undefined) all(rooms.all().filter(({ place }) => isMadeByUs(place)).map(withReader)).forEach(backlog.read)
      const read = await catchUp(world(), all(rooms.all().map(withReader)), EACH_MS_MAX, known === undefined ? FIRST_AT_ONCE : AGAIN_AT_ONCE)
      const began = clock.tick()
      for (const chat of all(chats.rooms)) {
        if (clock.tick() - began < CHATS_MS_MAX) read.push(...await catchUp(world(), [chat], EACH_MS_MAX))
        else read.push({ ...chat, crowded: true })
      }
      for (const one of read) if (one.crowded) backlog.read(one)
      chats.keep()
      return read.filter(({ crowded }) => !crowded)
    },
    async toBacklog (crowded) {
      const { rooms, direct } = listening()
      const { inbox, memory } = world()
      const all: ReadUpTo[] = []
      for (const room of crowded) {
        const chat = direct.of(room)
        const place = rooms.isNow(room) ? rooms.placeOf(room) : undefined
        const one = chat ? { place: chat.place, room, by: readBy(chat.ours) } : place && withReader({ place, room })
        if (one === undefined || (one.by === undefined && !hasPosition(memory, room) && await inbox.lastKey(one.place) === undefined)) {
          throw new Unavailable('a room is crowded, and nothing from it is stored yet')
        }
        all.push(one)
      }
      all.forEach(backlog.read)
    }
  }
}
