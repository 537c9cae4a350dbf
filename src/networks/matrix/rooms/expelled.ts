/**
 * Makes ghosts leave the rooms that have sent the bot out: nobody there wants them, and what is said there is not for us. They leave one after
 * another, and one room at a time, because there may be hundreds in each. Who is in a room is remembered anyway, so the work is taken up
 * again each time such a room is found, also after a restart.
 */
import { backoffMs } from '../../../lib/backoff'
import type { Chance } from '../../../lib/chance'
import { sleep, type Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { messageOf } from '../../../model/errors'
import type { Ghosts } from '../users/ghosts'

const ROOMS_MAX = 1000 // to be left; more are taken up when they are found again
const FIRST_MS = 1000
const MOST_MS = 10 * 60_000
const ATTEMPTS_MAX = 12 // for each room, until it is found again

interface Parts {
  ghosts: Ghosts; clock: Clock; chance: Chance; log: Log; signal: AbortSignal
  /** Whether a room has sent us out, and has not let us in again. */
  isOut (room: string): boolean
}

export const makeExpelled = ({ ghosts, clock, chance, log, signal, isOut }: Parts): ((room: string) => void) => {
  const rooms = new Map<string, number>() // to be left, and how often that was tried
  let busy = false

  const tryOne = async (room: string, attempt: number): Promise<void> => {
    rooms.delete(room)
    try {
      for (const mxid of ghosts.inRoom(room)) {
        if (!isOut(room) || signal.aborted) return
        await ghosts.leave(mxid, room, signal)
      }
    } catch (error) {
      log.info({ room, attempt, why: messageOf(error) }, 'ghosts could not leave a room that has sent the bot out')
      if (attempt < ATTEMPTS_MAX) rooms.set(room, attempt) // behind the others
      await sleep(clock, backoffMs(chance, attempt, FIRST_MS, MOST_MS), signal)
    }
  }

  const run = async (): Promise<void> => {
    for (let [next] = rooms; next !== undefined && !signal.aborted; [next] = rooms) await tryOne(next[0], next[1] + 1)
    busy = false
  }

  return room => {
    if (rooms.has(room) || rooms.size >= ROOMS_MAX) return
    rooms.set(room, 0)
    if (busy) return
    busy = true
    void run()
  }
}
