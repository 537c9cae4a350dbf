/** What an encrypted message says: AES-128-GCM. Its key and tag are sealed for each device (XEP-0384 0.3 §4.4). */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { Malformed } from '../../../model/errors'
import type { Fresh } from './keys'

const ALGORITHM = 'aes-128-gcm'
const KEY_BYTES = 16
const TAG_BYTES = 16
export const IV_BYTES = 12
const OLD_IV_BYTES = 16

/** `secret`: key and tag. */
export interface Payload { iv: Buffer; secret: Buffer; payload: Buffer }

export const sealText = (text: string, fresh: Fresh): Payload => {
  const [key, iv] = [fresh(KEY_BYTES), fresh(IV_BYTES)]
  const cipher = createCipheriv(ALGORITHM, key, iv)
  const payload = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return { iv, payload, secret: Buffer.concat([key, cipher.getAuthTag()]) }
}

/** What is sealed in a message without words. */
export const emptySecret = (fresh: Fresh): Pick<Payload, 'iv' | 'secret'> => ({ iv: fresh(IV_BYTES), secret: fresh(KEY_BYTES + TAG_BYTES) })

/** Older apps have the tag at the end of the payload, and longer IVs. */
const partsOf = ({ secret, payload }: Payload): { tag: Buffer, sealed: Buffer } => secret.length === KEY_BYTES
  ? { tag: payload.subarray(-TAG_BYTES), sealed: payload.subarray(0, -TAG_BYTES) }
  : { tag: secret.subarray(KEY_BYTES), sealed: payload }

/** Throws Malformed. */
export const openText = (given: Payload): string => {
  const { iv, secret } = given
  const { tag, sealed } = partsOf(given)
  if (tag.length !== TAG_BYTES || (iv.length !== IV_BYTES && iv.length !== OLD_IV_BYTES)) throw new Malformed('a payload of another form')
  const decipher = createDecipheriv(ALGORITHM, secret.subarray(0, KEY_BYTES), iv, { authTagLength: TAG_BYTES })
  decipher.setAuthTag(tag)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat([decipher.update(sealed), decipher.final()]))
  } catch (error) {
    throw new Malformed('the payload is not what was encrypted', { cause: error })
  }
}
