/**
 * Enters rooms. Promises: while the stream is up, every attended room is tried until it is entered, with backoff, a few at a time. A room
 * whose invitation we await is not tried. A room is `ready` only when we know that the listener is inside, and know the room's features.
 */
import { backoffMs } from '../../../lib/backoff'
import { sleep } from '../../../lib/clock'
import { makeSlots } from '../../../lib/slots'
import { messageOf, Refused, Unavailable } from '../../../model/errors'
import type { World } from '../../../model/network'
import { serverOf } from '../names'
import { conditionOf, failureOf } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { child, el, elementsIn, owned } from '../wire/xml'
import type { Expulsion } from './expulsion'
import type { Places } from './places'
import { ARCHIVE, INFO, type OwnRooms, type Room } from './room'

const ENTER_FIRST_MS = 1_000
const ENTER_MOST_MS = 5 * 60_000
const ENTERING_MAX = 32 // rooms at a time, so that a start does not flood the server
const ENTERING_AT_ONE_MAX = 16 // of these at one room service, which may hang

export interface EnteringEvents {
  entering (room: Room): void // the listener is about to enter, and will hear live messages before what was missed is read
  entered (room: Room): Promise<void> // now catch up; the room is ready already
}

export interface EnteringParts {
  stream: Stream
  world: World
  events: EnteringEvents
  expulsion: Expulsion
  own: OwnRooms | undefined
  places: Pick<Places, 'rooms' | 'leave' | 'mayFollow'>
  /** Whether a room is ready now; if not, why. */
  changed (room: Room, ready: boolean, why?: string): void
}

export interface Entering {
  /** Enters the room until it is ready or the stream goes down. */
  enter (room: Room): void
  featuresOf (room: Room): Promise<ReadonlySet<string>>
  /** Enters rooms from now on, or no longer. */
  connected (): void
  disconnected (): void
}

/** The same set for rooms that can the same, as those of one service do: there may be thousands. */
const makeAlike = () => {
  let last: ReadonlySet<string> = new Set()
  return (features: string[]): ReadonlySet<string> => {
    const isSame = features.length === last.size && features.every(feature => last.has(feature))
    return last = isSame ? last : new Set(features.map(owned))
  }
}

export const makeEntering = ({ stream, world, events, expulsion, own, places, changed }: EnteringParts): Entering => {
  const { clock, chance, log } = world
  const slots = makeSlots(ENTERING_MAX, ENTERING_AT_ONE_MAX, Infinity) // no more can wait than there are rooms
  const alike = makeAlike()
  let whileConnected = new AbortController()

  const featuresOf = async (room: Room): Promise<ReadonlySet<string>> => {
    const answer = await stream.ask('get', room.listener.jid, room.id, el('query', { xmlns: INFO }))
    const query = child(answer, 'query', INFO)
    if (query === undefined) throw failureOf('the room does not say what it can', conditionOf(answer))
    room.name = owned(child(query, 'identity')?.attrs.name ?? '')
    return alike(elementsIn(query).filter(one => one.name === 'feature').map(one => one.attrs.var ?? ''))
  }

  /** Closes a room of ours to strangers. Nothing may be said in it before. */
  const close = async (room: Room, own: OwnRooms): Promise<void> => {
    if (own.isClosed(room.features)) return
    await own.setUp(room.id)
    room.features = await featuresOf(room)
    if (own.isClosed(room.features)) return
    const why = new Refused('the room service does not make rooms for members only in which everybody sees who is there')
    room.listener.leave(why)
    throw why
  }

  const isThere = async (room: Room): Promise<boolean> => {
    const answer = await stream.ask('get', room.listener.jid, room.id, el('query', { xmlns: INFO }))
    return answer.attrs.type !== 'error' || conditionOf(answer).name !== 'item-not-found'
  }

  const enterOnce = async (room: Room): Promise<void> => {
    if (room.follows !== undefined && !await isThere(room)) throw new Unavailable('the room that replaces another one is not there yet')
    if (room.listener.nick === '') { // the listener hears of all this anew when it enters
      events.entering(room)
      room.people.clear()
      room.subject = undefined
    }
    await room.listener.join()
    room.features = await featuresOf(room)
    if (room.own && own !== undefined) await close(room, own)
    if (room.listener.nick === '') throw new Unavailable('out of the room again')
    if (room.follows !== undefined) return
    for (const ghost of room.ghosts.values()) { // a room that forgets who is inside tells nobody
      if (ghost.nick !== '' && !room.people.has(ghost.nick)) ghost.lost('the room does not know us')
    }
    room.refusal = undefined
    expulsion.over(room)
    room.visit++
    room.heardAt = clock.tick()
    changed(room, true)
    log.info({ room: room.id, archive: room.features.has(ARCHIVE) }, 'in the room')
    await events.entered(room)
  }

  /** Gives the slot back after each try, so that others have their turn while this room waits for its next one. */
  const enterInTurn = async (room: Room, signal: AbortSignal): Promise<void> => {
    const over = await slots.take(serverOf(room.id), signal)
    try { await enterOnce(room) } finally { over() }
  }

  /** The error for deliveries that wait for the room. Somebody can mend most of what keeps us out; until then, it counts as a lost link. */
  const judge = async (room: Room, error: unknown): Promise<Room['refusal']> => {
    const { refusedFor } = room.listener
    if (!(error instanceof Refused) || refusedFor === '') return error instanceof Refused ? error : undefined
    if (refusedFor !== 'forbidden') return new Unavailable(error.message, { disconnected: true })
    if (!await isThere(room)) return new Unavailable('the room is not there, and the server does not let us make it', { disconnected: true })
    if (!room.own) expulsion.happened(room, 'shut out', 'banned')
    return room.refusal ?? error
  }

  /** The room is gone, or whoever replaced another one does not want us. */
  const isOver = (room: Room): boolean => {
    const isLeft = room.listener.refusedFor === 'gone' || (room.follows !== undefined && room.putOut !== undefined)
    return isLeft && places.leave(room)
  }

  const enterUntilIn = async (room: Room, signal: AbortSignal): Promise<void> => {
    for (let attempt = 1; !signal.aborted && places.rooms.get(room.id) === room; attempt++) {
      try {
        await enterInTurn(room, signal)
        if (room.follows === undefined || !await places.mayFollow(room, signal)) return
        attempt = 0
      } catch (error) {
        const why = await judge(room, error).catch(() => room.refusal)
        if (signal.aborted || isOver(room)) return
        room.refusal = why
        changed(room, room.ready, messageOf(error))
        if (expulsion.waitsForInvitation(room)) return
        const wait = backoffMs(chance, attempt, ENTER_FIRST_MS, ENTER_MOST_MS)
        log.warn({ room: room.id, why: messageOf(error), attempt, wait }, 'room could not be entered')
        await sleep(clock, wait, signal)
      }
    }
  }

  const enter = (room: Room): void => {
    if (expulsion.waitsForInvitation(room) || places.rooms.get(room.id) !== room || room.entering) return
    if (!stream.isUp || whileConnected.signal.aborted) return
    room.entering = true
    void enterUntilIn(room, whileConnected.signal).finally(() => {
      room.entering = false
      if (!room.ready) enter(room)
    })
  }

  return {
    enter, featuresOf,
    connected () { whileConnected = new AbortController() },
    disconnected () { whileConnected.abort() }
  }
}
