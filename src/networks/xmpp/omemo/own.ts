/**
 * What an address of ours is to others: its identity, the number of its device, and the keys with which sessions begin. Pure: each change gives
 * what is to be stored.
 * Promises: a one-time key is used up by the message that it opens; there are always enough new ones; a signed key is renewed after SIGNED_MS
 * and taken for late messages until SIGNED_KEPT_MS.
 */
import { Malformed } from '../../../model/errors'
import { type Fresh, freshPair, type Identity, identityOf, KEY_BYTES, type Pair, sign } from './keys'
import type { Bundle } from './ratchet'
import { keyBytes, type PreKeyMessage } from './wire'

const ONES = 100 // as apps have them
const ONES_LEAST = 80 // below that, there are new ones
const DAY_MS = 24 * 3_600_000
const SIGNED_MS = 7 * DAY_MS
const SIGNED_KEPT_MS = 35 * DAY_MS
const ID_BYTES = 4
const ID_MAX = 2 ** 31 - 1 // what each app takes

interface Signed extends Pair { id: number; signature: Buffer; at: number }
interface One extends Pair { id: number }

/** `signed`: the newest first. `next`: the number of the next key. `since`: ms since 1970. */
export interface Own { seed: Buffer; device: number; since: number; signed: Signed[]; ones: One[]; next: number }

const signedKey = (seed: Buffer, id: number, now: number, fresh: Fresh): Signed => {
  const pair = freshPair(fresh)
  return { ...pair, id, signature: sign({ seed }, keyBytes(pair.pub)), at: now }
}

const onesFrom = (first: number, count: number, fresh: Fresh): One[] =>
  Array.from({ length: count }, (_, index) => ({ id: first + index, ...freshPair(fresh) }))

/** What is needed of new keys. The same object if nothing is. */
export const renewed = (own: Own, now: number, fresh: Fresh): Own => {
  const { seed, signed, ones, next } = own
  const isOld = now - (signed[0]?.at ?? -Infinity) > SIGNED_MS
  const isShort = ones.length < ONES_LEAST
  if (!isOld && !isShort) return own
  const more = isShort ? onesFrom(next, ONES - ones.length, fresh) : []
  const kept = signed.filter(({ at }) => now - at < SIGNED_KEPT_MS)
  return {
    ...own, ones: [...ones, ...more], next: next + more.length + 1,
    signed: isOld ? [signedKey(seed, next + more.length, now, fresh), ...kept] : signed
  }
}

/** With `seed`, the identity stays. */
export const makeOwn = (now: number, fresh: Fresh, seed = fresh(KEY_BYTES)): Own =>
  renewed({ seed, device: fresh(ID_BYTES).readUInt32BE() % ID_MAX + 1, since: now, signed: [], ones: [], next: 1 }, now, fresh)

export const meOf = ({ seed }: Own): Identity => identityOf(seed)

export const bundleOf = (own: Own): Bundle => {
  const [signed] = own.signed
  if (signed === undefined) throw new Malformed('no signed key')
  return { identity: meOf(own).pub, signed, ones: own.ones }
}

/** The keys that a first message means. Throws Malformed if one of them is gone. */
export const keysFor = ({ signed, ones }: Own, message: PreKeyMessage): { signed: Pair, one?: Pair } => {
  const known = signed.find(({ id }) => id === message.signed)
  const one = ones.find(({ id }) => id === message.one)
  if (known === undefined) throw new Malformed('our signed key is gone')
  if (message.one !== undefined && one === undefined) throw new Malformed('our one-time key was used before')
  return { signed: known, ...one && { one } }
}

export const without = (own: Own, one: number | undefined, now: number, fresh: Fresh): Own =>
  renewed({ ...own, ones: own.ones.filter(({ id }) => id !== one) }, now, fresh)
