import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
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
      const mechanism = mechanismFor({ mechanisms: [name, 'PLAIN'] }, PENCIL, nonce)!
      assert.deepEqual([mechanism.name, mechanism.first], [name, `n,,n=user,r=${nonce}`])
      assert.equal(await mechanism.answer(challenge), answer)
      mechanism.verify(success)
      assert.throws(() => mechanism.verify(success.replace('v=', 'v=A')), Refused)
      assert.throws(() => mechanism.verify(''), Refused)
    })
  }

  it('is given to nobody who has not shown to be the server, or makes us count for ever', async () => {
    const { nonce, challenge } = EXAMPLES['SCRAM-SHA-256']
    const make = () => mechanismFor({ mechanisms: ['SCRAM-SHA-256'] }, PENCIL, nonce)!
    assert.throws(() => make().verify('v=AAAA'), Refused, 'success before any proof')
    for (const bad of ['', challenge.replace('r=', 'r=x'), challenge.replace('4096', '1'), challenge.replace('4096', '999999999'),
      `m=ext,${challenge}`, challenge.replace(/r=[^,]*/, `r=${nonce}`)]) await assert.rejects(make().answer(bad), Refused, bad)
  })

  it('takes the best that is offered, the plain password last, and nothing that we do not know', () => {
    const named = (...offered: string[]): string | undefined => mechanismFor({ mechanisms: offered }, PENCIL, 'n')?.name
    assert.equal(named('PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-512', 'SCRAM-SHA-256-PLUS'), 'SCRAM-SHA-512')
    assert.equal(named('DIGEST-MD5', 'PLAIN'), 'PLAIN')
    assert.equal(named('EXTERNAL'), undefined)
    const spelled = mechanismFor({ mechanisms: ['PLAIN'] }, { user: 'u=,', password: 'a\u00a0b\u00ad' }, 'n')?.first
    assert.equal(spelled, '\0u=,\0a b', 'as RFC 4013 spells it')
    assert.equal(mechanismFor({ mechanisms: ['SCRAM-SHA-1'] }, { user: 'u=,', password: '' }, 'n')?.first, 'n,,n=u=3D=2C,r=n')
  })

  it('is tied to the connection as far as both ends can, and says so where only the server cannot', () => {
    const own = new Map([['tls-exporter', Buffer.from('e')], ['tls-server-end-point', Buffer.from('p')]])
    const begun = (mechanisms: string[], bindings: string[] | undefined, mine = own): string[] => {
      const { name, first } = mechanismFor({ mechanisms, ...bindings && { bindings } }, PENCIL, 'n', mine)!
      return [name, first.split(',')[0]!]
    }
    const BOTH = ['SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256']
    assert.deepEqual(begun(BOTH, ['tls-server-end-point', 'tls-exporter']), ['SCRAM-SHA-1-PLUS', 'p=tls-exporter'])
    assert.deepEqual(begun(BOTH, ['tls-unique', 'tls-server-end-point']), ['SCRAM-SHA-1-PLUS', 'p=tls-server-end-point'])
    assert.deepEqual(begun(BOTH, ['tls-unique']), ['SCRAM-SHA-256', 'n'], 'nothing in common')
    assert.deepEqual(begun(BOTH, undefined), ['SCRAM-SHA-256', 'n'], 'ejabberd 23 and Prosody 0.12 do not say which, and have another')
    assert.deepEqual(begun(BOTH, ['tls-exporter'], new Map()), ['SCRAM-SHA-256', 'n'], 'without TLS')
    assert.deepEqual(begun(['SCRAM-SHA-1', 'PLAIN'], ['tls-exporter']), ['SCRAM-SHA-1', 'y'])
    assert.deepEqual(begun(['SCRAM-SHA-1', 'PLAIN'], undefined), ['SCRAM-SHA-1', 'y'])
  })

  it('signs what the connection is known by', async () => {
    const { nonce, challenge } = EXAMPLES['SCRAM-SHA-256']
    const offer = { mechanisms: ['SCRAM-SHA-256-PLUS'], bindings: ['tls-exporter'] }
    const answerOver = (connection: string) =>
      mechanismFor(offer, PENCIL, nonce, new Map([['tls-exporter', Buffer.from(connection)]]))!.answer(challenge)
    const [one, other] = [await answerOver('here'), await answerOver('elsewhere')]
    assert.equal(Buffer.from(/c=([^,]*)/.exec(one)![1]!, 'base64').toString(), 'p=tls-exporter,,here')
    assert.notEqual(/p=.*$/.exec(one)![0], /p=.*$/.exec(other)![0])
  })

  it('is not given where somebody on the way has changed what the server offers', async () => {
    const offer = { mechanisms: ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-1'], bindings: ['tls-server-end-point', 'tls-exporter'] }
    const { nonce, challenge } = EXAMPLES['SCRAM-SHA-1']
    const answer = (hash: string, changed = {}) => mechanismFor({ ...offer, ...changed }, PENCIL, nonce)!.answer(`${challenge},h=${hash}`)
    const HASH = 'G6k/rBLDqgOhRRaCuuatSDFkJ08=' // of the example in XEP-0474 §5.3
    const BEFORE = createHash('sha1').update('SCRAM-SHA-1,SCRAM-SHA-1-PLUS|tls-exporter,tls-server-end-point').digest('base64')
    for (const hash of [HASH, BEFORE]) {
      assert.match(await answer(hash), /^c=biws,/)
      await assert.rejects(answer(hash, { mechanisms: ['SCRAM-SHA-1'] }), /somebody on the way/)
      await assert.rejects(answer(hash, { bindings: ['tls-server-end-point'] }), /somebody on the way/)
      await assert.rejects(answer(hash, { bindings: undefined }), /somebody on the way/)
    }
    await assert.rejects(answer(BEFORE, { mechanisms: ['SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS|tls-exporter'], bindings: undefined }), /somebody/)
    await assert.rejects(answer(BEFORE, { bindings: ['tls-exporter,tls-server-end-point'] }), /somebody/)
  })
})
