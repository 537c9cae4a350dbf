/** Ends places whose conversations are forgotten: closes our rooms for a team, and leaves the rooms of direct chats. */
import type { Place } from '../../model/address'
import type { Memory } from '../../model/network'
import { readDirect } from './direct/chats'
import type { Direct } from './direct/direct'
import type { Encryption } from './encryption/encryption'
import { isJson } from './events/json'
import type { Ghosts } from './users/ghosts'
import { encode, roomPath, unlessRejected, type Homeserver } from './homeserver'
import type { Rooms } from './rooms/rooms'
import type { TeamRooms } from './rooms/team-rooms'

export interface ForgettingWorld {
  homeserver: Homeserver; rooms: Rooms; ghosts: Ghosts; direct: Direct; teamRooms: TeamRooms; memory: Memory; bot: string
  encryption: Pick<Encryption, 'forgetContact'>
  isOurs: (mxid: string) => boolean
  isMadeByUs (place: Place): boolean
  /** Nobody of ours is in this room any more. */
  forgotten (room: string): Promise<void>
}

export const makeForgetting = (world: ForgettingWorld): ((places: Place[]) => Promise<void>) => {
  const { homeserver, rooms, ghosts, direct, teamRooms, memory, encryption, bot, isOurs, isMadeByUs, forgotten } = world

  /** Takes everybody out, so that the homeserver can delete the history. A step that is done already is no error: a crash may have cut in. */
  const close = async (place: Place, room: string): Promise<void> => {
    await homeserver.call('DELETE', `client/v3/directory/room/${encode(place.id)}`).catch(unlessRejected)
    await ghosts.forgetRoom(room)
    const { joined } = await homeserver.call('GET', `${roomPath(room)}/joined_members`).catch((error: unknown) => {
      unlessRejected(error)
      return { joined: {} }
    })
    for (const mxid of Object.keys(isJson(joined) ? joined : {})) {
      if (mxid === bot) continue
      const leaving = isOurs(mxid)
        ? homeserver.call('POST', `${roomPath(room)}/leave`, { as: mxid, body: {} })
        : homeserver.call('POST', `${roomPath(room)}/kick`, { body: { user_id: mxid }, elsewhere: true })
      await leaving.catch(unlessRejected)
    }
    await homeserver.call('POST', `${roomPath(room)}/leave`, { body: {} }).catch(unlessRejected)
    for (const what of ['told', 'unread', 'encrypted']) await memory.delete(`${what} ${room}`)
    await forgotten(room)
  }

  return async places => {
    for (const place of places) {
      if (!isMadeByUs(place)) {
        await direct.over(place)
        const pair = readDirect(place)
        if (pair !== undefined) await encryption.forgetContact(pair.ours, pair.theirs)
        continue
      }
      const room = rooms.known(place)
      if (room !== undefined) await close(place, room)
      await teamRooms.changed(place)
      await rooms.forget(place)
    }
  }
}
