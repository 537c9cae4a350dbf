/**
 * Delivery receipts (SMPP 3.4 §5.2.12, §5.3.2.12, §5.3.2.35 and appendix B): as parameters or as text, in every shape that gateways are
 * known to write. And message ids, which a gateway may spell differently in the answer to submit_sm and in the receipt.
 */
import { Malformed } from '../../model/errors'
import { decodeUcs2 } from './data-coding'
import { type ShortMessage, TLV } from './smpp/pdu'

/** `outcome`: absent while there is none (ENROUTE, ACCEPTD, UNKNOWN). `state` and `done` distinguish receipts of one message. */
export interface Receipt { id: string; where: 'parameter' | 'text'; state: string; done: string; outcome?: 'delivered' | 'failed'; detail?: string }

const ESM_KINDS = 0x3c
const RECEIPT_KINDS: readonly number[] = [0x04, 0x08, 0x20] // delivery receipt, acknowledgement, intermediate notification

const STATES = ['SCHEDULED', 'ENROUTE', 'DELIVRD', 'EXPIRED', 'DELETED', 'UNDELIV', 'ACCEPTD', 'UNKNOWN', 'REJECTD', 'SKIPPED']
const FAILED = /^(EXPIR|DELET|UNDEL|REJEC|FAIL|SKIP)/
const DELIVERED = /^DELIV/

/** Only the gateway's own marks make it a receipt: a person can write "stat:DELIVRD" too. */
export const isReceipt = (sm: ShortMessage): boolean =>
  RECEIPT_KINDS.includes(sm.esmClass & ESM_KINDS) || (sm.tlvs.has(TLV.receiptedMessageId) && sm.tlvs.has(TLV.messageState))

/** Some gateways write receipts in UCS-2, and some label plain ASCII as UCS-2. So a zero octet decides, not data_coding. */
const textOf = (octets: Buffer): string => octets[0] === 0 ? decodeUcs2(octets) : octets.toString('latin1')

const fieldsOf = (text: string): Map<string, string> => {
  const before = text.split(/\btext\s*:/i, 1)[0] ?? '' // what follows is the beginning of the message, so its writer controls it
  const found = before.matchAll(/\b(id|sub|dlvrd|submit date|done date|stat|err)\s*:\s*(\S*)/gi)
  return new Map([...found].map(([, key = '', value = '']): [string, string] => [key.toLowerCase(), value]))
}

/** Throws Malformed if it lacks the message's id or state. */
export const readReceipt = (sm: ShortMessage): Receipt => {
  const fields = fieldsOf(textOf(sm.tlvs.get(TLV.payload) ?? sm.body))
  const tlvId = sm.tlvs.get(TLV.receiptedMessageId)?.toString('latin1').replace(/\0.*$/s, '')
  const tlvState = sm.tlvs.get(TLV.messageState)?.[0]
  const id = tlvId || fields.get('id')
  const state = (tlvState === undefined ? fields.get('stat') : STATES[tlvState] ?? `STATE${tlvState}`)?.toUpperCase()
  if (!id || !state) throw new Malformed('SMS: a delivery receipt without id or state')
  const error = fields.get('err') ?? sm.tlvs.get(TLV.networkError)?.toString('hex')
  const done = fields.get('done date') ?? ''
  const where = tlvId ? 'parameter' : 'text'
  if (DELIVERED.test(state)) return { id, where, state, done, outcome: 'delivered' }
  if (!FAILED.test(state)) return { id, where, state, done }
  const detail = error === undefined || /^0*$/.test(error) ? state : `${state} (error ${error})`
  return { id, where, state, done, outcome: 'failed', detail }
}

const ID_DIGITS_MAX = 40

/** One spelling for an id, without padding and in lower case. Ids that are not plain hexadecimal stay as they are. */
const canonicalId = (id: string): string => {
  const trimmed = id.trim()
  if (/^[\da-f]{8}-[\da-f-]{27}$/i.test(trimmed)) return trimmed.toLowerCase()
  return /^[\da-f]+$/i.test(trimmed) ? trimmed.toLowerCase().replace(/^0+(?=.)/, '') : trimmed
}

/** The id of a submitted part, as we remember it. Undefined for the empty ids of some gateways. */
export const remoteId = (gateway: string, id: string): string | undefined =>
  id.trim() === '' ? undefined : `${gateway}:${canonicalId(id)}`

/** How a receipt may write an id: like the answer, or as the same number in the other base. */
export type Way = 'same' | 'decimal of hex' | 'hex of decimal'

/** The remote ids that a receipt's id may mean, by the way in which the receipt writes it; best first. */
export const spellingsByWay = (gateway: string, id: string): Map<Way, string> => {
  const same = canonicalId(id)
  const found = new Map<Way, string>([['same', `${gateway}:${same}`]])
  if (same.length > ID_DIGITS_MAX) return found
  if (/^\d+$/.test(same)) found.set('decimal of hex', `${gateway}:${BigInt(same).toString(16)}`)
  if (/^[\da-f]+$/.test(same)) found.set('hex of decimal', `${gateway}:${BigInt(`0x${same}`).toString(10)}`)
  return found
}
