/**
 * What a room's moderators do to our ghosts: put them out, take their voice, let them in again. Promises: a ghost whose membership was taken is
 * not made a member again before the room wants that, and one whose voice was taken gets none by us, also after a restart.
 */
import { messageOf, Refused, Unavailable } from '../../../model/errors'
import type { ExpulsionArrival } from '../../../model/message'
import type { Person } from '../../../model/address'
import type { World } from '../../../model/network'
import type { Intake } from '../intake'
import { RESOURCE } from '../addresses'
import { bareOf, ghostPerson, parseJid } from '../names'
import { child, type Element, elementsIn } from '../wire/xml'
import { MEMBERS_ONLY, MEMBERSHIP_TAKEN, type Occupant, type PutOut } from './occupant'
import type { Room } from './room'

const MUC_USER = 'http://jabber.org/protocol/muc#user'

const KICKED_JUST_MS = 2_000
const KEY_BYTES = 18
const INVITATIONS_KEPT_MAX = 16 // of a room, to ghosts

export type Told = Pick<ExpulsionArrival, 'person' | 'name' | 'how'>

/** What is offered to the intake. Anybody may invite, as often as they like. */
export const offered = (network: string, { id, place }: Room, told: Told, { clock, chance }: World): Parameters<Intake['offer']> => {
  const key = `${id}/${told.how} ${chance.token(KEY_BYTES)}`
  const bound = told.how === 'invited' ? { most: INVITATIONS_KEPT_MAX, beyond () {} } : undefined
  return [{ kind: 'expulsion', key, place: { network, id: place }, at: clock.now(), ...told }, undefined, bound]
}

export interface GhostNews {
  out (room: Room, ghost: Occupant, why: string, put: PutOut | undefined): void
  /** Its role was `before`. */
  rank (room: Room, ghost: Occupant, before: string): void
  /**
   * Enters, or waits for the try under way. Throws Refused if the room has taken its membership or voice, and Unavailable if it was kicked just now:
   * it is not back before that is stored.
   */
  enter (room: Room, ghost: Occupant): Promise<void>
  /** Takes what the room itself says about somebody (XEP-0045 §7.8, §9). True if it asks the listener in. */
  said (room: Room, message: Element): boolean
}

type Tell = (room: Room, told: Told) => void

export const makeGhostNews = (domain: string, { clock, memory, log }: Pick<World, 'clock' | 'memory' | 'log'>, tell: Tell): GhostNews => {
  const kicked = new WeakMap<Occupant, number>()
  const membershipOf = (room: Room, jid: string): string => `taken ${room.id} ${bareOf(jid)}`
  const voiceOf = (room: Room, jid: string): string => `muted ${room.id} ${bareOf(jid)}`

  const isTaken = (key: string): boolean => memory.get(key) !== undefined

  const remember = (key: string, taken: boolean): void => {
    const done = taken ? memory.set(key, '1') : isTaken(key) ? memory.delete(key) : undefined
    done?.catch((error: unknown) => log.error({ why: messageOf(error) }, 'could not remember what a room has taken from a ghost'))
  }

  const personAt = (room: Room, jid: string): Person | undefined => {
    const bare = parseJid(bareOf(jid))
    if (bare?.domain !== domain) return undefined
    return ghostPerson(bare.local) ?? [...room.ghosts.values()].find(ghost => bareOf(ghost.jid) === bareOf(jid))?.person
  }

  const letIn = (room: Room, jid: string, how: 'invited' | 'let in'): boolean => {
    const person = personAt(room, jid)
    if (person === undefined) return false
    remember(membershipOf(room, jid), false)
    for (const ghost of room.ghosts.values()) if (bareOf(ghost.jid) === bareOf(jid)) kicked.delete(ghost)
    tell(room, { person, name: '', how })
    return true
  }

  /** A room tells nobody but admins that a ban is lifted. Whoever invites the banned one may know of it, and the room says whether it is so. */
  const invited = (room: Room, jid: string): boolean => {
    const ghost = room.ghosts.get(`${bareOf(jid)}/${RESOURCE}`)
    const { person } = ghost ?? {}
    if (ghost?.nick === '' && person !== undefined && !isTaken(voiceOf(room, jid))) {
      ghost.join().then(() => tell(room, { person, name: '', how: 'let in' }), (error: unknown) => {
        log.info({ room: room.id, why: messageOf(error) }, 'a ghost that was invited may not enter')
      })
    }
    return letIn(room, jid, 'invited')
  }

  return {
    out (room, ghost, why, put) {
      log.info({ room: room.id, why }, 'occupant is outside of the room')
      if (put !== undefined) room.unwanted.add(ghost.jid)
      if (ghost.person === undefined || put === undefined || put === 'destroyed' || why === MEMBERS_ONLY) return
      if (put === 'kicked') kicked.set(ghost, clock.tick())
      if (why === MEMBERSHIP_TAKEN) remember(membershipOf(room, ghost.jid), true)
      tell(room, { person: ghost.person, name: ghost.name, how: put === 'kicked' ? 'kicked' : 'banned' })
    },
    rank (room, { jid, person, name, role }, before) {
      if (person === undefined || role === '') return
      if (role !== 'visitor' || before !== '') remember(voiceOf(room, jid), role === 'visitor')
      if (before === '') return
      if (role === 'visitor') tell(room, { person, name, how: 'muted' })
      else if (before === 'visitor') tell(room, { person, name, how: 'let in' })
    },
    async enter (room, ghost) {
      if (isTaken(membershipOf(room, ghost.jid))) throw new Refused('the room has taken its membership', undefined, 'expelled')
      if (clock.tick() - (kicked.get(ghost) ?? -Infinity) < KICKED_JUST_MS) throw new Unavailable('a moderator has just kicked this ghost')
      await ghost.join()
      if (ghost.role === 'visitor' && isTaken(voiceOf(room, ghost.jid))) throw new Refused('a moderator has taken its voice', undefined, 'expelled')
    },
    said (room, message) {
      const user = child(message, 'x', MUC_USER)
      if (user === undefined) return false
      if (child(user, 'invite') !== undefined) return !invited(room, message.attrs.to ?? '')
      if (message.attrs.to !== room.listener.jid) return false
      const allowed = elementsIn(user).filter(({ name, attrs: { jid = '', affiliation = 'outcast' } }) =>
        name === 'item' && affiliation !== 'outcast' && (affiliation !== 'none' || !isTaken(membershipOf(room, jid))))
      for (const { attrs: { jid = '' } } of allowed) letIn(room, jid, 'let in')
      return false
    }
  }
}
