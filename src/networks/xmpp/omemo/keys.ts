/**
 * Keys of Curve25519 as the ratchet needs them: key agreement, and signatures that are checked with the keys of agreement (XEdDSA, as libsignal
 * writes them: the sign of the Ed25519 key stands in the last bit of the signature). All that touches a secret is done by node:crypto. Only a
 * public key is ever counted with here.
 */
import {
  createHash, createPrivateKey, createPublicKey, diffieHellman, type KeyObject, sign as signWith, timingSafeEqual, verify as verifyWith
} from 'node:crypto'
import { Malformed } from '../../../model/errors'

export const KEY_BYTES = 32
export const SIGNATURE_BYTES = 64

/** Of X25519, 32 bytes each. */
export interface Pair { pub: Buffer; priv: Buffer }

/** The identity of an address: an Ed25519 seed, and the pair that is made of it. */
export interface Identity extends Pair { seed: Buffer }

/** Fresh random bytes. */
export type Fresh = (bytes: number) => Buffer

const SPKI = { x25519: '302a300506032b656e032100', ed25519: '302a300506032b6570032100' }
const PKCS8 = { x25519: '302e020100300506032b656e04220420', ed25519: '302e020100300506032b657004220420' }

type Curve = keyof typeof SPKI

const publicKey = (curve: Curve, raw: Buffer): KeyObject =>
  createPublicKey({ key: Buffer.concat([Buffer.from(SPKI[curve], 'hex'), raw]), format: 'der', type: 'spki' })
const privateKey = (curve: Curve, raw: Buffer): KeyObject =>
  createPrivateKey({ key: Buffer.concat([Buffer.from(PKCS8[curve], 'hex'), raw]), format: 'der', type: 'pkcs8' })
const publicOf = (curve: Curve, raw: Buffer): Buffer =>
  createPublicKey(privateKey(curve, raw)).export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES)

export const pairOf = (priv: Buffer): Pair => ({ pub: publicOf('x25519', priv), priv })

export const freshPair = (fresh: Fresh): Pair => pairOf(fresh(KEY_BYTES))

export const identityOf = (seed: Buffer): Identity => ({ ...pairOf(createHash('sha512').update(seed).digest().subarray(0, KEY_BYTES)), seed })

/** Throws Malformed if the other key is one of those with which nothing is secret. */
export const agree = (theirs: Buffer, mine: Buffer): Buffer => {
  try {
    return diffieHellman({ publicKey: publicKey('x25519', theirs), privateKey: privateKey('x25519', mine) })
  } catch (error) {
    throw new Malformed('a key of no use', { cause: error })
  }
}

export const equal = (one: Buffer, other: Buffer): boolean => one.length === other.length && timingSafeEqual(one, other)

const SIGN_BIT = 0x80

/** With one bit of a byte taken from another byte. */
const withBit = (bytes: Buffer, at: number, from: number): Buffer => {
  const changed = Buffer.from(bytes)
  changed[at] = ((changed[at] ?? 0) & ~SIGN_BIT) | (from & SIGN_BIT)
  return changed
}

export const sign = ({ seed }: Pick<Identity, 'seed'>, message: Buffer): Buffer =>
  withBit(signWith(null, message, privateKey('ed25519', seed)), SIGNATURE_BYTES - 1, publicOf('ed25519', seed).at(-1) ?? 0)

const P = 2n ** 255n - 19n

const power = (base: bigint, exponent: bigint): bigint => {
  let result = 1n
  for (let [square, rest] = [base % P, exponent]; rest > 0n; rest >>= 1n, square = square * square % P) {
    if ((rest & 1n) === 1n) result = result * square % P
  }
  return result
}

const numberOf = (bytes: Buffer): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
const bytesOf = (number: bigint): Buffer => Buffer.from(number.toString(16).padStart(2 * KEY_BYTES, '0'), 'hex').reverse()

/** The y of the same point on the curve of Ed25519 (RFC 7748 §4.1): (u − 1) / (u + 1). */
const edwards = (pub: Buffer): Buffer => {
  const u = numberOf(pub) % 2n ** 255n % P
  return bytesOf((u - 1n + P) % P * power(u + 1n, P - 2n) % P)
}

export const verify = (pub: Buffer, message: Buffer, signature: Buffer): boolean => {
  if (pub.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false
  const key = withBit(edwards(pub), KEY_BYTES - 1, signature.at(-1) ?? 0)
  try {
    return verifyWith(null, message, publicKey('ed25519', key), withBit(signature, SIGNATURE_BYTES - 1, 0))
  } catch {
    return false // not on the curve
  }
}

/** As apps show it, to be compared by people. */
export const fingerprintOf = (pub: Buffer): string => (pub.toString('hex').match(/.{8}/g) ?? []).join(' ')
