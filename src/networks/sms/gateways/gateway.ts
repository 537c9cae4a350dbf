/** The interface of every kind of SMS gateway. Each kind is one file; the rest of this folder does not know the kinds. */
import { type Malformed, Refused } from '../../../model/errors'
import type { Sent } from '../../../model/message'

export interface Outbound {
  key: string // the delivery's
  from: string // one of our numbers, E.164
  to: string // E.164
  text: string
}

/** `key` is unique for ever, and the same when the gateway sends the message again. */
export interface Inbound { key: string; from: string; to: string; text: string; at: number }

export interface InboundReceipt {
  key: string
  from: string
  to: string
  ids: string[] // spellings of one id, best first
  outcome: 'delivered' | 'failed'
  detail?: string
  at: number
}

/** Each resolves when the input is on disk. It rejects with Unavailable when it is not: then tell the gateway no. */
export interface GatewayEvents {
  message (message: Inbound): Promise<void>
  receipt (receipt: InboundReceipt): Promise<void>
  quarantine (raw: string, why: Malformed): Promise<void>
  connection (up: boolean, detail?: string): void
}

export interface Gateway {
  readonly name: string
  readonly numbers: readonly string[]
  readonly segmentsMax: number
  /** Throws only if the config is wrong. */
  start (events: GatewayEvents): Promise<void>
  /** Resolves with the parts' ids when the gateway took the message. Throws Refused or Unavailable, `unknown` only if bytes were sent. */
  send (message: Outbound, signal: AbortSignal): Promise<Sent>
  stop (): Promise<void>
}

export const SEGMENTS_MAX_DEFAULT = 10

/** Throws Refused for a text that is longer than allowed. It is never cut. */
export const refuseOver = (most: number, segments: number): void => {
  if (segments > most) throw new Refused(`too long for SMS: ${segments} segments, at most ${most}`)
}
