/**
 * How ghosts look: their name and picture, in their profile and in their rooms. A homeserver writes the profile over what all rooms show whenever
 * it changes. So the profile of a ghost in one room is what it looks like there, and the profile of one in several rooms stays: each of them shows
 * how the ghost's person is called and looks there (CS API §m.room.member).
 */
import type { Log } from '../../../lib/log'
import { Refused } from '../../../model/errors'
import type { Memory } from '../../../model/network'
import { encode, type Homeserver, roomPath } from '../homeserver'
import type { Called } from './called'

const avatarKey = (mxid: string): string => `avatar ${mxid}`
const avatarHereKey = (mxid: string, room: string): string => `avatar in ${room} ${mxid}`

export interface Looks {
  /** Whether what this ghost looks like in the room may stand in its profile. Without a room: in no room at all. */
  inProfile (mxid: string, room: string | undefined): boolean
  /** Shows this name in the room at once, in which the ghost is and where its profile has the name too. Throws Unavailable. */
  nameNow (mxid: string, name: string, room: string, signal: AbortSignal): Promise<void>
  /** Gives it this name in the room alone, in which it is. Throws Unavailable. */
  name (mxid: string, name: string, room: string, signal: AbortSignal): Promise<void>
  /** Shows this name or picture in the room alone, in which the ghost is. Throws Refused or Unavailable. */
  here (mxid: string, room: string, look: { displayname?: string, avatar_url?: string }, signal: AbortSignal): Promise<void>
  /** Which picture is shown there; '' or undefined for none. */
  picture (mxid: string, room: string | undefined): string | undefined
  /** `room`: in that room alone. */
  setPicture (mxid: string, room: string | undefined, which: string | undefined): Promise<void>
  /** The ghost is out of the room. */
  forget (mxid: string, room: string): Promise<void>
}

interface Parts {
  homeserver: Homeserver; memory: Memory; called: Called; log: Log
  isElsewhere: (mxid: string, room: string | undefined) => boolean
}

export const setProfile = (homeserver: Homeserver, mxid: string, field: 'displayname' | 'avatar_url', value: string,
  signal: AbortSignal): Promise<unknown> =>
  homeserver.call('PUT', `client/v3/profile/${encode(mxid)}/${field}`, { as: mxid, body: { [field]: value }, signal })

export const makeLooks = ({ homeserver, memory, called, log, isElsewhere }: Parts): Looks => {
  const here: Looks['here'] = async (mxid, room, look, signal) => {
    const path = `${roomPath(room)}/state/m.room.member/${encode(mxid)}`
    const { displayname, avatar_url: picture } = await homeserver.call('GET', path, { as: mxid, signal })
    await homeserver.call('PUT', path, { as: mxid, body: { membership: 'join', displayname, avatar_url: picture, ...look }, signal })
  }

  const nameNow: Looks['nameNow'] = async (mxid, name, room, signal) => {
    await here(mxid, room, { displayname: name }, signal).catch((error: unknown) => {
      if (!(error instanceof Refused)) throw error
      log.warn({ ghost: mxid, room, why: error.message }, 'a ghost could not be named')
    })
  }

  return {
    inProfile: (mxid, room) => !isElsewhere(mxid, room) &&
      (room === undefined || (!called.isOwnIn(mxid, room) && memory.get(avatarHereKey(mxid, room)) === undefined)),
    here, nameNow,
    async name (mxid, name, room, signal) {
      await nameNow(mxid, name, room, signal)
      await called.learn(mxid, name, room)
    },
    picture: (mxid, room) => (room === undefined ? undefined : memory.get(avatarHereKey(mxid, room))) ?? memory.get(avatarKey(mxid)),
    async setPicture (mxid, room, which) {
      const key = room === undefined ? avatarKey(mxid) : avatarHereKey(mxid, room)
      await (which === undefined ? memory.delete(key) : memory.set(key, which))
    },
    async forget (mxid, room) {
      if (called.isOwnIn(mxid, room)) await called.learn(mxid, undefined, room)
      if (memory.get(avatarHereKey(mxid, room)) !== undefined) await memory.delete(avatarHereKey(mxid, room))
    }
  }
}
