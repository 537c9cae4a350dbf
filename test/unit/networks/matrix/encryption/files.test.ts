import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { systemChance } from '../../../../../src/lib/chance'
import { makeSealing, readRef, refOf, unsealed } from '../../../../../src/networks/matrix/encryption/files'

const URL = 'mxc://example.org/abc'
const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 100 }), { minLength: 1, maxLength: 6 })
  .map(all => all.map(one => Buffer.from(one)))

const seal = async (pieces: Buffer[]): Promise<{ sealed: Buffer, ref: string }> => {
  const sealing = makeSealing(systemChance)
  const sealed = Buffer.concat(await sealing.through(Readable.from(pieces)).toArray() as Buffer[])
  return { sealed, ref: refOf(sealing.file(URL), 'image/png')! }
}

const opened = async (pieces: Buffer[], ref: string): Promise<Buffer> => {
  const { mxc, secret } = readRef(ref)
  assert.deepEqual([mxc, secret?.mime], [URL, 'image/png'])
  return Buffer.concat(await unsealed(Readable.from(pieces), secret!).toArray() as Buffer[])
}

describe('an encrypted file', () => {
  it('is as long as before, and opens to what it was, however it comes in pieces', () => fc.assert(fc.asyncProperty(chunks, async pieces => {
    const whole = Buffer.concat(pieces)
    const { sealed, ref } = await seal(pieces)
    assert.equal(sealed.length, whole.length)
    assert.deepEqual(await opened([sealed.subarray(0, 7), sealed.subarray(7)].filter(({ length }) => length > 0), ref), whole)
  })))

  it('never ends well if a single bit was changed', () => fc.assert(fc.asyncProperty(chunks, fc.nat(), async (pieces, at) => {
    const { sealed, ref } = await seal(pieces)
    sealed[at % sealed.length]! ^= 1
    await assert.rejects(opened([sealed], ref), { name: 'Refused', trouble: 'broken' })
  })))

  it('has no address if its key or its hash is missing or wrong', () => {
    const { file } = makeSealing(systemChance)
    const whole = file(URL)
    for (const wrong of [{ v: 'v1' }, { key: { k: 'kurz' } }, { iv: '' }, { hashes: {} }, { hashes: { sha256: 'x' } }, { url: undefined }]) {
      assert.equal(refOf({ ...whole, ...wrong }, 'image/png'), undefined)
    }
    assert.equal(refOf('file', 'image/png'), undefined)
    for (const without of [`${URL}#a.b`, `${URL}#`]) assert.throws(() => readRef(without), { name: 'Refused', trouble: 'broken' })
    assert.deepEqual(readRef(URL), { mxc: URL })
  })
})
