/** Seeded randomness, and mutations of an input: the same seed always makes the same inputs. */

export interface Random {
  fraction (): number // in [0, 1)
  below (most: number): number // a whole number in [0, most)
  pick<T>(from: readonly T[]): T
}

/** mulberry32. */
export const makeRandom = (seed: number): Random => {
  let state = seed >>> 0
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (most: number): number => Math.floor(fraction() * most)
  return { fraction, below, pick: from => from[below(from.length)]! }
}

/** FNV-1a: a seed from a name or an input. */
export const hashOf = (bytes: Uint8Array): number => {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash
}

const ODD_BYTES = [0, 1, 9, 10, 13, 0x1b, 0x20, 0x22, 0x26, 0x27, 0x3c, 0x3e, 0x5c, 0x7f, 0x80, 0xc0, 0xed, 0xf4, 0xfe, 0xff]
const NUMBERS = ['0', '-1', '1', '255', '256', '65536', '2147483648', '4294967295', '9007199254740993', '1e999', '0x10']
const STACKED_MAX = 6

/** Makes one change, of one of many kinds. `words`: the tokens of the format. */
const mutateOnce = (input: Buffer, words: readonly Buffer[], others: readonly Buffer[], random: Random): Buffer => {
  const at = random.below(input.length + 1)
  const to = Math.min(input.length, at + 1 + random.below(random.pick([2, 8, 64])))
  const put = (what: Uint8Array, until = at): Buffer => Buffer.concat([input.subarray(0, at), what, input.subarray(until)])
  switch (random.below(9)) {
    case 0: return put(Buffer.from([(input[at] ?? 0) ^ (1 << random.below(8))]), to)
    case 1: return put(Buffer.from([random.pick(ODD_BYTES)]), random.below(2) === 0 ? at : to)
    case 2: return put(Buffer.alloc(0), to)
    case 3: return put(Buffer.concat(Array<Uint8Array>(1 + random.below(random.pick([2, 30]))).fill(input.subarray(at, to))))
    case 4: return put(random.pick(words), random.below(2) === 0 ? at : to)
    case 5: return put(random.pick(words))
    case 6: {
      const other = random.pick(others)
      const from = random.below(other.length + 1)
      return put(other.subarray(from, from + 1 + random.below(64)), random.below(2) === 0 ? at : to)
    }
    case 7: return Buffer.concat([input.subarray(to), input.subarray(at, to), input.subarray(0, at)])
    default: return Buffer.from(input.toString('latin1').replace(/\d+/g, found => random.below(4) === 0 ? random.pick(NUMBERS) : found), 'latin1')
  }
}

export const mutate = (input: Buffer, words: readonly Buffer[], others: readonly Buffer[], random: Random): Buffer => {
  let changed = input
  for (let times = 1 + random.below(STACKED_MAX); times > 0; times--) changed = mutateOnce(changed, words, others, random)
  return changed
}
