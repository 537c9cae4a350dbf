/**
 * Makes a room for an alias that somebody asks for, if the alias names a room of another network that may be mirrored. Anybody of our own
 * homeserver may enter, and nobody else. Promises: one alias has one room; a second question about it meanwhile, such as the homeserver's own
 * while it makes the room, is answered no.
 */
import type { Inbox } from '../../../model/network'
import { Rejected, type Homeserver } from '../homeserver'
import { portalPlace } from '../names'
import type { Rooms } from './rooms'

const MAKING_MAX = 20

interface Parts { homeserver: Homeserver; rooms: Pick<Rooms, 'attend' | 'settled'>; inbox: Pick<Inbox, 'portal'>; network: string; domain: string }

/** Resolves with whether there is a room of this alias now, in which we listen. */
export const makePortals = ({ homeserver, rooms, inbox, network, domain }: Parts) => {
  const making = new Set<string>()

  const make = async (alias: string): Promise<boolean> => {
    const place = { network, id: alias }
    if (!await inbox.portal(place)) return false
    const body = {
      preset: 'public_chat', visibility: 'private', room_alias_name: alias.slice(1, alias.indexOf(':')), creation_content: { 'm.federate': false },
      name: portalPlace(alias, domain)?.id
    }
    await homeserver.call('POST', 'client/v3/createRoom', { body, elsewhere: true }).catch((error: unknown) => {
      if (!(error instanceof Rejected) || error.errcode !== 'M_ROOM_IN_USE') throw error
    })
    rooms.attend([place])
    await rooms.settled() // before anybody says something there
    return true
  }

  return async (alias: string): Promise<boolean> => {
    if (making.has(alias) || making.size >= MAKING_MAX) return false
    making.add(alias)
    return await make(alias).finally(() => { making.delete(alias) })
  }
}
