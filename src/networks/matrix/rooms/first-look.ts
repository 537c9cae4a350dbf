/**
 * The first look at a room that somebody on another network asked for: what it showed before is shown to them too. Of other rooms only changes are
 * told. Looked at once, and again until that works; a restart before it looks again.
 */
import type { Chance } from '../../../lib/chance'
import type { Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { makeRounds } from '../../../lib/rounds'
import type { Place } from '../../../model/address'
import { messageOf } from '../../../model/errors'
import type { ProfileArrival } from '../../../model/message'
import type { Memory } from '../../../model/network'
import type { Homeserver } from '../homeserver'
import { isNew, lookedAt } from './open'
import { lookAt } from './profile'
import type { Rooms } from './rooms'

const AT_ONCE = 4
const AGAIN_FIRST_MS = 5_000
const AGAIN_MOST_MS = 15 * 60_000
const KEY_BYTES = 18

interface Parts {
  homeserver: Homeserver; rooms: () => Pick<Rooms, 'placeOf'>; memory: Memory; clock: Clock; chance: Chance; log: Log; signal: AbortSignal
  /** Resolves when it is stored. */
  tell (look: Omit<ProfileArrival, 'kind'>): Promise<unknown>
}

export interface FirstLook {
  /** The bot is in the room of this place. */
  entered (place: Place, room: string): void
  stop (): void
}

export const makeFirstLook = ({ homeserver, rooms, memory, clock, chance, log, signal, tell }: Parts): FirstLook => {
  const rounds = makeRounds({
    clock, chance, atOnce: AT_ONCE, firstMs: AGAIN_FIRST_MS, mostMs: AGAIN_MOST_MS,
    failed: (room, error) => log.info({ room, why: messageOf(error) }, 'what a room shows could not be found out; asking again')
  }, async room => {
    const place = rooms().placeOf(room)
    if (place === undefined) return
    for (const shown of await lookAt(homeserver, room, signal)) {
      await tell({ key: `${room}/shows ${shown.what} ${chance.token(KEY_BYTES)}`, place, at: clock.now(), shown })
    }
    await lookedAt(memory, place)
  })

  return {
    entered (place, room) { if (isNew(memory, place)) rounds.ask(room) },
    stop: rounds.stop
  }
}
