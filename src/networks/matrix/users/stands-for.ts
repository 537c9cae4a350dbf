/** For whom ghosts stand, remembered by room where their names do not tell. Promise: of the ghosts in a team's room nothing is remembered. */
import type { Person } from '../../../model/address'
import type { Memory } from '../../../model/network'
import { ghostMxid, ghostNetwork, ghostPerson, secretGhostMxid } from '../names'

export interface StandsFor {
  personOf (mxid: string, room: string): Person | undefined
  /** The reverse: the ghost that this person shares with another id of theirs. */
  ghostOf (person: Person, room: string): string | undefined
  rememberShared (mxid: string, person: Person, room: string): Promise<void>
  /** If the name of this ghost is a hash. Even one that was never in the room can be banned there, and let in again. */
  rememberHashed (mxid: string, person: Person, room: string): Promise<void>
}

/** `key`: that of the names in a team's rooms. */
export const makeStandsFor = (memory: Memory, domain: string, key: string): StandsFor => {
  const standsKey = (mxid: string, room: string): string => `stands ${room} ${mxid}`
  const ghostKey = (person: Person, room: string): string => `ghost ${room} ${ghostMxid(person, domain)}`

  const isSecret = (mxid: string, person: Person): boolean => mxid === secretGhostMxid(person, domain, key)

  const personOf = (mxid: string, room: string): Person | undefined => {
    const id = memory.get(standsKey(mxid, room)) ?? ghostPerson(mxid, domain)?.id
    return id === undefined ? undefined : { network: ghostNetwork(mxid), id }
  }

  return {
    personOf,
    ghostOf: (person, room) => memory.get(ghostKey(person, room)),
    async rememberShared (mxid, person, room) {
      if (mxid === ghostMxid(person, domain) || isSecret(mxid, person)) return
      await memory.set(standsKey(mxid, room), person.id)
      await memory.set(ghostKey(person, room), mxid)
    },
    async rememberHashed (mxid, person, room) {
      if (personOf(mxid, room) === undefined && !isSecret(mxid, person)) await memory.set(standsKey(mxid, room), person.id)
    }
  }
}
