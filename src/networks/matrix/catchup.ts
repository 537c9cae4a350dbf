/**
 * What the homeserver never brought: Synapse loses events that wait in its memory when it stops (synapse#11637), and leaves one
 * lying that is made in the moment in which it finds us again. So after the homeserver is found, each room is read from the newest
 * arrival that is stored up to now, and a little later some times more from there; what is there already is recognised by its event id.
 */
import type { Log } from '../../lib/log'
import type { Place } from '../../model/address'
import { Refused } from '../../model/errors'
import type { Inbox } from '../../model/network'
import { stringOf } from './events'
import { encode, roomPath, type Homeserver } from './homeserver'
import type { Take } from './receive'

const PAGE_EVENTS = 100
const PAGES_MAX = 100 // a room

export interface CatchUpWorld { homeserver: Homeserver; inbox: Inbox; take: Take; log: Log; signal: AbortSignal }

/** A room and the place in its history (CS API §Pagination) up to which it was read. */
export interface ReadUpTo { place: Place; room: string; token: string | undefined }

/** Where to begin: behind the newest stored arrival, or now if there is none. */
const beginning = async ({ homeserver, inbox, signal }: CatchUpWorld, place: Place, room: string): Promise<string | undefined> => {
  const last = await inbox.lastKey(place)
  const answer = last === undefined
    ? await homeserver.call('GET', `${roomPath(room)}/messages`, { query: { dir: 'b', limit: 1 }, signal })
    : await homeserver.call('GET', `${roomPath(room)}/context/${encode(last)}`, { query: { limit: 0 }, signal })
  return stringOf(last === undefined ? answer.start : answer.end)
}

/** Takes all that comes after `token`; resolves with the token of where it stopped. */
const readOn = async ({ homeserver, take, log, signal }: CatchUpWorld, room: string, token: string | undefined): Promise<string | undefined> => {
  let from = token
  for (let page = 0; from !== undefined && !signal.aborted; page++) {
    if (page === PAGES_MAX) {
      log.warn({ room, events: PAGES_MAX * PAGE_EVENTS }, 'more was missed than is caught up with')
      return from
    }
    const query = { dir: 'f', from, limit: PAGE_EVENTS }
    const { chunk, end } = await homeserver.call('GET', `${roomPath(room)}/messages`, { query, signal })
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
export const catchUp = async (world: CatchUpWorld, rooms: Omit<ReadUpTo, 'token'>[] | ReadUpTo[]): Promise<ReadUpTo[]> => {
  const read: ReadUpTo[] = []
  for (const { place, room, ...known } of rooms) {
    try {
      const from = 'token' in known ? known.token : await beginning(world, place, room)
      read.push({ place, room, token: await readOn(world, room, from) })
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      world.log.info({ room, why: error.message }, 'what was missed in a room cannot be read')
    }
  }
  return read
}
