/**
 * The addresses of a team's rooms. Anybody may ask a server about a room, and is told its name, which says who writes to whom. So addresses
 * are secret: only people who were invited know one.
 * Promises: an address stays the same for ever, even if the component's secret changes; rooms with an older address keep it.
 */
import { createHmac } from 'node:crypto'
import type { World } from '../../../model/network'

const MEMORY_KEY = 'rooms'
const TAG_DIGITS = 20 // hexadecimal, because servers fold letters

export interface RoomNames {
  of (address: string, number: number, service: string): string
  /** Resolves when the secret behind them is on disk. */
  keep (): Promise<void>
}

/** The key of the names is made from `secret` once, then remembered. */
export const makeRoomNames = (secret: string, { memory }: Pick<World, 'memory'>): RoomNames => {
  const key = memory.get(MEMORY_KEY) ?? createHmac('sha256', secret).update(MEMORY_KEY).digest('base64url')
  const isMade = (room: string): boolean => memory.get(`team ${room}`) !== undefined

  return {
    of (address, number, service) {
      const tag = createHmac('sha256', key).update(`${address} ${number}`).digest('hex').slice(0, TAG_DIGITS)
      const [now, before] = [`_${address}_${number}_${tag}@${service}`, `_${address}_${number}@${service}`]
      return isMade(before) && !isMade(now) ? before : now
    },
    keep: () => memory.set(MEMORY_KEY, key)
  }
}
