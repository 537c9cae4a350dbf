import assert from 'node:assert/strict'
import { Refused, Unavailable } from '../../../../src/model/errors'
import { SPENDING_CONNECTION } from '../../../../src/networks/sms/spending'
import { skippingClock } from '../../../support/quick'
import { SPENDING, stage } from '../../../support/sms'
import { makeMemory } from '../../../support/world'

const DAY_MS = 86_400_000
const waits = (error: unknown): boolean => error instanceof Unavailable && error.disconnected && !error.unknown
const refused = (error: unknown): boolean => error instanceof Refused
const numberOf = (index: number): string => `+49170${1000000 + index}`

describe('what SMS may cost', () => {
  const { simulate, bound } = stage()

  it('nothing goes to countries that are not allowed, to satellites, or to numbers at a premium', async () => {
    const smsc = await simulate()
    const { send } = await bound(smsc, {}, makeMemory(), undefined, { spending: { ...SPENDING, countries: ['DE', 'GB'] } })
    for (const [what, to] of [
      ['Austria', '+436641234567'], ['Jersey, which shares the code of Great Britain', '+447797712345'], ['Jamaica', '+18762101234'],
      ['a satellite', '+881612345678'], ['an international network', '+88213123456'], ['a premium number', '+499001234567'],
      ['shared costs', '+491371234567'], ['nobody', '+2991']
    ] as const) await assert.rejects(send('text', what, to), refused, what)
    assert.equal(smsc.counts.submits, 0)
    await send('text', 'k1', '+447400123456')
    await send('text', 'k2', '+491701234567')
    assert.equal(smsc.counts.submits, 2)
  })

  it('an attack from a thousand numbers costs no more than a day may, over a restart too, and the operator sees it', async () => {
    const smsc = await simulate()
    const clock = skippingClock()
    const memory = makeMemory()
    const spending = { spending: { ...SPENDING, partsPerDay: 100 } }
    const first = await bound(smsc, {}, memory, clock, spending)
    const ask = async (at: typeof first, from: number, to: number): Promise<number> => {
      let sent = 0
      for (let n = from; n < to; n++) {
        await at.send('greeting', `k${n}`, numberOf(n)).then(() => { sent++ }, (error: unknown) => assert.ok(waits(error)))
      }
      return sent
    }
    assert.equal(await ask(first, 0, 60), 60)
    await first.sms.stop()
    const second = await bound(smsc, {}, memory, clock, spending)
    assert.equal(second.inbox.connections.get(SPENDING_CONNECTION), true)
    assert.equal(await ask(second, 60, 1000), 40)
    assert.equal(smsc.counts.submits, 100)
    assert.equal(second.inbox.connections.get(SPENDING_CONNECTION), false)
    assert.match(String(second.details.at(-1)), /100 parts .* sms\.parts_per_day/)
    clock.skip(DAY_MS)
    assert.equal(second.inbox.connections.get(SPENDING_CONNECTION), true)
    assert.equal(await ask(second, 1000, 1010), 10)
  })

  it('counts parts, and holds back what is too much for one phone alone', async () => {
    const smsc = await simulate()
    const { send, inbox } = await bound(smsc, {}, makeMemory(), skippingClock(), { spending: { ...SPENDING, partsPerDayToOne: 3 } })
    const [one, other] = [numberOf(1), numberOf(2)]
    await send('long '.repeat(80), 'k1', one) // 400 characters
    await assert.rejects(send('text', 'k2', one), waits)
    await send('text', 'k3', other)
    assert.deepEqual([smsc.counts.submits, inbox.connections.get(SPENDING_CONNECTION)], [4, true])
  })

  it('counts what may have been sent', async () => {
    const smsc = await simulate()
    smsc.faults.noResp = 1
    const { send } = await bound(smsc, {}, makeMemory(), skippingClock(), { spending: { ...SPENDING, partsPerDay: 1 } })
    await assert.rejects(send('text', 'k1', numberOf(1), AbortSignal.timeout(100)), error => error instanceof Unavailable && error.unknown)
    await assert.rejects(send('text', 'k2', numberOf(2)), waits)
    assert.equal(smsc.counts.submits, 1)
  })
})
