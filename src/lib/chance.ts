/** The only source of randomness, so that tests can run the whole bridge from a seed. */
import { randomBytes } from 'node:crypto'

export interface Chance {
  fraction (): number // in [0, 1)
  token (bytes: number): string // base64url, for secrets and ids
}

const POOL_BYTES = 4096 // a token of its own costs ten times more

let pool = Buffer.alloc(0)

const fresh = (bytes: number): Buffer => {
  if (pool.length < bytes) pool = randomBytes(Math.max(bytes, POOL_BYTES))
  const taken = pool.subarray(0, bytes)
  pool = pool.subarray(bytes)
  return taken
}

export const systemChance: Chance = {
  fraction: () => Math.random(),
  token: bytes => fresh(bytes).toString('base64url')
}
