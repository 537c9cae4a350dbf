/** All randomness of a simulation. The same seed gives the same draws. */
import type { Chance } from '../../src/lib/chance'

export interface Random extends Chance {
  below (end: number): number // whole, in [0, end)
  between (from: number, to: number): number
  happens (probability: number): boolean
  pick<T>(from: readonly T[]): T
  bytes (count: number): Buffer
}

/** sfc32, seeded with one whole number. */
export const makeRandom = (seed: number): Random => {
  let [a, b, c, count] = [0x9e3779b9, seed | 0, (seed / 2 ** 32) | 0, 1]
  const next = (): number => {
    const sum = (a + b | 0) + count | 0
    count = count + 1 | 0
    a = b ^ b >>> 9
    b = c + (c << 3) | 0
    c = (c << 21 | c >>> 11) + sum | 0
    return sum >>> 0
  }
  for (let warm = 0; warm < 12; warm++) next()
  const random: Random = {
    fraction: () => next() / 2 ** 32,
    below: end => Math.floor(random.fraction() * end),
    between: (from, to) => from + random.fraction() * (to - from),
    happens: probability => probability > 0 && random.fraction() < probability,
    pick: from => from[random.below(from.length)]!,
    bytes: many => Buffer.from(Array.from({ length: many }, () => next() & 255)),
    token: many => random.bytes(many).toString('base64url')
  }
  return random
}
