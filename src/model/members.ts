/**
 * Who is at a place: the people of a room, the person of a thread. This is state, not a message: it is neither stored nor queued. A network
 * tells whom it sees; the bridge tells each network who of the others belongs to its places.
 */
import { addressKey, type Person, type Place } from './address'
import type { Persona, Sender } from './message'

/** `lost`: perhaps only their connection, and they may be back soon. */
export type Leave = 'left' | 'lost' | 'kicked' | 'banned'

/**
 * `all`: nobody else is there; whoever was there has left as `others` says. `came`: also tells another name or picture. `went`: `id` is the
 * sender's.
 */
export type MemberNews =
  | { kind: 'all', members: Sender[], others: Leave }
  | { kind: 'came', member: Sender }
  | { kind: 'went', id: string, how: Leave }

/**
 * Who of other networks belongs to a place, whoever spoke last first. `whole`: nobody else does; otherwise not all is known yet, and nobody has
 * to leave but those who are `gone`.
 */
export interface MemberList { place: Place; members: Persona[]; gone?: Persona[]; whole: boolean }

export const without = ({ members, gone = [], ...list }: MemberList, persons: Person[]): MemberList => {
  const keys = new Set(persons.map(addressKey))
  const others = (all: Persona[]): Persona[] => all.filter(({ person }) => !keys.has(addressKey(person)))
  return { ...list, members: others(members), gone: others(gone) }
}
