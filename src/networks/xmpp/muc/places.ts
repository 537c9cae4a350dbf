/**
 * In which room each place is. Promises: a place is in one room, and a room is one place. A place moves when its room is replaced, if successor.ts
 * allows it; what waited for the one room then waits for the other. A room that the config names as a place belongs to that place.
 */
import { Unavailable } from '../../../model/errors'
import type { World } from '../../../model/network'
import type { OwnRooms, Room, Voices } from './room'
import { makeSuccessors, type Successors } from './successor'

export interface Places extends Pick<Successors, 'seen' | 'lost' | 'back'> {
  readonly rooms: ReadonlyMap<string, Room> // by address
  of (place: string): Room | undefined
  attend (place: string): Room
  /** Moves the place of a room that is over, or that is not to be entered. False: it stays there. */
  leave (room: Room): boolean
  /** Whether the place of a room that we are in may move there. If not, it has moved back. Throws Unavailable. */
  mayFollow (room: Room, signal: AbortSignal): Promise<boolean>
  /** Everybody was told that the place has moved to this room. */
  told (room: Room): void
  end (room: Room): void
}

interface Parts {
  domain: string
  world: World
  own: OwnRooms | undefined
  voices: Voices
  make (id: string, place: string): Room
  /** From now on, the room is to be entered; unless it is `gone`: then it is no more. */
  begin (room: Room, gone: boolean): void
  /** Nothing more is wanted from the room. */
  ended (room: Room): void
}

export const makePlaces = ({ domain, world, own, voices, make, begin, ended }: Parts): Places => {
  const rooms = new Map<string, Room>()
  const places = new Map<string, Room>()
  const successors = makeSuccessors(domain, world, voices.askToStay)

  /** `follows`: the room in whose place it comes, if that may be. */
  const add = (id: string, place: string, { follows, gone = false }: { follows?: string, gone?: boolean } = {}): Room => {
    const room = make(id, place)
    room.follows = follows
    room.untold = successors.of(place).untold === true
    rooms.set(id, room)
    places.set(place, room)
    begin(room, gone)
    return room
  }

  const end = (room: Room): void => {
    rooms.delete(room.id)
    places.delete(room.place)
    ended(room)
    room.ready = false
  }

  /** What waits for this room will wait for the other one. */
  const replace = (room: Room, ...other: Parameters<typeof add>): void => {
    end(room)
    room.refusal = new Unavailable('the place is in another room now')
    for (const wake of room.waiting) wake()
    add(...other)
  }

  const moveTo = (room: Room, next: string): boolean => {
    if (room.own || own?.has(next) === true || rooms.has(next) || !successors.named(room, next)) return false
    replace(room, next, room.place, { follows: room.follows ?? room.id })
    return true
  }

  /** The place is in the room that is no more, until that asks us in again. */
  const moveBack = (room: Room): void => replace(room, room.follows ?? room.place, room.place, { gone: true })

  return {
    rooms, end,
    seen: successors.seen, lost: successors.lost, back: successors.back,
    of: place => places.get(place),
    attend (place) {
      const known = places.get(place)
      if (known !== undefined) return known
      const { now, next } = successors.of(place)
      if (next !== undefined && !rooms.has(next)) return add(next, place, { follows: now })
      const there = rooms.get(now)
      if (there === undefined) return add(now, place)
      world.log.error({ place, other: there.place, room: now }, 'two places are the same room now; the one that is named so has it')
      if (now !== place) return add(place, place, { gone: true })
      moveBack(there)
      return add(now, place)
    },
    leave (room) {
      const { replacedBy } = room.listener
      if (replacedBy !== undefined && moveTo(room, replacedBy)) return true
      if (room.follows === undefined) return false
      moveBack(room)
      return true
    },
    async mayFollow (room, signal) {
      const proven = await successors.isProven(room, signal)
      if (proven) {
        await successors.moved(room)
        room.follows = undefined
        room.untold = true
      } else if (!signal.aborted) moveBack(room)
      return proven
    },
    told (room) {
      room.untold = false
      successors.told(room)
    }
  }
}
