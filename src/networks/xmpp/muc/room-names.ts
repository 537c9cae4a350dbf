/**
 * The addresses of a team's rooms. Anybody may ask a server about a room, and is told its name, which says who writes to whom. So addresses
 * are secret: only people who were invited know one.
 * Rooms of portals are called so too, although only their members come in.
 * Promises: an address stays the same for ever, even if the component's secret changes; rooms with an older address keep it.
 */
import { createHmac } from 'node:crypto'
import type { World } from '../../../model/network'

const MEMORY_KEY = 'rooms'
const TAG_DIGITS = 20 // hexadecimal, because servers fold letters

const PORTAL = '_portal.' // no name of an address has a dot

/** Whether this room of ours is a portal's, and no team's. */
export const isPortal = (id: string): boolean => id.startsWith(PORTAL)

export interface RoomNames {
  of (address: string, number: number, service: string): string
  /** Where a room of another network is mirrored. */
  portal (room: string, service: string): string
  /** Resolves when the secret behind them is on disk. */
  keep (): Promise<void>
}

/** The key of the names is made from `secret` once, then remembered. */
export const makeRoomNames = (secret: string, { memory }: Pick<World, 'memory'>): RoomNames => {
  const key = memory.get(MEMORY_KEY) ?? createHmac('sha256', secret).update(MEMORY_KEY).digest('base64url')
  const tagOf = (what: string): string => createHmac('sha256', key).update(what).digest('hex').slice(0, TAG_DIGITS)
  const isMade = (room: string): boolean => memory.get(`team ${room}`) !== undefined

  return {
    of (address, number, service) {
      const tag = tagOf(`${address} ${number}`)
      const [now, before] = [`_${address}_${number}_${tag}@${service}`, `_${address}_${number}@${service}`]
      return isMade(before) && !isMade(now) ? before : now
    },
    portal: (room, service) => `${PORTAL}${tagOf(`portal ${room}`)}@${service}`,
    keep: () => memory.set(MEMORY_KEY, key)
  }
}
