/** What keeps us out of rooms, or silent in them. The connection `rooms` shows it. */
import type { Occupant } from './occupant'
import type { Room } from './room'

export interface Obstacles {
  /** We should be in the room and are not, because of `why`. */
  outside (room: Room, why: string): void
  /** The room is entered, or need not be any more. */
  gone (room: Room): void
  /** One of ours waits for a way in or a voice; without `why`, it waits no longer. */
  mute (occupant: Occupant, why?: string): void
  /** Nobody of ours waits for a way in or a voice any more. */
  allMayTry (): void
  tell (): void
}

/** `allIn`: all rooms are entered and everybody of ours who wants to speak in them may; else `why` not. */
export const makeObstacles = (allIn: (all: boolean, why: string | undefined) => void): Obstacles => {
  const missing = new Map<Room, string>()
  const silent = new Map<Occupant, string>()

  const tell = (): void => {
    const [[first, cause] = []] = missing
    const [why] = silent.values()
    allIn(missing.size + silent.size === 0, first === undefined ? why : `${first.id}: ${first.refusal?.message ?? cause}`)
  }

  return {
    outside (room, why) { missing.set(room, why) },
    gone (room) { missing.delete(room) },
    mute (occupant, why) {
      if (why === undefined ? !silent.delete(occupant) : silent.get(occupant) === why) return
      if (why !== undefined) silent.set(occupant, why)
      tell()
    },
    allMayTry () { silent.clear() },
    tell
  }
}
