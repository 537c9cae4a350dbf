/**
 * What the homeserver never brought: Synapse loses events that wait in its memory when it stops (synapse#11637), and leaves one
 * lying that is made in the moment in which it finds us again. So after the homeserver is found, and when it brings a transaction again,
 * each room is read on from where it was read to, and then once more: a little later, a little after each transaction that failed, and
 * every ten minutes. What is there already is recognised by its event id.
 */
import { deadline, type Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import type { Place } from '../../../model/address'
import { Refused, Unavailable } from '../../../model/errors'
import type { Inbox, Memory } from '../../../model/network'
import { isJson, stringOf } from '../events'
import { encode, Rejected, roomPath, TooLong, type Homeserver } from '../homeserver'
import { COMING, positionKey } from './history-position'

const PAGE_EVENTS = 100
const EVENTS_BACK_MAX = 10_000 // that are looked through
const NOTHING = JSON.stringify({ types: [] })

/** How far to read back in a room of which nothing is stored: far less than what is stored is kept for, so that nothing comes twice. */
export const READ_BACK_MS = 3 * 24 * 3600_000

/**
 * Resolves when all of them are on disk or of no concern. Throws what the inbox throws: then the whole lot must come again. Of rooms
 * that are crowded `crowded` is told at once instead, if it is given; nothing more of them was taken then.
 */
export type Take = (raws: unknown[], crowded?: (room: string) => void) => Promise<void>

export interface CatchUpWorld {
  homeserver: Homeserver; inbox: Inbox; memory: Memory; clock: Clock; log: Log; signal: AbortSignal; bot: string
  take: Take
  /** Whether a room is ours still: it has not sent us out, and was not forgotten. */
  isHeard (room: string): boolean
}

/** Who of ours reads a room that is there for them: what counts is in `readBack`, if not before this time (ms). */
export interface Reader { as: string; notBefore: number }

/**
 * Up to where a room's history was read (CS API §Pagination), if that is known. `crowded`: it goes on, but no more could be
 * taken. `failed`: nor be read. */
interface End { token?: string | undefined; crowded?: boolean; failed?: boolean }

export interface ReadUpTo extends End { place: Place; room: string; by?: Reader }

const isTaken = async ({ take }: CatchUpWorld, events: unknown[]): Promise<boolean> => {
  let crowded = false
  await take(events, () => { crowded = true })
  return !crowded
}

interface Page { chunk: unknown[]; start?: string | undefined; end?: string | undefined }

/** A room's history in pages, of fewer events where they are so large that many of them would be too long an answer. */
const makePages = ({ homeserver, signal }: CatchUpWorld, room: string, as: string | undefined) => {
  let limit = PAGE_EVENTS
  const page = async (dir: 'b' | 'f', from: string | undefined): Promise<Page> => {
    try {
      const query = { dir, from, limit }
      const answer = await homeserver.call('GET', `${roomPath(room)}/messages`, { as, query, signal, elsewhere: true })
      limit = Math.min(limit * 2, PAGE_EVENTS)
      return { chunk: Array.isArray(answer.chunk) ? answer.chunk : [], start: stringOf(answer.start), end: stringOf(answer.end) }
    } catch (error) {
      if (!(error instanceof TooLong) || limit === 1) throw error
      limit = Math.ceil(limit / 4)
      return await page(dir, from)
    }
  }
  return page
}

/** The places in a room's history before and behind an event, without the room's state, which may be of any size. */
const around = async ({ homeserver, signal }: CatchUpWorld, room: string, event: string, as: string | undefined): Promise<Page> => {
  const query = { limit: 0, filter: NOTHING }
  const { start, end } = await homeserver.call('GET', `${roomPath(room)}/context/${encode(event)}`, { as, query, signal, elsewhere: true })
  return { chunk: [], start: stringOf(start), end: stringOf(end) }
}

/** Where to begin with what was said since an address was invited, or the bot came in: looks back for that, and keeps nothing of it. */
const lookBack = async (world: CatchUpWorld, room: string, { as, notBefore }: Reader): Promise<string | undefined> => {
  const isBeginning = (event: unknown): boolean => {
    if (!isJson(event) || event.type !== 'm.room.member' || event.state_key !== as || !isJson(event.content)) return false
    const before = isJson(event.unsigned) && isJson(event.unsigned.prev_content) ? event.unsigned.prev_content.membership : undefined
    return event.content.membership === (as === world.bot ? 'join' : 'invite') && before !== 'join' // else a change of our name
  }
  /** Or so its server says, which may be wrong; and we send what is late with its own time. So one alone says nothing of those before. */
  const isOld = (event: unknown): boolean => isJson(event) && Number(event.origin_server_ts) < notBefore
  const idOf = (event: unknown): string => isJson(event) ? String(event.event_id) : ''
  const page = makePages(world, room, as)
  let last: string | undefined // the earliest that is to be taken
  let end: string | undefined
  let from: string | undefined
  for (let events = 0; events < EVENTS_BACK_MAX;) {
    const { chunk, start, end: next } = await page('b', from)
    end ??= start
    const begun = chunk.find(isBeginning)
    if (begun !== undefined) return (await around(world, room, idOf(begun), as)).end
    last = idOf(chunk.findLast(event => !isOld(event))) || last
    if (next === undefined || chunk.every(isOld)) break
    from = next
    events += Math.max(chunk.length, 1)
  }
  return last === undefined ? end : (await around(world, room, last, as)).start
}

/**
 * Takes what was missed in a room: all behind where it was read to, else behind the newest stored arrival if it is in this room, else
 * what was said since we were invited or came in. If we were there before anything was remembered, nothing was missed, and what is pushed
 * just now must stay in front of what is said from now on.
 */
const begin = async (world: CatchUpWorld, one: ReadUpTo): Promise<End> => {
  const { inbox, memory, bot } = world
  const { place, room } = one
  const mark = memory.get(positionKey(room))
  if (mark !== undefined && mark !== COMING) {
    try { return await readOn(world, one, mark) } catch (error) {
      if (!(error instanceof Rejected) || error.status !== 400) throw error // else it does not know its own token: it was restored, say
    }
  }
  const by = mark === COMING ? { as: one.by?.as ?? bot, notBefore: 0 } : one.by
  const last = mark === COMING ? undefined : await inbox.lastKey(place)
  if (last !== undefined || by !== undefined) return await readOn(world, one, await beginning(world, room, last, by))
  return { token: (await makePages(world, room, undefined)('b', undefined)).start }
}

const beginning = async (world: CatchUpWorld, room: string, last: string | undefined, by: Reader | undefined): Promise<string | undefined> => {
  if (last === undefined) return by && await lookBack(world, room, by)
  try {
    return (await around(world, room, last, by?.as)).end
  } catch (error) {
    if (by === undefined || !(error instanceof Rejected)) throw error
    return await lookBack(world, room, by) // the newest is in another room of the same chat
  }
}

/** Takes all that comes after `token`. */
const readOn = async (world: CatchUpWorld, { room, by }: ReadUpTo, token: string | undefined): Promise<End> => {
  const page = makePages(world, room, by?.as)
  let from = token
  while (from !== undefined) {
    if (world.signal.aborted) return { token: from, crowded: true }
    const { chunk, end: next } = await page('f', from)
    if (chunk.length === 0) break
    if (!await isTaken(world, chunk)) return { token: from, crowded: true }
    if (next === undefined || next === from) break
    from = next
  }
  return { token: from }
}

/**
 * One room after another, from `token` where there is one. A room that cannot be read, or not within `eachMs`, does not keep the others
 * waiting: it is to be read by itself. Throws Unavailable if nobody answers.
 */
export const catchUp = async (world: CatchUpWorld, rooms: ReadUpTo[], eachMs: number): Promise<ReadUpTo[]> => {
  const read: ReadUpTo[] = []
  for (const one of rooms) {
    const { place, room, by } = one
    const limit = deadline(world.clock, eachMs, world.signal)
    const limited = { ...world, signal: limit.signal }
    try {
      const end = 'token' in one ? await readOn(limited, one, one.token) : await begin(limited, one)
      if (end.token !== undefined && world.isHeard(room)) await world.memory.set(positionKey(room), end.token)
      read.push({ place, room, ...by && { by }, ...end })
    } catch (error) {
      if (!(error instanceof Refused || error instanceof Unavailable) || (error instanceof Unavailable && error.disconnected)) throw error
      world.log.warn({ room, why: error.message }, 'what was missed in a room cannot be read; the others go on')
      if (error instanceof Unavailable) read.push({ ...one, crowded: true, failed: true })
    } finally {
      limit.done()
    }
  }
  return read
}
