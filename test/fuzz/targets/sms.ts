/** SMS: PDUs on the wire and in a session, receipts, alphabets, long messages in parts. */
import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { Refused } from '../../../src/model/errors'
import { bytesWithin, segment } from '../../../src/networks/sms/segments'
import { decode, type DefaultCharset } from '../../../src/networks/sms/data-coding'
import { type LongForm, readPiece, writePieces } from '../../../src/networks/sms/concatenation'
import { type Joined, makeReassembly } from '../../../src/networks/sms/reassembly'
import { isReceipt, readReceipt, remoteId, spellingsByWay } from '../../../src/networks/sms/receipts'
import { decodePdu, encodePdu, makeFramer, type Pdu, type ShortMessage, TLV } from '../../../src/networks/sms/smpp/pdu'
import { makeWire } from '../../../src/networks/sms/smpp/wire'
import { makeSms } from '../../../src/networks/sms'
import { systemClock } from '../../../src/lib/clock'
import { quickClock } from '../../support/quick'
import { makeMemory, makeWorld } from '../../support/world'
import type { Opened, Target } from '../engine'
import { allowing, anyText, judgingInbox, ODD, orMalformed, textFrom } from '../judges'
import { hashOf, makeRandom } from '../random'
import { SPENDING } from '../../support/sms'

const octets = (maxLength: number): fc.Arbitrary<Buffer> => fc.uint8Array({ maxLength }).map(bytes => Buffer.from(bytes))
const RECEIPT = 'id:0012ab sub:001 dlvrd:001 submit date:2601020304 done date:2601020305 stat:DELIVRD err:000 text:Hallo'
const body = fc.oneof(octets(160), fc.constantFrom(RECEIPT, RECEIPT.toUpperCase(), 'id:5 stat:UNDELIV', 'Grüße').map(text => Buffer.from(text,
  'latin1')),
fc.tuple(fc.constantFrom('0500031e0201', '060804abcd0201', '0003', 'ff', '05000300ff', '0325010124'), octets(20))
  .map(([head, rest]) => Buffer.concat([Buffer.from(head, 'hex'), rest])))
const address = fc.record({ ton: fc.nat(7), npi: fc.nat(20), digits: fc.constantFrom('', '4917012345678', '+4930123456', 'DHL', '0', '\xff') })
const tlvs = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...Object.values(TLV)), fc.nat(0xffff)), octets(12)),
  { maxLength: 4 }).map(all => new Map(all))
const sequence = fc.nat(0x7fffffff)
const message: fc.Arbitrary<Pdu> = fc.record({
  name: fc.constantFrom('submit_sm' as const, 'deliver_sm' as const), status: fc.nat(0xffff), sequence, source: address, destination: address,
  esmClass: fc.constantFrom(0, 4, 0x40, 0x44, 0x3c, 0xff), dataCoding: fc.oneof(fc.constantFrom(0, 1, 3, 4, 8, 0xf0, 0xf4), fc.nat(255)),
  registeredDelivery: fc.nat(255), body, tlvs
})
const bareName = fc.constantFrom('generic_nack' as const, 'unbind_resp' as const, 'enquire_link' as const, 'enquire_link_resp' as const)
const pdu: fc.Arbitrary<Pdu> = fc.oneof({ weight: 4, arbitrary: message }, fc.record({ name: bareName, status: fc.nat(0xff), sequence }),
  fc.record({ name: fc.constantFrom('submit_sm_resp' as const, 'deliver_sm_resp' as const), messageId: fc.string({ maxLength: 70 }),
    status: fc.nat(0xff), sequence }))
const frame = pdu.map(one => { try { return encodePdu(one) } catch { return Buffer.alloc(16) } })
const frames = fc.array(frame, { maxLength: 3 }).map(all => Buffer.concat(all))

const WORDS = ['\0', '\0\0\0\x10', '\0\0\0\x05', '\x80\0\0\0', '\x04\x24', '\0\x1e', '\x04\x27\0\x01\x02', '\x02\x0c', '\x05\0\x03', RECEIPT,
  'id:', 'stat:', '\x1b', '@']

/** A PDU that was read stays the same when it is written and read again; anything else is Malformed, or does not fit. */
const readFrame = (one: Buffer): void => {
  const read = orMalformed(() => decodePdu(one))
  if (read === undefined) return
  const again = allowing([Refused], () => encodePdu(read))
  if (again !== undefined) assert.deepEqual(decodePdu(again), read)
  if (read.name === 'deliver_sm') readMessage(read)
}

const readMessage = (sm: ShortMessage): void => {
  if (isReceipt(sm)) return readReceiptOf(sm)
  const piece = orMalformed(() => readPiece(sm))
  if (piece === undefined) return
  if (piece.part !== undefined) assert.ok(piece.part.seq >= 1 && piece.part.seq <= piece.part.total)
  const text = orMalformed(() => decode(piece.octets, sm.dataCoding, 'gsm7', piece.shifts))
  assert.ok(text === undefined || text.isWellFormed())
}

const readReceiptOf = (sm: ShortMessage): void => {
  const receipt = orMalformed(() => readReceipt(sm))
  if (receipt === undefined) return
  assert.ok(receipt.id !== '' && receipt.state !== '')
  const kept = remoteId('main', receipt.id)
  const named = spellingsByWay('main', receipt.id)
  assert.ok(kept === undefined || named.get('same') === kept, 'our own spelling comes first')
}

const readWire = (input: Buffer): void => {
  const framer = makeFramer()
  const whole = orMalformed(() => makeFramer()(input))
  const random = makeRandom(hashOf(input))
  const got: Buffer[] = []
  for (let at = 0, size = 0; at < input.length; at += size) {
    size = 1 + random.below(20)
    const some = orMalformed(() => framer(input.subarray(at, at + size)))
    if (some === undefined) return assert.equal(whole, undefined)
    got.push(...some)
  }
  if (whole !== undefined) assert.deepEqual(got, whole)
  got.forEach(readFrame)
}

const DLR = ['id:', 'ID:', 'sub:', 'dlvrd:', 'submit date:', 'done date:', 'stat:', 'err:', 'text:', 'Text:', 'DELIVRD', 'UNDELIV', 'ENROUTE', ' ',
  '0', '00ff', '12345678',
  '9'.repeat(50), '-', '\0', '\u0000i\u0000d', '\n', 'A8098C1A-1234-1234-1234-123456789ABC']

/** The first bytes choose the parameters that the receipt has besides its text. */
const receipt = (input: Buffer): void => {
  const [flags = 0, state = 0] = input
  const text = input.subarray(2)
  readReceiptOf({
    source: { ton: 1, npi: 1, digits: '' }, destination: { ton: 1, npi: 1, digits: '' }, esmClass: 4, dataCoding: 0, registeredDelivery: 0,
    body: flags & 1 ? Buffer.alloc(0) : text, tlvs: new Map([
      ...flags & 1 ? [[TLV.payload, text] as const] : [], ...flags & 2 ? [[TLV.messageState, Buffer.from([state])] as const] : [],
      ...flags & 4 ? [[TLV.receiptedMessageId, text.subarray(0, 65)] as const] : []
    ])
  })
}

const ALPHABET = ['@', '€', '[', '^', '\f', 'ä', 'Δ', 'ç', 'ı', '😀', '\u001b', 'abc ', 'é\u0301', ...ODD]
const CHARSETS: DefaultCharset[] = ['gsm7', 'latin1', 'ascii']
const FORMS: LongForm[] = ['udh', 'sar', 'payload']
const OCTETS_MAX = { 0: 160, 8: 140 } as Record<number, number>

/** Text to segments and back, through each long form. */
const segments = (input: Buffer): void => {
  const text = textFrom(input.subarray(1))
  const charset = CHARSETS[(input[0] ?? 0) % 3]!
  const made = segment(text, charset)
  assert.equal(made.texts.join(''), text.toWellFormed())
  for (const [index, part] of made.octets.entries()) {
    assert.ok(part.length <= OCTETS_MAX[made.dataCoding]!, 'too many octets')
    assert.ok(made.texts[index]!.isWellFormed(), 'half a character')
    if (charset === 'gsm7' && made.dataCoding === 0) assert.ok(part.every(septet => septet < 0x80), 'no septet')
  }
  for (const most of [1, 3, 10]) if (Buffer.byteLength(text) <= bytesWithin(most)) assert.ok(made.octets.length <= most,
    'more segments than promised')
  if (made.octets.length > 255) return
  for (const form of FORMS) {
    const carried = writePieces(made.octets, form, 7).map(one => readPiece({ ...one, dataCoding: made.dataCoding } as ShortMessage))
    assert.equal(decode(Buffer.concat(carried.map(({ octets: some }) => some)), made.dataCoding, charset), text.toWellFormed())
    assert.deepEqual(carried.flatMap(({ part }) => part?.seq ?? []), carried.length > 1 ? carried.map((_, index) => index + 1) : [])
  }
}

/** The first bytes are the coding, the shifts and the link's charset. */
const coding = (input: Buffer): void => {
  const [dataCoding = 0, locking = 0, single = 0, charset = 0] = input
  const text = orMalformed(() => decode(input.subarray(4), dataCoding, CHARSETS[charset % 3]!, locking + single > 0 ? { locking: locking % 16,
    single: single % 16 } : undefined))
  assert.ok(text === undefined || text.isWellFormed())
}

const PART_BYTES = 3

/** Three bytes for each part: sender and reference, number and total, content. A byte of 255 restarts the process. */
const parts = async (input: Buffer): Promise<void> => {
  const memory = makeMemory()
  const random = makeRandom(hashOf(input))
  const chance = { fraction: random.fraction, token: () => random.below(2 ** 31).toString(36) }
  const world = { ...makeWorld({ memory, chance }), clock: { ...systemClock, after: () => ({ cancel () {} }) } }
  const keys = new Set<string>()
  const complete = async ({ key, pieces, from }: Joined): Promise<void> => {
    assert.ok(pieces.length > 1 && from !== '')
    if (random.below(8) === 0) throw new Error('cannot be stored now')
    assert.ok(!keys.has(key), 'the same message twice')
    keys.add(key)
  }
  let joiner = makeReassembly('main', world, complete)
  joiner.start()
  for (let at = 0; at + PART_BYTES <= Math.min(input.length, 300); at += PART_BYTES) {
    const [group = 0, which = 0, content = 0] = input.subarray(at)
    if (group === 255) {
      joiner.stop()
      joiner = makeReassembly('main', world, complete)
      joiner.start()
    }
    const total = 2 + (which >> 4) % 4
    const part = { ref: group % 4, total, seq: 1 + (which & 15) % total }
    await joiner.add(`+4917${group % 3}`, '+4930', part, { octets: Buffer.from([content]).toString('base64'), dataCoding: 0 },
      { connection: which >> 6, at: 0, tick: at })
      .catch((error: unknown) => assert.equal((error as Error).message, 'cannot be stored now'))
  }
  joiner.stop()
}

const ASKED = 0x7ffffffe
const ANSWER_MS_MAX = 5000

/** A gateway that says anything at all once it is bound: the link ends, or goes on answering, and breaks nothing else. */
const openSession = async (): Promise<Opened> => {
  let ready: (socket: Socket) => void = () => {}
  let next = new Promise<Socket>(resolve => { ready = resolve })
  const server = createServer(socket => {
    socket.on('error', () => {})
    const wire = makeWire(socket, systemClock, {
      request ({ name, sequence: number }) {
        if (!name.startsWith('bind_')) return
        wire.answer(number, { name: 'bind_transceiver_resp', systemId: 'fuzz' })
        ready(socket)
      },
      malformed () {}, closed () {}
    })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  const gateway = { name: 'main', kind: 'smpp' as const, host: '127.0.0.1', port, systemId: 'zentrale', password: 'secret', numbers: ['+4930123456'] }
  const clock = { ...quickClock(1000), tick: () => systemClock.tick() * 1_000_000 } // so that each link counts as a lasting one
  const sms = makeSms({ gateways: [gateway], spending: SPENDING }, makeWorld({ clock }))
  await sms.start(judgingInbox())
  return {
    async run (input) {
      const socket = await next
      next = new Promise(resolve => { ready = resolve })
      const question = encodePdu({ name: 'enquire_link', status: 0, sequence: ASKED })
      await new Promise<void>((resolve, reject) => {
        const limit = setTimeout(() => reject(new Error('neither an answer nor an end')), ANSWER_MS_MAX)
        const over = (): void => { clearTimeout(limit); socket.destroy(); resolve() }
        socket.on('data', chunk => { if (chunk.includes(question.subarray(12))) over() })
        socket.on('close', over)
        socket.write(Buffer.concat([input, question]))
        socket.end()
      })
    },
    async close () {
      await sms.stop()
      server.close()
    }
  }
}

const bytesOf = (text: string): fc.Arbitrary<Buffer> => fc.constant(Buffer.from(text, 'latin1'))

export const smsTargets: Target[] = [
  { name: 'smpp', words: WORDS, generate: frames, open: () => ({ run: readWire }) },
  { name: 'smpp-session', words: WORDS, generate: frames, open: openSession, untimed: true },
  { name: 'receipts', words: DLR, generate: fc.tuple(octets(2), fc.oneof(bytesOf(RECEIPT), anyText(DLR,
    12).map(text => Buffer.from(text)))).map(both => Buffer.concat(both)),
  open: () => ({ run: receipt }) },
  { name: 'segments', words: ALPHABET, generate: anyText(ALPHABET, 200), open: () => ({ run: segments }) },
  { name: 'coding', words: WORDS, generate: octets(200), open: () => ({ run: coding }) },
  { name: 'parts', words: ['\0\0\0', '\0\x01\x01', '\xff', '\x01\x11\0'], generate: octets(90), open: () => ({ run: parts }), untimed: true }
]
