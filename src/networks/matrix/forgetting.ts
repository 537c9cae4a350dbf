/**
 * Ends places whose conversations are forgotten: closes our rooms for a team, and leaves the rooms of direct chats. Leaves rooms that are in no
 * mirror any more, unless they are used otherwise.
 */
import type { Place } from '../../model/address'
import type { Memory } from '../../model/network'
import type { Admin } from './admin'
import { forgetNotices, readDirect } from './direct/chats'
import type { Direct } from './direct/direct'
import type { Encryption } from './encryption/encryption'
import { isJson } from './events/json'
import type { Ghosts } from './users/ghosts'
import { encode, roomPath, unlessRejected, type Homeserver } from './homeserver'
import type { Rooms } from './rooms/rooms'
import { resolveAlias } from './rooms/state'
import type { TeamRooms } from './rooms/team-rooms'

export interface ForgettingWorld {
  homeserver: Homeserver; rooms: Rooms; ghosts: Ghosts; direct: Direct; teamRooms: TeamRooms; memory: Memory; bot: string
  encryption: Pick<Encryption, 'forgetContact'>
  admin: Pick<Admin, 'purge'> | undefined
  isOurs: (mxid: string) => boolean
  isMadeByUs (place: Place): boolean
  /** Nobody of ours is in this room any more. */
  forgotten (room: string): Promise<void>
}

export const makeForgetting = (world: ForgettingWorld): ((places: Place[]) => Promise<void>) => {
  const { homeserver, rooms, ghosts, direct, teamRooms, memory, encryption, admin, bot, isOurs, isMadeByUs, forgotten } = world

  /** A step that is done already is no error: a crash may have cut in. */
  const inside = async (room: string): Promise<string[]> => {
    const { joined } = await homeserver.call('GET', `${roomPath(room)}/joined_members`).catch((error: unknown) => {
      unlessRejected(error)
      return { joined: {} }
    })
    return Object.keys(isJson(joined) ? joined : {})
  }

  const leave = (room: string, as?: string): Promise<unknown> =>
    homeserver.call('POST', `${roomPath(room)}/leave`, { ...as !== undefined && { as }, body: {} }).catch(unlessRejected)

  /** Takes everybody out, so that the homeserver can delete the history. */
  const close = async (place: Place, room: string): Promise<void> => {
    await homeserver.call('DELETE', `client/v3/directory/room/${encode(place.id)}`).catch(unlessRejected)
    await ghosts.forgetRoom(room)
    for (const mxid of await inside(room)) {
      if (mxid === bot) continue
      if (isOurs(mxid)) await leave(room, mxid)
      else await homeserver.call('POST', `${roomPath(room)}/kick`, { body: { user_id: mxid }, elsewhere: true }).catch(unlessRejected)
    }
    await leave(room)
    await admin?.purge(room)
    await forgetNotices(memory, room)
    await forgotten(room)
  }

  const isUsed = (room: string, place: Place): boolean =>
    direct.of(room) !== undefined || (rooms.placeOf(room)?.id ?? place.id) !== place.id

  /** The bot last, and when the place is forgotten: it would come in again. */
  const leaveMirrored = async (place: Place): Promise<void> => {
    const now = rooms.known(place) ?? (place.id.startsWith('#') ? await resolveAlias(homeserver, place.id) : place.id)
    const left = [now, ...rooms.former(place)].filter(room => room !== undefined && !isUsed(room, place)) as string[]
    for (const room of left) {
      for (const mxid of ghosts.inRoom(room)) await ghosts.leave(mxid, room)
      for (const mxid of await inside(room)) if (mxid !== bot && isOurs(mxid)) await leave(room, mxid)
    }
    await rooms.forget(place)
    for (const room of left) {
      await leave(room)
      await forgetNotices(memory, room)
      await forgotten(room)
    }
  }

  return async places => {
    for (const place of places) {
      const pair = readDirect(place)
      if (pair !== undefined) {
        const chats = direct.rooms(place)
        await direct.over(place)
        await encryption.forgetContact(pair.ours, pair.theirs, chats)
        continue
      }
      if (!isMadeByUs(place)) {
        await leaveMirrored(place)
        continue
      }
      const room = rooms.known(place)
      if (room !== undefined) await close(place, room)
      await teamRooms.changed(place)
      await rooms.forget(place)
    }
  }
}
