/**
 * Rooms that are read instead of listened to: those that an address of ours has just entered, and those of which the door takes
 * nothing more for now. What is pushed from them is left lying, because the homeserver keeps it, and is read in its order as fast as
 * the door takes it; so no room waits for another. A room is listened to again once it was read to its end with nothing left lying
 * meanwhile. Nothing of this is kept: at each start all rooms are read from what is stored.
 */
import { backoffMs } from '../../../lib/backoff'
import type { Chance } from '../../../lib/chance'
import { sleep, type Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { messageOf } from '../../../model/errors'
import type { ReadUpTo } from './catch-up'
import { isJson, stringOf } from '../events'
import type { Json } from '../homeserver'

export interface Backlog {
  /** From now on what is pushed from this room is left lying. */
  hold (room: string): void
  /** It is listened to again, unless it is being read. */
  release (room: string): void
  /** Whether the room is read, or about to be. */
  has (room: string): boolean
  /** True for what is said in such a room. */
  leaves (raw: unknown): boolean
  /** Reads it until it can be listened to again, if it is not being read already. */
  read (room: ReadUpTo): void
  /** Whether some room is not read to its end yet. */
  busy (): boolean
}

/** `readOn` reads as far as it can be taken and resolves with where that was; undefined if the room cannot be read. */
interface Parts {
  clock: Clock; chance: Chance; log: Log; signal: AbortSignal; bot: string
  readOn (room: ReadUpTo): Promise<ReadUpTo | undefined>
  /** It cannot be read, or can again. */
  fails (room: string, failing: boolean): void
}

const FIRST_MS = 250
const MOST_MS = 1_000 // no longer: meanwhile all that waited may be delivered
const FAILED_MOST_MS = 5 * 60_000

/** Memberships are learned at once, except that the bot has left: what was said before is still to be read. */
const isMembership = (raw: Json, bot: string): boolean => raw.type === 'm.room.member' &&
  !(raw.state_key === bot && isJson(raw.content) && (raw.content.membership === 'leave' || raw.content.membership === 'ban'))

export const makeBacklog = ({ clock, chance, log, signal, bot, readOn, fails }: Parts): Backlog => {
  const held = new Map<string, boolean>() // by room; true if something was left lying since it was last read to the end

  const reading = new Set<string>()

  const read = async (whole: ReadUpTo): Promise<void> => {
    const { room } = whole
    let from: ReadUpTo | undefined = whole
    let attempt = 1
    let failures = 0 // one after another
    while (from !== undefined && !signal.aborted) {
      held.set(room, false)
      const before: ReadUpTo = from
      from = await readOn(before).catch((error: unknown) => {
        log.info({ room, why: messageOf(error) }, 'a room that is read by itself cannot be read now')
        return { ...before, crowded: true, failed: true }
      })
      if (from?.crowded !== true) {
        if (held.get(room) === true) continue
        return
      }
      failures = from.failed === true ? failures + 1 : 0
      fails(room, failures > 0)
      delete from.failed
      await sleep(clock, backoffMs(chance, failures || attempt++, FIRST_MS, failures > 0 ? FAILED_MOST_MS : MOST_MS), signal)
    }
  }

  const hold = (room: string): void => { held.set(room, held.get(room) ?? false) }

  return {
    hold,
    release (room) { if (!reading.has(room)) held.delete(room) }, // else what is pushed would overtake what is read
    has: room => held.has(room),
    leaves (raw) {
      const room = isJson(raw) && !isMembership(raw, bot) ? stringOf(raw.room_id) : undefined
      if (room === undefined || !held.has(room)) return false
      held.set(room, true)
      return true
    },
    read (one) {
      const { room } = one
      if (reading.has(room)) return
      hold(room)
      reading.add(room)
      void read(one).finally(() => {
        held.delete(room)
        reading.delete(room)
        fails(room, false)
      })
    },
    busy: () => held.size > 0
  }
}
