/**
 * The rooms that we attend. A place is named by an alias or a room id for ever. This file knows which room that is now and whether the bot
 * is in it, and brings it there: it resolves the alias, joins, follows upgrades, and tells clients what the room is bridged to. What fails is
 * tried again with backoff, and shows as the connection `rooms`. The bot enters a room that has sent it out only when invited again.
 */
import { backoffMs } from '../../../lib/backoff'
import type { Chance } from '../../../lib/chance'
import { sleep, type Clock, type Timer } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { makeSlots } from '../../../lib/slots'
import type { Place } from '../../../model/address'
import { messageOf, Refused, Unavailable } from '../../../model/errors'
import type { Standing } from '../../../model/message'
import type { Memory } from '../../../model/network'
import type { ReadUpTo } from '../recovery/catch-up'
import { beginsAnew, beginsNow, forgetPosition, isComing, hasPosition } from '../recovery/history-position'
import { type Json, stringOf } from '../events/json'
import { encode, Rejected, roomPath, type Homeserver } from '../homeserver'
import { forgetDescription } from './description'
import { formerOf, keepFormer } from './former'
import { makeMissing, type Missing } from './missing'
import { nextOf } from './moved'
import { leaveIfClosed, mustBeOpen, needNotBeOpen } from './open'
import { eventOf, isMember } from './state'
import { mayReplace } from './upgrade'

const FIRST_MS = 2000
const MOST_MS = 5 * 60_000
const NOT_REPLACED = 'a room says it was replaced, but by somebody who may not decide that, or by a room that knows nothing of it; not followed'
const CLOSED = 'a room was replaced by one that the bot cannot enter. Invite the bot there'
const SENT_OUT = 'the room has sent the bot out; the bot comes again when it is invited'
const CANNOT_BE_IN = 'cannot be in this room; trying again. Invite the bot there if it is closed'
const SETTLED_MS_MAX = 15_000
const UPGRADES_MAX = 20 // followed in one go
const ENTERING_MAX = 64 // rooms at a time: others would only wait in memory

interface Attended {
  place: Place
  room?: string // if known
  joined: boolean
  next?: string // the room that replaces it, until the bot is let in
  tried: boolean // since the start
  standing?: Standing
  failure?: unknown // of the last try
  attempt: number
  busy: boolean
  again: boolean // something happened while busy
  unmade: boolean // a room of ours that nobody has asked for yet
  timer?: Timer
}

export interface Rooms {
  attend (places: Place[]): void
  /** Allows calls to the homeserver: (re)checks every place. Called when the homeserver is found. */
  check (): Promise<void>
  /** Something happened to this room: we were invited, sent out, or it was replaced. */
  checkRoom (room: string): void
  /** Whether the bot is in it, as far as known. */
  isIn (room: string): boolean
  /** Whether it has sent the bot out: nothing that is said there is for us. */
  isOut (room: string): boolean
  /** Whether this is the room of a place now, and not one that was replaced. */
  isNow (room: string): boolean
  /** Whether it is encrypted, and we cannot read it. */
  isEncrypted (room: string): boolean
  /** The room has sent the bot out. */
  sentOut (room: string): Promise<void>
  /** Whether a room of ours waits to be replaced by this one. */
  awaits (room: string): boolean
  placeOf (room: string): Place | undefined
  /** The room that a place is now. Throws Unavailable while the bot is not in there. */
  roomOf (place: Place): string
  /** The same, undefined while it is not known. */
  known (place: Place): string | undefined
  /** The rooms that it was before, newest first. What was said there stays there. */
  former (place: Place): string[]
  /** This place has a room from now on: it is attended. */
  made (place: Place, room: string): Promise<void>
  /** The place is over. */
  forget (place: Place): Promise<void>
  /** The bot is about to come in, if it is not inside: what is said from then on is ours to carry. */
  arrive (room: string): Promise<void>
  /** All known rooms. Whether the bot is in them shows when they are read; `joined` may be wrong after a failed call. */
  all (): Array<{ place: Place, room: string }>
  /** Enters the room at once if the bot is not in it. Throws Unavailable if that fails. */
  again (room: string): Promise<void>
  /** Resolves when every place has been tried once since the last `check`; with false if that takes long, and some are still to be tried. */
  settled (): Promise<boolean>
  stop (): void
}

export interface RoomsWorld {
  homeserver: Homeserver; memory: Memory; clock: Clock; chance: Chance; log: Log; bot: string
  /** Whether we make this room ourselves once it is wanted. Until then, it is not missing. */
  isMadeByUs (place: Place): boolean
  /** Resolves when this standing is stored. */
  stands (place: Place, standing: Standing): Promise<unknown>
  /** This room has sent the bot out. Called each time that is found. */
  expelled (room: string): void
  /** The bot is in this room again: reads what was said since then. */
  readAnew (room: ReadUpTo): void
  /** The bot is in this room: whether it is encrypted, and whether we can read that. Throws Unavailable. */
  standing (place: Place, room: string): Promise<Standing>
  /** The bot is in this room, which is to say what it is connected with. Called each time that is found. */
  describe (room: string): void
  /** This room, which the bot has entered first since the start, was known from before; its alias may lead elsewhere by now. */
  knew (place: Place, room: string): void
  /** `tried`: since the start, the bot was in each room or has tried once to enter it. */
  changed (allJoined: boolean, detail: string | undefined, tried: boolean): void
  /** The bot is in this room, which we have not made. Called each time that is found. */
  entered (place: Place, room: string): void
}

const memoryKey = (place: Place): string => `room ${place.id}`
const outKey = (room: string): string => `out ${room}`

/** A room that people asked for belongs to others: whether it lets us in is up to them. */
const isClosed = (memory: Memory, { place, room }: Attended): boolean =>
  room !== undefined && memory.get(outKey(room)) !== undefined && mustBeOpen(memory, place)

export const makeRooms = (world: RoomsWorld): Rooms => {
  const { homeserver, memory, clock, chance, log, bot, describe, knew, isMadeByUs, stands, expelled, readAnew, changed, entered: tell } = world
  const attended = new Map<string, Attended>() // by place id
  const byRoom = new Map<string, Attended>()
  const replaced = new Set<Attended>() // those that have ever been since the start
  const entered = new Set<string>() // rooms of which we know whether we were in them before
  const running = new Set<Promise<void>>()
  const stopping = new AbortController()
  const turns = makeSlots(ENTERING_MAX, ENTERING_MAX, Infinity) // no more can wait than there are rooms
  const missing = makeMissing<Attended>(({ place }) => place.id, ({ tried }) => tried, changed)
  let allowed = false

  const note = (entry: Attended): Missing<Attended> =>
    missing.note(entry, !entry.joined && !entry.unmade && attended.get(entry.place.id) === entry && !isClosed(memory, entry))

  const settle = async (entry: Attended, room: string): Promise<void> => {
    if (entry.room === room) return
    if (entry.room !== undefined) await keepFormer(memory, entry.place, entry.room)
    entry.room = room // the old one stays in byRoom: what was said there before the upgrade may still be on its way
    byRoom.set(room, entry)
    await memory.set(memoryKey(entry.place), room)
  }

  const resolve = async ({ id }: Place): Promise<string> => {
    const room = stringOf((await homeserver.call('GET', `client/v3/directory/room/${encode(id)}`, { elsewhere: true })).room_id)
    if (room === undefined) throw new Unavailable('homeserver: an alias without a room')
    return room
  }

  /** Follows tombstones (CS API §Room upgrades), each only if upgrade.ts allows it. */
  const follow = async (entry: Attended): Promise<void> => {
    for (let steps = 0; steps < UPGRADES_MAX; steps++) {
      const old = entry.room!
      const next = await nextOf(homeserver, old)
      delete entry.next
      if (next === undefined || !next.startsWith('!') || next === old) return
      if (byRoom.has(next)) return log.error({ room: old, next }, 'a room was replaced by one that is another place of ours; not followed')
      const verdict = await mayReplace(homeserver, old)
      if (verdict === undefined) return log.error({ room: old, next }, NOT_REPLACED)
      entry.next = next
      replaced.add(entry)
      await arrive(next)
      await homeserver.call('POST', `client/v3/join/${encode(next)}`, { body: {}, elsewhere: true }).catch((error: unknown) => {
        throw error instanceof Rejected ? new Refused(`${CLOSED}: ${next} (${error.message})`) : error
      })
      delete entry.next
      if (!await verdict(next)) {
        log.error({ room: old, next }, NOT_REPLACED)
        await homeserver.call('POST', `${roomPath(next)}/leave`, { body: {} })
        return
      }
      log.info({ room: old, next }, 'followed a room to its successor')
      await settle(entry, next)
    }
  }

  /** `isIn`: whether the bot is in it, if known. */
  const arrive = async (room: string, isIn?: boolean): Promise<void> => {
    if (entered.has(room) || hasPosition(memory, room)) return
    if (!(isIn ?? await isMember(homeserver, room, bot, {}))) await beginsNow(memory, room)
    entered.add(room)
  }

  const isOut = (room: string): boolean => memory.get(outKey(room)) !== undefined

  const sentOut: Rooms['sentOut'] = async room => {
    const entry = byRoom.get(room)
    if (entry === undefined || isOut(room)) return
    await beginsAnew(memory, room)
    await memory.set(outKey(room), '1')
    if (entry.room !== room) return // an earlier one, from which it has moved on
    entry.joined = false
    log.warn({ place: entry.place.id, room }, SENT_OUT)
    note(entry).show()
  }

  /** All rooms that the bot is in, by one call for thousands of them; undefined if the homeserver does not say. */
  const roomsInside = async (): Promise<ReadonlySet<string> | undefined> => {
    const { joined_rooms: all } = await homeserver.call('GET', 'client/v3/joined_rooms').catch((): Json => ({}))
    return Array.isArray(all) ? new Set(all.map(String)) : undefined
  }

  /** A user who was sent out still sees the state of that time. A user who is invited, or on Synapse banned, sees nothing. */
  const standingIn = async (room: string): Promise<'in' | 'sent out' | undefined> => {
    const { sender, content: { membership } } = await eventOf(homeserver, room, 'm.room.member', bot) ?? { sender: bot, content: {} }
    if (membership === 'join') return 'in'
    return sender !== bot && (membership === 'leave' || membership === 'ban') ? 'sent out' : undefined
  }

  const wasIn = (room: string): boolean => hasPosition(memory, room) && !isComing(memory, room)

  const failAsSentOut = async (entry: Attended, room: string): Promise<never> => {
    await sentOut(room)
    await stands(entry.place, 'out')
    expelled(room)
    throw new Refused(SENT_OUT)
  }

  const join = async (entry: Attended, room: string): Promise<void> => {
    try {
      await homeserver.call('POST', `client/v3/join/${encode(entry.room ?? entry.place.id)}`, { body: {}, elsewhere: true })
    } catch (error) {
      if (error instanceof Rejected && (isOut(room) || wasIn(room))) return await failAsSentOut(entry, room)
      throw error
    }
  }

  /** Until the room's standing is stored, we say nothing there and carry nothing from there. */
  const begin = async (entry: Attended): Promise<void> => {
    const { place } = entry
    const room = entry.room!
    if (await leaveIfClosed(world, place, room)) return await failAsSentOut(entry, room)
    entry.standing = await world.standing(place, room)
    await stands(place, entry.standing)
    if (!isOut(room)) return
    await memory.delete(outKey(room))
    readAnew({ place, room })
  }

  /** `inside`: the rooms that the bot was in just now. */
  const enter = async (entry: Attended, inside: ReadonlySet<string> | undefined): Promise<void> => {
    if (entry.unmade) throw new Unavailable('this room of ours is not made yet') // its alias may lead to a room that another store has made
    const isKnown = entry.room !== undefined
    const room = entry.room ?? await resolve(entry.place)
    const ours = isMadeByUs(entry.place)
    const standing = ours ? undefined : inside?.has(room) === true ? 'in' : await standingIn(room)
    if (standing === 'sent out') return await failAsSentOut(entry, room)
    if (!ours) await arrive(room, standing === 'in')
    if (standing !== 'in') await join(entry, room) // who joins in any case comes back in when sent out meanwhile
    await settle(entry, room)
    await follow(entry)
    if (!ours) await begin(entry)
    entry.joined = true
    if (!ours) tell(entry.place, entry.room!)
    delete entry.failure
    describe(entry.room!)
    if (isKnown && !entry.tried) knew(entry.place, entry.room!)
    entry.attempt = 0
  }

  const run = async (entry: Attended, inside?: ReadonlySet<string>): Promise<void> => {
    if (entry.busy || !allowed || stopping.signal.aborted) { entry.again = entry.busy; return }
    entry.busy = true
    entry.timer?.cancel()
    try {
      const over = await turns.take('', stopping.signal)
      entry.again = false // whatever was the reason, it has not been looked at yet
      await enter(entry, inside).finally(over)
    } catch (error) {
      entry.failure = error
      if (error instanceof Refused) entry.joined = false
      if (!entry.unmade && !stopping.signal.aborted) fail(entry, error)
    }
    entry.tried = true
    entry.busy = false
    note(entry).show()
    if (entry.again) { entry.again = false; start(entry) }
  }

  const fail = (entry: Attended, error: unknown): void => {
    if (entry.attempt++ === 0) log.warn({ place: entry.place.id, why: messageOf(error) }, CANNOT_BE_IN)
    if (error instanceof Refused && entry.room !== undefined && isOut(entry.room)) return
    entry.timer = clock.after(backoffMs(chance, entry.attempt, FIRST_MS, MOST_MS), () => start(entry))
  }

  const start = (entry: Attended, inside?: ReadonlySet<string>): void => {
    if (entry.busy) return void (entry.again = true)
    const task = run(entry, inside).finally(() => running.delete(task))
    running.add(task)
  }

  const enlist = (place: Place): Attended => {
    const room = memory.get(memoryKey(place)) ?? (place.id.startsWith('!') ? place.id : undefined)
    const unmade = isMadeByUs(place) && room === undefined
    const entry: Attended = { place, joined: false, tried: false, attempt: 0, busy: false, again: false, unmade }
    attended.set(place.id, entry)
    if (room !== undefined) { entry.room = room; byRoom.set(room, entry) }
    note(entry)
    return entry
  }

  /** Rooms that we made are not looked at: nobody can have sent us out, and there may be thousands. */
  const lookAt = (entry: Attended, inside?: ReadonlySet<string>): void => {
    if (entry.room !== undefined && isMadeByUs(entry.place)) entry.joined = true
    else start(entry, inside)
    note(entry)
  }

  return {
    attend (places) {
      for (const place of places) {
        if (attended.has(place.id)) continue
        const entry = enlist(place)
        if (allowed) lookAt(entry)
      }
      if (allowed) missing.show()
    },
    async check () {
      allowed = true
      const inside = await roomsInside()
      for (const entry of attended.values()) lookAt(entry, inside)
      missing.show()
    },
    checkRoom (room) {
      const entry = byRoom.get(room) ?? [...replaced].find(({ next }) => next === room)
      if (entry) start(entry)
      else for (const waiting of attended.values()) if (waiting.room === undefined) start(waiting)
    },
    isIn: room => byRoom.get(room)?.joined ?? false,
    isOut, sentOut,
    isNow: room => byRoom.get(room)?.room === room,
    isEncrypted: room => byRoom.get(room)?.standing === 'encrypted',
    awaits: room => [...replaced].some(({ next }) => next === room),
    placeOf: room => byRoom.get(room)?.place,
    roomOf (place) {
      const { room, joined, failure } = attended.get(place.id) ?? {}
      if (room !== undefined && joined === true) return room
      const disconnected = failure === undefined || (failure instanceof Unavailable && failure.disconnected) // else it is the room
      throw new Unavailable(`the bot is not in the room ${place.id}; it must be able to join it`, { disconnected, closed: !disconnected })
    },
    known: place => attended.get(place.id)?.room ?? memory.get(memoryKey(place)),
    async made (place, room) {
      const entry = attended.get(place.id) ?? enlist(place)
      if (entry.room === room && entry.joined) return
      await beginsNow(memory, room)
      await settle(entry, room)
      entry.joined = true
      entry.unmade = false
      note(entry)
      start(entry)
    },
    async forget (place) {
      const entry = attended.get(place.id)
      entry?.timer?.cancel()
      attended.delete(place.id)
      if (entry) replaced.delete(entry)
      for (const [room, one] of byRoom) {
        if (one.place.id !== place.id) continue
        byRoom.delete(room)
        entered.delete(room)
        await memory.delete(outKey(room))
        await forgetPosition(memory, room)
        await forgetDescription(memory, room)
      }
      await memory.delete(memoryKey(place))
      await needNotBeOpen(memory, place)
      await keepFormer(memory, place, undefined)
      if (entry) note(entry).show()
    },
    arrive, former: place => formerOf(memory, place),
    all: () => [...attended.values()].flatMap(({ place, room }) => room === undefined ? [] : [{ place, room }]),
    async again (room) {
      const entry = byRoom.get(room)
      if (entry === undefined || entry.busy) throw new Unavailable(`the bot enters ${room} just now`)
      await run(entry)
      if (!entry.joined) throw new Unavailable(`the bot is not in ${room}`)
    },
    async settled () {
      const over = new AbortController()
      const late = sleep(clock, SETTLED_MS_MAX, over.signal, stopping.signal).then(() => false)
      return await Promise.race([Promise.allSettled(running).then(() => true), late]).finally(() => over.abort())
    },
    stop () {
      stopping.abort()
      for (const entry of attended.values()) entry.timer?.cancel()
    }
  }
}
