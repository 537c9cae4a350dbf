/**
 * The rooms that we attend. In each, one listener of ours hears everything; ghosts only speak.
 * Promises: while the stream is up every attended room is entered, again and again with backoff, unless it has put us out: then all of
 * ours leave it, and a room that has kicked us, or was destroyed, is entered only when it asks us in, also after a restart; a room is
 * `ready` only when the listener is known to be inside and the room's features are known; that we are inside is verified when a room
 * falls silent (XEP-0410). Occupants that say nothing for OCCUPANT_IDLE_MS leave; there are never more than OCCUPANTS_MAX in a room.
 */
import { backoffMs } from '../../../lib/backoff'
import { sleep, type Timer } from '../../../lib/clock'
import { makeSlots } from '../../../lib/slots'
import { messageOf, Refused, Unavailable } from '../../../model/errors'
import type { Persona } from '../../../model/message'
import type { World } from '../../../model/network'
import { LISTENER_LOCAL, RESOURCE } from '../addresses'
import { bareOf, ghostLocal, serverOf } from '../names'
import { conditionOf, failureOf } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { child, el, type Element, elementsIn } from '../wire/xml'
import { HISTORY_MAX } from './history'
import { makeOccupant, type Occupant, type PutOut } from './occupant'
import { noteRealJid } from './real-jids'
import { ARCHIVE, canRule, INFO, type OwnRooms, type Room, UNKNOWN, type Voices } from './room'

const OCCUPANTS_MAX = 500
const OCCUPANT_IDLE_MS = 24 * 3_600_000
const SELF_PING_IDLE_MS = 5 * 60_000
const TICK_MS = 60_000
const ENTER_FIRST_MS = 1_000
const ENTER_MOST_MS = 5 * 60_000
const ENTERING_MAX = 32 // rooms at a time, so that a start does not flood the server
const ENTERING_AT_ONE_MAX = 16 // of these at one room service, which may hang
const LISTENER_NAME = 'Zentrale'
const NOT_YET = 'not entered yet'

export interface RoomEvents {
  entering (room: Room): void // the listener is about to enter: what it hears comes before what was missed
  entered (room: Room): Promise<void> // catch up; the room is ready already
  out (room: Room): void
  /** By somebody's decision: it is neither heard nor spoken into until it is entered again. */
  putOut (room: Room): void
  /** All rooms are entered and everybody of ours who wants to speak in them may; else `why` not. */
  allIn (all: boolean, why: string | undefined): void
  known (room: Room, nick: string): void // came in, or is there in another role
  heard (room: Room, presence: Element): void // what the listener is told of everybody
  speaks (ghost: Occupant, persona: Persona): void // is about to
}

export interface Rooms {
  get (id: string): Room | undefined
  attend (id: string): Room
  all (): Iterable<Room>
  ghost (room: Room, persona: Persona): Occupant
  presence (stanza: Element): void
  /** The room itself asks us in. */
  invited (room: Room): void
  /** Whether one of ours is inside and has a voice. */
  maySpeak (occupant: Occupant): boolean
  /** Brings one of ours in and gets it a voice. Throws Refused or Unavailable. */
  bringIn (room: Room, occupant: Occupant): Promise<void>
  /** Asks the room anew what it can: its configuration has changed. */
  refresh (room: Room): Promise<void>
  /** Asks the room whether the occupant is inside; if not, it is lost and, being the listener, enters again. */
  verify (room: Room, occupant: Occupant): void
  /** Resolves when the listener is inside. Throws Refused, or Unavailable when the signal fires. */
  whenReady (room: Room, signal: AbortSignal): Promise<void>
  connected (): void
  disconnected (): void
  /** It is neither entered nor heard any more. */
  end (id: string): void
  stop (): void
}

export const makeRooms = (domain: string, stream: Stream, world: World, events: RoomEvents, voices: Voices, own?: OwnRooms): Rooms => {
  const { clock, chance, log, memory } = world
  const rooms = new Map<string, Room>()
  let whileConnected = new AbortController() // aborted when the stream goes down
  const entering = makeSlots(ENTERING_MAX, ENTERING_AT_ONE_MAX, Infinity) // no more wait than there are rooms
  let timer: Timer | undefined
  const missing = new Map<Room, string>() // that are to be entered, and why they are not yet
  const mute = new Map<Occupant, string>() // of ours that wait for a way in or a voice, and why

  const tellAllIn = (): void => {
    const [[first, cause] = []] = missing
    const [why] = mute.values()
    events.allIn(missing.size + mute.size === 0, first === undefined ? why : `${first.id}: ${first.refusal?.message ?? cause}`)
  }

  const changed = (room: Room, ready: boolean, why = NOT_YET): void => {
    room.ready = ready
    if (ready || room.putOut !== undefined) missing.delete(room)
    else missing.set(room, why)
    for (const wake of room.waiting) wake()
    room.waiting.clear()
    tellAllIn()
  }

  const remember = (room: Room, put: PutOut | undefined): void => {
    room.putOut = put
    const key = `put out ${room.id}`
    const done = put !== undefined ? memory.set(key, put) : memory.get(key) === undefined ? undefined : memory.delete(key)
    done?.catch((error: unknown) => log.error({ room: room.id, why: messageOf(error) }, 'not remembered that a room has put us out'))
  }

  const putOut = (room: Room, put: PutOut, why: string): void => {
    room.refusal = new Refused(`the room has put us out: ${why}`)
    remember(room, put)
    for (const ghost of room.ghosts.values()) ghost.leave(room.refusal)
    events.putOut(room)
  }

  const outside = (room: Room, why: string, put: PutOut | undefined): void => {
    events.out(room)
    if (put !== undefined && !room.own) putOut(room, put, why)
    changed(room, false)
    log.warn({ room: room.id, why }, 'outside of the room')
    enter(room)
  }

  const speechless = (occupant: Occupant, why: string | undefined): void => {
    if (why === undefined ? !mute.delete(occupant) : mute.get(occupant) === why) return
    if (why !== undefined) mute.set(occupant, why)
    tellAllIn()
  }

  const occupantIn = (room: () => Room, id: string, local: string, name: string): Occupant => {
    const made: Occupant = makeOccupant(id, `${local}@${domain}/${RESOURCE}`, name, stream, world, {
      nick (before, now) {
        const { nicks } = room()
        if (nicks.get(before) === made) nicks.delete(before)
        if (now !== '') nicks.set(now, made)
      },
      out (why, put) {
        if (made === room().listener) return outside(room(), why, put)
        speechless(made, undefined)
        log.info({ room: id, why }, 'occupant is outside of the room')
      },
      rank () {
        if (made.role !== 'visitor') speechless(made, undefined)
        if (made === room().listener && canRule(room())) for (const ghost of room().ghosts.values()) speechless(ghost, undefined)
      },
      ...local === LISTENER_LOCAL ? { history: () => memory.get(`read ${id}`) === undefined ? { maxstanzas: String(HISTORY_MAX) } : undefined } : {},
      ...local === LISTENER_LOCAL || own?.has(id) === true ? {} : { admit: () => voices.admit(room(), made) }
    }, own?.has(id) !== true
      ? undefined
      : { setUp: () => own.setUp(id), admit: jid => own.admit(id, jid), isOwner: local === LISTENER_LOCAL })
    return made
  }

  const featuresOf = async (room: Room): Promise<ReadonlySet<string>> => {
    const answer = await stream.ask('get', room.listener.jid, room.id, el('query', { xmlns: INFO }))
    const query = child(answer, 'query', INFO)
    if (query === undefined) throw failureOf('the room does not say what it can', conditionOf(answer))
    return new Set(elementsIn(query).filter(one => one.name === 'feature').map(one => one.attrs.var ?? ''))
  }

  /** Nothing may be said in it before. */
  const close = async (room: Room, own: OwnRooms): Promise<void> => {
    if (own.isClosed(room.features)) return
    await own.setUp(room.id)
    room.features = await featuresOf(room)
    if (own.isClosed(room.features)) return
    const why = new Refused('the room service does not make rooms for members only in which everybody sees who is there')
    room.listener.leave(why)
    throw why
  }

  const enterOnce = async (room: Room): Promise<void> => {
    events.entering(room)
    if (room.listener.nick === '') room.realJids.clear() // it is told of them again only when it comes in
    await room.listener.join()
    room.features = await featuresOf(room)
    if (room.own && own !== undefined) await close(room, own)
    if (room.listener.nick === '') throw new Unavailable('out of the room again')
    room.refusal = undefined
    if (room.putOut !== undefined) remember(room, undefined)
    room.visit++
    room.heardAt = clock.tick()
    changed(room, true)
    log.info({ room: room.id, archive: room.features.has(ARCHIVE) }, 'in the room')
    await events.entered(room)
  }

  /** Others have their turn while this one waits for its next try. */
  const enterInTurn = async (room: Room, signal: AbortSignal): Promise<void> => {
    const over = await entering.take(serverOf(room.id), signal)
    try { await enterOnce(room) } finally { over() }
  }

  const isThere = async (room: Room): Promise<boolean> => {
    const answer = await stream.ask('get', room.listener.jid, room.id, el('query', { xmlns: INFO }))
    return answer.attrs.type !== 'error' || conditionOf(answer).name !== 'item-not-found'
  }

  /** What those who wait for the room are told: most of what keeps us out somebody can mend, and until then it is as if the stream were down. */
  const judge = async (room: Room, error: unknown): Promise<Room['refusal']> => {
    const { refusedFor } = room.listener
    if (!(error instanceof Refused) || refusedFor === '') return error instanceof Refused ? error : undefined
    if (refusedFor !== 'forbidden') return new Unavailable(error.message, { disconnected: true })
    if (!await isThere(room)) return new Unavailable('the room is not there, and the server does not let us make it', { disconnected: true })
    if (!room.own) putOut(room, 'shut out', 'banned')
    return room.refusal ?? error
  }

  const enterUntilIn = async (room: Room, signal: AbortSignal): Promise<void> => {
    for (let attempt = 1; !signal.aborted && rooms.get(room.id) === room; attempt++) {
      try { return await enterInTurn(room, signal) } catch (error) {
        const why = await judge(room, error).catch(() => room.refusal)
        if (signal.aborted) return
        room.refusal = why
        changed(room, room.ready, messageOf(error))
        if (waitsForInvitation(room)) return
        const wait = backoffMs(chance, attempt, ENTER_FIRST_MS, ENTER_MOST_MS)
        log.warn({ room: room.id, why: messageOf(error), attempt, wait }, 'room could not be entered')
        await sleep(clock, wait, signal)
      }
    }
  }

  const waitsForInvitation = ({ putOut }: Room): boolean => putOut === 'kicked' || putOut === 'destroyed'

  const enter = (room: Room): void => {
    if (waitsForInvitation(room) || rooms.get(room.id) !== room || room.entering || !stream.isUp || whileConnected.signal.aborted) return
    room.entering = true
    void enterUntilIn(room, whileConnected.signal).finally(() => {
      room.entering = false
      if (!room.ready) enter(room)
    })
  }

  const verify = (room: Room, occupant: Occupant): void => {
    const { nick } = occupant
    if (nick === '' || !stream.isUp) return
    stream.ask('get', occupant.jid, `${room.id}/${nick}`, el('ping', { xmlns: 'urn:xmpp:ping' })).then(answer => {
      if (answer.attrs.type !== 'error' || occupant.nick !== nick) return
      if (UNKNOWN.has(conditionOf(answer).name)) occupant.lost('the room does not know us')
    }, (error: unknown) => log.info({ room: room.id, why: messageOf(error) }, 'self-ping unanswered'))
  }

  const partIdle = (room: Room, now: number): void => {
    for (const [jid, ghost] of room.ghosts) {
      if (now - ghost.usedAt < OCCUPANT_IDLE_MS) continue
      ghost.leave()
      room.ghosts.delete(jid)
    }
  }

  const tick = (): void => {
    const now = clock.tick()
    for (const room of rooms.values()) {
      if (room.ready && now - room.heardAt > SELF_PING_IDLE_MS) verify(room, room.listener)
      partIdle(room, now)
    }
    timer = clock.after(TICK_MS, tick)
  }

  const attend = (id: string): Room => {
    const known = rooms.get(id)
    if (known !== undefined) return known
    const room: Room = {
      id, listener: occupantIn(() => room, id, LISTENER_LOCAL, LISTENER_NAME),
      ghosts: new Map(), nicks: new Map(), realJids: new Map(), own: own?.has(id) === true, features: new Set(), subject: undefined,
      ready: false, visit: 0, putOut: memory.get(`put out ${id}`) as PutOut | undefined, refusal: undefined, heardAt: 0,
      entering: false, waiting: new Set()
    }
    rooms.set(id, room)
    if (room.putOut === undefined) missing.set(room, NOT_YET)
    else room.refusal = new Refused(`the room has put us out: ${room.putOut}`)
    enter(room)
    return room
  }

  const makeSpace = (room: Room): void => {
    if (room.ghosts.size < OCCUPANTS_MAX) return
    const oldest = [...room.ghosts.values()].reduce((a, b) => a.usedAt <= b.usedAt ? a : b)
    oldest.leave()
    room.ghosts.delete(oldest.jid)
  }

  return {
    get: id => rooms.get(id),
    attend,
    all: () => rooms.values(),
    ghost (room, persona) {
      const local = ghostLocal(persona.person)
      const jid = `${local}@${domain}/${RESOURCE}`
      let ghost = room.ghosts.get(jid)
      if (ghost === undefined) {
        makeSpace(room)
        ghost = occupantIn(() => room, room.id, local, persona.name)
        room.ghosts.set(jid, ghost)
      }
      ghost.usedAt = clock.tick()
      ghost.rename(persona.name)
      events.speaks(ghost, persona)
      return ghost
    },
    presence (stanza) {
      const room = rooms.get(bareOf(stanza.attrs.from ?? ''))
      const to = stanza.attrs.to ?? ''
      if (room === undefined) return
      const occupant = room.listener.jid === to ? room.listener : room.ghosts.get(to)
      const nick = occupant === room.listener ? noteRealJid(room.realJids, stanza) : undefined
      if (occupant === room.listener) events.heard(room, stanza)
      occupant?.presence(stanza)
      if (nick !== undefined) events.known(room, nick)
    },
    invited (room) {
      if (room.ready) return
      log.info({ room: room.id }, 'asked in by the room')
      if (waitsForInvitation(room)) room.putOut = 'shut out'
      enter(room)
    },
    maySpeak: occupant => occupant.nick !== '' && occupant.role !== 'visitor',
    async bringIn (room, occupant) {
      try {
        await occupant.join()
        await voices.give(room, occupant)
        speechless(occupant, undefined)
      } catch (error) {
        if (error instanceof Unavailable && error.disconnected && stream.isUp) speechless(occupant, `${room.id}: ${error.message}`)
        throw error
      }
    },
    async refresh (room) { room.features = await featuresOf(room) },
    verify,
    async whenReady (room, signal) {
      while (!room.ready) {
        if (room.refusal !== undefined) throw room.refusal
        if (!stream.isUp) throw new Unavailable('the component link is down', { disconnected: true })
        if (signal.aborted) throw new Unavailable('the room could not be entered in time')
        await new Promise<void>(resolve => {
          room.waiting.add(resolve)
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
      }
    },
    connected () {
      whileConnected = new AbortController()
      if (timer === undefined) tick()
      for (const room of rooms.values()) {
        if (room.putOut === undefined) room.refusal = undefined
        enter(room)
      }
      if (rooms.size > 0) tellAllIn()
    },
    disconnected () {
      whileConnected.abort()
      mute.clear()
      for (const room of rooms.values()) {
        for (const occupant of [...room.ghosts.values(), room.listener]) occupant.lost('the component link went down')
        events.out(room)
        changed(room, false)
      }
    },
    end (id) {
      const room = rooms.get(id)
      if (room === undefined) return
      rooms.delete(id)
      missing.delete(room)
      for (const occupant of [...room.ghosts.values(), room.listener]) {
        mute.delete(occupant)
        occupant.leave()
      }
      tellAllIn()
    },
    stop () {
      whileConnected.abort()
      timer?.cancel()
      for (const room of rooms.values()) for (const occupant of [...room.ghosts.values(), room.listener]) occupant.leave()
    }
  }
}
