/** What the worker of encryption can be asked, as plain data. Each call concerns one device, and calls of one device come one after another. */
import type { RequestType } from '@matrix-org/matrix-sdk-crypto-wasm'
import type { Json } from '../events/json'
import type { Row } from './indexed-db'

/** A call of the homeserver that a device needs (CS API §End-to-end encryption), to be told with `sent` when it is answered. */
export interface Needed { id: string; type: RequestType; method: 'POST' | 'PUT'; path: string; body: string }

/** When a new key is used for what goes out (CS API §m.room.encryption). */
export interface Rotation { ms: number; messages: number }

/** The private keys of an identity: unpadded base64. */
export interface Secret { master: string; self: string; user: string }

/** What the homeserver tells a device (CS API §Syncing). */
export interface News { toDevice: unknown[]; changed: string[]; left: string[]; counts: [string, number][]; fallback: string[] | undefined }

/**
 * `identity`: the public key of what signs their devices, as far as known. `missing`: the key is not here yet. Otherwise `why` it can never be read.
 */
export type Decrypted = { type: string, content: Json, identity?: string | undefined } | { missing: string } | { why: string }

/** Who gets the key. `signed`: on those of their devices alone that they have signed themselves. */
export interface Readers { users: string[]; signed: boolean }

export interface Calls {
  /** Opens the device with what was kept of it. */
  open (device: { user: string, device: string, rows: Row[] }): void
  /** What is to be sent now. */
  outgoing (): Needed[]
  sent (answered: { id: string, type: RequestType, answer: string }): void
  receive (news: News): void
  /**
   * Makes an identity that signs the device, if there is none. What is to be uploaded: first `keys`, then the identity, then the signatures.
   * `secret`: the identity's private keys. `fingerprint`: of the device.
   */
  sign (): { keys: Needed[], identity: string, signatures: string, secret: Secret, fingerprint: string }
  /** Takes over an identity that the homeserver knows. False if it knows another one. */
  adopt (secret: Secret): boolean
  /** The keys of all that can be read, for another device of the same user. */
  exported (): string
  imported (keys: string): void
  /** Asks for the keys of these users, whatever is known of them. */
  ask (users: string[]): Needed[]
  track (users: string[]): void
  /** What starts sessions with devices that have none. */
  missing (users: string[]): Needed[]
  /** How many devices of each of these users would get a key. */
  devices (of: Readers): number[]
  share (to: Readers & { room: string, rotation: Rotation }): Needed[]
  encrypt (said: { room: string, type: string, content: string }): string
  decrypt (event: { room: string, event: string }): Decrypted
  /** Forgets what it has in memory of the device. */
  close (): void
}

export type CallName = keyof Calls
export type Asked<N extends CallName> = Parameters<Calls[N]>[0]
export type Answered<N extends CallName> = ReturnType<Calls[N]>

/** `device`: its user and its id. */
export type ToWorker =
  | { what: 'call', id: number, device: string, name: CallName, asked: unknown }
  | { what: 'kept', id: number }

/** `keep`: to be on disk before it is answered with `kept`. */
export type FromWorker =
  | { what: 'answer', id: number, answer: unknown }
  | { what: 'error', id: number, why: string }
  | { what: 'keep', id: number, device: string, changes: Row[] }
