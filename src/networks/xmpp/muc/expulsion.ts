/**
 * Rooms that have put us out. Promises: all of ours leave such a room. A room that has kicked us, or was destroyed, is entered only when it
 * asks us in, also after a restart.
 */
import { messageOf, Refused } from '../../../model/errors'
import type { World } from '../../../model/network'
import type { Inside } from './inside'
import type { PutOut } from './occupant'
import type { Room } from './room'

export interface Expulsion {
  /** How a room has put us out, as remembered. */
  of (id: string): PutOut | undefined
  happened (room: Room, how: PutOut, why: string): void
  /** It happened before. */
  lasts (room: Room, how: PutOut): void
  /** We are in again. */
  over (room: Room): void
  waitsForInvitation (room: Room): boolean
}

/** `tell`: until the room is entered again, it is neither heard nor spoken into. */
export const makeExpulsion = (
  { memory, log }: Pick<World, 'memory' | 'log'>, inside: Pick<Inside, 'partOthers'>, tell: (room: Room) => void
): Expulsion => {
  const parted = new WeakSet<Room>() // rooms that have put us out in this life, as far as we know
  const keyOf = (id: string): string => `put out ${id}`

  const remember = (room: Room, how: PutOut | undefined): void => {
    room.putOut = how
    const key = keyOf(room.id)
    const done = how !== undefined ? memory.set(key, how) : memory.get(key) === undefined ? undefined : memory.delete(key)
    done?.catch((error: unknown) => log.error({ room: room.id, why: messageOf(error) }, 'could not remember that a room has put us out'))
  }

  return {
    of: id => memory.get(keyOf(id)) as PutOut | undefined,
    happened (room, how, why) {
      room.refusal = new Refused(`the room has put us out: ${why}`)
      remember(room, how)
      for (const ghost of room.ghosts.values()) ghost.leave(room.refusal)
      if (!parted.has(room)) inside.partOthers(room) // also those lost with the link, or a process; the room may never answer, so once
      parted.add(room)
      tell(room)
    },
    lasts (room, how) {
      room.refusal = new Refused(`the room has put us out: ${how}`)
      inside.partOthers(room)
    },
    over (room) {
      parted.delete(room)
      if (room.putOut !== undefined) remember(room, undefined)
    },
    waitsForInvitation: ({ putOut }) => putOut === 'kicked' || putOut === 'destroyed'
  }
}
