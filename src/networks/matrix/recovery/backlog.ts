/**
 * Rooms whose history we read instead of listening to them: those that an address of ours has just entered, and those of which the door
 * takes no more for now. We pass over what is pushed from them, because the homeserver keeps it, and read it in order as fast as the door
 * takes it. So no room waits for another. We listen to a room again once it is read to its end and nothing was passed over meanwhile.
 * Nothing of this is stored: at each start all rooms are read on from their stored positions.
 */
import { backoffMs } from '../../../lib/backoff'
import type { Chance } from '../../../lib/chance'
import { sleep, type Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { messageOf } from '../../../model/errors'
import type { ReadUpTo } from './catch-up'
import { isJson, type Json, stringOf } from '../events/json'

export interface Backlog {
  /** From now on, passes over what is pushed from this room. */
  hold (room: string): void
  /** Listens to the room again, unless it is being read. */
  release (room: string): void
  /** Whether the room is read, or about to be. */
  has (room: string): boolean
  /** Whether this event is from such a room and is passed over. */
  passesOver (raw: unknown): boolean
  /** Reads a room until we can listen to it again, unless it is being read already. */
  read (room: ReadUpTo): void
  /** Whether some room is not read to its end yet. */
  busy (): boolean
}

/** `readOn` reads as far as the door takes it, and resolves with where that was; undefined if the room cannot be read. */
interface Parts {
  clock: Clock; chance: Chance; log: Log; signal: AbortSignal; bot: string
  readOn (room: ReadUpTo): Promise<ReadUpTo | undefined>
  /** The room cannot be read, or can be read again. */
  fails (room: string, failing: boolean): void
}

const FIRST_MS = 250
const MOST_MS = 1_000 // short, because all that waits may be delivered meanwhile
const FAILED_MOST_MS = 5 * 60_000

/** Memberships are taken at once, except that the bot is out: what was said before that must be read first. */
const isMembership = (raw: Json, bot: string): boolean => raw.type === 'm.room.member' &&
  !(raw.state_key === bot && isJson(raw.content) && (raw.content.membership === 'leave' || raw.content.membership === 'ban'))

export const makeBacklog = ({ clock, chance, log, signal, bot, readOn, fails }: Parts): Backlog => {
  const held = new Map<string, boolean>() // by room; true if something was passed over since it was last read to its end

  const reading = new Set<string>()

  const read = async (whole: ReadUpTo): Promise<void> => {
    const { room } = whole
    let from: ReadUpTo | undefined = whole
    let attempt = 1
    let failures = 0 // in a row
    while (from !== undefined && !signal.aborted) {
      held.set(room, false)
      const before: ReadUpTo = from
      from = await readOn(before).catch((error: unknown) => {
        log.info({ room, why: messageOf(error) }, 'the history of a room cannot be read now; trying again')
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
    passesOver (raw) {
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
