/**
 * What we remember. One interface for every engine; asynchronous, because an engine may be another process.
 *
 * `run` gives a job a transaction. Jobs run one after the other in the order of the calls; those that wait together share one
 * commit; one with patience waits for company until the last commit is so long ago, which is not at all when quiet. The promise
 * resolves only when the job's work is on disk. A job that throws takes back its own work only. A job awaits nothing but its `tx`.
 * If a commit itself fails, or the disk while a job reads, every job in it rejects, `failed` is called and nothing runs any more:
 * what is on disk is not known then, and only a restart tells.
 */
import type { ArrivalKey, DeliveryKey, NetworkName, Place, RemoteId } from '../model/address'
import type { Action, Arrival, Attachment, Delivery, EditArrival, MessageArrival } from '../model/message'
import type { DeskTx } from './desk'

export type OutboxState = 'waiting' | 'sending' | 'done' | 'failed' | 'unknown'

/** The arrival that caused something: its row in the journal and where it was said. */
export interface Cause { journal: number; from: Place }

/** An outbox row as lanes use it. */
export interface Queued extends Cause {
  id: number
  delivery: Delivery // without target; attempt as counted so far
  notice: boolean // a notice never causes a notice
  queuedAt: number // ms since 1970
  notBefore?: number // ms since 1970: it waits so long before its first try, and what waits behind it in its lane
  crashes?: number // how often a crash cut it off, if ever
}

/** `conversation`: which it is a line about, so that a reply to it means that one. `afterMs`: it may be taken back so long before it leaves. */
export interface NewDelivery { delivery: Omit<Delivery, 'attempt' | 'target'>; notice: boolean; conversation?: number; afterMs?: number }

/** Deliveries that said one thing again, as far as they are known with it. */
export const COPIES_MAX = 100

/** A stored arrival with what became of it. `copies`: how its corrections said it again where they did not fit in its place. */
export interface Recorded {
  seq: number; arrival: Arrival
  deliveries: { id: number, key: DeliveryKey, place: Place, state: OutboxState, notice: boolean, held?: boolean }[] // held: waits to be taken back
  copies: { key: DeliveryKey, place: Place }[]
}

/** What was answered. `latest`: itself, or the last of its corrections. */
export interface Answered extends Recorded { latest: MessageArrival | EditArrival }

/** A delivery found by one of its remote ids, for receipts. */
export interface Confirmable {
  outbox: number; id: RemoteId; part: number; parts: number // part counts from 0
  outcomes: ('delivered' | 'failed' | undefined)[] // of all parts so far
  origin: Arrival; journal: number; place: Place; notice: boolean
}

/** How many deliveries came from one place. */
export interface Count { from: Place; count: number }

/** A row that the operator changed: its lane, and where it came from. */
export interface Changed { lane: Place; from: Place }

/** A row as the operator sees it. */
export interface QueueRow {
  id: number; state: OutboxState; network: NetworkName; place: string; from: { network: NetworkName, place: string }
  attempt: number; reason?: string; queuedAt: number; delivery: Delivery
}
export interface UnroutedRow { seq: number; network: NetworkName; place: string; at: number; arrival: Arrival }
export interface QuarantineRow { id: number; network: NetworkName; raw: string; why: string; at: number }
export interface Depth { network: NetworkName; state: OutboxState; count: number; oldestAt: number }

export interface Tx {
  readonly desk: DeskTx
  // journal
  seen (network: NetworkName, key: ArrivalKey): Promise<boolean>
  /** Whether who may take a message back has done so before it came. */
  takenBack (arrival: MessageArrival): Promise<boolean>
  /** `json`: the arrival's, if at hand. `desk`: the function address after whose retention it is forgotten. */
  journal (arrival: Arrival, outcome: 'routed' | 'unrouted', now: number, json?: string, desk?: string): Promise<number>
  recorded (network: NetworkName, key: ArrivalKey): Promise<Recorded | undefined>
  /** What has one of these ids at this place, whether it was said there or we said it there; undefined if it was taken back, or is ours alone. */
  answered (place: Place, ids: (ArrivalKey | RemoteId)[]): Promise<Answered | undefined>
  lastKey (place: Place): Promise<ArrivalKey | undefined>
  // outbox
  queue (cause: Cause, delivery: NewDelivery, now: number, tried?: boolean): Promise<Queued> // `tried`: its first try is counted at once
  reword (id: number, action: Action): Promise<void> // what a delivery does, before it is done
  origin (journal: number): Promise<Arrival | undefined>
  lanes (): Promise<Place[]> // with waiting rows
  waiting (lane: Place, afterId: number, limit: number): Promise<Queued[]>
  open (): Promise<Count[]> // waiting or sending
  trying (ids: number[]): Promise<Map<number, Delivery | undefined>> // waiting → sending, attempt + 1; with what may have been rewritten
  rewrite (id: number, delivery: NewDelivery['delivery']): Promise<void> // of a waiting row; its key stays
  recall (ids: number[]): Promise<Count[]> // waiting rows → none
  waitAgain (ids: number[]): Promise<void> // sending → waiting
  done (row: Queued, remoteIds: string[], now: number): Promise<void> // → done
  ended (id: number, state: 'failed' | 'unknown', reason: string, now: number): Promise<void>
  interrupted (): Promise<(Queued & { crashes: number })[]> // sending at start; counts one more crash each
  cancel (lane: Place, reason: string, now: number): Promise<Count[]> // waiting rows of a lane → failed
  remoteIds (key: DeliveryKey): Promise<RemoteId[]> // of a done delivery, in order of parts
  // receipts
  confirmable (place: Place, ids: RemoteId[]): Promise<Confirmable | undefined>
  confirm (place: Place, id: RemoteId, outcome: 'delivered' | 'failed'): Promise<void>
  earlyReceipt (place: Place, ids: RemoteId[], outcome: 'delivered' | 'failed', detail: string | undefined, now: number): Promise<void>
  takeEarlyReceipts (place: Place, ids: RemoteId[], now: number): Promise<{ id: RemoteId, outcome: 'delivered' | 'failed', detail?: string }[]>
  // links, people, quarantine, memory
  link (token: string, journal: number, expiresAt: number, file?: Attachment): Promise<void> // without: the arrival's own
  linked (token: string, now: number): Promise<Attachment | undefined>
  revokeLinks (journal: number): Promise<void> // those of its corrections too
  block (person: string, now: number): Promise<void>
  unblock (person: string): Promise<void>
  blocked (): Promise<string[]>
  quarantine (network: NetworkName, raw: string, why: string, now: number, key?: ArrivalKey): Promise<boolean> // false: it was there already
  remembered (owner: string): Promise<[string, string][]>
  remember (owner: string, key: string, value: string): Promise<void>
  forget (owner: string, key: string): Promise<void>
  // what the operator asks
  depth (): Promise<Depth[]>
  list (state: OutboxState, limit: number): Promise<QueueRow[]>
  show (id: number): Promise<QueueRow | undefined>
  retry (id: number, now: number): Promise<Changed | undefined> // failed or unknown → waiting; undefined if there is no such row
  drop (id: number, now: number): Promise<Changed & { waited: boolean } | undefined> // waiting, failed or unknown → failed, without a notice
  unrouted (limit: number): Promise<UnroutedRow[]>
  unroutedAt (seq: number): Promise<UnroutedRow | undefined>
  quarantined (limit: number): Promise<QuarantineRow[]>
  quarantinedAt (id: number): Promise<QuarantineRow | undefined>
  dropQuarantined (id: number): Promise<boolean> // its bytes go; that it was there stays known, so that it does not come again
  /** Deletes what ended before `before`, at most `limit` arrivals, and early receipts; returns how many arrivals. */
  prune (before: number, limit: number): Promise<number>
}

export interface Store {
  run<T>(job: (tx: Tx) => Promise<T>, patienceMs?: number): Promise<T>
  /** How many commits there were since it was opened. */
  commits (): number
  /** Waits for the jobs under way, then closes. Later jobs reject. */
  close (): Promise<void>
}

/** How much of a quarantined thing is kept, and how many are; the oldest go first. */
export const QUARANTINE_BYTES_MAX = 8192
export const QUARANTINE_ROWS_MAX = 10_000
export const QUARANTINE_KIND_ROWS_MAX = 2_000 // of these for one reason on one network
export const EARLY_RECEIPT_ROWS_MAX = 10_000
export const EARLY_RECEIPT_PLACE_ROWS_MAX = 200 // of these for one place
export const EARLY_RECEIPT_MS = 86_400_000 // older ones are of something else: gateways give their ids out anew
