/**
 * Looks for a delivery's event by its key, in what its speaker said. Needed only where the transaction id does not protect: after a while, in
 * earlier rooms of a direct chat, and where an event is sealed that an earlier try may have said in the clear.
 */
import type { Clock } from '../../lib/clock'
import type { Action, Delivery, Sent } from '../../model/message'
import { KEY_FIELD } from './contents'
import { readDirect } from './direct/chats'
import type { Direct } from './direct/direct'
import { SEALED } from './encryption/encryption'
import { POLL_ENDS, POLL_STARTS, VOTES } from './events/extensible'
import { isJson, stringOf } from './events/json'
import { Rejected, roomPath, type Homeserver } from './homeserver'
import type { Rooms } from './rooms/rooms'
import type { Ghosts } from './users/ghosts'

const TRANSACTION_MS = 20 * 3600_000 // the homeserver keeps ids for 24 h; somewhat earlier we begin to look ourselves
const FIND_PAGES_MAX = 20
const FIND_PAGE_EVENTS = 100
const AGAIN_CHANGES_NOTHING: ReadonlySet<Action['kind']> = new Set(['deletion', 'removal', 'room', 'profile'])
const TYPES = ['m.room.message', SEALED, 'm.reaction', ...POLL_STARTS, ...VOTES, ...POLL_ENDS]

interface FindWorld {
  homeserver: Homeserver; ghosts: Pick<Ghosts, 'device'>; rooms: Pick<Rooms, 'roomOf'>; direct: Pick<Direct, 'rooms'>; clock: Clock
  /** Who of ours may have said this in the room. */
  speakers (delivery: Delivery, room: string): string[]
}

export interface Find {
  /** Where the transaction id does not protect. */
  find (delivery: Delivery, signal: AbortSignal): Promise<Sent | undefined>
  /** In this room. */
  said (delivery: Delivery, room: string, signal: AbortSignal): Promise<Sent | undefined>
}

export const makeFind = ({ homeserver, ghosts, rooms, direct, clock, speakers }: FindWorld): Find => {
  const said = async (delivery: Delivery, room: string, signal: AbortSignal): Promise<Sent | undefined> => {
    const senders = speakers(delivery, room)
    const filter = JSON.stringify({ senders, types: TYPES })
    const as = readDirect(delivery.place)?.ours // a ghost may not be in there yet
    let from: string | undefined
    for (let page = 0; page < FIND_PAGES_MAX; page++) {
      const query = { dir: 'b', limit: FIND_PAGE_EVENTS, filter, from }
      const { chunk, end } = await homeserver.call('GET', `${roomPath(room)}/messages`, { as, query, signal })
      for (const event of Array.isArray(chunk) ? chunk as unknown[] : []) {
        if (!isJson(event) || !senders.includes(String(event.sender)) || !isJson(event.content)) continue
        if (event.content[KEY_FIELD] === delivery.key && typeof event.event_id === 'string') return { ids: [event.event_id] }
      }
      from = stringOf(end)
      if (from === undefined) return undefined
    }
    return undefined
  }

  const find: Find['find'] = async (delivery, signal) => {
    if (AGAIN_CHANGES_NOTHING.has(delivery.action.kind)) return undefined
    const [now, ...older] = readDirect(delivery.place) ? direct.rooms(delivery.place) : [rooms.roomOf(delivery.place)]
    const isProtected = ghosts.device() !== undefined && Math.abs(clock.now() - delivery.at) < TRANSACTION_MS
    if (now !== undefined && !isProtected) {
      const found = await said(delivery, now, signal)
      if (found !== undefined) return found
    }
    for (const room of older) {
      const found = await said(delivery, room, signal).catch((error: unknown) => {
        if (error instanceof Rejected) return undefined // we are no longer in it
        throw error
      })
      if (found !== undefined) return found
    }
    return undefined
  }

  return { find, said }
}
