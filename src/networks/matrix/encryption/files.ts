/**
 * Encrypted files (CS API §Sending encrypted attachments): AES-CTR, with a key that stands in the event alone. They are as long as before, and
 * nobody holds all of one. The last piece passes only if the whole is what its sender encrypted.
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import { Transform, type Readable } from 'node:stream'
import type { Chance } from '../../../lib/chance'
import { Refused } from '../../../model/errors'
import { type Json, jsonOf, stringOf } from '../events/json'

/** `mime`: what is inside, which its homeserver does not know. */
interface Secret { key: Buffer; iv: Buffer; hash: string; mime: string }

const ALGORITHM = 'aes-256-ctr'
const KEY_BYTES = 32
const IV_BYTES = 16
const FRESH_BYTES = 8 // of the IV; the rest counts blocks, from 0
const HASH = /^[A-Za-z0-9+/]{43}$/

const bytesOf = (value: unknown, count: number): Buffer | undefined => {
  const bytes = Buffer.from(stringOf(value) ?? '', 'base64') // takes base64url too
  return bytes.length === count ? bytes : undefined
}

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')

/** The address of a file with what opens it, for `readRef`; undefined if it cannot be opened. */
export const refOf = (file: unknown, mime: string): string | undefined => {
  const { url, key, iv, hashes, v } = jsonOf(file)
  const [k, vector, hash] = [bytesOf(jsonOf(key).k, KEY_BYTES), bytesOf(iv, IV_BYTES), stringOf(jsonOf(hashes).sha256)?.replace(/=+$/, '')]
  if (v !== 'v2' || typeof url !== 'string' || k === undefined || vector === undefined || hash === undefined || !HASH.test(hash)) return undefined
  return `${url}#${[k, vector, Buffer.from(hash, 'base64'), Buffer.from(mime)].map(part => part.toString('base64url')).join('.')}`
}

/** The address alone, and what opens the file if it is encrypted. */
export const readRef = (ref: string): { mxc: string, secret?: Secret } => {
  const [mxc = '', fragment] = ref.split('#')
  if (fragment === undefined) return { mxc }
  const [key, iv, hash, mime] = fragment.split('.').map(part => Buffer.from(part, 'base64url'))
  if (key?.length !== KEY_BYTES || iv?.length !== IV_BYTES || hash === undefined || mime === undefined) {
    throw new Refused('a file without its key', 'broken')
  }
  return { mxc, secret: { key, iv, hash: unpadded(hash), mime: mime.toString() } }
}

/** The stream in the clear. It fails at its end if the file is not what the event says. */
export const unsealed = (stream: Readable, { key, iv, hash }: Secret): Readable => {
  const cipher = createDecipheriv(ALGORITHM, key, iv)
  const sum = createHash('sha256')
  let last: Buffer | undefined
  const clear = new Transform({
    transform (chunk: Buffer, _encoding, done) {
      sum.update(chunk)
      const before = last
      last = cipher.update(chunk)
      done(null, before)
    },
    flush (done) {
      if (unpadded(sum.digest()) === hash) done(null, last)
      else done(new Refused('a file is not what was encrypted', 'broken'))
    }
  })
  stream.once('error', error => clear.destroy(error))
  clear.once('close', () => stream.destroy())
  return stream.pipe(clear)
}

export interface Sealing {
  through (stream: Readable): Readable
  /** The `file` of the event, once all has gone through. */
  file (url: string): Json
}

export const makeSealing = (chance: Chance): Sealing => {
  const key = Buffer.from(chance.token(KEY_BYTES), 'base64url')
  const iv = Buffer.concat([Buffer.from(chance.token(FRESH_BYTES), 'base64url'), Buffer.alloc(IV_BYTES - FRESH_BYTES)])
  const cipher = createCipheriv(ALGORITHM, key, iv)
  const sum = createHash('sha256')
  return {
    through (stream) {
      const sealed = new Transform({
        transform (chunk: Buffer, _encoding, done) {
          const bytes = cipher.update(chunk)
          sum.update(bytes)
          done(null, bytes)
        }
      })
      stream.once('error', error => sealed.destroy(error))
      sealed.once('close', () => stream.destroy())
      return stream.pipe(sealed)
    },
    file: url => ({
      v: 'v2', url, iv: unpadded(iv), hashes: { sha256: unpadded(sum.digest()) },
      key: { kty: 'oct', alg: 'A256CTR', ext: true, key_ops: ['encrypt', 'decrypt'], k: key.toString('base64url') }
    })
  }
}
