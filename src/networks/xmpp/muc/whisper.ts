/**
 * Where a private message to an occupant of a room goes whose address is hidden, and who says it. Promises: it is the occupant whom the place
 * names, by the room's own id of them, whatever they are called now; whoever is not in the room gets nothing, and neither does anybody else.
 */
import { Refused } from '../../../model/errors'
import type { Delivery } from '../../../model/message'
import { RESOURCE } from '../addresses'
import { addressIn } from '../names'
import { owned } from '../wire/xml'
import type { Occupant } from './occupant'
import { idOf, OCCUPANT_IDS } from './people'
import type { Room } from './room'
import type { Rooms } from './rooms'

/** `from` is the ghost, which is `as` in the room; `to` is who reads it there. Throws Refused or Unavailable. */
export type Whisper = (ends: { ours: string, theirs: string }, delivery: Delivery, signal: AbortSignal) =>
  Promise<{ from: string, as: string, to: string }>

const nickOfHidden = (room: Room, id: string): string | undefined =>
  [...room.people].find(([nick, { occupant }]) => occupant !== undefined && idOf(room, nick, occupant) === id)?.[0]

export const makeWhisper = (rooms: () => Pick<Rooms, 'get' | 'whenReady' | 'bringIn' | 'ghosts'>): Whisper => {
  /** The stand-in as it is called in the room already. */
  const speaker = (room: Room, ours: string, { as }: Delivery): Occupant | undefined => {
    const inside = room.ghosts.get(`${ours}/${RESOURCE}`)
    if (inside !== undefined && inside.nick !== '') return inside
    return as && rooms().ghosts.ghost(room, as)
  }

  return async ({ ours, theirs }, delivery, signal) => {
    const room = rooms().get(addressIn(theirs))
    if (room === undefined) throw new Refused('we are no longer in the room of this person')
    await rooms().whenReady(room, signal)
    if (!room.features.has(OCCUPANT_IDS)) throw new Refused('the room no longer says who is who')
    if (nickOfHidden(room, theirs) === undefined) throw new Refused('this person is not in the room now', undefined, 'absent')
    const ghost = speaker(room, ours, delivery)
    if (ghost === undefined) throw new Refused('nobody of ours is in the room')
    await rooms().bringIn(room, ghost)
    const nick = nickOfHidden(room, theirs) // they may have left meanwhile
    if (nick === undefined) throw new Refused('this person is not in the room now', undefined, 'absent')
    return { from: ghost.jid, as: `${room.id}/${ghost.nick}`, to: owned(`${room.id}/${nick}`) }
  }
}
