/**
 * For whom ghosts stand, remembered by room where their names do not tell. Promises: of the ghosts in a team's room nothing is remembered; at most
 * STANDS_MAX are, and beyond that those are forgotten first that are in their room no longer.
 */
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

const STANDS_MAX = 10_000

interface Parts {
  memory: Memory; domain: string
  key: string // of the names in a team's rooms
  isIn: (mxid: string, room: string) => boolean
  most?: number
}

export const makeStandsFor = ({ memory, domain, key, isIn, most = STANDS_MAX }: Parts): StandsFor => {
  const standsKey = (mxid: string, room: string): string => `stands ${room} ${mxid}`
  const ghostKey = (person: Person, room: string): string => `ghost ${room} ${ghostMxid(person, domain)}`

  let count = memory.keys('stands ').length // at most so many: others may forget some of them

  /** Forgets both rows of one of them, if there are too many. */
  const makeRoom = async (): Promise<void> => {
    if (count++ < most) return
    const all = memory.keys('stands ')
    count = Math.min(all.length, most - 1) + 1
    if (all.length < most) return
    const forgotten = all.find(one => {
      const [, room = '', mxid = ''] = one.split(' ')
      return !isIn(mxid, room)
    }) ?? all[0] ?? ''
    const [, room = '', mxid = ''] = forgotten.split(' ')
    const shared = ghostKey({ network: ghostNetwork(mxid), id: memory.get(forgotten) ?? '' }, room)
    await memory.delete(forgotten)
    if (memory.get(shared) !== undefined) await memory.delete(shared)
  }

  const remember = async (mxid: string, person: Person, room: string): Promise<void> => {
    if (memory.get(standsKey(mxid, room)) === undefined) await makeRoom()
    await memory.set(standsKey(mxid, room), person.id)
  }

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
      await remember(mxid, person, room)
      await memory.set(ghostKey(person, room), mxid)
    },
    async rememberHashed (mxid, person, room) {
      if (personOf(mxid, room) === undefined && !isSecret(mxid, person)) await remember(mxid, person, room)
    }
  }
}
