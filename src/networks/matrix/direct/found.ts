/**
 * Rooms that an address is in although the store does not know them: an earlier copy of it was put back, or it is new. Nobody invites us there
 * again. So each that is a chat of two is taken, as if its invitation had just been found; what was said before this store is not ours to carry.
 */
import type { Log } from '../../../lib/log'
import { makeSlots } from '../../../lib/slots'
import { messageOf } from '../../../model/errors'
import type { Memory } from '../../../model/network'
import { isJson } from '../events/json'
import { Rejected, roomPath, TooLong, type Homeserver } from '../homeserver'
import { beginsAt } from '../recovery/history-position'
import type { Chats } from './chats'
import type { Invitations } from './invitations'
import { isOfTwo } from './two'

interface Parts {
  homeserver: Homeserver; memory: Memory; log: Log; signal: AbortSignal; chats: Chats; invitations: Invitations
  isOurs (mxid: string): boolean
  isAttended (room: string): boolean
}

export interface Found {
  /** Looks at those of its rooms that the store does not know. `since`: what was said before is not read, ms since 1970. */
  look (rooms: Iterable<string>, ours: string, since: number): void
  /** Resolves when nothing is looked at, with whether all could be. */
  settled (): Promise<boolean>
}

const AT_ONCE_MAX = 8

export const makeFound = ({ homeserver, memory, log, signal, chats, invitations, isOurs, isAttended }: Parts): Found => {
  const slots = makeSlots(AT_ONCE_MAX, AT_ONCE_MAX, Infinity) // as many may wait as the homeserver names in one answer
  const looking = new Map<string, Promise<void>>() // by room
  let isAll = true

  /** The only other one in the room; undefined if it is no chat of two. */
  const otherIn = async (room: string, ours: string): Promise<string | undefined> => {
    try {
      const { joined } = await homeserver.call('GET', `${roomPath(room)}/joined_members`, { as: ours, signal, elsewhere: true })
      const [theirs, more] = Object.keys(isJson(joined) ? joined : {}).filter(mxid => mxid !== ours)
      if (theirs === undefined || more !== undefined || isOurs(theirs)) return undefined
      return await isOfTwo(homeserver, room, { place: chats.placeOf(ours, theirs), ours, theirs }, signal) ? theirs : undefined
    } catch (error) {
      if (error instanceof TooLong || error instanceof Rejected) return undefined
      throw error
    }
  }

  const take = async (room: string, ours: string, since: number): Promise<void> => {
    const over = await slots.take(ours, signal)
    try {
      const theirs = await otherIn(room, ours)
      if (theirs === undefined || chats.of(room) !== undefined) return
      log.info({ room, address: ours, contact: theirs }, 'a direct chat is found that the store does not know')
      await beginsAt(memory, room, since)
      await invitations.take(room, ours, theirs, true, 0)
      await invitations.entered(room)
    } finally {
      over()
    }
  }

  return {
    look (rooms, ours, since) {
      for (const room of rooms) {
        if (chats.of(room) !== undefined || isAttended(room) || invitations.has(room) || looking.has(room)) continue
        looking.set(room, take(room, ours, since).catch((error: unknown) => {
          isAll = false
          log.info({ room, why: messageOf(error) }, 'a room that the store does not know cannot be looked at now')
        }).finally(() => { looking.delete(room) }))
      }
    },
    async settled () {
      await Promise.all(looking.values())
      const were = isAll
      isAll = true
      return were
    }
  }
}
