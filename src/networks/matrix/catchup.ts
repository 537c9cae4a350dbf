/**
 * What the homeserver never brought: Synapse loses events that wait in its memory when it stops (synapse#11637). After the
 * homeserver is found, each room is read from the newest arrival that is stored up to now; what is there already is recognised by
 * its event id. Meanwhile transactions wait a little, so that what was missed comes before what is new.
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

const catchUpRoom = async ({ homeserver, inbox, take, log, signal }: CatchUpWorld, place: Place, room: string): Promise<void> => {
  const last = await inbox.lastKey(place)
  if (last === undefined) return
  const context = await homeserver.call('GET', `${roomPath(room)}/context/${encode(last)}`, { query: { limit: 0 }, signal })
  let from = stringOf(context.end)
  for (let page = 0; from !== undefined && !signal.aborted; page++) {
    if (page === PAGES_MAX) return log.warn({ room, events: PAGES_MAX * PAGE_EVENTS }, 'more was missed than is caught up with')
    const query = { dir: 'f', from, limit: PAGE_EVENTS }
    const { chunk, end } = await homeserver.call('GET', `${roomPath(room)}/messages`, { query, signal })
    if (!Array.isArray(chunk) || chunk.length === 0) return
    await take(chunk)
    from = stringOf(end) === from ? undefined : stringOf(end)
  }
}

/** One room after another; a room that cannot be read does not keep the others waiting. Throws Unavailable if nobody answers. */
export const catchUp = async (world: CatchUpWorld, rooms: Array<{ place: Place, room: string }>): Promise<void> => {
  for (const { place, room } of rooms) {
    try {
      await catchUpRoom(world, place, room)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      world.log.info({ room, why: error.message }, 'what was missed in a room cannot be read')
    }
  }
}
