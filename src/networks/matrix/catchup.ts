/**
 * What the homeserver never brought: Synapse loses events that wait in its memory when it stops (synapse#11637), and leaves one
 * lying that is made in the moment in which it finds us again. So after the homeserver is found, each room is read from the newest
 * arrival that is stored up to now, and from there on again: a little later, a little after each transaction that had to be brought
 * again, and every ten minutes. What is there already is recognised by its event id.
 */
import type { Log } from '../../lib/log'
import type { Place } from '../../model/address'
import { Refused } from '../../model/errors'
import type { Inbox } from '../../model/network'
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
  homeserver: Homeserver; inbox: Inbox; log: Log; signal: AbortSignal
  take: Take
}

/** `by`: who of ours reads a room that is there for them; all counts that was said since they were invited, if not before this time (ms). */
export interface Reader { as: string; notBefore: number }

/** Up to where a room's history was read (CS API §Pagination), if that is known. `crowded`: it goes on, but no more could be taken. */
interface End { token?: string | undefined; crowded?: boolean }

export interface ReadUpTo extends End { place: Place; room: string; by?: Reader }

const isTaken = async ({ take }: CatchUpWorld, events: unknown[]): Promise<boolean> => {
  let crowded = false
  await take(events, () => { crowded = true })
  return !crowded
}

/** Takes what was said since we were invited. */
const readBack = async (world: CatchUpWorld, room: string, { as, notBefore }: Reader): Promise<End> => {
  const { homeserver, signal } = world
  const isBefore = (event: unknown): boolean => isJson(event) && (Number(event.origin_server_ts) < notBefore ||
    (event.type === 'm.room.member' && event.state_key === as && isJson(event.content) && event.content.membership === 'invite'))
  const events: unknown[] = []
  let start: string | undefined
  let from: string | undefined
  for (let page = 0; page < PAGES_BACK_MAX; page++) {
    const answer = await homeserver.call('GET', `${roomPath(room)}/messages`, { as, query: { dir: 'b', from, limit: PAGE_EVENTS }, signal })
    const chunk = Array.isArray(answer.chunk) ? answer.chunk as unknown[] : []
    const end = chunk.findIndex(isBefore)
    events.push(...chunk.slice(0, end < 0 ? undefined : end))
    start ??= stringOf(answer.start)
    from = stringOf(answer.end)
    if (end >= 0 || from === undefined || chunk.length === 0) break
  }
  return await isTaken(world, events.reverse()) ? { token: start } : { crowded: true }
}

/**
 * Takes what was missed in a room: all behind the newest stored arrival if it is in this room, else what was said since we were
 * invited. Where nothing is stored nothing was missed, and what is pushed just now must stay in front of what is said from now on.
 */
const begin = async (world: CatchUpWorld, one: ReadUpTo): Promise<End> => {
  const { homeserver, inbox, signal } = world
  const { place, room, by } = one
  const last = await inbox.lastKey(place)
  if (last !== undefined || by !== undefined) {
    const start = await beginning(world, one, last)
    return start.crowded ? start : await readOn(world, one, start.token)
  }
  return { token: stringOf((await homeserver.call('GET', `${roomPath(room)}/messages`, { query: { dir: 'b', limit: 1 }, signal })).start) }
}

const beginning = async (world: CatchUpWorld, { room, by }: ReadUpTo, last: string | undefined): Promise<End> => {
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
      read.push({ place, room, ...by && { by }, ...end })
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      world.log.info({ room, why: error.message }, 'what was missed in a room cannot be read')
    }
  }
  return read
}
