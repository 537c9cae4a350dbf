/**
 * Files encrypted with AES-256-GCM, their tag at the end (XEP-0454), as they stream: nobody holds all of one. What is opened ends in an error
 * if a single bit of it was changed, and its last bytes pass only when that is known.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { type Readable, Transform } from 'node:stream'

const ALGORITHM = 'aes-256-gcm'
export const TAG_BYTES = 16
const KEY_BYTES = 32
const IV_BYTES: readonly number[] = [12, 16] // older apps have the longer one

export interface FileKey { key: Buffer; iv: Buffer }

/** The key in the fragment of an address: IV and key in hex. Undefined if it is none. */
export const fileKeyIn = (fragment: string): FileKey | undefined => {
  const bytes = /^([0-9a-f]{2})+$/i.test(fragment) ? Buffer.from(fragment, 'hex') : Buffer.alloc(0)
  const length = bytes.length - KEY_BYTES
  return IV_BYTES.includes(length) ? { iv: bytes.subarray(0, length), key: bytes.subarray(length) } : undefined
}

export const fragmentOf = ({ key, iv }: FileKey): string => Buffer.concat([iv, key]).toString('hex')

const through = (stream: Readable, passing: Transform): Readable => {
  stream.once('error', error => passing.destroy(error))
  passing.once('close', () => stream.destroy())
  return stream.pipe(passing)
}

export const sealedFile = (stream: Readable, { key, iv }: FileKey): Readable => {
  const cipher = createCipheriv(ALGORITHM, key, iv)
  return through(stream, new Transform({
    transform (chunk: Buffer, _encoding, done) { done(null, cipher.update(chunk)) },
    flush (done) { done(null, Buffer.concat([cipher.final(), cipher.getAuthTag()])) }
  }))
}

/** `wrong`: makes the error if it is not what was encrypted. */
export const openedFile = (stream: Readable, { key, iv }: FileKey, wrong: () => Error): Readable => {
  const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES }) // a shorter one would be easier to forge
  let tail = Buffer.alloc(0) // may be the tag
  let last: Buffer | undefined
  return through(stream, new Transform({
    transform (chunk: Buffer, _encoding, done) {
      const all = Buffer.concat([tail, chunk])
      const cut = Math.max(all.length - TAG_BYTES, 0)
      tail = all.subarray(cut)
      const before = last
      last = decipher.update(all.subarray(0, cut))
      done(null, before)
    },
    flush (done) {
      try {
        decipher.setAuthTag(tail)
        decipher.final()
        done(null, last)
      } catch {
        done(wrong())
      }
    }
  }))
}
