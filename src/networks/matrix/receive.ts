/**
 * Takes events, from a transaction or from catching up. What is said in attended rooms is stored, in order and all together, before the
 * homeserver gets its yes. A bad event never holds up another: it is kept in quarantine.
 */
import type { Clock } from '../../lib/clock'
import type { Log } from '../../lib/log'
import { Bug, Malformed, Unavailable } from '../../model/errors'
import type { NetworkName, Place } from '../../model/address'
import type { Arrival, ExpulsionArrival, ProfileArrival, Standing, StandingArrival } from '../../model/message'
import type { Inbox, Memory } from '../../model/network'
import type { Take } from './recovery/catch-up'
import type { DirectRoom } from './direct/chats'
import type { Direct } from './direct/direct'
import { type Encryption, wasEncrypted } from './encryption/encryption'
import type { Keeper, Reading } from './encryption/keeper'
import { makeOpening, type Taken } from './encryption/opening'
import type { Verifying } from './encryption/verifying'
import type { MakeWaiting } from './encryption/waiting'
import { arrivalOf, readEvent, speaks, unreadable, withHops, type RoomEvent } from './events/events'
import { isJson } from './events/json'
import type { Around } from './events/mentions'
import type { FileTypes } from './file-types'
import type { Members } from './rooms/members'
import { closes, mustBeOpen } from './rooms/open'
import { shownBy } from './rooms/profile'
import type { RoomNews } from './rooms/room-news'
import type { Kicks } from './users/put-out'
import type { Rooms } from './rooms/rooms'

export interface ReceiveWorld {
  network: NetworkName; inbox: Inbox; rooms: Rooms; direct: Direct; members: Members; news: RoomNews; memory: Memory; clock: Clock; bot: string
  strange (event: RoomEvent): void
  isOurs: (mxid: string) => boolean
  /** Who is who in a room. */
  around: (room: string) => Omit<Around, 'hasPower'>
  /** Which of these events do to others what their senders have the power to do, by their ids. */
  powerfulIn: (events: RoomEvent[]) => Promise<ReadonlySet<string>>
  /** The events whose files say no type, with it. */
  typesOf: FileTypes
  /** What others do to our ghosts. */
  expulsionOf: (event: RoomEvent) => ExpulsionArrival | undefined
  kicks?: Pick<Kicks, 'stored'>
  /** Users whose words are carried nowhere. What they do to us still counts. */
  isUnheard: (mxid: string) => boolean
  wait: MakeWaiting
  verifying: Verifying
  encryption: Pick<Encryption, 'open'>; keeper: Pick<Keeper, 'reads' | 'mxid'>; reading: Reading
}

type Keep = (why: Malformed) => void

export interface Takes {
  take: Take
  /** Finds what waits since an earlier start. Called before anything is taken. */
  load (): Promise<void>
  stop (): void
}

const STRANGE_MAX = 1000 // rooms that are named in the log once each

/** Rooms in which somebody speaks and one of ours is, although the store knows nothing of them: the operator is told, because nobody else can be. */
export const makeStrange = (log: Log, isHeard: (mxid: string) => boolean) => {
  const named = new Set<string>()
  return (event: RoomEvent): void => {
    const { room, sender } = event
    if (!speaks(event) || !isHeard(sender) || named.has(room) || named.size >= STRANGE_MAX) return
    named.add(room)
    log.warn({ room, by: sender }, 'somebody speaks in a room that is not known here, and is not heard')
  }
}

const RAW_DEPTH_ADVICE = 'an event that cannot be written down'

const rawOf = (raw: unknown): string => {
  try {
    return JSON.stringify(raw)
  } catch { // too deep
    return isJson(raw) ? `${RAW_DEPTH_ADVICE}: ${String(raw.event_id).slice(0, 255)}` : RAW_DEPTH_ADVICE
  }
}

const malformed = (error: unknown): Malformed =>
  error instanceof Malformed ? error : new Malformed('an event cannot be read', { cause: error })

const read = (raw: unknown): RoomEvent | Malformed => {
  try {
    return readEvent(raw)
  } catch (error) {
    return malformed(error)
  }
}

/** What we know of a message besides what it says. `isOn`: its room is encrypted. */
const withCircumstances = (arrival: Arrival, event: RoomEvent, chat: DirectRoom | undefined, isOn: boolean): Arrival => {
  if (arrival.kind !== 'message' && arrival.kind !== 'edit') return arrival
  const carried = { ...arrival, ...event.sealed !== undefined && { encrypted: true as const } }
  if (carried.kind !== 'message') return carried
  const isOpen = isOn && event.sealed === undefined && event.type !== 'm.room.encrypted'
  if (chat === undefined) return { ...carried, ...isOpen && { openly: true } }
  const isOther = event.reidentified === true && event.sender === chat.theirs
  return { ...carried, direct: true, to: chat.ours, ...isOther && { reidentified: true } }
}

/** `crowded`: called if no more of it can be taken now; otherwise that is an error. */
const letIn = async (inbox: Inbox, arrival: Arrival, crowded?: () => void): Promise<void> => {
  try {
    await inbox.accept(arrival)
  } catch (error) {
    if (!crowded || !(error instanceof Unavailable && error.crowded)) throw error
    crowded()
  }
}

const eventsIn = (taken: Taken[]): RoomEvent[] => taken.flatMap(({ event }) => event instanceof Malformed ? [] : [event])

/** Resolves when this standing is stored. */
export const tellStanding = (inbox: Inbox | undefined, told: Omit<StandingArrival, 'kind'>): Promise<unknown> => {
  if (inbox === undefined) throw new Bug('a room before start')
  return inbox.accept({ kind: 'standing', ...told })
}

/** What a room shows at the first look. Resolves when that is stored. */
export const tellLook = (inbox: Inbox | undefined, told: Omit<ProfileArrival, 'kind'>): Promise<unknown> => {
  if (inbox === undefined) throw new Bug('a room before start')
  return inbox.accept({ kind: 'profile', ...told })
}

/** Nobody will read what we said by this event. Resolves when that is stored. */
export const tellUnread = (inbox: Inbox | undefined, place: Place, event: string, at: number): Promise<unknown> => {
  if (inbox === undefined) throw new Bug('a chat before start')
  return inbox.accept({ kind: 'receipt', key: `unread ${event}`, place, at, of: [event], outcome: 'failed', because: 'parted' })
}

export const makeTake = ({
  network, inbox, rooms, direct, members, news, memory, clock, bot, isOurs, isUnheard, around, powerfulIn, typesOf, expulsionOf, encryption, keeper,
  reading: { readerOf, whose }, wait, verifying, strange, kicks
}: ReceiveWorld): Takes => {
  const standingOf = (event: RoomEvent): Standing | undefined => {
    const { type, stateKey, sender, content } = event
    if (type === 'm.room.encryption' && stateKey === '') return keeper.reads(event.room) ? 'sealed' : 'encrypted'
    const place = rooms.placeOf(event.room)
    if (place && closes(event) && mustBeOpen(memory, place)) return 'out'
    const isOfBot = type === 'm.room.member' && stateKey === bot && sender !== bot
    return isOfBot && (content.membership === 'leave' || content.membership === 'ban') ? 'out' : undefined
  }

  /** Drops what is said in rooms that have sent the bot out, earlier or by one of these events: it is not for us. */
  const heard = (taken: Taken[]): Taken[] => {
    const out = new Set<string>()
    return taken.filter(({ event }) => {
      if (event instanceof Malformed) return true
      if (out.has(event.room) || rooms.isOut(event.room)) return event.stateKey !== undefined
      if (standingOf(event) === 'out') out.add(event.room)
      return true
    })
  }

  /** Asks the room too, because an event that is read again may be long out of date. */
  const leave = async (room: string): Promise<void> => {
    await rooms.sentOut(room)
    rooms.checkRoom(room)
  }

  const placeOf = (room: string): Place | undefined => rooms.placeOf(room) ?? direct.of(room)?.place

  /** Does what a state event means for us. Runs before messages are taken. */
  const noteState = async (event: RoomEvent): Promise<void> => {
    const place = rooms.placeOf(event.room)
    if (event.type === 'm.room.member') {
      if (placeOf(event.room)) members.learn(event)
      await news.member(event)
    } else if (event.type === 'm.room.tombstone' && event.stateKey === '') {
      await news.replaced(event)
    } else if (standingOf(event) === 'encrypted' && direct.of(event.room)) {
      news.encrypted(event.room)
    }
    if (place && !isOurs(event.sender)) await news.changed(place, event)
  }

  /** Somebody else says something in a room that we attend. */
  const isSaid = (event: RoomEvent): boolean =>
    speaks(event) && !isOurs(event.sender) && !isUnheard(event.sender) && placeOf(event.room) !== undefined

  /** What cannot be read is kept in quarantine, and people are still told that somebody said something. */
  const arrivalFrom = (event: RoomEvent, place: Place, keep: Keep, powerful: ReadonlySet<string>): Arrival | undefined => {
    const { id: key, room, at = clock.now() } = event
    const standing = standingOf(event)
    if (standing !== undefined) return rooms.isNow(room) ? { kind: 'standing', key, place, at, standing } : undefined
    const expulsion = expulsionOf(event)
    if (expulsion !== undefined) return expulsion
    const sender = members.of(room, event.sender)
    const shown = shownBy(event)
    if (shown) return rooms.isNow(room) ? { kind: 'profile', key, place, at, shown, by: withHops(event, sender) } : undefined
    if (event.type === 'm.room.encrypted' && event.sealed !== 'late') keep(new Malformed('encrypted'))
    try {
      return arrivalOf(event, place, sender, clock.now(), { ...around(room), hasPower: powerful.has(key) })
    } catch (error) {
      keep(malformed(error))
      return event.type === 'm.room.redaction' ? undefined : unreadable(event, place, sender, clock.now(), 'kind')
    }
  }

  const takeOne = async (event: RoomEvent, raw: unknown, powerful: ReadonlySet<string>, crowded?: (room: string) => void): Promise<void> => {
    const place = placeOf(event.room)
    if (!place || isOurs(event.sender)) return place ? undefined : strange(event)
    const isOthers = standingOf(event) === undefined && expulsionOf(event) === undefined
    if (speaks(event) || shownBy(event) !== undefined ? isUnheard(event.sender) : isOthers) return
    if (event.type === 'm.room.encrypted') {
      if (rooms.isEncrypted(event.room)) return // everybody knows that nothing is carried from there
      if (event.sealed === undefined) news.unread(event)
    }
    const kept: Promise<void>[] = []
    const arrival = arrivalFrom(event, place, why => { kept.push(inbox.quarantine(network, rawOf(raw), why, event.id)) }, powerful)
    const isForUs = event.type !== 'm.room.encrypted' || direct.of(event.room) !== undefined || readerOf(event.room) !== undefined
    const accepting = (one: Arrival): Promise<void> =>
      letIn(inbox, withCircumstances(one, event, direct.of(event.room), wasEncrypted(memory, event.room)), crowded && (() => crowded(event.room)))
    await Promise.all([...kept, ...arrival && isForUs ? [accepting(arrival)] : []]) // both at once, so that the arrival keeps its turn
    if (arrival?.kind === 'expulsion') kicks?.stored(event.stateKey!, event.room)
  }

  const takeAll = async (taken: Taken[], crowded?: (room: string) => void): Promise<void> => {
    const events = eventsIn(taken)
    const said = events.filter(isSaid)
    for (const event of said) {
      const { room, sender, type } = event
      const chat = direct.of(room)
      if (chat ?? keeper.reads(room)) verifying.look(chat ?? { ours: keeper.mxid, place: { id: room } }, event)
      if (chat?.theirs === sender && (type !== 'm.room.encrypted' || readerOf(room) !== undefined)) await direct.wrote(event, chat)
    }
    await members.prepare(said.map(({ room, sender }) => ({ room, sender, as: direct.of(room)?.ours })))
    const [powerful, typed] = await Promise.all([powerfulIn(said), typesOf(said)])
    const full = new Set<string>()
    const isFull = crowded && ((room: string): void => { full.add(room); crowded(room) })
    const results = await Promise.allSettled(taken.map(({ event, raw }) =>
      event instanceof Malformed ? inbox.quarantine(network, rawOf(raw), event) : takeOne(typed.get(event) ?? event, raw, powerful, isFull)))
    const failed = results.find(result => result.status === 'rejected')
    if (failed) throw failed.reason
    for (const event of events) if (standingOf(event) === 'out' && !full.has(event.room)) await leave(event.room)
  }

  const waiting = wait({ whose, take: (raw, event) => takeAll([{ raw, event }]), lost: news.lost })
  const opened = makeOpening({ encryption, waiting, readerOf, isSaid })

  return {
    async take (raws, crowded) {
      const taken = heard(raws.map(raw => ({ raw, event: read(raw) })))
      for (const event of eventsIn(taken)) if (event.stateKey !== undefined) await noteState(event)
      await takeAll(await opened(taken), crowded)
    },
    load: waiting.load, stop: waiting.stop
  }
}
