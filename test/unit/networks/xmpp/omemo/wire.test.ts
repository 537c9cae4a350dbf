import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Malformed } from '../../../../../src/model/errors'
import {
  keyBytes, keyIn, MAC_BYTES, readMessage, readPreKeyMessage, UINT32_MAX, writeMessage, writePreKeyMessage
} from '../../../../../src/networks/xmpp/omemo/wire'

const bytes = (least: number, most = least): fc.Arbitrary<Buffer> => fc.uint8Array({ minLength: least, maxLength: most }).map(one => Buffer.from(one))
const number = fc.integer({ min: 0, max: UINT32_MAX })
const message = fc.record({ ratchet: bytes(32), counter: number, previous: number, sealed: bytes(0, 64) }, { noNullPrototype: true })
const first = fc.record(
  { one: fc.option(number, { nil: undefined }), signed: number, base: bytes(32), identity: bytes(32), message: bytes(1, 200) },
  { noNullPrototype: true })
const MAC = Buffer.alloc(MAC_BYTES, 1)

describe('the wire of the ratchet', () => {
  it('gives back what was written', () => {
    fc.assert(fc.property(message, one => {
      const { authentic, mac, ...read } = readMessage(Buffer.concat([writeMessage(one), MAC]))
      assert.deepEqual({ read, authentic, mac }, { read: one, authentic: writeMessage(one), mac: MAC })
    }))
    fc.assert(fc.property(first, one => assert.deepEqual(readPreKeyMessage(writePreKeyMessage(one)), one)))
  })

  it('throws nothing but Malformed, whatever comes', () => {
    const survives = (read: (wire: Buffer) => unknown) => (wire: Buffer): void => {
      try { read(wire) } catch (error) { assert.ok(error instanceof Malformed, String(error)) }
    }
    const cut = fc.tuple(message, fc.nat(200), fc.nat(255)).map(([one, at, by]) => {
      const wire = Buffer.concat([writeMessage(one), MAC])
      wire[at % wire.length] = by
      return wire
    })
    for (const wires of [bytes(0, 300), bytes(0, 300).map(one => Buffer.concat([Buffer.of(0x33), one])), cut]) {
      fc.assert(fc.property(wires, survives(readMessage)))
      fc.assert(fc.property(wires, survives(readPreKeyMessage)))
    }
  })

  it('is refused if it is cut, doubled, too long, or of another version', () => {
    const good = writeMessage({ ratchet: Buffer.alloc(32, 1), counter: 1, previous: 2, sealed: Buffer.alloc(48) })
    const refuses = (wire: Buffer, why: RegExp): void => assert.throws(() => readMessage(Buffer.concat([wire, MAC])), why)
    refuses(good.subarray(0, -1), /cut off/)
    refuses(Buffer.concat([good, Buffer.of(0x10, 1)]), /a field twice/)
    refuses(Buffer.concat([Buffer.of(0x23), good.subarray(1)]), /another version/)
    refuses(Buffer.concat([good, Buffer.of(0x2D)]), /an unknown type/)
    refuses(Buffer.concat([good, Buffer.of(0x28, 255, 255, 255, 255, 127)]), /too large/)
    refuses(Buffer.alloc(2_000, 0x33), /too long/)
    refuses(Buffer.concat([Buffer.of(0x33), Buffer.of(0x08, 1), good.subarray(36)]), /a number in place of bytes/)
    assert.throws(() => readMessage(Buffer.of(0x33)), /cut off/)
    assert.throws(() => readPreKeyMessage(good), /brings no key|not a public key/)
  })

  it('takes only public keys of this curve', () => {
    const pub = Buffer.alloc(32, 3)
    assert.deepEqual(keyIn(keyBytes(pub)), pub)
    for (const wrong of [undefined, pub, Buffer.concat([Buffer.of(6), pub]), Buffer.concat([keyBytes(pub), Buffer.of(0)])]) {
      assert.throws(() => keyIn(wrong), Malformed)
    }
  })
})
