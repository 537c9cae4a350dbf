/**
 * Typing, read marks and presence (CS API §Typing Notifications, §Receipts, §Presence): those of others come with transactions as ephemeral data,
 * those of our users go out by calls of which at most SHOWING_MAX are under way; more are dropped. Nobody enters a room for them.
 */
import { deadline, type Clock, type Timer } from '../../lib/clock'
import type { Place } from '../../model/address'
import type { Inbox } from '../../model/network'
import { type Presence, presenceOf, type SignalIn, type SignalOut } from '../../model/signal'
import { readDirect } from './direct/chats'
import type { Direct } from './direct/direct'
import { isJson, stringOf, type Json } from './events/json'
import { encode, roomPath, type Homeserver } from './homeserver'
import type { Rooms } from './rooms/rooms'
import type { Ghosts } from './users/ghosts'

const SHOWING_MAX = 32
const SHOW_MS_MAX = 5_000
const TYPING_MS = 30_000 // the homeserver ends it by itself after that
const HEARD_MAX = 1_000 // signals of one transaction
const TYPISTS_MAX = 20 // of one room
const ROOMS_MAX = 1_000 // in which somebody types
const PRESENT_MAX = 100 // ghosts; the presence of others ends by itself
const PRESENT_MS = 20_000 // Synapse takes whoever has said nothing for 30 s to be offline

interface SignalsWorld {
  homeserver: Homeserver; rooms: Rooms; direct: Direct; ghosts: Ghosts; clock: Clock; bot: string; network: string
  isUp (): boolean
  isNobody (mxid: string): boolean
  inbox (): Pick<Inbox, 'signal' | 'presence'> | undefined
}

export interface MatrixSignals {
  hear (ephemeral: unknown[]): void
  show (signal: SignalOut): void
  stop (): void
}

const IS = new Map<string, Presence['is']>([
  ['online', 'online'], ['unavailable', 'away'], ['offline', 'offline'], ['busy', 'busy'], ['org.matrix.msc3026.busy', 'busy'] // MSC3026
])
const SHOWN: Readonly<Record<Presence['is'], string>> = { online: 'online', away: 'unavailable', busy: 'unavailable', offline: 'offline' }

const usersIn = (value: unknown): string[] => Array.isArray(value) ? value.filter(one => typeof one === 'string') : []

/** The newest public read marks: the event and who has read up to it. */
const readIn = (content: Json): [event: string, user: string][] => Object.entries(content).flatMap(([event, marks]) => {
  const read = isJson(marks) ? marks['m.read'] : undefined
  return isJson(read) ? Object.keys(read).map((user): [string, string] => [event, user]) : []
})

export const makeSignals = ({ homeserver, rooms, direct, ghosts, clock, bot, network, isUp, isNobody, inbox }: SignalsWorld): MatrixSignals => {
  const typists = new Map<string, string[]>() // by room, as last heard
  const present = new Map<string, SignalOut>() // by ghost
  let timer: Timer | undefined
  let showing = 0

  const heard = (signal: SignalIn): void => inbox()?.signal(signal)

  const placeOf = (room: string): Place | undefined => rooms.isOut(room) ? undefined : rooms.placeOf(room) ?? direct.of(room)?.place

  /** The homeserver tells all who type in the room now. */
  const typed = (room: string, place: Place, content: Json): void => {
    const before = typists.get(room) ?? []
    const now = usersIn(content.user_ids).filter(mxid => !isNobody(mxid)).slice(0, TYPISTS_MAX)
    typists.delete(room)
    if (now.length > 0 && typists.size < ROOMS_MAX) typists.set(room, now)
    const tell = (id: string, typing: boolean): void => heard({ place, sender: { id }, does: { kind: 'typing', typing } })
    for (const id of before) if (!now.includes(id)) tell(id, false)
    for (const id of now) tell(id, true)
  }

  const appears = (mxid: string | undefined, { presence, status_msg: status }: Json): void => {
    const is = IS.get(stringOf(presence) ?? '')
    if (mxid !== undefined && is !== undefined && !isNobody(mxid)) inbox()?.presence({ network, id: mxid }, presenceOf(is, stringOf(status) ?? ''))
  }

  const one = (signal: unknown): void => {
    if (!isJson(signal) || !isJson(signal.content)) return
    if (signal.type === 'm.presence') return appears(stringOf(signal.sender), signal.content)
    const room = stringOf(signal.room_id)
    const place = room === undefined ? undefined : placeOf(room)
    if (room === undefined || place === undefined) return
    if (signal.type === 'm.typing') return typed(room, place, signal.content)
    if (signal.type !== 'm.receipt') return
    for (const [event, id] of readIn(signal.content).slice(0, HEARD_MAX)) {
      if (!isNobody(id)) heard({ place, sender: { id }, does: { kind: 'read', upTo: [event] } })
    }
  }

  /** As whom it is shown, and where; undefined if they are not there. */
  const shownBy = ({ place, as }: SignalOut): { mxid: string, room: string } | undefined => {
    const chat = readDirect(place)
    const room = chat === undefined ? rooms.known(place) : direct.rooms(place)[0]
    if (room === undefined) return undefined
    if (chat !== undefined) return direct.of(room) === undefined ? undefined : { mxid: chat.ours, room }
    const mxid = as === undefined ? bot : ghosts.of({ person: as }, place, room)
    return rooms.isIn(room) && (as === undefined || ghosts.isIn(mxid, room)) ? { mxid, room } : undefined
  }

  const put = async ({ does }: SignalOut, { mxid, room }: { mxid: string, room: string }, signal: AbortSignal): Promise<void> => {
    if (does.kind === 'presence') {
      const body = { presence: SHOWN[does.is], status_msg: does.status }
      await homeserver.call('PUT', `client/v3/presence/${encode(mxid)}/status`, { as: mxid, body, signal })
      return
    }
    if (does.kind === 'typing') {
      const body = does.typing ? { typing: true, timeout: TYPING_MS } : { typing: false }
      await homeserver.call('PUT', `${roomPath(room)}/typing/${encode(mxid)}`, { as: mxid, body, signal })
      return
    }
    const event = 'said' in does.upTo ? does.upTo.said : does.upTo.delivered[0]
    if (event !== undefined) await homeserver.call('POST', `${roomPath(room)}/receipt/m.read/${encode(event)}`, { as: mxid, body: {}, signal })
  }

  const inTime = async (signal: SignalOut, by: { mxid: string, room: string }): Promise<void> => {
    const limit = deadline(clock, SHOW_MS_MAX)
    await put(signal, by, limit.signal).catch(() => { /* it comes again, or is not missed */ })
    limit.done()
  }

  /** Says it again for as long as the ghost is there, one after the other. */
  const sayAgain = async (): Promise<void> => {
    for (const [mxid, signal] of [...present]) {
      const by = shownBy(signal)
      if (by === undefined) present.delete(mxid)
      else if (isUp()) await inTime(signal, by)
    }
    timer = present.size === 0 ? undefined : clock.after(PRESENT_MS, () => void sayAgain())
  }

  const keep = (mxid: string, signal: SignalOut): void => {
    if (signal.does.kind !== 'presence') return
    present.delete(mxid)
    if (signal.does.is !== 'offline' && present.size < PRESENT_MAX) present.set(mxid, signal)
    if (present.size > 0) timer ??= clock.after(PRESENT_MS, () => void sayAgain())
  }

  return {
    hear (ephemeral) { for (const signal of ephemeral.slice(0, HEARD_MAX)) one(signal) },
    show (signal) {
      const by = isUp() ? shownBy(signal) : undefined
      if (by === undefined) return
      keep(by.mxid, signal)
      if (showing >= SHOWING_MAX) return
      showing++
      void inTime(signal, by).then(() => { showing-- })
    },
    stop () {
      timer?.cancel()
      present.clear()
    }
  }
}
