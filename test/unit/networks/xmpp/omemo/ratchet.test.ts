/** Vectors of python-oldmemo (test/support/omemo/vectors.py), bit for bit, and what must hold whatever is said in which order. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { checkout } from '../../../../../sandbox/servers/process'
import { Malformed } from '../../../../../src/model/errors'
import { type Fresh, identityOf, pairOf, verify } from '../../../../../src/networks/xmpp/omemo/keys'
import { answer, begin, type Bundle, open, seal, type Session, wasOpened, type Wire } from '../../../../../src/networks/xmpp/omemo/ratchet'
import { keyBytes, keyIn, readPreKeyMessage } from '../../../../../src/networks/xmpp/omemo/wire'
import { party } from '../../../../support/omemo/parties'

interface Keys { seed: string; identity: string; signed: { id: number, priv: string, signature: string }; one: { id: number, priv: string } }
interface Step { does: 'says' | 'hears'; who: 'a' | 'b'; drawn: string[]; secret: string; wire: string; prekey: boolean; number: number }
interface Story { a: Keys; b: Keys; steps: Step[] }

const stories = JSON.parse(readFileSync(join(checkout, 'test/support/omemo/vectors.json'), 'utf8')) as Story[]
const hex = (text: string): Buffer => Buffer.from(text, 'hex')

/** Draws just these. */
const given = (drawn: string[]): Fresh => {
  const left = drawn.map(hex)
  return () => left.shift()!
}

const messageIn = ({ prekey, bytes }: Wire): Buffer => prekey ? readPreKeyMessage(bytes).message : bytes

/** Two in a session, the first message of which is heard. */
const couple = () => {
  const [anna, bernd] = [party('anna'), party('bernd')]
  const begun = begin(anna.me, bernd.bundle, bernd.bundle.ones[0], anna.fresh)
  const first = seal(anna.me, begun, Buffer.from('first'))
  const answered = answer(bernd.me, readPreKeyMessage(first.wire.bytes), bernd.signed, bernd.one)
  const heard = open(bernd.me, answered, messageIn(first.wire), bernd.fresh)
  return { anna, bernd, of: { anna: first.session, bernd: heard.session } as Record<'anna' | 'bernd', Session>, first }
}

describe('the ratchet', () => {
  stories.forEach(({ a, b, steps }, index) => {
    it(`says and hears what python-oldmemo does, bit for bit: story ${index}`, () => {
      const keys = { a, b }
      const sessions: Partial<Record<'a' | 'b', Session>> = {}
      const [me, them] = [identityOf(hex(a.seed)), identityOf(hex(b.seed))]
      const bundle: Bundle = {
        identity: keyIn(Buffer.from(b.identity, 'base64')), ones: [{ id: b.one.id, pub: pairOf(hex(b.one.priv)).pub }],
        signed: { id: b.signed.id, pub: pairOf(hex(b.signed.priv)).pub, signature: Buffer.from(b.signed.signature, 'base64') }
      }
      assert.deepEqual([me.pub, them.pub], [keyIn(Buffer.from(a.identity, 'base64')), bundle.identity])
      assert.ok(verify(bundle.identity, keyBytes(bundle.signed.pub), bundle.signed.signature))
      for (const { does, who, drawn, ...step } of steps) {
        const own = identityOf(hex(keys[who].seed))
        const fresh = given(drawn)
        if (does === 'says') {
          const session = sessions[who] ?? begin(own, bundle, bundle.ones[0], fresh)
          const said = seal(own, session, hex(step.secret))
          assert.deepEqual([said.wire.prekey, said.wire.bytes.toString('hex')], [step.prekey, step.wire])
          sessions[who] = said.session
        } else {
          const said = steps[step.number]!
          const wire = { prekey: said.prekey, bytes: hex(said.wire) }
          const session = sessions[who] ?? answer(own, readPreKeyMessage(wire.bytes), pairOf(hex(b.signed.priv)), pairOf(hex(b.one.priv)))
          const heard = open(own, session, messageIn(wire), fresh)
          assert.equal(heard.data.toString('hex'), said.secret)
          sessions[who] = heard.session
        }
      }
    })
  })

  it('opens each message once, in whatever order, and a message that was changed never', () => {
    const step = fc.record({ by: fc.constantFrom('anna' as const, 'bernd' as const), hears: fc.nat(5), flip: fc.nat(400) })
    const plan = fc.array(step, { maxLength: 60 })
    fc.assert(fc.property(plan, steps => {
      const { anna, bernd, of } = couple()
      const who = { anna, bernd }
      const under: { to: 'anna' | 'bernd', text: string, wire: Wire }[] = []
      const hear = (at: number): void => {
        const [{ to, text, wire }] = under.splice(at, 1) as [typeof under[number]]
        const opened = open(who[to].me, of[to], messageIn(wire), who[to].fresh)
        assert.equal(opened.data.toString(), text)
        of[to] = opened.session
        assert.ok(wasOpened(of[to], messageIn(wire)))
        assert.throws(() => open(who[to].me, of[to], messageIn(wire), who[to].fresh), Malformed)
      }
      steps.forEach(({ by, hears, flip }, index) => {
        const said = seal(who[by].me, of[by], Buffer.from(`text ${index}`))
        of[by] = said.session
        const to = by === 'anna' ? 'bernd' : 'anna'
        under.push({ to, text: `text ${index}`, wire: said.wire })
        const forged = Buffer.from(messageIn(said.wire))
        forged[flip % forged.length]! ^= 1
        const before = structuredClone(of[to])
        assert.throws(() => open(who[to].me, of[to], forged, who[to].fresh), Malformed)
        assert.deepEqual(structuredClone(of[to]), before)
        if (hears < under.length) hear(hears)
      })
      while (under.length > 0) hear(under.length - 1)
    }), { numRuns: 25 })
  })

  it('begins with nobody whose key is not signed by them', () => {
    const [anna, bernd, eve] = [party('anna'), party('bernd'), party('eve')]
    const { signed } = bernd.bundle
    for (const bundle of [
      { ...bernd.bundle, identity: eve.bundle.identity }, { ...bernd.bundle, signed: { ...signed, pub: eve.bundle.signed.pub } },
      { ...bernd.bundle, signed: { ...signed, signature: eve.bundle.signed.signature } }
    ]) assert.throws(() => begin(anna.me, bundle, undefined, anna.fresh), /the signature of a key is wrong/)
  })

  it('begins without a one-time key too, and brings what it begins with until it is answered', () => {
    const [anna, bernd] = [party('anna'), party('bernd')]
    const first = seal(anna.me, begin(anna.me, { ...bernd.bundle, ones: [] }, undefined, anna.fresh), Buffer.from('one'))
    const second = seal(anna.me, first.session, Buffer.from('two'))
    assert.ok(first.wire.prekey && second.wire.prekey)
    assert.equal(readPreKeyMessage(second.wire.bytes).one, undefined)
    const heard = open(bernd.me, answer(bernd.me, readPreKeyMessage(second.wire.bytes), bernd.signed, undefined), messageIn(second.wire), bernd.fresh)
    const reply = seal(bernd.me, heard.session, Buffer.from('three'))
    assert.ok(!reply.wire.prekey)
    const back = open(anna.me, second.session, reply.wire.bytes, anna.fresh)
    assert.ok(!seal(anna.me, back.session, Buffer.from('four')).wire.prekey)
    assert.equal(open(bernd.me, reply.session, messageIn(first.wire), bernd.fresh).data.toString(), 'one')
  })

  it('keeps the keys of 1000 messages that did not come, and passes over 2000 at most', () => {
    const { anna, bernd, of } = couple()
    let saying = of.anna
    const wires: Wire[] = []
    for (let i = 0; i < 2_101; i++) {
      const said = seal(anna.me, saying, Buffer.from(String(i)))
      saying = said.session
      wires.push(said.wire)
    }
    const hears = (session: Session, at: number) => open(bernd.me, session, messageIn(wires[at]!), bernd.fresh)
    assert.throws(() => hears(of.bernd, 2_100), /too many/)
    const { session } = hears(of.bernd, 1_500)
    assert.equal(session.skipped.size, 1_000)
    assert.equal(hears(session, 500).data.toString(), '500')
    assert.throws(() => hears(session, 499), Malformed)
  })

  it('has nothing to say before it has heard something in a session that others began', () => {
    const { bernd, first } = couple()
    const answered = answer(bernd.me, readPreKeyMessage(first.wire.bytes), bernd.signed, bernd.one)
    assert.throws(() => seal(bernd.me, answered, Buffer.from('x')), /nothing has been heard/)
  })
})
