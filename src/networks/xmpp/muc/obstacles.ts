/** What keeps us out of rooms, or silent in them. The connection `rooms` shows it. */
import type { Occupant } from './occupant'
import type { Room } from './room'

const NOT_YET = 'not entered yet'
const NOT_FOLLOWED = 'not entered yet, in place of another room' // somebody chose it, and it may never be there

export const notYet = ({ follows }: Pick<Room, 'follows'>): string => follows === undefined ? NOT_YET : NOT_FOLLOWED

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

/**
 * `allIn`: all rooms are entered and everybody of ours who wants to speak in them may; else `why` not. `tried`: since the start, each room was
 * entered or tried once. From then on, what is in the way is for those who have a say in the room, and a new room counts once it was tried.
 */
export const makeObstacles = (allIn: (all: boolean, why: string | undefined, tried: boolean) => void): Obstacles => {
  const missing = new Map<Room, string>()
  const silent = new Map<Occupant, string>()
  let tried = false

  /** The first of them: when one changes, the others are not looked at, because there may be thousands. */
  const find = (fits: (room: Room, cause: string) => boolean): [Room, string] | undefined => {
    for (const one of missing) if (fits(...one)) return one
    return undefined
  }

  const tell = (): void => {
    tried ||= find((_, cause) => cause === NOT_YET) === undefined
    const [first, cause] = find((room, why) => !tried || why !== NOT_YET || room.visit > 0) ?? []
    const [why] = silent.values()
    allIn(first === undefined && silent.size === 0, first === undefined ? why : `${first.id}: ${first.refusal?.message ?? cause}`, tried)
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
