/**
 * SMPP 3.4 on the wire (§3.2 framing, §4 commands, §5 fields): the PDUs that a gateway needs, in both directions, so that the simulator
 * uses the same codec. `decodePdu` throws Malformed for a body that contradicts itself. The framer throws for a frame of an absurd length,
 * because then the stream is lost. Nothing here reads past the end of its input.
 */
import { Malformed, Refused } from '../../../model/errors'

export type BindName = 'bind_receiver' | 'bind_transmitter' | 'bind_transceiver'
type IdName = 'submit_sm_resp' | 'deliver_sm_resp'
type BareName = 'generic_nack' | 'unbind' | 'unbind_resp' | 'enquire_link' | 'enquire_link_resp'

export interface Address { ton: number; npi: number; digits: string }

export interface Bind { name: BindName; systemId: string; password: string; systemType: string }
export interface BindAnswer { name: `${BindName}_resp`; systemId: string }
/** submit_sm (§4.4.1) and deliver_sm (§4.6.1) have one layout. `body` is short_message; tlvs by tag (§5.3.2). */
export interface ShortMessage {
  source: Address
  destination: Address
  esmClass: number
  dataCoding: number
  registeredDelivery: number
  body: Buffer
  tlvs: Map<number, Buffer>
}
export type Body =
  | Bind
  | BindAnswer
  | ({ name: 'submit_sm' | 'deliver_sm' } & ShortMessage)
  | { name: IdName; messageId: string }
  | { name: BareName }
export type Pdu = Body & { status: number; sequence: number }
export type PduName = Body['name']

export const HEADER_BYTES = 16
export const PDU_BYTES_MAX = 70_000 // a message_payload may hold 64 KiB
const SHORT_MESSAGE_BYTES_MAX = 254
export const SEQUENCE_MAX = 0x7fffffff

export const TLV = {
  receiptedMessageId: 0x001e, sarRef: 0x020c, sarTotal: 0x020e, sarSeq: 0x020f,
  networkError: 0x0423, payload: 0x0424, messageState: 0x0427
} as const

const COMMANDS: Record<PduName, number> = {
  generic_nack: 0x80000000,
  bind_receiver: 0x00000001, bind_receiver_resp: 0x80000001,
  bind_transmitter: 0x00000002, bind_transmitter_resp: 0x80000002,
  submit_sm: 0x00000004, submit_sm_resp: 0x80000004,
  deliver_sm: 0x00000005, deliver_sm_resp: 0x80000005,
  unbind: 0x00000006, unbind_resp: 0x80000006,
  bind_transceiver: 0x00000009, bind_transceiver_resp: 0x80000009,
  enquire_link: 0x00000015, enquire_link_resp: 0x80000015
}
const NAMES = new Map(Object.entries(COMMANDS).map(([name, id]) => [id, name as PduName]))

export interface Header { name: PduName | undefined; command: number; status: number; sequence: number }

export const isAnswer = (command: number): boolean => (command & 0x80000000) !== 0

export const readHeader = (frame: Buffer): Header => {
  const command = frame.readUInt32BE(4)
  return { name: NAMES.get(command), command, status: frame.readUInt32BE(8), sequence: frame.readUInt32BE(12) }
}

/** A C-Octet String (§3.1) of at most `most` octets, including the NUL. */
const cString = (text: string, most: number, field: string): Buffer => {
  const octets = Buffer.from(`${text}\0`, 'latin1')
  if (octets.length > most || text.includes('\0')) throw new Refused(`SMPP: ${field} does not fit ${most} octets`)
  return octets
}

const addressOctets = (address: Address, field: string): Buffer =>
  Buffer.concat([Buffer.from([address.ton, address.npi]), cString(address.digits, 21, field)])

const messageOctets = (sm: ShortMessage): Buffer[] => {
  if (sm.body.length > SHORT_MESSAGE_BYTES_MAX) throw new Refused('SMPP: short_message does not fit 254 octets')
  const tlvs = [...sm.tlvs].map(([tag, value]) => {
    const head = Buffer.alloc(4)
    head.writeUInt16BE(tag)
    head.writeUInt16BE(value.length, 2)
    return Buffer.concat([head, value])
  })
  return [
    Buffer.from([0]), // service_type
    addressOctets(sm.source, 'source_addr'), addressOctets(sm.destination, 'destination_addr'),
    Buffer.from([sm.esmClass, 0, 0, 0, 0, sm.registeredDelivery, 0, sm.dataCoding, 0, sm.body.length]), sm.body, ...tlvs
  ]
}

const bodyOctets = (pdu: Pdu): Buffer[] => {
  switch (pdu.name) {
    case 'bind_receiver': case 'bind_transmitter': case 'bind_transceiver':
      return [
        cString(pdu.systemId, 64, 'system_id'), cString(pdu.password, 64, 'password'), cString(pdu.systemType, 13, 'system_type'),
        Buffer.from([0x34, 0, 0, 0]) // interface_version, addr_ton, addr_npi, address_range
      ]
    case 'bind_receiver_resp': case 'bind_transmitter_resp': case 'bind_transceiver_resp':
      return [cString(pdu.systemId, 64, 'system_id')]
    case 'submit_sm': case 'deliver_sm': return messageOctets(pdu)
    case 'submit_sm_resp': case 'deliver_sm_resp': return [cString(pdu.messageId, 65, 'message_id')]
    default: return []
  }
}

/** Throws Refused if a field does not fit. */
export const encodePdu = (pdu: Pdu): Buffer => {
  const body = bodyOctets(pdu)
  const head = Buffer.alloc(HEADER_BYTES)
  head.writeUInt32BE(body.reduce((sum, part) => sum + part.length, HEADER_BYTES))
  head.writeUInt32BE(COMMANDS[pdu.name], 4)
  head.writeUInt32BE(pdu.status, 8)
  head.writeUInt32BE(pdu.sequence, 12)
  return Buffer.concat([head, ...body])
}

const makeReader = (frame: Buffer) => {
  let at = HEADER_BYTES
  const octets = (count: number): Buffer => {
    if (at + count > frame.length) throw new Malformed('SMPP: a field reaches past the end of its PDU')
    at += count
    return Buffer.from(frame.subarray(at - count, at))
  }
  return {
    left: () => frame.length - at,
    octets,
    byte: () => octets(1)[0] as number,
    word: () => octets(2).readUInt16BE(),
    cString: () => {
      const end = frame.indexOf(0, at)
      if (end === -1) throw new Malformed('SMPP: a string has no end')
      const text = frame.toString('latin1', at, end)
      at = end + 1
      return text
    }
  }
}
type Reader = ReturnType<typeof makeReader>

const readAddress = (reader: Reader): Address => ({ ton: reader.byte(), npi: reader.byte(), digits: reader.cString() })

const readTlvs = (reader: Reader): Map<number, Buffer> => {
  const tlvs = new Map<number, Buffer>()
  while (reader.left() > 0) {
    const tag = reader.word()
    tlvs.set(tag, reader.octets(reader.word()))
  }
  return tlvs
}

const readMessage = (reader: Reader): ShortMessage => {
  reader.cString() // service_type
  const source = readAddress(reader)
  const destination = readAddress(reader)
  const esmClass = reader.byte()
  reader.octets(2) // protocol_id, priority_flag
  reader.cString() // schedule_delivery_time
  reader.cString() // validity_period
  const registeredDelivery = reader.byte()
  reader.byte() // replace_if_present_flag
  const dataCoding = reader.byte()
  reader.byte() // sm_default_msg_id
  const body = reader.octets(reader.byte())
  return { source, destination, esmClass, dataCoding, registeredDelivery, body, tlvs: readTlvs(reader) }
}

/** Reads an id. Answers to refused requests may have no body (§4.1.2, §4.4.2), and some peers leave out the id's NUL. */
const readOptional = (frame: Buffer): string => {
  const end = frame.indexOf(0, HEADER_BYTES)
  return frame.toString('latin1', HEADER_BYTES, end === -1 ? frame.length : end)
}

/** The PDU of a whole frame. Undefined for an unknown command. Throws Malformed. */
export const decodePdu = (frame: Buffer): Pdu | undefined => {
  const { name, status, sequence } = readHeader(frame)
  const reader = makeReader(frame)
  switch (name) {
    case undefined: return undefined
    case 'bind_receiver': case 'bind_transmitter': case 'bind_transceiver':
      return { name, status, sequence, systemId: reader.cString(), password: reader.cString(), systemType: reader.cString() }
    case 'bind_receiver_resp': case 'bind_transmitter_resp': case 'bind_transceiver_resp':
      return { name, status, sequence, systemId: readOptional(frame) }
    case 'submit_sm': case 'deliver_sm': return { name, status, sequence, ...readMessage(reader) }
    case 'submit_sm_resp': case 'deliver_sm_resp': return { name, status, sequence, messageId: readOptional(frame) }
    default: return { name, status, sequence }
  }
}

/** Cuts a byte stream into whole frames. Throws Malformed for an impossible length; then the connection must be closed. */
export const makeFramer = (): ((chunk: Buffer) => Buffer[]) => {
  let kept: Buffer[] = [] // under PDU_BYTES_MAX together: a longer frame is refused at its first four octets
  let size = 0
  let wanted = 4 // how many octets are needed next: a length, or a whole frame
  return chunk => {
    kept.push(chunk)
    size += chunk.length
    if (size < wanted) {
      kept[kept.length - 1] = Buffer.from(chunk) // a copy, because a small chunk may keep a large buffer alive
      return []
    }
    const all = kept.length === 1 ? chunk : Buffer.concat(kept)
    const frames: Buffer[] = []
    let at = 0
    wanted = 4
    while (all.length - at >= 4) {
      const length = all.readUInt32BE(at)
      if (length < HEADER_BYTES || length > PDU_BYTES_MAX) throw new Malformed(`SMPP: a frame claims ${length} octets`)
      if (all.length - at < length) { wanted = length; break }
      frames.push(all.subarray(at, at + length))
      at += length
    }
    kept = [Buffer.from(all.subarray(at))]
    size = all.length - at
    return frames
  }
}
