/**
 * What the homeserver never brought: Synapse loses events that wait in its memory when it stops (synapse#11637), and leaves one
 * lying that is made in the moment in which it finds us again. So after the homeserver is found, and when it brings a transaction again,
 * each room is read on from where it was read to, and then once more: a little later, a little after each transaction that failed, and
 * every ten minutes. What is there already is recognised by its event id.
 */
import type { Log } from '../../lib/log'
import type { Place } from '../../model/address'
import { Refused } from '../../model/errors'
import type { Inbox, Memory } from '../../model/network'
import { isJson, stringOf } from './events'
import { encode, Rejected, roomPath, type Homeserver } from './homeserver'

const PAGE_EVENTS = 100
const PAGES_BACK_MAX = 100 // that are held in memory

/** How far to read back in a room of which nothing is stored: far less than what is stored is kept for, so that nothing comes twice. */
export const READ_BACK_MS = 3 * 24 * 3600_000

/**
 * Resolves when all of them are on disk or of no concern. Throws what the inbox throws: then the whole lot must come again. Of rooms
 * that are crowded `crowded` is told at once instead, if it is given; nothing more of them was taken then.
 */
export type Take = (raws: unknown[], crowded?: (room: string) => void) => Promise<void>

export interface CatchUpWorld {
  homeserver: Homeserver; inbox: Inbox; memory: Memory; log: Log; signal: AbortSignal; bot: string
  take: Take
  /** Whether a room has sent us out. */
  isOut (room: string): boolean
}

/**
 * Up to where a room was read, as remembered: a token of its history, or that we are about to come in. Not the newest stored arrival,
 * because one before it may never have been pushed.
 */
const markKey = (room: string): string => `read ${room}`
const COMING = 'coming'

/** All that is said from now on in a room that we are about to come into is ours to carry. */
export const beginsNow = async (memory: Memory, room: string): Promise<void> => {
  if (!isMarked(memory, room)) await memory.set(markKey(room), COMING)
}

/** We are out: once we come in again, only what is said from then on is ours to carry. */
export const beginsAnew = (memory: Memory, room: string): Promise<void> => memory.set(markKey(room), COMING)

export const isMarked = (memory: Memory, room: string): boolean => memory.get(markKey(room)) !== undefined

export const isComing = (memory: Memory, room: string): boolean => memory.get(markKey(room)) === COMING

/** Who of ours reads a room that is there for them: what counts is in `readBack`, if not before this time (ms). */
export interface Reader { as: string; notBefore: number }

/** Up to where a room's history was read (CS API §Pagination), if that is known. `crowded`: it goes on, but no more could be taken. */
interface End { token?: string | undefined; crowded?: boolean }

export interface ReadUpTo extends End { place: Place; room: string; by?: Reader }

const isTaken = async ({ take }: CatchUpWorld, events: unknown[]): Promise<boolean> => {
  let crowded = false
  await take(events, () => { crowded = true })
  return !crowded
}

/** Takes what was said since an address was invited, or the bot came in. */
const readBack = async (world: CatchUpWorld, room: string, { as, notBefore }: Reader): Promise<End> => {
  const { homeserver, signal, bot } = world
  const isBeginning = (event: unknown): boolean => {
    if (!isJson(event) || event.type !== 'm.room.member' || event.state_key !== as || !isJson(event.content)) return false
    const before = isJson(event.unsigned) && isJson(event.unsigned.prev_content) ? event.unsigned.prev_content.membership : undefined
    return event.content.membership === (as === bot ? 'join' : 'invite') && before !== 'join' // else a change of our name
  }
  /** Or so its server says, which may be wrong; and we send what is late with its own time. So one alone says nothing of those before. */
  const isOld = (event: unknown): boolean => isJson(event) && Number(event.origin_server_ts) < notBefore
  const events: unknown[] = []
  let start: string | undefined
  let from: string | undefined
  for (let page = 0; page < PAGES_BACK_MAX; page++) {
    const answer = await homeserver.call('GET', `${roomPath(room)}/messages`, { as, query: { dir: 'b', from, limit: PAGE_EVENTS }, signal })
    const chunk = Array.isArray(answer.chunk) ? answer.chunk as unknown[] : []
    const end = chunk.findIndex(isBeginning)
    const since = chunk.slice(0, end < 0 ? undefined : end)
    events.push(...since)
    start ??= stringOf(answer.start)
    from = stringOf(answer.end)
    if (end >= 0 || from === undefined || since.every(isOld)) break
  }
  events.length = events.findLastIndex(event => !isOld(event)) + 1
  return await isTaken(world, events.reverse()) ? { token: start } : { crowded: true }
}

/**
 * Takes what was missed in a room: all behind where it was read to, else behind the newest stored arrival if it is in this room, else
 * what was said since we were invited or came in. If we were there before anything was remembered, nothing was missed, and what is pushed
 * just now must stay in front of what is said from now on.
 */
const begin = async (world: CatchUpWorld, one: ReadUpTo): Promise<End> => {
  const { homeserver, inbox, memory, signal, bot } = world
  const { place, room } = one
  const mark = memory.get(markKey(room))
  if (mark !== undefined && mark !== COMING) {
    try { return await readOn(world, one, mark) } catch (error) {
      if (!(error instanceof Rejected) || error.status !== 400) throw error // else it does not know its own token: it was restored, say
    }
  }
  const by = mark === COMING ? { as: one.by?.as ?? bot, notBefore: 0 } : one.by
  const last = mark === COMING ? undefined : await inbox.lastKey(place)
  if (last !== undefined || by !== undefined) {
    const start = await beginning(world, room, last, by)
    return start.crowded ? start : await readOn(world, one, start.token)
  }
  return { token: stringOf((await homeserver.call('GET', `${roomPath(room)}/messages`, { query: { dir: 'b', limit: 1 }, signal })).start) }
}

const beginning = async (world: CatchUpWorld, room: string, last: string | undefined, by: Reader | undefined): Promise<End> => {
  const { homeserver, signal } = world
  if (last === undefined) return by ? await readBack(world, room, by) : {}
  try {
    const query = { limit: 0 }
    return { token: stringOf((await homeserver.call('GET', `${roomPath(room)}/context/${encode(last)}`, { as: by?.as, query, signal })).end) }
  } catch (error) {
    if (by === undefined || !(error instanceof Rejected)) throw error
    return await readBack(world, room, by) // the newest is in another room of the same chat
  }
}

/** Takes all that comes after `token`. */
const readOn = async (world: CatchUpWorld, { room, by }: ReadUpTo, token: string | undefined): Promise<End> => {
  const { homeserver, signal } = world
  let from = token
  while (from !== undefined && !signal.aborted) {
    const query = { dir: 'f', from, limit: PAGE_EVENTS }
    const { chunk, end } = await homeserver.call('GET', `${roomPath(room)}/messages`, { as: by?.as, query, signal })
    if (!Array.isArray(chunk) || chunk.length === 0) break
    if (!await isTaken(world, chunk)) return { token: from, crowded: true }
    const next = stringOf(end)
    if (next === undefined || next === from) break
    from = next
  }
  return { token: from }
}

/**
 * One room after another, from `token` where there is one; a room that cannot be read does not keep the others waiting.
 * Throws Unavailable if nobody answers.
 */
export const catchUp = async (world: CatchUpWorld, rooms: ReadUpTo[]): Promise<ReadUpTo[]> => {
  const read: ReadUpTo[] = []
  for (const one of rooms) {
    const { place, room, by } = one
    try {
      const end = 'token' in one ? await readOn(world, one, one.token) : await begin(world, one)
      if (end.token !== undefined && !world.isOut(room)) await world.memory.set(markKey(room), end.token)
      read.push({ place, room, ...by && { by }, ...end })
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      world.log.info({ room, why: error.message }, 'what was missed in a room cannot be read')
    }
  }
  return read
}
