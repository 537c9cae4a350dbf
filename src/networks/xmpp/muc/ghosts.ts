/** The ghosts of a room: who they are, and which of them have to leave. A room never has more than OCCUPANTS_MAX of them. */
import type { Clock } from '../../../lib/clock'
import type { Persona } from '../../../model/message'
import { RESOURCE } from '../addresses'
import { ghostLocal } from '../names'
import type { Inside } from './inside'
import type { Occupant } from './occupant'
import type { Room } from './room'

const OCCUPANTS_MAX = 500
const OCCUPANT_IDLE_MS = 24 * 3_600_000
const JUST_SPOKE_MS = 30_000 // what a ghost has said may still be under way

export interface RoomGhosts {
  /** The ghost of somebody who is about to speak. */
  ghost (room: Room, persona: Persona): Occupant
  /** The ghosts of these people belong in the room although they say nothing; `whole`: and no others. They have to be brought in. */
  expect (room: Room, people: Persona[], whole: boolean): Occupant[]
  /** Ghosts leave that do not belong in the room, once they have said what they had to say. */
  partUnlisted (room: Room): void
}

interface Parts {
  domain: string
  inside: Pick<Inside, 'partOthers'>
  clock: Clock
  make (room: Room, local: string, persona: Persona): Occupant
  looks (ghost: Occupant, persona: Persona): void
}

export const makeRoomGhosts = ({ domain, inside, clock, make, looks }: Parts): RoomGhosts => {
  const begunAt = clock.tick()

  const leave = (room: Room, ghost: Occupant): void => {
    ghost.leave()
    room.ghosts.delete(ghost.jid)
  }

  const makeSpace = (room: Room): void => {
    if (room.ghosts.size < OCCUPANTS_MAX) return
    const [least] = [...room.ghosts.values()].sort((one, other) =>
      Number(room.listed.has(one.jid)) - Number(room.listed.has(other.jid)) || one.usedAt - other.usedAt)
    if (least !== undefined) leave(room, least)
  }

  /** As its person is called and looks now. */
  const ghostOf = (room: Room, persona: Persona): Occupant => {
    const local = ghostLocal(persona.person)
    let ghost = room.ghosts.get(`${local}@${domain}/${RESOURCE}`)
    if (ghost === undefined) {
      makeSpace(room)
      ghost = make(room, local, persona)
      ghost.usedAt = -Infinity
      room.ghosts.set(ghost.jid, ghost)
    }
    ghost.rename(persona.name)
    looks(ghost, persona)
    return ghost
  }

  return {
    ghost (room, persona) {
      const ghost = ghostOf(room, persona)
      ghost.usedAt = clock.tick()
      room.unwanted.delete(ghost.jid)
      return ghost
    },
    expect (room, people, whole) {
      room.listed = new Set(people.map(({ person }) => `${ghostLocal(person)}@${domain}/${RESOURCE}`))
      room.whole = whole
      for (const jid of room.unwanted) if (!room.listed.has(jid)) room.unwanted.delete(jid)
      return people.map(persona => ghostOf(room, persona))
    },
    partUnlisted (room) {
      const before = clock.tick() - (room.whole ? JUST_SPOKE_MS : OCCUPANT_IDLE_MS)
      for (const ghost of room.ghosts.values()) if (!room.listed.has(ghost.jid) && ghost.usedAt <= before) leave(room, ghost)
      if (room.whole || begunAt <= before) inside.partOthers(room)
    }
  }
}
