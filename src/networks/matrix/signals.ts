/**
 * Typing and read marks (CS API §Typing Notifications, §Receipts): those of others come with transactions as ephemeral data, those of our
 * users go out by calls of which at most SHOWING_MAX are under way; more are dropped. Nobody enters a room for them.
 */
import { deadline, type Clock } from '../../lib/clock'
import type { Place } from '../../model/address'
import type { SignalIn, SignalOut } from '../../model/signal'
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

interface SignalsWorld {
  homeserver: Homeserver; rooms: Rooms; direct: Direct; ghosts: Ghosts; clock: Clock; bot: string
  isUp (): boolean
  isUnheard (mxid: string): boolean
  heard (signal: SignalIn): void
}

export interface MatrixSignals {
  hear (ephemeral: unknown[]): void
  show (signal: SignalOut): void
}

const usersIn = (value: unknown): string[] => Array.isArray(value) ? value.filter(one => typeof one === 'string') : []

/** The newest public read marks: the event and who has read up to it. */
const readIn = (content: Json): [event: string, user: string][] => Object.entries(content).flatMap(([event, marks]) => {
  const read = isJson(marks) ? marks['m.read'] : undefined
  return isJson(read) ? Object.keys(read).map((user): [string, string] => [event, user]) : []
})

export const makeSignals = ({ homeserver, rooms, direct, ghosts, clock, bot, isUp, isUnheard, heard }: SignalsWorld): MatrixSignals => {
  const typists = new Map<string, string[]>() // by room, as last heard
  let showing = 0

  const placeOf = (room: string): Place | undefined => rooms.isOut(room) ? undefined : rooms.placeOf(room) ?? direct.of(room)?.place

  /** The homeserver tells all who type in the room now. */
  const typed = (room: string, place: Place, content: Json): void => {
    const before = typists.get(room) ?? []
    const now = usersIn(content.user_ids).filter(mxid => !isUnheard(mxid)).slice(0, TYPISTS_MAX)
    typists.delete(room)
    if (now.length > 0 && typists.size < ROOMS_MAX) typists.set(room, now)
    const tell = (id: string, typing: boolean): void => heard({ place, sender: { id }, does: { kind: 'typing', typing } })
    for (const id of before) if (!now.includes(id)) tell(id, false)
    for (const id of now) tell(id, true)
  }

  const one = (signal: unknown): void => {
    if (!isJson(signal) || !isJson(signal.content)) return
    const room = stringOf(signal.room_id)
    const place = room === undefined ? undefined : placeOf(room)
    if (room === undefined || place === undefined) return
    if (signal.type === 'm.typing') return typed(room, place, signal.content)
    if (signal.type !== 'm.receipt') return
    for (const [event, id] of readIn(signal.content).slice(0, HEARD_MAX)) {
      if (!isUnheard(id)) heard({ place, sender: { id }, does: { kind: 'read', upTo: [event] } })
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
    if (does.kind === 'typing') {
      const body = does.typing ? { typing: true, timeout: TYPING_MS } : { typing: false }
      await homeserver.call('PUT', `${roomPath(room)}/typing/${encode(mxid)}`, { as: mxid, body, signal })
      return
    }
    const event = 'said' in does.upTo ? does.upTo.said : does.upTo.delivered[0]
    if (event !== undefined) await homeserver.call('POST', `${roomPath(room)}/receipt/m.read/${encode(event)}`, { as: mxid, body: {}, signal })
  }

  return {
    hear (ephemeral) { for (const signal of ephemeral.slice(0, HEARD_MAX)) one(signal) },
    show (signal) {
      const by = isUp() && showing < SHOWING_MAX ? shownBy(signal) : undefined
      if (by === undefined) return
      showing++
      const limit = deadline(clock, SHOW_MS_MAX)
      put(signal, by, limit.signal).catch(() => { /* it comes again, or is not missed */ }).finally(() => {
        limit.done()
        showing--
      })
    }
  }
}
