/** What the desk remembers: conversations with their current case, what was said in them, consent, and the logbook. */
import type { ArrivalKey, DeliveryKey, NetworkName, Person, Place, RemoteId } from '../model/address'
import type { Content } from '../model/message'

/** A notice in an inbox room. `opener`: the contact's message whose beginning it says. */
export interface Announced { place: Place; key: DeliveryKey; at?: number; opener?: ArrivalKey }

/**
 * Where a team that got the case was told what had been said before. `of`: the entries in it, by their first words. `kept`: how many more were
 * not copied for it.
 */
export interface Summary { team: string; of: number[]; kept: number; lines: { place: Place, key: DeliveryKey, at: number }[] }

/**
 * Messages of the contact, one after another, that could not be read. `last`: the newest. `counts`: the one whose line counts those that have none.
 */
export interface UnreadRow { last: ArrivalKey; since: number; count: number; counts?: ArrivalKey }

export type CaseState = 'new' | 'claimed' | 'waiting' | 'snoozed' | 'done'

/** One contact × one function address, with its current case. */
export interface Conversation {
  id: number
  address: string // the function address that the contact sees
  handledBy: string // the function address whose team works on it: `address`, until it is passed on
  contact: Person
  place: Place // where the contact reads and writes
  name?: string // the contact's, cleaned; absent: only their address is known
  state: CaseState
  owner?: string // the agentKey of the agent who has the case
  claim: number // counts changes of owner, so that two agents cannot both take it
  cases: number // which case of the conversation this is, from 1
  openedAt: number // of the case; all times in ms since 1970
  closedAt?: number
  heardAt?: number // the contact's last message, if a person wrote it
  answeredAt?: number // the first answer of this case
  saidAt?: number // the last word of the team to the contact
  dueAt?: number // when something is due without anybody writing; in a closed case, when invitations to its rooms end
  awaits: boolean // the last visible message is the contact's
  labels: string[]
  project?: string
  excerpt?: string // the beginning of the message that opened the case
  opener?: ArrivalKey // that message, if it is the contact's
  announced: Announced[] // the notices about this case, which are edited when it changes
  announcedBefore?: Announced[] // those that no longer change, but say what the contact may take back
  summaries?: Summary[] // the last ones, which change with what they say
  claimedAt?: number
  hinted?: boolean // the contact was told, since STOP, how to get answers again
  breakerAt?: number // when the team was last told that there were too many automatic texts
  toldClosed?: boolean // the contact was told that the address is no longer in the config
  othersAt?: number // when the team was last told that somebody else writes in the contact's chat
  machineAt?: number // when somebody of the team was last told that a machine's words are not sent
  leftRooms?: string[] // the slugs of the addresses that had it before, whose rooms it still has
  encrypted?: true // the contact's last message was encrypted on its way to us
  unread?: UnreadRow // the last such messages
  signed?: string // the agent's name that the contact saw last
}

export type EntryKind = 'contact' | 'team' | 'note' | 'automatic'

/**
 * What was said in a conversation. `held`: an answer that has not gone out. `sentBy`: the arrival by which it went out after all, which
 * has an entry of its own. `signature`: the name that the contact saw below it. `gone`: its writer has taken it back, so nobody is shown it any more.
 */
export interface Entry {
  id: number; conversation: number; at: number; kind: EntryKind; who: string; text: string
  content: Content; network: NetworkName; key: ArrivalKey; held: boolean; project?: string; sentBy?: number; signature?: string; gone?: true
  encrypted?: true // it came so, or a correction of it
}
export type NewEntry = Omit<Entry, 'id' | 'sentBy' | 'gone' | 'encrypted'>

/** A line about a conversation that the team reads. `key`: its delivery's. `kind`: that of the entry that it shows, if it shows one. */
export interface Line { conversation: number; key?: DeliveryKey; kind?: EntryKind }

export interface LogLine { at: number; address: string; conversation?: number; who: string; what: string; detail: string; hash: string }

/** The last line and its seal. */
export interface Head { line: number; seal: string }

/**
 * `sealedFrom`: lines before it are older than the seals. `wrong`: the first line that is not as it was written. `foreign`: those that another key
 * has sealed, if nothing else is wrong: an honest one, of a second machine or of before; or that of somebody who has written them anew.
 */
export interface Verified {
  lines: number; sealedFrom?: number; head?: Head; wrong?: { line: number, why: string }; foreign?: { first: number, last: number, lines: number }
}

/** `most`: the largest number of rows deleted from one table. If it reaches the limit, more may be left. */
export interface Forgotten { most: number; conversations: Conversation[] }

export type ConsentKind = 'granted' | 'withdrawn'
export interface Consent { person: string; address: string; kind: ConsentKind; how: string; at: number }

export interface AutomaticSent { kind: 'greeting' | 'absence' | 'redirect'; at: number; text: string }

export interface TeamChange { address: string; person: Person; name: string; added: boolean }

export interface DeskTx {
  conversation (id: number): Promise<Conversation | undefined>
  conversationAt (place: Place): Promise<Conversation | undefined> // by the contact's place
  conversationOf (address: string, contact: Person): Promise<Conversation | undefined>
  conversationsWith (contact: Person): Promise<Conversation[]>
  conversations (handledBy: string, states: CaseState[], limit: number): Promise<Conversation[]>
  ofAddress (address: string, limit: number): Promise<Conversation[]> // the address is theirs or handles them; open ones first
  allConversations (limit: number): Promise<Conversation[]>
  nextConversation (): Promise<number>
  due (now: number, limit: number): Promise<Conversation[]>
  nextDue (): Promise<number | undefined>
  /**
   * Inserts or updates it. False if somebody else has taken it since: its `claim` is not `expected`. `now`: by the clock that does not jump.
   */
  save (conversation: Conversation, expected: number, now: number): Promise<boolean>

  entry (entry: NewEntry, journal: number): Promise<void>
  known (conversation: number, limit: number): Promise<string[]> // the texts that the contact has said or was told, newest first
  entries (conversation: number, limit: number): Promise<Entry[]> // newest first; a held answer that went out after all is there once
  /** What these say now, newest first: nothing that was taken back, and of what was corrected the first, with its last words. */
  standing (entries: number[]): Promise<Entry[]>
  entryOf (network: NetworkName, key: ArrivalKey): Promise<Entry | undefined>
  sentBy (journal: number): Promise<Entry | undefined>
  /** The line at a place that has one of these ids, delivered or said there. */
  lineOf (place: Place, ids: (ArrivalKey | RemoteId)[]): Promise<Line | undefined>
  held (conversation: number): Promise<Entry[]> // oldest first
  released (entry: number, sentBy?: number): Promise<void>
  /** The answer never left: it becomes a note. */
  unsaid (entry: number): Promise<void>
  reworded (entry: number, content: Content, text: string): Promise<void>
  search (address: string, words: string, limit: number): Promise<Entry[]> // what nobody has taken back; so does the next
  ofProject (address: string, project: string, limit: number): Promise<Entry[]> // in order
  assign (entry: number, project: string): Promise<void>

  automatic (conversation: number, sent: AutomaticSent, address: string): Promise<void>
  automatics (conversation: number, since: number): Promise<AutomaticSent[]>
  automaticCount (address: string, since: number): Promise<number>

  log (line: Omit<LogLine, 'hash'>): Promise<void>
  logbook (address: string, conversation: number | undefined, limit: number): Promise<LogLine[]> // newest first
  /** Reads the whole logbook and says whether it is as it was written. */
  verify (): Promise<Verified>
  /** The last line and its seal, which covers all lines before it. */
  head (): Promise<Head | undefined>
  /** The last line whose seal begins with `seal`. */
  sealed (seal: string): Promise<number | undefined>

  consent (consent: Consent): Promise<void>
  consents (person: string, address: string): Promise<Consent[]> // newest first

  duty (address: string, agent: string, on: boolean, now: number): Promise<void>
  offDuty (): Promise<{ address: string, agent: string }[]>
  changeTeam (change: TeamChange): Promise<void>
  teamChanges (): Promise<TeamChange[]>

  /** The names of all addresses that contacts have written to, including those no longer in the config. */
  addresses (): Promise<string[]>
  /**
   * Forgets what was said to and by an address before `before`, by the clock that does not jump, even in open cases: entries, automatic
   * texts, arrivals with their deliveries, and conversations in which nothing has happened since. At most `limit` of each.
   */
  forget (address: string, before: number, limit: number): Promise<Forgotten>
  open (): Promise<{ address: string, state: CaseState, count: number, oldestAt: number | null }[]> // not done, by address
}
