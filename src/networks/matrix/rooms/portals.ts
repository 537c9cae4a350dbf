/**
 * Portals, both ways. makePortals makes a room for an alias that somebody asks for, if the alias names a room of another network that may be
 * mirrored. Anybody of our own homeserver may enter, and nobody else. Promises: one alias has one room; a second question about it meanwhile
 * gets the same answer, and no if that takes too long: it may be the homeserver's own, which would wait for itself.
 * makeFindRoom enters a room for which people of another network ask. Promises: only where anybody may enter, and for as long as that is so.
 */
import { type Clock, within } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import type { Place } from '../../../model/address'
import { messageOf } from '../../../model/errors'
import type { Inbox, Memory } from '../../../model/network'
import { encode, Rejected, roomPath, type Homeserver } from '../homeserver'
import { portalOf } from '../names'
import { beginsAnew } from '../recovery/history-position'
import { isOpenToAll, keepOpen } from './open'
import type { Rooms } from './rooms'
import { resolveAlias } from './state'

const MAKING_MAX = 20
const ASKING_MAX = 200 // further questions about these
const PATIENCE_MS = 15_000 // people wait, and a homeserver does not ask for ever
const FOUND_MAX = 1000 // rooms whose first names are remembered

interface Parts {
  homeserver: Homeserver; rooms: Pick<Rooms, 'attend' | 'settled'>; inbox: Pick<Inbox, 'portal'>; network: string; domain: string; clock: Clock
}

/** Resolves with whether there is a room of this alias now, in which we listen. */
export const makePortals = ({ homeserver, rooms, inbox, network, domain, clock }: Parts) => {
  const making = new Map<string, Promise<boolean>>()
  let asking = 0

  const make = async (alias: string): Promise<boolean> => {
    const place = { network, id: alias }
    if ((await inbox.portal(place))?.id !== alias) return false // it is mirrored elsewhere
    const body = {
      preset: 'public_chat', visibility: 'private', room_alias_name: alias.slice(1, alias.indexOf(':')), creation_content: { 'm.federate': false },
      name: portalOf(alias, domain)?.room
    }
    await homeserver.call('POST', 'client/v3/createRoom', { body, elsewhere: true }).catch((error: unknown) => {
      if (!(error instanceof Rejected) || error.errcode !== 'M_ROOM_IN_USE') throw error
    })
    rooms.attend([place])
    await rooms.settled() // before anybody says something there
    return true
  }

  const wait = async (made: Promise<boolean>): Promise<boolean> => {
    if (asking >= ASKING_MAX) return false
    asking++
    return await within(clock, made, PATIENCE_MS).finally(() => { asking-- }) ?? false
  }

  return async (alias: string): Promise<boolean> => {
    const made = making.get(alias)
    if (made !== undefined) return await wait(made)
    if (making.size >= MAKING_MAX) return false
    const begun = make(alias).finally(() => { making.delete(alias) })
    making.set(alias, begun)
    return await begun
  }
}

interface FindParts {
  homeserver: Homeserver; rooms: Pick<Rooms, 'placeOf' | 'isIn' | 'checkRoom' | 'settled'>; memory: Memory; network: string; log: Log
  isMadeByUs (place: Place): boolean
}

/** See Network.findRoom. */
export const makeFindRoom = ({ homeserver, rooms, memory, network, log, isMadeByUs }: FindParts) => {
  const names = new Map<string, string>() // by room, so that two names of one room, asked for at once, are one place

  const enter = async (room: string, alias: string): Promise<string | undefined> => {
    await beginsAnew(memory, room) // what was said before is not for them
    await homeserver.call('POST', `client/v3/join/${encode(alias)}`, { body: {}, elsewhere: true })
    const first = names.get(room) ?? alias
    if (await isOpenToAll(homeserver, room)) {
      await keepOpen(memory, { network, id: first })
      if (names.size >= FOUND_MAX) names.clear()
      names.set(room, first)
      return first
    }
    await homeserver.call('POST', `${roomPath(room)}/leave`, { body: {} })
    return undefined
  }

  return async (alias: string): Promise<string | undefined> => {
    try {
      const room = await resolveAlias(homeserver, alias)
      if (room === undefined) return undefined
      const place = rooms.placeOf(room)
      if (place === undefined) return await enter(room, alias)
      if (isMadeByUs(place)) return undefined
      if (!rooms.isIn(room)) {
        rooms.checkRoom(room) // it may be open again
        await rooms.settled()
      }
      return rooms.isIn(room) ? place.id : undefined
    } catch (error) {
      log.info({ alias, why: messageOf(error) }, 'a room that somebody on another network asks for cannot be entered')
      return undefined
    }
  }
}
