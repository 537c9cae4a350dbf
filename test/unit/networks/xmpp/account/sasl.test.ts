import assert from 'node:assert/strict'
import { Refused } from '../../../../../src/model/errors'
import { mechanismFor } from '../../../../../src/networks/xmpp/account/sasl'

const PENCIL = { user: 'user', password: 'pencil' }
/** The examples of RFC 5802 §5 and RFC 7677 §3. */
const EXAMPLES = {
  'SCRAM-SHA-1': {
    nonce: 'fyko+d2lbbFgONRv9qkxdawL', challenge: 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
    answer: 'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=', success: 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ='
  },
  'SCRAM-SHA-256': {
    nonce: 'rOprNGfwEbeRWgbNEkqO', challenge: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    answer: 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    success: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='
  }
}

describe('the proof of a password', () => {
  for (const [name, { nonce, challenge, answer, success }] of Object.entries(EXAMPLES)) {
    it(`is that of the standard, for ${name}`, async () => {
      const mechanism = mechanismFor(new Set([name, 'PLAIN']), PENCIL, nonce)!
      assert.deepEqual([mechanism.name, mechanism.first], [name, `n,,n=user,r=${nonce}`])
      assert.equal(await mechanism.answer(challenge), answer)
      mechanism.verify(success)
      assert.throws(() => mechanism.verify(success.replace('v=', 'v=A')), Refused)
      assert.throws(() => mechanism.verify(''), Refused)
    })
  }

  it('is given to nobody who has not shown to be the server, or makes us count for ever', async () => {
    const { nonce, challenge } = EXAMPLES['SCRAM-SHA-256']
    const make = () => mechanismFor(new Set(['SCRAM-SHA-256']), PENCIL, nonce)!
    assert.throws(() => make().verify('v=AAAA'), Refused, 'success before any proof')
    for (const bad of ['', challenge.replace('r=', 'r=x'), challenge.replace('4096', '1'), challenge.replace('4096', '999999999'),
      `m=ext,${challenge}`, challenge.replace(/r=[^,]*/, `r=${nonce}`)]) await assert.rejects(make().answer(bad), Refused, bad)
  })

  it('takes the best that is offered, the plain password last, and nothing that we do not know', () => {
    const named = (...offered: string[]): string | undefined => mechanismFor(new Set(offered), PENCIL, 'n')?.name
    assert.equal(named('PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-512', 'SCRAM-SHA-256-PLUS'), 'SCRAM-SHA-512')
    assert.equal(named('DIGEST-MD5', 'PLAIN'), 'PLAIN')
    assert.equal(named('EXTERNAL'), undefined)
    assert.equal(mechanismFor(new Set(['PLAIN']), { user: 'u=,', password: 'a\u00a0b\u00ad' }, 'n')?.first, '\0u=,\0a b', 'as RFC 4013 spells it')
    assert.equal(mechanismFor(new Set(['SCRAM-SHA-1']), { user: 'u=,', password: '' }, 'n')?.first, 'n,,n=u=3D=2C,r=n')
  })
})
