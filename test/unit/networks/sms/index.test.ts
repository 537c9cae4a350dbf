/** The SMS network over real TCP against the simulator: what gateway and doors promise about messages and receipts. */
import assert from 'node:assert/strict'
import type { ReceiptShape } from '../../../../sandbox/smsc'
import { Refused, Unavailable } from '../../../../src/model/errors'
import type { Arrival, MessageArrival } from '../../../../src/model/message'
import { quickClock } from '../../../support/quick'
import { connect, MAX, OURS, stage, waitFor } from '../../../support/sms'
import { makeMemory } from '../../../support/world'

describe('SMS over SMPP, against the simulator', () => {
  const { ends, simulate, bound } = stage()

  it('sends and gets the receipt of each part', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc)
    const text = 'Grüße 😀 '.repeat(20)
    const { ids } = await ours.send(text)
    const message = await smsc.phone(MAX).next(() => true)
    assert.deepEqual([message.from, message.text, message.parts], [OURS, text, 3])
    assert.equal(ids.length, 3)
    await ours.inbox.until('receipts', () => ours.receipts().length === 3)
    assert(ids.every(id => ours.receipts().some(receipt => receipt.of[0] === id)))
    assert.deepEqual([ours.receipts()[0]!.outcome, ours.receipts()[0]!.place.id], ['delivered', `${OURS}/${MAX}`])
  })

  for (const form of ['udh', 'sar', 'payload'] as const) {
    it(`carries long texts both ways as ${form}, parts in any order`, async () => {
      const smsc = await simulate()
      const ours = await bound(smsc, { longMessages: form })
      const text = 'Ein langer Text mit €, {Klammern} und ü. '.repeat(12)
      await ours.send(text)
      assert.equal((await smsc.phone(MAX).next(() => true)).text, text)
      await smsc.phone(MAX).type({ text, form, ...form !== 'payload' && { order: [3, 1, 4, 2] } })
      await ours.inbox.until('the message', () => ours.texts().length === 1)
      assert.deepEqual(ours.texts(), [text])
    })
  }

  it('shows who wrote where, with the number masked', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc)
    await smsc.phone(MAX).type({ text: 'Hallo', to: OURS })
    const [arrival] = ours.inbox.arrivals as MessageArrival[]
    assert.deepEqual([arrival?.place, arrival?.sender.id, arrival?.direct], [{ network: 'sms', id: `${OURS}/${MAX}` }, MAX, true])
    assert.match(arrival!.sender.name, /^\+49.*…67$/)
  })

  it('reads receipts in every shape as of the id that was given', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc)
    for (const shape of ['text', 'upper', 'noText', 'ucs2', 'tlv', 'hex', 'unpadded'] as ReceiptShape[]) {
      smsc.faults.receiptShape = shape
      const { ids } = await ours.send('Hallo', `k-${shape}`)
      await ours.inbox.until(`a receipt as ${shape}`, () => ours.receipts().some(receipt => receipt.of.includes(ids[0]!)))
    }
    smsc.faults.receiptState = 'EXPIRED'
    await ours.send('Hallo', 'k-expired')
    await ours.inbox.until('failed', () => ours.receipts().some(receipt => receipt.outcome === 'failed' && receipt.detail === 'EXPIRED (error 045)'))
    smsc.faults.receiptState = 'ENROUTE'
    await ours.send('Hallo', 'k-enroute')
    assert.equal(ours.receipts().length, 8)
  })

  it('takes a receipt that comes before the answer', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc)
    smsc.faults.receiptBeforeResp = 1
    const { ids } = await ours.send('Hallo')
    await ours.inbox.until('the receipt', () => ours.receipts().length === 1)
    assert(ours.receipts()[0]!.of.includes(ids[0]!))
  })

  it('sends the same words said twice as two, but a redelivery after a lost answer as one', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc)
    const phone = smsc.phone(MAX)
    await phone.type({ text: 'ok', to: OURS })
    await phone.type({ text: 'ok', to: OURS })
    assert.equal(ours.texts().length, 2)
    smsc.faults.dropBeforeDeliverResp = 1
    await phone.type({ text: 'gleich', to: OURS })
    assert.deepEqual(ours.texts(), ['ok', 'ok', 'gleich'])
    assert.equal(smsc.counts.binds, 2)
  })

  for (const text of ['x'.repeat(400), 'kurz']) {
    it(`recognises what comes again after a crash between commit and answer (${text.length} characters)`, async () => {
      const smsc = await simulate()
      const facts = new Map<string, string>()
      const first = await bound(smsc, {}, makeMemory(facts))
      const accept = first.inbox.accept
      let atCrash: Map<string, string> | undefined
      first.inbox.accept = async arrival => {
        await accept(arrival)
        atCrash = new Map(facts)
        smsc.dropConnections()
        throw new Unavailable('crashed')
      }
      const typed = smsc.phone(MAX).type({ text, to: OURS })
      await first.inbox.until('stored', () => first.texts().length === 1)
      await first.sms.stop()
      const second = connect(smsc, {}, makeMemory(atCrash))
      ends.push(second.sms.stop)
      const answers: string[] = []
      second.inbox.accept = async arrival => { // the journal outlives the process
        answers.push(await accept(arrival))
        return 'seen'
      }
      await second.start()
      await typed
      assert.deepEqual([first.texts().length, answers], [1, ['seen']])
    })
  }

  it('takes the same words for new ones over a reconnect, once the gateway has proved that it read our answer', async () => {
    const smsc = await simulate()
    const facts = new Map<string, string>()
    const ours = await bound(smsc, {}, makeMemory(facts), quickClock(20))
    await smsc.phone(MAX).type({ text: 'ok', to: OURS })
    await waitFor(() => facts.get('unconfirmed main') === '[]')
    smsc.dropConnections()
    await smsc.phone(MAX).type({ text: 'ok', to: OURS })
    assert.deepEqual(ours.texts(), ['ok', 'ok'])
  })

  it('takes what comes again on the same connection for the same only after a slow answer', async () => {
    const smsc = await simulate({ answerMs: 100 })
    const ours = await bound(smsc, {}, makeMemory(), quickClock(100))
    const accept = ours.inbox.accept
    let slow = true
    ours.inbox.accept = async arrival => {
      const answer = await accept(arrival)
      if (slow) await new Promise(resolve => setTimeout(resolve, 150))
      slow = false
      return answer
    }
    await smsc.phone(MAX).type({ text: 'ok', to: OURS })
    assert.deepEqual([ours.texts(), smsc.counts.delivers], [['ok'], 2])
  })

  it('keeps the order of a sender, long and short', async () => {
    const smsc = await simulate()
    const slow = makeMemory()
    const ours = await bound(smsc, {}, { ...slow, set: async (key, value) => { await new Promise(setImmediate); await slow.set(key, value) } })
    const texts = ['eins', 'z'.repeat(400), 'drei', 'v'.repeat(200), 'fünf']
    await Promise.all(texts.map(text => smsc.phone(MAX).type({ text, to: OURS })))
    assert.deepEqual(ours.texts(), texts)
  })

  it('loses, doubles and turns round nothing when links break in the middle of 300', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc, {}, makeMemory(), quickClock(10))
    const texts = Array.from({ length: 300 }, (_, index) => index % 10 === 0 ? `${index} ${'lang '.repeat(40)}` : index % 7 === 0 ? 'ja' : `${index}`)
    const accept = ours.inbox.accept
    ours.inbox.accept = async arrival => {
      const answer = await accept(arrival)
      if (ours.texts().length % 70 === 0 && answer === 'stored') smsc.dropConnections()
      return answer
    }
    await Promise.all(texts.map(text => smsc.phone(MAX).type({ text, to: OURS })))
    assert.deepEqual(ours.texts(), texts)
    assert(smsc.counts.binds >= 5)
  })

  it('answers no when nothing can be stored, and gets it again', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc)
    ours.inbox.refusing = new Unavailable('full')
    const typed = smsc.phone(MAX).type({ text: 'y'.repeat(300), to: OURS })
    const single = smsc.phone(MAX).type({ text: 'kurz', to: OURS })
    await waitFor(() => smsc.counts.answers.filter(status => status === 0x64).length >= 2)
    ours.inbox.refusing = undefined
    await Promise.all([typed, single])
    assert.deepEqual(ours.texts().sort(), ['kurz', 'y'.repeat(300)])
  })

  it('hands on what stays incomplete, marked', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc, {}, makeMemory(), quickClock(5000))
    await smsc.phone(MAX).type({ text: 'a'.repeat(153) + 'b'.repeat(153) + 'c', to: OURS, order: [1, 3] })
    await ours.inbox.until('the rest', () => ours.texts().length === 1)
    assert.equal(ours.texts()[0], 'a'.repeat(153) + '[…]c\n(SMS incomplete: part 1, 3 of 3)')
  })

  it('joins parts that lie in memory over a restart', async () => {
    const smsc = await simulate()
    const facts = new Map<string, string>()
    const first = await bound(smsc, {}, makeMemory(facts))
    const text = 'd'.repeat(153) + 'e'.repeat(153) + 'f'
    const phone = smsc.phone(MAX)
    await phone.type({ text, to: OURS, order: [2, 1] })
    await first.sms.stop()
    const second = await bound(smsc, {}, makeMemory(facts))
    await smsc.deliver({
      source: { ton: 1, npi: 1, digits: MAX.slice(1) }, destination: { ton: 1, npi: 1, digits: OURS.slice(1) }, esmClass: 0x40, dataCoding: 0,
      registeredDelivery: 0, body: Buffer.concat([Buffer.from([5, 0, 3, 1, 3, 3]), Buffer.from('f')]), tlvs: new Map()
    })
    assert.deepEqual([first.texts(), second.texts()], [[], [text]])
  })

  it('quarantines what is no text, and acknowledges it', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc)
    const sm = {
      source: { ton: 1, npi: 1, digits: MAX.slice(1) }, destination: { ton: 1, npi: 1, digits: OURS.slice(1) }, registeredDelivery: 0, tlvs: new Map()
    }
    await smsc.deliver({ ...sm, esmClass: 0, dataCoding: 4, body: Buffer.from([1, 2, 3]) })
    await smsc.deliver({ ...sm, esmClass: 0x40, dataCoding: 0, body: Buffer.from([200, 0]) })
    await smsc.deliver({ ...sm, esmClass: 4, dataCoding: 0, body: Buffer.from('no receipt at all') })
    assert.equal(ours.inbox.quarantined.length, 3)
    smsc.rawBytes(Buffer.from('000000180000000500000000000000f1ffffffffffffffff', 'hex')) // deliver_sm without its strings' ends
    await ours.inbox.until('the fourth', () => ours.inbox.quarantined.length === 4)
    assert.equal(smsc.bound, 1)
  })

  it('believes nobody who writes under a number of ours: an answer would come back to us as their next message', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc)
    await smsc.phone(OURS).type({ text: 'Hallo', to: OURS })
    assert.deepEqual([ours.texts(), ours.inbox.quarantined.length], [[], 1])
    await smsc.phone(MAX).type({ text: 'Hallo', to: OURS })
    assert.deepEqual(ours.texts(), ['Hallo'])
  })

  it('masks one-time codes before anybody has them, unless the config says otherwise', async () => {
    const smsc = await simulate()
    const text = 'Your login code: 12-34-56'
    const another = await simulate()
    const masking = await bound(smsc, {}, makeMemory(), undefined, { codesMs: 600_000 })
    const open = await bound(another)
    const said: [Arrival, string | undefined][] = []
    const { accept } = masking.inbox
    masking.inbox.accept = (arrival, unmasked) => { said.push([arrival, unmasked]); return accept(arrival) }
    await smsc.phone(MAX).type({ text, to: OURS })
    await smsc.phone(MAX).type({ text: 'Liked “Your login code: 12-34-56”', to: OURS })
    await smsc.phone(OURS).type({ text, to: OURS })
    await another.phone(MAX).type({ text, to: OURS })
    assert.deepEqual(open.texts(), [text])
    assert.deepEqual(masking.texts(), ['Your login code: ••••••', 'Liked “Your login code: 12-34-56”'])
    assert.deepEqual(said.map(([arrival, unmasked]) => ['masked' in arrival && arrival.masked, unmasked]), [[600_000, text], [false, undefined]])
    assert.doesNotMatch(JSON.stringify([said[0]![0], masking.inbox.quarantined]), /12-34-56/)
  })

  it('refuses what is too long, cannot be answered, or was refused for good', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc)
    await assert.rejects(ours.send('z'.repeat(1531)), Refused)
    await assert.rejects(ours.send('Hallo', 'k', 'alpha:DHL'), Refused)
    await assert.rejects(ours.send('Hallo', 'k', 'short:116117'), Refused)
    assert.equal(smsc.counts.submits, 0)
    smsc.faults.refuse = { status: 0x0b, times: 1 }
    await assert.rejects(ours.send('Hallo'), (error: Error) => error instanceof Refused && /destination number.*0x0B/.test(error.message))
    smsc.faults.refuse = { status: 0x08, times: 1 }
    await assert.rejects(ours.send('Hallo'), (error: unknown) => error instanceof Unavailable && !error.unknown && !error.disconnected)
  })

  it('goes on behind the part that was taken', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc, { perSecond: 20 })
    const text = 'g'.repeat(400)
    const sent = ours.send(text)
    await waitFor(() => smsc.counts.submits === 1)
    smsc.faults.throttle = 1
    await assert.rejects(sent, (error: unknown) => error instanceof Unavailable && (error.retryAfterMs ?? 0) > 0)
    const { ids } = await ours.send(text)
    assert.equal(ids.length, 3)
    assert.equal((await smsc.phone(MAX).next(() => true)).text, text)
    assert.equal(smsc.counts.submits, 3)
  })

  it('leaves out ids that are empty', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc)
    smsc.faults.emptyId = 1
    assert.deepEqual(await ours.send('Hallo'), { ids: [], parts: 1 })
  })
})
