/**
 * The user of ours who has the keys of encrypted rooms. It reads there, and speaks in the place of the bot, whose device gets no keys: Synapse
 * refuses `/sync` to the user of an application service's sender_localpart. It is in a room before the room is encrypted, so nothing is missed.
 */
import type { Log } from '../../../lib/log'
import type { Place } from '../../../model/address'
import { messageOf, Refused } from '../../../model/errors'
import type { Standing } from '../../../model/message'
import type { Memory } from '../../../model/network'
import { keeperOn } from '../names'
import { type Homeserver, roomPath, unlessRejected } from '../homeserver'
import type { Rooms } from '../rooms/rooms'
import { stateOf } from '../rooms/state'
import { enterRoom, type Ghosts } from '../users/ghosts'
import type { Direct } from '../direct/direct'
import type { Devices, Readers } from './devices'
import type { Encryption } from './encryption'

const NAME = 'Zentrale 🔒'
const START = 'keeper '

export interface Keeper {
  readonly mxid: string
  /** Whether it is in this room, as far as known. */
  isIn (room: string): boolean
  /** Whether this place may be encrypted, and is read and written in all the same. */
  mayRead (place: Place): boolean
  /** Whether it is in this room, and may be. */
  reads (room: string): boolean
  /** Brings it into the room of a mirror if it may be there, otherwise out. Resolves with how the room stands to us. Throws Unavailable. */
  attend (place: Place, room: string): Promise<Standing>
  /** Makes sure that it is, with its keys. Throws Refused or Unavailable. */
  enter (room: string, signal: AbortSignal): Promise<void>
  /** Nobody of ours is wanted there. Never throws. */
  out (room: string): void
  /** It is not in this room any more. */
  left (room: string): Promise<void>
}

/** The keeper among the readers, once there is a room for it. */
export const withKeeper = (addresses: Readers, { user }: Pick<Ghosts, 'user'>, memory: Memory, domain: string): Readers => {
  const keeper = keeperOn(domain)
  return {
    all: () => [...addresses.all(), ...memory.keys(START).length > 0 ? [keeper] : []],
    has: mxid => mxid === keeper || addresses.has(mxid),
    ready: (mxid, signal) => mxid === keeper ? user(mxid, NAME, signal) : addresses.ready(mxid, signal)
  }
}

export interface Reading {
  /** Who of ours can read what is said in a room now; undefined if nobody can. */
  readerOf (room: string): string | undefined
  /** The same, whether they can now or not; undefined if nobody may, or we have nothing to do with the room. */
  whose (room: string): string | undefined
}

interface ReadingParts {
  direct: Pick<Direct, 'of'>; rooms: Pick<Rooms, 'placeOf'>; keeper: Pick<Keeper, 'mxid' | 'reads' | 'mayRead'>
  encryption: Pick<Encryption, 'serves'>
}

export const makeReading = ({ direct, rooms, keeper, encryption }: ReadingParts): Reading => ({
  readerOf (room) {
    const mxid = direct.of(room)?.ours ?? (keeper.reads(room) ? keeper.mxid : undefined)
    return mxid !== undefined && encryption.serves(mxid) ? mxid : undefined
  },
  whose (room) {
    const place = rooms.placeOf(room)
    return direct.of(room)?.ours ?? (place !== undefined && keeper.mayRead(place) ? keeper.mxid : undefined)
  }
})

interface KeeperParts {
  homeserver: Homeserver; devices: Pick<Devices, 'ready' | 'mayServe'>; memory: Memory; log: Log; signal: AbortSignal; domain: string
  /** The place that this room is. */
  placeOf (room: string): Place | undefined
  /** Whether this place may be encrypted. */
  allows (place: Place): boolean
}

export const makeKeeper = ({ homeserver, devices, memory, log, signal: stopping, domain, placeOf, allows }: KeeperParts): Keeper => {
  const mxid = keeperOn(domain)
  const key = (room: string): string => START + room
  const isIn = (room: string): boolean => memory.get(key(room)) !== undefined

  const enter = async (room: string, signal: AbortSignal): Promise<void> => {
    await devices.ready(mxid, signal)
    await enterRoom(homeserver, mxid, room, signal)
    await memory.set(key(room), '1')
  }

  const left = async (room: string): Promise<void> => { if (isIn(room)) await memory.delete(key(room)) }

  const leave = async (room: string): Promise<void> => {
    if (!isIn(room)) return
    await homeserver.call('POST', `${roomPath(room)}/leave`, { as: mxid, body: {}, signal: stopping }).catch(unlessRejected)
    await left(room)
  }

  const tryToEnter = async (place: Place, room: string): Promise<boolean> => {
    if (!allows(place) || !devices.mayServe(mxid)) {
      await leave(room)
      return false
    }
    try {
      await enter(room, stopping)
      return true
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      log.warn({ place: place.id, room, user: mxid, why: error.message }, 'what is encrypted here cannot be read: invite this user of ours')
      await left(room)
      return false
    }
  }

  return {
    mxid, isIn, enter, left, mayRead: allows,
    out (room) {
      leave(room).catch((error: unknown) => log.info({ room, why: messageOf(error) }, 'could not leave a room that has sent the bot out'))
    },
    reads (room) {
      const place = placeOf(room)
      return place !== undefined && isIn(room) && allows(place)
    },
    async attend (place, room) {
      const isRead = await tryToEnter(place, room)
      const isOn = await stateOf(homeserver, room, 'm.room.encryption', '', {}) !== undefined // whatever it says, apps encrypt from then on
      return isOn ? isRead ? 'sealed' : 'encrypted' : 'in'
    }
  }
}
