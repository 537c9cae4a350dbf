import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Malformed } from '../../../../src/model/errors'
import { isReceipt, readReceipt, remoteId, spellingsByWay } from '../../../../src/networks/sms/receipts'
import { type ShortMessage, TLV } from '../../../../src/networks/sms/smpp/pdu'

const address = { ton: 1, npi: 1, digits: '491701234567' }
const sm = (body: Buffer | string, more: Partial<ShortMessage> = {}): ShortMessage => ({
  source: address, destination: address, esmClass: 4, dataCoding: 0, registeredDelivery: 0,
  body: Buffer.from(body as string), tlvs: new Map(), ...more
})
const DATES = 'submit date:2611220101 done date:261122010203'

describe('delivery receipts', () => {
  const same = { id: '0123ABC', state: 'DELIVRD', outcome: 'delivered' }
  for (const [name, message, done] of [
    ['appendix B', sm(`id:0123ABC sub:001 dlvrd:001 ${DATES} stat:DELIVRD err:000 text:Hallo`), '261122010203'],
    ['without text', sm(`id:0123ABC sub:001 dlvrd:001 ${DATES} stat:DELIVRD err:000`), '261122010203'],
    ['upper case', sm(`ID:0123ABC SUB:001 DLVRD:001 ${DATES.toUpperCase()} STAT:DELIVRD ERR:000 TEXT:HALLO`), '261122010203'],
    ['few fields', sm('stat:DELIVRD id:0123ABC'), ''],
    ['UCS-2', sm(Buffer.from('id:0123ABC stat:DELIVRD err:000', 'utf16le').swap16(), { dataCoding: 8 }), ''],
    ['ASCII labelled UCS-2', sm('id:0123ABC stat:DELIVRD', { dataCoding: 8 }), ''],
    ['a liar in the text', sm('id:0123ABC stat:DELIVRD text:id:9 stat:REJECTD'), ''],
    ['parameters', sm('', { tlvs: new Map([[TLV.receiptedMessageId, Buffer.from('0123ABC\0')], [TLV.messageState, Buffer.from([2])]]) }), ''],
    ['in message_payload', sm('', { tlvs: new Map([[TLV.payload, Buffer.from('id:0123ABC stat:DELIVRD')]]) }), '']
  ] as const) it(`reads ${name}`, () => {
    assert.deepEqual(readReceipt(message), { ...same, where: name === 'parameters' ? 'parameter' : 'text', done })
  })

  it('tells what failed from what is undecided', () => {
    const state = (stat: string, err = '045') => readReceipt(sm(`id:1 stat:${stat} err:${err}`))
    for (const stat of ['EXPIRED', 'DELETED', 'UNDELIV', 'REJECTD', 'FAILED']) assert.deepEqual(
      [state(stat).outcome, state(stat).detail], ['failed', `${stat} (error 045)`])
    for (const stat of ['ENROUTE', 'ACCEPTD', 'UNKNOWN', 'BUFFERED']) assert.equal(state(stat).outcome, undefined)
    assert.equal(state('UNDELIV', '000').detail, 'UNDELIV')
  })

  it('is what the gateway marks as one, not what looks like one', () => {
    assert.deepEqual([4, 8, 0x20, 0x44].map(esmClass => isReceipt(sm('', { esmClass }))), [true, true, true, true])
    assert.equal(isReceipt(sm('id:1 stat:DELIVRD', { esmClass: 0 })), false)
    assert.equal(isReceipt(sm('Hallo', { esmClass: 0, tlvs: new Map([[TLV.receiptedMessageId, Buffer.from('1')]]) })), false)
  })

  it('reads anything or says that it cannot', () => fc.assert(fc.property(fc.uint8Array(), octets => {
    try { readReceipt(sm(Buffer.from(octets))) } catch (error) { assert(error instanceof Malformed) }
  })))
})

describe('message ids', () => {
  const spellings = (gateway: string, id: string): string[] => [...new Set(spellingsByWay(gateway, id).values())]
  const meets = (given: string, received: string): boolean => spellings('g', received).includes(remoteId('g', given)!)

  it('meet in every pair of spellings', () => fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n }), id => {
    const hex = id.toString(16)
    const written = [String(id), String(id).padStart(20, '0'), hex, hex.toUpperCase(), hex.toUpperCase().padStart(16, '0')]
    for (const received of written) assert(meets(String(id), received), received)
    for (const received of [String(id), id.toString(16)]) assert(meets(id.toString(16).padStart(16, '0'), received))
  })))

  it('are opaque where they are no numbers', () => {
    assert(meets('8D3F2A00-1111-4222-8333-444455556666', '8d3f2a00-1111-4222-8333-444455556666'))
    assert(meets('aXz-09', 'aXz-09'))
    assert(!meets('aXz-09', 'axz-09'))
    assert(!meets('12', '13'))
    assert.equal(remoteId('g', ' '), undefined)
  })

  it('of two gateways never meet', () => { assert(!spellings('a', '1').includes(remoteId('b', '1')!)) })

  it('have the spelling that needs no guess first', () => { assert.deepEqual(spellings('g', '0010'), ['g:10', 'g:a', 'g:16']) })
})
