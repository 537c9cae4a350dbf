import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Malformed, Refused } from '../../../../../src/model/errors'
import { decodePdu, encodePdu, makeFramer, type Pdu, PDU_BYTES_MAX, SEQUENCE_MAX } from '../../../../../src/networks/sms/smpp/pdu'
import { slowness } from '../../../../support/linear'

const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> => fc.record(model, { noNullPrototype: true })
const text = (most: number) => fc.string({ unit: fc.integer({ min: 1, max: 255 }).map(code => String.fromCharCode(code)), maxLength: most })
const octet = fc.integer({ min: 0, max: 255 })
const octets = (most: number) => fc.uint8Array({ maxLength: most }).map(bytes => Buffer.from(bytes))
const address = record({ ton: octet, npi: octet, digits: text(20) })
const message = record({
  name: fc.constantFrom('submit_sm' as const, 'deliver_sm' as const), source: address, destination: address, esmClass: octet, dataCoding: octet,
  registeredDelivery: octet, body: octets(254),
  tlvs: fc.array(fc.tuple(fc.integer({ min: 0, max: 65535 }), octets(300)), { maxLength: 4 }).map(pairs => new Map(pairs))
})
const body = fc.oneof(
  message,
  record({
    name: fc.constantFrom('bind_receiver' as const, 'bind_transmitter' as const, 'bind_transceiver' as const),
    systemId: text(15), password: text(20), systemType: text(12)
  }),
  record({ name: fc.constantFrom('bind_receiver_resp' as const, 'bind_transceiver_resp' as const), systemId: text(15) }),
  record({ name: fc.constantFrom('submit_sm_resp' as const, 'deliver_sm_resp' as const), messageId: text(64) }),
  record({
    name: fc.constantFrom('generic_nack' as const, 'unbind' as const, 'unbind_resp' as const, 'enquire_link' as const, 'enquire_link_resp' as const)
  }))
const pdu: fc.Arbitrary<Pdu> = fc.tuple(body, fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 1, max: SEQUENCE_MAX }))
  .map(([given, status, sequence]) => ({ ...given, status, sequence }))

describe('SMPP PDUs', () => {
  const chunks = fc.array(fc.integer({ min: 1, max: 50 }))
  it('reads what it writes, under any chunking', () => fc.assert(fc.property(fc.array(pdu, { maxLength: 5 }), chunks, (pdus, cuts) => {
    const all = Buffer.concat(pdus.map(encodePdu))
    const framer = makeFramer()
    const read: (Pdu | undefined)[] = []
    let at = 0
    for (const cut of [...cuts, all.length]) {
      read.push(...framer(all.subarray(at, at + cut)).map(decodePdu))
      at = Math.min(at + cut, all.length)
    }
    assert.deepEqual(read, pdus)
  })))

  const commands = fc.constantFrom(1, 2, 4, 5, 9, 0x15, 0x80000004, 0x80000009, 0x103)
  it('throws nothing but Malformed, whatever comes', () => fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), commands, (bytes, command) => {
    const frame = Buffer.concat([Buffer.alloc(16), bytes])
    frame.writeUInt32BE(frame.length)
    frame.writeUInt32BE(command, 4)
    try { decodePdu(frame) } catch (error) { assert(error instanceof Malformed) }
  }), { numRuns: 500 }))

  it('reads no cut PDU as a whole one', () => {
    const whole = encodePdu({
      name: 'deliver_sm', status: 0, sequence: 1, source: { ton: 1, npi: 1, digits: '49170' },
      destination: { ton: 1, npi: 1, digits: '4930' }, esmClass: 0, dataCoding: 0, registeredDelivery: 0, body: Buffer.from('Hallo'), tlvs: new Map()
    })
    for (let cut = 16; cut < whole.length; cut++) assert.throws(() => decodePdu(whole.subarray(0, cut)), Malformed)
  })

  it('takes the longest frame octet by octet, in a time that grows with its length', async () => {
    assert.equal(await slowness(times => {
      const frame = Buffer.alloc(PDU_BYTES_MAX * times / 4)
      frame.writeUInt32BE(frame.length)
      const framer = makeFramer()
      assert.deepEqual(Array.from(frame, (_, at) => framer(frame.subarray(at, at + 1))).flat(), [frame])
    }), undefined)
  })

  it('gives up a stream whose frame length cannot be', () => {
    for (const length of [0, 4, 8, 15, PDU_BYTES_MAX + 1, 2 ** 31, 2 ** 32 - 1]) {
      const head = Buffer.alloc(4)
      head.writeUInt32BE(length)
      assert.throws(() => makeFramer()(head), Malformed, String(length))
    }
  })

  it('takes answers without a body', () => {
    const answer = decodePdu(Buffer.from('00000010800000040000005800000007', 'hex'))
    assert.deepEqual(answer, { name: 'submit_sm_resp', status: 0x58, sequence: 7, messageId: '' })
  })

  it('refuses to write what does not fit', () => {
    assert.throws(() => encodePdu({ name: 'submit_sm_resp', status: 0, sequence: 1, messageId: 'x'.repeat(65) }), Refused)
    assert.throws(() => encodePdu({ name: 'submit_sm_resp', status: 0, sequence: 1, messageId: 'a\0b' }), Refused)
  })
})
