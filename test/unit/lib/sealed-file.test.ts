import assert from 'node:assert/strict'
import { createDecipheriv } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { fileKeyIn, type FileKey, fragmentOf, openedFile, sealedFile, TAG_BYTES } from '../../../src/lib/sealed-file'

const KEY: FileKey = { key: Buffer.alloc(32, 1), iv: Buffer.alloc(12, 2) }
const wrong = (): Error => new Error('not what was encrypted')
const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }).map(one => Buffer.from(one)), { maxLength: 8 })
/** In pieces of this size. */
const cut = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size))

describe('an encrypted file', () => {
  it('comes out as it went in, whatever pieces it comes in', async () => {
    await fc.assert(fc.asyncProperty(pieces, fc.integer({ min: 1, max: 50 }), async (chunks, size) => {
      const whole = Buffer.concat(chunks)
      const sealed = await buffer(sealedFile(Readable.from(chunks), KEY))
      assert.equal(sealed.length, whole.length + TAG_BYTES)
      const decipher = createDecipheriv('aes-256-gcm', KEY.key, KEY.iv).setAuthTag(sealed.subarray(-TAG_BYTES))
      assert.deepEqual(Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]), whole)
      assert.deepEqual(await buffer(openedFile(Readable.from(cut(sealed, size)), KEY, wrong)), whole)
    }), { numRuns: 50 })
  })

  it('never ends well if a single bit was changed, or if it was cut', async () => {
    await fc.assert(fc.asyncProperty(pieces, fc.nat(), fc.integer({ min: 1, max: 50 }), async (chunks, at, size) => {
      const sealed = await buffer(sealedFile(Readable.from(chunks), KEY))
      const short = sealed.subarray(0, at % sealed.length)
      await assert.rejects(buffer(openedFile(Readable.from(cut(short, size)), KEY, wrong)), /not what was encrypted/)
      sealed[at % sealed.length]! ^= 1
      await assert.rejects(buffer(openedFile(Readable.from(cut(sealed, size)), KEY, wrong)), /not what was encrypted/)
    }), { numRuns: 50 })
  })

  it('has a key that stands in its address, of one of two lengths', () => {
    assert.deepEqual(fileKeyIn(fragmentOf(KEY)), KEY)
    assert.equal(fileKeyIn('ab'.repeat(48))?.iv.length, 16)
    const none = ['', 'ab', 'ab'.repeat(43), 'ab'.repeat(45), 'xy'.repeat(44), `${'ab'.repeat(44)}&x`]
    assert.deepEqual(none.map(fileKeyIn), none.map(() => undefined))
  })
})
