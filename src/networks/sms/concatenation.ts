/**
 * The three forms of a message that is longer than one segment: user data header (3GPP TS 23.040 §9.2.3.24), sar_* parameters
 * (SMPP 3.4 §5.3.2.22–24) and message_payload (§5.3.2.32). All are read; the one that the gateway wants is written.
 */
import { Malformed } from '../../model/errors'
import type { Shifts } from './gsm7'
import { type ShortMessage, TLV } from './smpp/pdu'

export type LongForm = 'udh' | 'sar' | 'payload'

/** Part `seq` of `total`. `ref` is often one octet, so it is not unique for long. */
export interface Part { ref: number; total: number; seq: number }

export interface Piece { octets: Buffer; shifts?: Shifts; part?: Part }

const ESM_UDH = 0x40
const ELEMENT = { concat8: 0x00, concat16: 0x08, singleShift: 0x24, lockingShift: 0x25 } as const

/** Undefined if there is only one part, or if the numbers contradict each other: then it is a whole message. */
const partOf = (ref: number, total: number, seq: number): Part | undefined =>
  total > 1 && seq >= 1 && seq <= total ? { ref, total, seq } : undefined

const elements = (header: Buffer): Map<number, Buffer> => {
  const found = new Map<number, Buffer>()
  for (let at = 0; at + 1 < header.length;) {
    const end = at + 2 + (header[at + 1] as number)
    if (end > header.length) throw new Malformed('SMS: a user data header element reaches past its end')
    found.set(header[at] as number, header.subarray(at + 2, end))
    at = end
  }
  return found
}

const readHeader = (octets: Buffer): Piece => {
  const end = 1 + (octets[0] ?? 0)
  if (end > octets.length) throw new Malformed('SMS: a user data header reaches past the end')
  const found = elements(octets.subarray(1, end))
  const [ref, total = 0, seq = 0] = found.get(ELEMENT.concat8) ?? []
  const wide = found.get(ELEMENT.concat16)
  const part = wide?.length === 4 ? partOf(wide.readUInt16BE(), wide[2] as number, wide[3] as number)
    : ref === undefined ? undefined : partOf(ref, total, seq)
  const single = found.get(ELEMENT.singleShift)?.[0] ?? 0
  const locking = found.get(ELEMENT.lockingShift)?.[0] ?? 0
  return { octets: octets.subarray(end), ...part && { part }, ...single + locking > 0 && { shifts: { single, locking } } }
}

const number = (octets: Buffer = Buffer.alloc(0)): number => [...octets].reduce((sum, octet) => sum * 256 + octet, 0)

/** The user data of a submit_sm or deliver_sm. Throws Malformed. */
export const readPiece = (sm: ShortMessage): Piece => {
  const octets = sm.tlvs.get(TLV.payload) ?? sm.body
  if (sm.esmClass & ESM_UDH) return readHeader(octets)
  const part = partOf(number(sm.tlvs.get(TLV.sarRef)), number(sm.tlvs.get(TLV.sarTotal)), number(sm.tlvs.get(TLV.sarSeq)))
  return { octets, ...part && { part } }
}

type Carried = Pick<ShortMessage, 'esmClass' | 'body' | 'tlvs'>

/** What each submit_sm or deliver_sm carries, for the segments of one text. `ref` is 0–255. */
export const writePieces = (segments: readonly Buffer[], form: LongForm, ref: number): Carried[] => {
  const [first] = segments
  if (first !== undefined && segments.length === 1) return [{ esmClass: 0, body: first, tlvs: new Map() }]
  const nothing = Buffer.alloc(0)
  if (form === 'payload') return [{ esmClass: 0, body: nothing, tlvs: new Map([[TLV.payload, Buffer.concat(segments)]]) }]
  const total = segments.length
  return segments.map((octets, index): Carried => form === 'udh'
    ? {
        esmClass: ESM_UDH, tlvs: new Map(),
        body: Buffer.concat([Buffer.from([5, ELEMENT.concat8, 3, ref, total, index + 1]), octets])
      }
    : {
        esmClass: 0, body: octets, tlvs: new Map([
          [TLV.sarRef, Buffer.from([0, ref])], [TLV.sarTotal, Buffer.from([total])], [TLV.sarSeq, Buffer.from([index + 1])]
        ])
      })
}
