/**
 * What rooms of a team are called: anybody may ask a server what a room is, and is told its name, in which stands who writes to whom.
 * So nobody but those who are asked in can tell the address of one.
 * Promises: the same for ever, whatever the component's secret becomes; rooms that have an older name keep it.
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

/** `secret` begins it, and is not asked again. */
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
