/** The ghosts of a room: who they are, and which of them have to leave. A room never has more than OCCUPANTS_MAX of them. */
import type { Clock } from '../../../lib/clock'
import type { MemberList } from '../../../model/members'
import type { Person } from '../../../model/address'
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
  /** The ghosts of these people belong in the room although they say nothing. They have to be brought in. */
  expect (room: Room, list: Omit<MemberList, 'place'>): Occupant[]
  /** The ghost of this person leaves, and belongs there no more. */
  forget (room: Room, person: Person): void
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

  const fullJid = ({ person }: Pick<Persona, 'person'>): string => `${ghostLocal(person)}@${domain}/${RESOURCE}`

  /** As its person is called and looks now. */
  const ghostOf = (room: Room, persona: Persona): Occupant => {
    let ghost = room.ghosts.get(fullJid(persona))
    if (ghost === undefined) {
      makeSpace(room)
      ghost = make(room, ghostLocal(persona.person), persona)
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
    expect (room, { members, gone, whole }) {
      room.listed = new Set(members.map(fullJid))
      room.gone = new Set(gone?.map(fullJid))
      room.whole = whole
      for (const jid of room.unwanted) if (!room.listed.has(jid)) room.unwanted.delete(jid)
      return members.map(persona => ghostOf(room, persona))
    },
    forget (room, person) {
      const jid = fullJid({ person })
      const ghost = room.ghosts.get(jid)
      room.listed = new Set([...room.listed].filter(one => one !== jid))
      if (ghost === undefined) return
      looks(ghost, { person, name: '' })
      leave(room, ghost)
    },
    partUnlisted (room) {
      const isLongAgo = (at: number, isGone: boolean): boolean => at <= clock.tick() - (isGone ? JUST_SPOKE_MS : OCCUPANT_IDLE_MS)
      for (const ghost of room.ghosts.values()) {
        if (!room.listed.has(ghost.jid) && isLongAgo(ghost.usedAt, room.whole || room.gone.has(ghost.jid))) leave(room, ghost)
      }
      if (room.whole || isLongAgo(begunAt, false)) inside.partOthers(room)
    }
  }
}
