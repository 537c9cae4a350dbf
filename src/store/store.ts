/**
 * What we remember. One interface for every engine; asynchronous, because an engine may be another process.
 *
 * `run` gives a job a transaction. Jobs run one after the other, in the order of the calls; those called with `first` run before the others
 * that wait. Jobs that wait at the same time share one commit. A job with `patienceMs` lets others join: it waits until the last commit is
 * that long ago, so when little happens it does not wait at all. The promise resolves only when the job's work is on disk. A job that
 * throws rolls back its own work only. A job awaits nothing but its `tx`, and all that it asks of it: what comes after its end would be part of
 * the next job. If a commit fails, or the disk fails while a job reads, every waiting job rejects, `failed` is called and nothing runs any more:
 * nobody knows what is on disk until a restart reads it.
 */
import type { ArrivalKey, DeliveryKey, NetworkName, Place, RemoteId } from '../model/address'
import type { Forbidden } from '../model/errors'
import type {
  Action, Arrival, Attachment, Delivery, EditArrival, MessageArrival, Persona, ReactionArrival, Sender, VoteArrival
} from '../model/message'
import type { Text } from '../model/text'
import type { Conversation, DeskTx } from './desk'
import type { PersonTx } from './person'
import type { TallyTx, What } from './tally'

export type OutboxState = 'waiting' | 'sending' | 'done' | 'failed' | 'unknown'

/** The arrival that caused something: its row in the journal, and its place. */
export interface Cause { journal: number; from: Place }

/** An outbox row as lanes use it. */
export interface Queued extends Cause {
  id: number
  delivery: Delivery // without target; `attempt` counts the tries so far
  notice: boolean // a notice never causes a notice
  queuedAt: number // ms since 1970
  notBefore?: number // ms since 1970: no first try before; the rest of its lane waits too
  crashes?: number // how often a crash cut it off; absent: never
}

/** `conversation`: the one that it is a line about, for replies to it. `afterMs`: it waits so long before it leaves, and may be taken back. */
export interface NewDelivery { delivery: Omit<Delivery, 'attempt' | 'target'>; notice: boolean; conversation?: number; afterMs?: number }

/** How many of an arrival's copies are known with it. */
export const COPIES_MAX = 100

/**
 * A stored arrival and its deliveries. `held`: may be taken back. `gone`: a correction has deleted it. `copies`: deliveries of its corrections that
 * could not edit the original and said it again, and are not gone. `removed`: a moderator of another place removed it. `takenBack`: it was deleted
 * where it was said; `changed`: a correction has come since.
 */
export interface Recorded {
  seq: number; arrival: Arrival
  deliveries: { id: number, key: DeliveryKey, place: Place, state: OutboxState, notice: boolean, held?: boolean, gone?: true }[]
  copies: { key: DeliveryKey, place: Place, vote?: true }[]
  removed?: true
  takenBack?: { changed: boolean }
}

/**
 * The message that another one answers. `latest`: itself, or its last correction. `ended`: the row in the journal that ended it, if it is a poll
 * that has ended. `piece`: the delivery that is meant, because one message may be several where we delivered it; '' where it was said.
 * `over`: it was taken back.
 */
export interface Answered extends Recorded { latest: MessageArrival | EditArrival; ended?: number; piece: DeliveryKey | ''; over?: true }

/**
 * A sign that somebody has at a message. `pieces`: at which of those that it is where they react, each with who has it there if several people may
 * have their id; empty if that is not known.
 */
export interface Had { emoji: string; pieces: string[] }

/**
 * A reaction to a message. `made`: the arrival by which it came first. `by`: the sender of that. `deliveries`: those that delivered it by itself,
 * on networks where each reaction is delivered singly.
 */
export interface Reaction extends Had { by: string; made: { key: ArrivalKey, place: Place }; deliveries: { key: DeliveryKey, place: Place }[] }

/** What a delivery shows: these reactions of a person. `cause`: the arrival that caused it. */
export interface ReactionShown { cause: Arrival; as: Persona; emojis: string[] }

/** A delivery found by one of its remote ids, for receipts. */
export interface Confirmable {
  outbox: number; id: RemoteId; part: number; parts: number // part counts from 0
  outcomes: ('delivered' | 'failed' | undefined)[] // of all parts, so far
  origin: Arrival; journal: number; place: Place; notice: boolean
}

/** Came before the remote id was known. `removed`: by a moderator; `detail` is the key of the arrival that says so. */
export interface EarlyReceipt { id: RemoteId; outcome: 'delivered' | 'failed' | 'removed'; because?: Forbidden; detail?: string }

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

/** Where a page of the queue ends: the next one begins behind it. */
export interface QueueMark { network: NetworkName; place: string; id: number }
/** Where a page of cases ends. */
export interface CaseMark { answered: boolean; at: number; id: number }

/** What lets somebody of a team in to its page once. `digest`: of what is in the link. `until`: ms since 1970. */
export interface Login { address: string; agent: string; digest: string; until: number }

/** What pages ask. Each gives, or counts, no more rows than its limit. */
export interface PagesTx {
  count (state: OutboxState, network: NetworkName, most: number): Promise<number> // `most`, if there are more
  oldest (state: OutboxState): Promise<QueueRow | undefined>
  rows (state: OutboxState, limit: number, behind?: QueueMark): Promise<QueueRow[]> // by place, oldest first
  cases (handledBy: string, limit: number, behind?: CaseMark): Promise<Conversation[]> // open ones: unanswered first, the longest waiting first
  countCases (handledBy: string, answered: boolean, most: number): Promise<number>
  counted (address: string, hours: number[], what: What): Promise<number> // in these hours, which are counted from 1970
  /** Instead of the one before of the same agent. */
  login (login: Login, now: number): Promise<void>
  /** Takes what has this digest: nobody gets in by it again. Undefined if there is none, or its time is over. */
  takeLogin (digest: string, now: number): Promise<Login | undefined>
}

export interface Tx {
  readonly desk: DeskTx
  readonly person: PersonTx
  readonly tally: TallyTx
  readonly pages: PagesTx
  // journal
  seen (network: NetworkName, key: ArrivalKey): Promise<boolean>
  /** Whether somebody who may delete it has done so; of an edit, whether they have deleted what it corrects. */
  takenBack (arrival: MessageArrival | EditArrival | ReactionArrival | VoteArrival): Promise<boolean>
  /** `json`: the arrival's, if at hand. `desk`: the function address whose retention applies. */
  journal (arrival: Arrival, outcome: 'routed' | 'unrouted', now: number, json?: string, desk?: string): Promise<number>
  recorded (network: NetworkName, key: ArrivalKey): Promise<Recorded | undefined>
  /** The message with one of these ids at this place, said or delivered there. Undefined if it was deleted or removed, or is only a notice. */
  answered (place: Place, ids: (ArrivalKey | RemoteId)[]): Promise<Answered | undefined>
  /**
   * The first message of the thread that this one is said in. It is the message that gave the thread its id; or, of a thread with an id of its own,
   * the first one in it, once somebody else has said something there: some apps give all that a person says one id.
   */
  threadRoot (arrival: MessageArrival): Promise<Answered | undefined>
  corrections (network: NetworkName, key: ArrivalKey): Promise<ArrivalKey[]> // of a message, by its sender; at most COPIES_MAX, newest first
  remove (journal: number): Promise<void> // a moderator of another place has removed this message
  lastKey (place: Place): Promise<ArrivalKey | undefined>
  /** The id of the poll that is the last one told at this place, not earlier than `since`. Undefined if a poll has ended since. */
  pollLately (place: Place, since: number): Promise<RemoteId | undefined>
  /** What was said there and by us, newest first each. `journal`: the arrival that it came with. */
  saidLately (place: Place, limit: number): Promise<{ id: ArrivalKey | RemoteId, text: Text, journal: number }[]>
  // reactions
  reactions (message: number, person: string): Promise<Reaction[]> // in the order in which they came
  /** Those of another person that have this piece, and who that is. */
  reactionsBefore (message: number, person: string, piece: string): Promise<{ sender: Sender, reactions: Reaction[] } | undefined>
  reactionShown (place: Place, ids: (ArrivalKey | RemoteId)[]): Promise<ReactionShown | undefined> // by the delivery that has one of these ids there
  /** From now on these are all the person's reactions to that message. `arrival`: the one that brought the new ones. */
  react (message: number, person: string, now: Had[], arrival: number): Promise<void>
  // outbox
  queue (cause: Cause, delivery: NewDelivery, now: number, tried?: boolean): Promise<Queued> // `tried`: its first try is counted at once
  reword (id: number, action: Action): Promise<void> // replaces what a delivery does
  origin (journal: number): Promise<Arrival | undefined>
  lanes (): Promise<Place[]> // with waiting rows
  waiting (lane: Place, afterId: number, limit: number): Promise<Queued[]>
  open (): Promise<Count[]> // waiting or sending
  trying (ids: number[]): Promise<Map<number, Delivery | undefined>> // waiting → sending, attempt + 1; gives deliveries that may have changed
  rewrite (id: number, delivery: NewDelivery['delivery']): Promise<void> // a waiting row; its key stays
  recall (ids: number[]): Promise<Count[]> // deletes waiting rows
  waitAgain (ids: number[]): Promise<void> // sending → waiting
  done (row: Queued, remoteIds: string[], now: number): Promise<void> // → done
  ended (id: number, state: 'failed' | 'unknown', reason: string, now: number): Promise<void>
  interrupted (): Promise<(Queued & { crashes: number })[]> // those in `sending` at the start; counts one more crash for each
  cancel (lane: Place, reason: string, now: number): Promise<Count[]> // waiting rows of a lane → failed
  remoteIds (key: DeliveryKey): Promise<RemoteId[]> // of a done delivery, in order of parts
  // receipts
  confirmable (place: Place, ids: RemoteId[]): Promise<Confirmable | undefined>
  confirm (place: Place, id: RemoteId, outcome: 'delivered' | 'failed'): Promise<void>
  earlyReceipt (place: Place, ids: (ArrivalKey | RemoteId)[], what: Omit<EarlyReceipt, 'id'>, now: number): Promise<void>
  takeEarlyReceipts (place: Place, ids: RemoteId[], now: number): Promise<EarlyReceipt[]>
  // links, people, quarantine, memory, vault
  link (token: string, journal: number, expiresAt: number, file?: Attachment): Promise<void> // without `file`: the arrival's own
  linked (token: string, now: number): Promise<Attachment | undefined>
  revokeLinks (journal: number): Promise<void> // and those of its corrections
  block (person: string, now: number): Promise<void>
  unblock (person: string): Promise<void>
  blocked (): Promise<string[]>
  quarantine (network: NetworkName, raw: string, why: string, now: number, key?: ArrivalKey): Promise<boolean> // false: it was there already
  remembered (owner: string): Promise<[string, string][]>
  remember (owner: string, key: string, value: string): Promise<void>
  forget (owner: string, key: string): Promise<void>
  vaulted (owner: string, key: string): Promise<Uint8Array | undefined>
  vaultedFrom (owner: string, start: string): Promise<[key: string, value: Uint8Array][]> // whose keys begin so, in order
  vaultedCount (owner: string, start: string): Promise<number>
  vault (owner: string, key: string, value: Uint8Array | undefined): Promise<void> // without a value: deletes
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
  dropQuarantined (id: number): Promise<boolean> // deletes its bytes but keeps its mark, so that it is not kept again
  /** Leaves out as many numbers of conversations as there can have been since this copy of the store was made. */
  skipConversations (): Promise<void>
  /** Deliveries that may have gone out since then → unknown. Not those that may be done twice. Returns how many. */
  setAside (reason: string, now: number): Promise<number>
  /** Deletes at most `limit` arrivals that ended before `before`, and what is older of early receipts and quarantine. Returns how many arrivals. */
  prune (before: number, limit: number): Promise<number>
  /** Deletes at most `limit` arrivals of this place that came before `before`, with all that they caused, unless that is still to be delivered. */
  pruneAt (place: Place, before: number, limit: number): Promise<number>
}

/** What a job will ask about: whether arrivals with these ids have come; or, with a place, whether receipts for these ids there have. */
export interface About { network: NetworkName; place?: string; ids: string[] }

export interface Store {
  /** `about`: an engine may ask ahead, for all jobs of a commit at once. The job may ask other things too. */
  run<T>(job: (tx: Tx) => Promise<T>, patienceMs?: number, first?: boolean, about?: About): Promise<T>
  /** Throws, and calls `failed`, once another process may have the store. */
  fence (): void
  /** How many commits there were since it was opened. */
  commits (): number
  /**
   * Leaves nothing of what was deleted where the store lies. Gives a sentence about what may hold remains all the same. Holds up everybody for as
   * long as it takes.
   */
  compact (): Promise<string | undefined>
  /** Writes a whole copy of what is on disk, as one new file, while jobs run. Rejects, and leaves no file, if that is impossible. */
  copyTo (path: string): Promise<void>
  /** Waits for the jobs under way, then closes. Later jobs reject. */
  close (): Promise<void>
}

/** How much of each quarantined input is kept, and how many of them; the oldest are dropped first. */
export const QUARANTINE_BYTES_MAX = 8192
export const QUARANTINE_ROWS_MAX = 10_000
export const QUARANTINE_KIND_ROWS_MAX = 2_000 // for one reason on one network
export const EARLY_RECEIPT_ROWS_MAX = 10_000
export const EARLY_RECEIPT_PLACE_ROWS_MAX = 200 // for one place
export const EARLY_RECEIPT_MS = 86_400_000 // an older one is not about this message: gateways reuse their ids
