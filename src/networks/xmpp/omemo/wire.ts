/**
 * The bytes of a ratchet's messages: Signal protocol, version 3, as OMEMO apps send them (XEP-0384 0.3). Read strictly: whatever is too long,
 * cut, doubled or of another version is Malformed, and nothing is kept of it.
 */
import { Malformed } from '../../../model/errors'
import { KEY_BYTES } from './keys'

const VERSION = 0x33
const CURVE = 5 // stands in front of each public key
export const MAC_BYTES = 8
const WIRE_BYTES_MAX = 1024
const SEALED_BYTES_MAX = 512 // what is sealed is a key and a tag of 32 bytes
export const UINT32_MAX = 2 ** 32 - 1

/** `counter`: where it stands in its chain; `previous`: how many there were in the chain before. */
export interface RatchetMessage { ratchet: Buffer; counter: number; previous: number; sealed: Buffer }

/** The first messages of a session bring what it begins with. `one`: the id of the one-time key that was used. */
export interface PreKeyMessage { one: number | undefined; signed: number; base: Buffer; identity: Buffer; message: Buffer }

/** A public key as it is written. */
export const keyBytes = (pub: Buffer): Buffer => Buffer.concat([Buffer.from([CURVE]), pub])

export const keyIn = (bytes: Buffer | undefined): Buffer => {
  if (bytes?.length !== KEY_BYTES + 1 || bytes[0] !== CURVE) throw new Malformed('not a public key')
  return Buffer.from(bytes.subarray(1))
}

type Field = [number: number, value: number | Buffer | undefined]

const VARINT = 0
const BYTES = 2
const MORE = 0x80
const VARINT_BYTES_MAX = 5

const varint = (value: number): number[] => {
  const bytes: number[] = []
  let rest = value
  for (; rest >= MORE; rest = Math.floor(rest / MORE)) bytes.push(rest % MORE | MORE)
  return [...bytes, rest]
}

const written = (fields: Field[]): Buffer => Buffer.concat([Buffer.from([VERSION]), ...fields.flatMap(([number, value]) => {
  if (value === undefined) return []
  return typeof value === 'number'
    ? [Buffer.from([...varint(number << 3 | VARINT), ...varint(value)])]
    : [Buffer.from([...varint(number << 3 | BYTES), ...varint(value.length)]), value]
})])

interface Fields { number (of: number): number | undefined; bytes (of: number): Buffer | undefined }

/** Reads one number. Throws Malformed if there is none. */
const makeReader = (bytes: Buffer): { more (): boolean, number (): number, take (count: number): Buffer } => {
  let at = 0
  return {
    more: () => at < bytes.length,
    number () {
      let value = 0
      for (let i = 0, factor = 1; i < VARINT_BYTES_MAX; i++, factor *= MORE) {
        const byte = bytes[at++]
        if (byte === undefined) throw new Malformed('cut off')
        value += (byte & ~MORE) * factor
        if (byte < MORE) {
          if (value > UINT32_MAX) break
          return value
        }
      }
      throw new Malformed('a number that is too large')
    },
    take (count) {
      if (count > bytes.length - at) throw new Malformed('cut off')
      return bytes.subarray(at, at += count)
    }
  }
}

const read = (wire: Buffer): Fields => {
  if (wire.length > WIRE_BYTES_MAX) throw new Malformed('too long')
  if (wire[0] !== VERSION) throw new Malformed('another version')
  const found = new Map<number, number | Buffer>()
  const reader = makeReader(wire.subarray(1))
  while (reader.more()) {
    const tag = reader.number()
    const type = tag & 7
    if (type !== VARINT && type !== BYTES) throw new Malformed('an unknown type')
    if (found.has(tag >>> 3)) throw new Malformed('a field twice')
    const value = reader.number()
    found.set(tag >>> 3, type === VARINT ? value : reader.take(value))
  }
  return {
    number (of) {
      const value = found.get(of)
      if (Buffer.isBuffer(value)) throw new Malformed('bytes in place of a number')
      return value
    },
    bytes (of) {
      const value = found.get(of)
      if (typeof value === 'number') throw new Malformed('a number in place of bytes')
      return value
    }
  }
}

/** Without its MAC. */
export const writeMessage = ({ ratchet, counter, previous, sealed }: RatchetMessage): Buffer =>
  written([[1, keyBytes(ratchet)], [2, counter], [3, previous], [4, sealed]])

/** `authentic`: what its MAC is about. */
export const readMessage = (wire: Buffer): RatchetMessage & { authentic: Buffer, mac: Buffer } => {
  if (wire.length < MAC_BYTES) throw new Malformed('cut off')
  const authentic = wire.subarray(0, -MAC_BYTES)
  const fields = read(authentic)
  const sealed = fields.bytes(4)
  if (sealed === undefined || sealed.length > SEALED_BYTES_MAX) throw new Malformed('seals nothing, or too much')
  return {
    ratchet: keyIn(fields.bytes(1)), counter: fields.number(2) ?? 0, previous: fields.number(3) ?? 0, sealed: Buffer.from(sealed),
    authentic, mac: wire.subarray(-MAC_BYTES)
  }
}

export const writePreKeyMessage = ({ one, signed, base, identity, message }: PreKeyMessage): Buffer =>
  written([[1, one], [2, keyBytes(base)], [3, keyBytes(identity)], [4, message], [6, signed]])

export const readPreKeyMessage = (wire: Buffer): PreKeyMessage => {
  const fields = read(wire)
  const [signed, message] = [fields.number(6), fields.bytes(4)]
  if (signed === undefined || message === undefined) throw new Malformed('brings no key')
  return { one: fields.number(1), signed, base: keyIn(fields.bytes(2)), identity: keyIn(fields.bytes(3)), message: Buffer.from(message) }
}
