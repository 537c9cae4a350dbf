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
const PAGES_MAX = 100 // a room

/** How far to read back in a room of which nothing is stored: far less than what is stored is kept for, so that nothing comes twice. */
export const READ_BACK_MS = 3 * 24 * 3600_000

export interface CatchUpWorld {
  homeserver: Homeserver; inbox: Inbox; log: Log; signal: AbortSignal
  take: (raws: unknown[]) => Promise<void>
}

/** `by`: who of ours reads a room that is there for them; all counts that was said since they were invited, if not before this time (ms). */
export interface Reader { as: string; notBefore: number }

/** A room and, once it is known, the place in its history (CS API §Pagination) up to which it was read. */
export interface ReadUpTo { place: Place; room: string; by?: Reader; token?: string | undefined }

/** Takes what was said since we were invited; resolves with the token of where it stopped. */
const readBack = async ({ homeserver, take, signal }: CatchUpWorld, room: string, { as, notBefore }: Reader): Promise<string | undefined> => {
  const isBefore = (event: unknown): boolean => isJson(event) && (Number(event.origin_server_ts) < notBefore ||
    (event.type === 'm.room.member' && event.state_key === as && isJson(event.content) && event.content.membership === 'invite'))
  const events: unknown[] = []
  let start: string | undefined
  let from: string | undefined
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer = await homeserver.call('GET', `${roomPath(room)}/messages`, { as, query: { dir: 'b', from, limit: PAGE_EVENTS }, signal })
    const chunk = Array.isArray(answer.chunk) ? answer.chunk as unknown[] : []
    const end = chunk.findIndex(isBefore)
    events.push(...chunk.slice(0, end < 0 ? undefined : end))
    start ??= stringOf(answer.start)
    from = stringOf(answer.end)
    if (end >= 0 || from === undefined || chunk.length === 0) break
  }
  await take(events.reverse())
  return start
}

/**
 * Takes what was missed in a room: all behind the newest stored arrival if it is in this room, else what was said since we were
 * invited. Where nothing is stored nothing was missed, and what is pushed just now must stay in front of what is said from now on.
 */
const begin = async (world: CatchUpWorld, one: ReadUpTo): Promise<string | undefined> => {
  const { homeserver, inbox, signal } = world
  const { place, room, by } = one
  const last = await inbox.lastKey(place)
  if (last !== undefined || by !== undefined) return await readOn(world, one, await beginning(world, one, last))
  return stringOf((await homeserver.call('GET', `${roomPath(room)}/messages`, { query: { dir: 'b', limit: 1 }, signal })).start)
}

const beginning = async (world: CatchUpWorld, { room, by }: ReadUpTo, last: string | undefined): Promise<string | undefined> => {
  const { homeserver, signal } = world
  if (last === undefined) return by && await readBack(world, room, by)
  try {
    const query = { limit: 0 }
    return stringOf((await homeserver.call('GET', `${roomPath(room)}/context/${encode(last)}`, { as: by?.as, query, signal })).end)
  } catch (error) {
    if (by === undefined || !(error instanceof Rejected)) throw error
    return await readBack(world, room, by) // the newest is in another room of the same chat
  }
}

/** Takes all that comes after `token`; resolves with the token of where it stopped. */
const readOn = async (
  { homeserver, take, log, signal }: CatchUpWorld, { room, by }: ReadUpTo, token: string | undefined
): Promise<string | undefined> => {
  let from = token
  for (let page = 0; from !== undefined && !signal.aborted; page++) {
    if (page === PAGES_MAX) {
      log.warn({ room, events: PAGES_MAX * PAGE_EVENTS }, 'more was missed than is caught up with')
      return from
    }
    const query = { dir: 'f', from, limit: PAGE_EVENTS }
    const { chunk, end } = await homeserver.call('GET', `${roomPath(room)}/messages`, { as: by?.as, query, signal })
    if (!Array.isArray(chunk) || chunk.length === 0) return from
    await take(chunk)
    const next = stringOf(end)
    if (next === undefined || next === from) return from
    from = next
  }
  return from
}

/**
 * One room after another, from `token` where there is one; a room that cannot be read does not keep the others waiting.
 * Throws Unavailable if nobody answers.
 */
export const catchUp = async (world: CatchUpWorld, rooms: ReadUpTo[]): Promise<ReadUpTo[]> => {
  const read: ReadUpTo[] = []
  for (const one of rooms) {
    const { room } = one
    try {
      read.push({ ...one, token: 'token' in one ? await readOn(world, one, one.token) : await begin(world, one) })
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      world.log.info({ room, why: error.message }, 'what was missed in a room cannot be read')
    }
  }
  return read
}
