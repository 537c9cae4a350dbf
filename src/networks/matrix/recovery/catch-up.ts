/**
 * Reads what the homeserver never pushed. Synapse loses events that wait in its memory when it stops (synapse#11637), and does not push an
 * event made in the moment in which it finds us again. So we read on in each room from its position when the homeserver is found, and when
 * it sends a transaction again. We read once more a little later, after each failed transaction, and every ten minutes. Events that we have
 * already are recognised by their ids.
 */
import { deadline, type Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import type { Place } from '../../../model/address'
import { Refused, Unavailable } from '../../../model/errors'
import type { Inbox, Memory } from '../../../model/network'
import { isJson, stringOf } from '../events/json'
import { encode, Rejected, roomPath, TooLong, type Homeserver } from '../homeserver'
import { comingSince, positionKey } from './history-position'

const PAGE_EVENTS = 100
const EVENTS_BACK_MAX = 10_000 // to look through
const NOTHING = JSON.stringify({ types: [] })

/** How far to read back in a room without stored arrivals. Far less than the time for which arrivals are kept, so that nothing comes twice. */
export const READ_BACK_MS = 3 * 24 * 3600_000

/**
 * Resolves when all events are on disk or do not concern us. Throws what the inbox throws: then all of them must come again. If `crowded`
 * is given, a crowded room makes no error: `crowded` is called with it at once, and no more of the room was taken.
 */
export type Take = (raws: unknown[], crowded?: (room: string) => void) => Promise<void>

export interface CatchUpWorld {
  homeserver: Homeserver; inbox: Inbox; memory: Memory; clock: Clock; log: Log; signal: AbortSignal; bot: string
  take: Take
  /** Whether we still listen to a room: it has not sent us out, and was not forgotten. */
  isHeard (room: string): boolean
}

/** Which of our users reads a room in which it was invited. `notBefore` (ms) limits how far `lookBack` goes; `strictly`: after it too. */
export interface Reader { as: string; notBefore: number; strictly?: boolean }

/**
 * How far a room's history was read (CS API §Pagination), if that is known. `crowded`: there is more that could not be taken. `failed`: nor
 * read. */
interface End { token?: string | undefined; crowded?: boolean; failed?: boolean }

export interface ReadUpTo extends End { place: Place; room: string; by?: Reader }

const isTaken = async ({ take }: CatchUpWorld, events: unknown[]): Promise<boolean> => {
  let crowded = false
  await take(events, () => { crowded = true })
  return !crowded
}

interface Page { chunk: unknown[]; start?: string | undefined; end?: string | undefined }

/** A room's history in pages. Where events are so large that the answer would be too long, a page has fewer of them. */
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

/** The positions just before and just after an event. Without the room's state, which may be of any size. */
const around = async ({ homeserver, signal }: CatchUpWorld, room: string, event: string, as: string | undefined): Promise<Page> => {
  const query = { limit: 0, filter: NOTHING }
  const { start, end } = await homeserver.call('GET', `${roomPath(room)}/context/${encode(event)}`, { as, query, signal, elsewhere: true })
  return { chunk: [], start: stringOf(start), end: stringOf(end) }
}

/** The position of the invitation of an address, or of the bot's joining: what was said since then is for us. Looks back, and takes nothing. */
const lookBack = async (world: CatchUpWorld, room: string, { as, notBefore, strictly = false }: Reader): Promise<string | undefined> => {
  const isBeginning = (event: unknown): boolean => {
    if (!isJson(event) || event.type !== 'm.room.member' || event.state_key !== as || !isJson(event.content)) return false
    const before = isJson(event.unsigned) && isJson(event.unsigned.prev_content) ? event.unsigned.prev_content.membership : undefined
    return event.content.membership === (as === world.bot ? 'join' : 'invite') && before !== 'join' // else only our name has changed
  }
  /** By the time that its server claims, which may be wrong; and late messages carry their old time. So one old event does not end the search. */
  const isOld = (event: unknown): boolean => isJson(event) && Number(event.origin_server_ts) < notBefore
  const idOf = (event: unknown): string => isJson(event) ? String(event.event_id) : ''
  const page = makePages(world, room, as)
  let last: string | undefined // the earliest event to take
  let end: string | undefined
  let from: string | undefined
  for (let events = 0; events < EVENTS_BACK_MAX;) {
    const { chunk, start, end: next } = await page('b', from)
    end ??= start
    const begun = chunk.find(isBeginning)
    if (begun !== undefined && !(strictly && isOld(begun))) return (await around(world, room, idOf(begun), as)).end
    last = idOf(chunk.findLast(event => !isOld(event))) || last
    if (begun !== undefined || next === undefined || chunk.every(isOld)) break
    from = next
    events += Math.max(chunk.length, 1)
  }
  return last === undefined ? end : (await around(world, room, last, as)).start
}

/**
 * Takes what was missed in a room: everything after its position; else after the newest stored arrival, if that is in this room; else what
 * was said since we were invited or came in. If we were there before anything was remembered, nothing was missed, and the position is the
 * present end. Reading further would overtake what is being pushed just now.
 */
const begin = async (world: CatchUpWorld, one: ReadUpTo): Promise<End> => {
  const { inbox, memory, bot } = world
  const { place, room } = one
  const mark = memory.get(positionKey(room))
  const notBefore = comingSince(mark)
  if (mark !== undefined && notBefore === undefined) {
    try { return await readOn(world, one, mark) } catch (error) {
      if (!(error instanceof Rejected) || error.status !== 400) throw error // else it does not know its own token, for instance after a restore
    }
  }
  const by = notBefore === undefined ? one.by : { as: one.by?.as ?? bot, notBefore, strictly: true }
  const last = notBefore !== undefined ? undefined : await inbox.lastKey(place)
  if (last !== undefined || by !== undefined) return await readOn(world, one, await beginning(world, room, last, by))
  return { token: (await makePages(world, room, undefined)('b', undefined)).start }
}

const beginning = async (world: CatchUpWorld, room: string, last: string | undefined, by: Reader | undefined): Promise<string | undefined> => {
  if (last === undefined) return by && await lookBack(world, room, by)
  try {
    return (await around(world, room, last, by?.as)).end
  } catch (error) {
    if (by === undefined || !(error instanceof Rejected)) throw error
    return await lookBack(world, room, by) // the newest arrival is from another room of the same chat
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

/** Undefined if the room cannot be read at all. */
const readRoom = async (world: CatchUpWorld, one: ReadUpTo, eachMs: number): Promise<ReadUpTo | undefined> => {
  const { place, room, by } = one
  const limit = deadline(world.clock, eachMs, world.signal)
  const limited = { ...world, signal: limit.signal }
  try {
    const end = 'token' in one ? await readOn(limited, one, one.token) : await begin(limited, one)
    if (end.token !== undefined && world.isHeard(room)) await world.memory.set(positionKey(room), end.token)
    return { place, room, ...by && { by }, ...end }
  } catch (error) {
    if (!(error instanceof Refused || error instanceof Unavailable) || (error instanceof Unavailable && error.disconnected)) throw error
    world.log.warn({ room, why: error.message }, 'what was missed in a room cannot be read; the others go on')
    return error instanceof Unavailable ? { ...one, crowded: true, failed: true } : undefined
  } finally {
    limit.done()
  }
}

/**
 * Reads rooms, `atOnce` at a time, each from `token` if there is one. A room that cannot be read within `eachMs` does not keep the others waiting:
 * it comes back as `failed`, to be read by itself. Throws Unavailable if the homeserver does not answer.
 */
export const catchUp = async (world: CatchUpWorld, rooms: ReadUpTo[], eachMs: number, atOnce = 1): Promise<ReadUpTo[]> => {
  const ends: (ReadUpTo | undefined)[] = []
  const left = rooms.entries()
  let isOver = false
  const reader = async (): Promise<void> => {
    try {
      for (const [index, one] of left) {
        if (isOver) return
        ends[index] = await readRoom(world, one, eachMs)
      }
    } finally {
      isOver = true // else those that fail one after the other would take long
    }
  }
  const readers = await Promise.allSettled(Array.from({ length: Math.min(rooms.length, atOnce) }, reader))
  for (const one of readers) if (one.status === 'rejected') throw one.reason
  return ends.filter(end => end !== undefined)
}
