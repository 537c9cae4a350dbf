/**
 * The rooms that we attend. places.ts says in which one a place is, entering.ts enters them. In each, one listener of ours hears everything; ghosts
 * are only seen, and speak.
 * Promises: when a room falls silent, we verify that we are inside (XEP-0410). Ghosts that say nothing for a day leave, unless their
 * person is known to be there (ghosts.ts, bringing.ts).
 */
import type { Timer } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import type { Person } from '../../../model/address'
import { messageOf, Refused, Unavailable } from '../../../model/errors'
import type { Persona } from '../../../model/message'
import type { World } from '../../../model/network'
import { LISTENER_LOCAL, RESOURCE } from '../addresses'
import { bareOf, resourceOf } from '../names'
import { conditionOf } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { el, type Element } from '../wire/xml'
import { type EnteringEvents, makeEntering } from './entering'
import { makeExpulsion } from './expulsion'
import { makeGhostNews, type Told } from './ghost-news'
import { makeRoomGhosts, type RoomGhosts } from './ghosts'
import { HISTORY_MAX } from './history'
import { makeInside } from './inside'
import { makeObstacles, notYet } from './obstacles'
import { makeOccupant, type Occupant, type PutOut } from './occupant'
import { notePresence, type Present } from './people'
import { makePlaces } from './places'
import { isPortal } from './room-names'
import { canRule, freeNick, type OwnRooms, type Room, UNKNOWN, type Voices } from './room'

const SELF_PING_IDLE_MS = 5 * 60_000
const TICK_MS = 60_000
const LISTENER_NAME = 'Zentrale'
const NONE: ReadonlySet<string> = new Set()

export interface RoomEvents extends EnteringEvents {
  ended (room: Room): void // nothing more comes from it
  out (room: Room): void
  /** Somebody put us out: until the room is entered again, it is neither heard nor spoken into. */
  putOut (room: Room): void
  /** All rooms are entered and everybody of ours who wants to speak in them may; else `why` not. `tried`: see obstacles.ts. */
  allIn (all: boolean, why: string | undefined, tried: boolean): void
  known (room: Room, nick: string): void // somebody came in, or has another role
  heard (room: Room, presence: Element, before: Present | undefined): void // every presence to the listener, and who had the nick before
  ours (room: Room, nick: string): void // one of ours has this nick
  looks (ghost: Occupant, persona: Persona): void // it is to look so from now on
  expelled (room: Room, told: Told): void // a moderator did something to a ghost
}

export interface Rooms {
  get (address: string): Room | undefined
  /** The room that a place is now. */
  of (place: string): Room | undefined
  attend (place: string): Room
  all (): Iterable<Room>
  readonly ghosts: RoomGhosts
  presence (stanza: Element): void
  /** The room itself says something to one of ours: that we are asked in, or what became of a ghost. */
  said (room: Room, message: Element): void
  /** Whether one of ours is inside and has a voice. */
  maySpeak (occupant: Occupant): boolean
  /** Brings one of ours in and gets it a voice. Throws Refused or Unavailable. */
  bringIn (room: Room, occupant: Occupant): Promise<void>
  /** Asks the room again for its features: its configuration has changed. */
  refresh (room: Room): Promise<void>
  /** Asks the room whether the occupant is inside. If not, it is lost; the listener then enters again. */
  verify (room: Room, occupant: Occupant): void
  /** Resolves when the listener is inside. Throws Refused, or Unavailable when the signal fires. */
  whenReady (room: Room, signal: AbortSignal): Promise<void>
  connected (): void
  disconnected (): void
  /** Everybody was told that the place has moved to this room. */
  told (room: Room): void
  /** The place is no longer attended: all of ours leave. */
  end (place: string): void
  stop (): void
}

export interface RoomsParts {
  domain: string
  stream: Stream
  world: World
  events: RoomEvents
  voices: Voices
  own?: OwnRooms
  passwords?: Readonly<Record<string, string>> | undefined // by address
}

/** The operator should see it. */
const isKeptOut = (error: unknown): boolean => error instanceof Unavailable ? error.disconnected
  : error instanceof Refused && error.because === 'voiceless'

/** See Rooms.verify. */
const makeVerify = (stream: Stream, log: Log): Rooms['verify'] => (room, occupant) => {
  const { nick } = occupant
  if (nick === '' || !stream.isUp) return
  stream.ask('get', occupant.jid, `${room.id}/${nick}`, el('ping', { xmlns: 'urn:xmpp:ping' })).then(answer => {
    if (answer.attrs.type !== 'error' || occupant.nick !== nick) return
    if (UNKNOWN.has(conditionOf(answer).name)) occupant.lost('the room does not know us')
  }, (error: unknown) => log.info({ room: room.id, why: messageOf(error) }, 'self-ping unanswered'))
}

export const makeRooms = ({ domain, stream, world, events, voices, own, passwords = {} }: RoomsParts): Rooms => {
  const { clock, log, memory } = world
  let timer: Timer | undefined
  const [inside, verify] = [makeInside(stream, world), makeVerify(stream, log)]
  const [obstacles, expulsion] = [makeObstacles(events.allIn), makeExpulsion(world, inside, events.putOut)]
  const ghostNews = makeGhostNews(domain, world, (room, told) => { if (!room.own) events.expelled(room, told) })

  const changed = (room: Room, ready: boolean, why = notYet(room)): void => {
    room.ready = ready
    if (ready) places.back(room)
    if (ready || room.putOut !== undefined) obstacles.gone(room)
    else obstacles.outside(room, why)
    for (const wake of room.waiting.splice(0)) wake()
    obstacles.tell()
  }

  const outside = (room: Room, why: string, put: PutOut | undefined): void => {
    events.out(room)
    if (put !== undefined && places.leave(room)) return
    places.lost(room)
    if (put !== undefined && !room.own) expulsion.happened(room, put, why)
    changed(room, false)
    log.warn({ room: room.id, why }, 'outside of the room')
    entering.enter(room)
  }

  const occupantIn = (room: () => Room, id: string, local: string, { name, person }: { name: string, person?: Person }): Occupant => {
    const isListener = local === LISTENER_LOCAL
    const ours = own?.has(id) === true ? own : undefined
    const made: Occupant = makeOccupant({
      room: id, jid: `${local}@${domain}/${RESOURCE}`, firstName: name, person, password: passwords[id], stream, world,
      own: ours && {
        setUp: () => ours.setUp(id), isOwner: isListener, admit: (jid, nick) => ours.admit(id, jid, freeNick(room(), nick))
      },
      events: {
        nick (before, now) {
          const { nicks } = room()
          if (nicks.get(before) === made) nicks.delete(before)
          if (now === '') return
          nicks.set(now, made)
          events.ours(room(), now)
        },
        out (why, put) {
          if (made === room().listener) return outside(room(), why, put)
          obstacles.mute(made)
          ghostNews.out(room(), made, why, put)
        },
        rank (before) {
          ghostNews.rank(room(), made, before)
          if (made.role !== 'visitor') obstacles.mute(made)
          if (made === room().listener && canRule(room())) for (const ghost of room().ghosts.values()) obstacles.mute(ghost)
        },
        ...isListener ? { history: () => memory.get(`read ${id}`) === undefined ? { maxstanzas: String(HISTORY_MAX) } : undefined } : {},
        ...isListener || ours !== undefined ? {} : { entering: () => inside.enters(room(), made.jid), admit: () => voices.admit(room(), made) }
      }
    })
    return made
  }

  const ghosts = makeRoomGhosts({
    domain, inside, clock, looks: events.looks, make: (room, local, persona) => occupantIn(() => room, room.id, local, persona)
  })

  const tick = (): void => {
    const now = clock.tick()
    for (const room of places.rooms.values()) {
      if (room.ready && now - room.heardAt > SELF_PING_IDLE_MS) verify(room, room.listener)
      ghosts.partUnlisted(room)
    }
    timer = clock.after(TICK_MS, tick)
  }

  const make = (id: string, place: string): Room => {
    const room: Room = {
      id, place, follows: undefined, untold: false, listener: occupantIn(() => room, id, LISTENER_LOCAL, { name: LISTENER_NAME }),
      ghosts: new Map(), nicks: new Map(), people: new Map(), unwanted: new Set(), waiting: [],
      own: own?.has(id) === true, isTeams: own?.has(id) === true && !isPortal(id), features: NONE,
      subject: undefined, look: undefined, name: undefined, picture: undefined, refusal: undefined, listed: NONE, gone: NONE,
      whole: false, ready: false, visit: 0, putOut: expulsion.of(id), heardAt: 0, entering: false
    }
    return room
  }

  const begin = (room: Room, gone: boolean): void => {
    if (gone) expulsion.happened(room, 'destroyed', 'room destroyed')
    else if (room.putOut === undefined) obstacles.outside(room, notYet(room))
    else expulsion.lasts(room, room.putOut)
    if (stream.isUp && (gone || room.follows !== undefined)) obstacles.tell()
    entering.enter(room)
  }

  const ended = (room: Room): void => {
    obstacles.gone(room)
    for (const occupant of [...room.ghosts.values(), room.listener]) { obstacles.mute(occupant); occupant.leave() }
    inside.partAll(room)
    events.ended(room)
  }

  const places = makePlaces({ domain, world, own, voices, make, begin, ended })
  const entering = makeEntering({ stream, world, events, expulsion, own, places, changed })

  return {
    get: address => places.rooms.get(address),
    of: places.of, attend: places.attend, told: places.told, ghosts,
    all: () => places.rooms.values(),
    presence (stanza) {
      const room = places.rooms.get(bareOf(stanza.attrs.from ?? ''))
      const to = stanza.attrs.to ?? ''
      if (room === undefined) return
      const occupant = room.listener.jid === to ? room.listener : room.ghosts.get(to)
      const before = room.people.get(resourceOf(stanza.attrs.from ?? ''))
      const nick = occupant === room.listener ? notePresence(room.people, stanza) : undefined
      if (occupant === room.listener) events.heard(room, stanza, before)
      occupant?.presence(stanza)
      if (occupant === room.listener) places.seen(room, resourceOf(stanza.attrs.from ?? ''))
      if (nick !== undefined) events.known(room, nick)
    },
    said (room, message) {
      if (!ghostNews.said(room, message) || room.ready) return
      log.info({ room: room.id }, 'asked in by the room')
      if (expulsion.waitsForInvitation(room)) room.putOut = 'shut out'
      entering.enter(room)
    },
    maySpeak: occupant => occupant.nick !== '' && occupant.role !== 'visitor',
    async bringIn (room, occupant) {
      try {
        await ghostNews.enter(room, occupant)
        await voices.give(room, occupant)
        obstacles.mute(occupant)
      } catch (error) {
        if (isKeptOut(error) && stream.isUp) obstacles.mute(occupant, `${room.id}: ${messageOf(error)}`)
        throw error
      }
    },
    async refresh (room) { room.features = await entering.featuresOf(room) },
    verify,
    async whenReady (room, signal) {
      while (!room.ready) {
        if (room.refusal !== undefined) throw room.refusal
        if (!stream.isUp) throw new Unavailable('the component link is down', { disconnected: true })
        if (signal.aborted) throw new Unavailable('the room could not be entered in time')
        await new Promise<void>(resolve => {
          room.waiting.push(resolve)
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
      }
    },
    connected () {
      entering.connected()
      if (timer === undefined) tick()
      for (const room of places.rooms.values()) {
        if (room.putOut === undefined) room.refusal = undefined
        else inside.partOthers(room)
        entering.enter(room)
      }
      if (places.rooms.size > 0) obstacles.tell()
    },
    disconnected () {
      entering.disconnected()
      obstacles.allMayTry()
      for (const room of places.rooms.values()) {
        for (const occupant of [...room.ghosts.values(), room.listener]) occupant.lost('the component link went down')
        events.out(room)
        changed(room, false)
      }
    },
    end (place) {
      const room = places.of(place)
      if (room !== undefined) places.end(room)
      obstacles.tell()
    },
    stop () {
      entering.disconnected()
      timer?.cancel()
      for (const room of places.rooms.values()) for (const occupant of [...room.ghosts.values(), room.listener]) occupant.leave()
    }
  }
}
