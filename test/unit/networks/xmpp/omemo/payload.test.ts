import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import fc from 'fast-check'
import { Malformed } from '../../../../../src/model/errors'
import { openText, sealText } from '../../../../../src/networks/xmpp/omemo/payload'
import { drawing } from '../../../../support/omemo/parties'

describe('the payload of OMEMO', () => {
  it('gives back each text, and none that was changed', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }).map(text => text.toWellFormed()), fc.nat(500), (text, at) => {
      const sealed = sealText(text, drawing(text))
      assert.equal(openText(sealed), text)
      const secret = Buffer.from(sealed.secret)
      secret[at % secret.length]! ^= 1
      assert.throws(() => openText({ ...sealed, secret }), Malformed)
    }))
  })

  it('is taken as older apps seal it: with the tag at its end, and with a longer IV', () => {
    const [key, iv] = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)]
    const cipher = createCipheriv('aes-128-gcm', key, iv)
    const payload = Buffer.concat([cipher.update('alt', 'utf8'), cipher.final(), cipher.getAuthTag()])
    assert.equal(openText({ iv, secret: key, payload }), 'alt')
  })

  it('is refused if it is of another form', () => {
    const sealed = sealText('x', drawing('x'))
    for (const wrong of [
      { ...sealed, iv: Buffer.alloc(8) }, { ...sealed, secret: sealed.secret.subarray(0, 31) }, { ...sealed, secret: Buffer.alloc(16) },
      { ...sealed, payload: Buffer.alloc(0), secret: Buffer.alloc(16) }, { ...sealed, secret: Buffer.alloc(0) }
    ]) assert.throws(() => openText(wrong), Malformed)
  })
})
