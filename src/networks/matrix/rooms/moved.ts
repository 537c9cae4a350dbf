/**
 * Looks where the aliases of rooms lead that were known from before. A place stays in its room, whoever takes its alias to another one; if that is
 * not the one that replaces it, the operator is told, once for each start. Nothing waits for this.
 */
import type { Chance } from '../../../lib/chance'
import type { Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { makeRounds } from '../../../lib/rounds'
import type { Place } from '../../../model/address'
import { messageOf } from '../../../model/errors'
import { stringOf } from '../events/json'
import { encode, Rejected, type Homeserver } from '../homeserver'
import { stateOf } from './state'
import { predecessorOf } from './upgrade'

const AT_ONCE = 2
const AGAIN_FIRST_MS = 5_000
const AGAIN_MOST_MS = 15 * 60_000
const MOVED = 'the alias points to another room now; staying in the old one. If the new one is meant, configure it by its id'

interface Parts { homeserver: Homeserver; clock: Clock; chance: Chance; log: Log }

export interface Moved {
  /** The place was in this room before the start, and still is. */
  knew (place: Place, room: string): void
  stop (): void
}

/** What its tombstone names. */
export const nextOf = async (homeserver: Homeserver, room: string): Promise<string | undefined> =>
  stringOf((await stateOf(homeserver, room, 'm.room.tombstone', '', {}))?.replacement_room)

export const makeMoved = ({ homeserver, clock, chance, log }: Parts): Moved => {
  const known = new Map<string, string>() // room by alias, while it is looked at

  const look = async (alias: string, room: string): Promise<void> => {
    const answer = await homeserver.call('GET', `client/v3/directory/room/${encode(alias)}`, { elsewhere: true }).catch((error: unknown) => {
      if (!(error instanceof Rejected)) throw error
      return { room_id: room } // the alias is gone, the room is not
    })
    const now = stringOf(answer.room_id) ?? room
    if (now === room || await nextOf(homeserver, room) === now) return
    if (predecessorOf(await stateOf(homeserver, now, 'm.room.create', '', {}) ?? {}) === room) return
    log.error({ place: alias, room, now }, MOVED)
  }

  const rounds = makeRounds({
    clock, chance, atOnce: AT_ONCE, firstMs: AGAIN_FIRST_MS, mostMs: AGAIN_MOST_MS,
    failed: (alias, error) => log.info({ place: alias, why: messageOf(error) }, 'where an alias leads could not be found out; asking again')
  }, async alias => {
    const room = known.get(alias)
    if (room !== undefined) await look(alias, room)
    known.delete(alias)
  })

  return {
    knew ({ id }, room) {
      if (!id.startsWith('#')) return
      known.set(id, room)
      rounds.ask(id)
    },
    stop: rounds.stop
  }
}
