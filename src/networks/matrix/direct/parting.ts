/**
 * Rooms of direct chats that an address will leave: those that the contact has left, those that have become a place of their own, and those
 * in which the contact never said anything. Kept over a restart. A moment passes before we leave, so that earlier messages come in.
 */
import type { Clock, Timer } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { messageOf, Refused } from '../../../model/errors'
import type { Memory } from '../../../model/network'
import { parsed } from '../events/json'

export interface Parting {
  /** Nobody has said anything in this room yet. */
  quiet (room: string): void
  /** Something was said there. */
  spoken (room: string): void
  /** We leave it soon. */
  over (room: string): void
  isOver (room: string): boolean
  /** We do not leave it, whatever was planned before. */
  stays (room: string): void
  stop (): void
}

interface Parts {
  memory: Memory; clock: Clock; log: Log
  /** Whether something from this room must still be read. */
  isBusy (room: string): boolean
  /** Resolves when the room is left and forgotten. */
  part (room: string, quiet: boolean): Promise<void>
}

/** `at`: ms since 1970. `quiet`: only if nothing is said until then. */
interface Due { at: number; quiet: boolean }

const MEMORY_KEY = 'parting'
const QUIET_MS = 7 * 24 * 3600_000
const MOMENT_MS = 60_000
const AGAIN_MS = 10 * 60_000
const ROOMS_MAX = 1000 // if there are more, the one that is due first is left at once

export const makeParting = ({ memory, clock, log, isBusy, part }: Parts): Parting => {
  const due = new Map(Object.entries(parsed<Record<string, Due>>(memory.get(MEMORY_KEY) ?? '{}'))) // by room
  let timer: Timer | undefined
  let stopped = false
  let running = false

  const keep = (): void => {
    memory.set(MEMORY_KEY, JSON.stringify(Object.fromEntries(due))).catch((error: unknown) => {
      log.warn({ why: messageOf(error) }, 'could not remember which rooms are to be left')
    })
  }

  const first = (): [string, Due] | undefined => {
    let found: [string, Due] | undefined
    for (const one of due) if (found === undefined || one[1].at < found[1].at) found = one
    return found
  }

  const leave = async (room: string): Promise<void> => {
    try {
      if (isBusy(room)) return put(room, MOMENT_MS)
      await part(room, due.get(room)?.quiet === true)
      due.delete(room)
    } catch (error) {
      if (error instanceof Refused) due.delete(room)
      else put(room, AGAIN_MS)
      log.info({ room, why: messageOf(error) }, 'a direct chat that is over could not be left')
    }
  }

  const run = async (): Promise<void> => {
    for (let next = first(); next !== undefined && !stopped; next = first()) {
      const [room, { at }] = next
      if (at > clock.now() && due.size <= ROOMS_MAX) break
      await leave(room)
      keep()
    }
  }

  const look = (): void => {
    timer?.cancel()
    const next = first()
    if (next === undefined || stopped || running) return
    timer = clock.after(Math.max(due.size > ROOMS_MAX ? 0 : next[1].at - clock.now(), 0), () => {
      running = true
      void run().finally(() => { running = false; look() })
    })
  }

  const put = (room: string, inMs: number, quiet = due.get(room)?.quiet ?? false): void => {
    due.set(room, { at: clock.now() + inMs, quiet })
    keep()
    look()
  }

  const stays = (room: string): void => {
    if (!due.delete(room)) return
    keep()
    look()
  }

  look()
  return {
    quiet: room => put(room, QUIET_MS, true),
    spoken (room) { if (due.get(room)?.quiet === true) stays(room) }, // else it is over, and this is an earlier message
    over: room => put(room, MOMENT_MS, false),
    isOver: room => due.get(room)?.quiet === false,
    stays,
    stop () { stopped = true; timer?.cancel() }
  }
}
