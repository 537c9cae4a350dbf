/** The only source of randomness, so that tests can run the whole bridge from a seed. */
import { randomBytes } from 'node:crypto'

export interface Chance {
  fraction (): number // in [0, 1)
  token (bytes: number): string // base64url, for secrets and ids
}

export const systemChance: Chance = {
  fraction: () => Math.random(),
  token: bytes => randomBytes(bytes).toString('base64url')
}
