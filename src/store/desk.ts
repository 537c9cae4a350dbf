/** What the desk remembers: conversations with their current case, what was said in them, consent, and the logbook. */
import type { ArrivalKey, DeliveryKey, NetworkName, Person, Place, RemoteId } from '../model/address'
import type { Content } from '../model/message'

export type CaseState = 'new' | 'claimed' | 'waiting' | 'snoozed' | 'done'

/** One contact × one function address, with the case that it is at. */
export interface Conversation {
  id: number
  address: string // the function address that the contact sees
  handledBy: string // the function address whose team works on it: the same, until it is passed on
  contact: Person
  place: Place // where the contact reads and writes
  name?: string // of the contact, cleaned; without it nothing but the address is known
  state: CaseState
  owner?: string // agentKey of who has the case
  claim: number // counts changes of owner, so that two cannot take it
  cases: number // which case of the conversation this is, from 1
  openedAt: number // of the case; all times in ms since 1970
  closedAt?: number
  heardAt?: number // the contact's last message, if a person wrote it
  answeredAt?: number // the first answer of this case
  saidAt?: number // the last word of the team to the contact
  dueAt?: number // when something is to happen by itself
  awaits: boolean // "Noch Antworten": the last visible message is the contact's
  labels: string[]
  project?: string
  excerpt?: string // of what opened the case
  announced: { place: Place, key: DeliveryKey }[] // the notices about this case, to be changed when it changes
  claimedAt?: number
  hinted?: boolean // the contact was told, since STOP, how to be answered again
  breakerAt?: number // when the team was last told that automatic texts were too many
  toldClosed?: boolean // that the address is not in the config any more
  othersAt?: number // when the team was last told that somebody else writes in the contact's chat
  leftRooms?: string[] // the slugs of the addresses that had it before: it has rooms of theirs
  signed?: string // whose name the contact saw last
}

export type EntryKind = 'contact' | 'team' | 'note' | 'automatic'

/**
 * What was said in a conversation. `held`: an answer that did not go out because somebody else has the case. `sentBy`: by which arrival it
 * went out after all, as an entry of its own. `signature`: the name that the contact saw below it.
 */
export interface Entry {
  id: number; conversation: number; at: number; kind: EntryKind; who: string; text: string
  content: Content; network: NetworkName; key: ArrivalKey; held: boolean; project?: string; sentBy?: number; signature?: string
}
export type NewEntry = Omit<Entry, 'id' | 'sentBy'>

/** A line about a conversation, where the team reads it. `key`: of its delivery. `kind`: of what was said there, if that is what it shows. */
export interface Line { conversation: number; key?: DeliveryKey; kind?: EntryKind }

export interface LogLine { at: number; address: string; conversation?: number; who: string; what: string; detail: string; hash: string }

/** The last line and its seal. */
export interface Head { line: number; seal: string }

/** `sealedFrom`: lines before it are older than the seals. `wrong`: the first line that is not as it was written. */
export interface Verified { lines: number; sealedFrom?: number; head?: Head; wrong?: { line: number, why: string } }

/** `most`: how many there were of the kind of which there were most. */
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
  ofAddress (address: string, limit: number): Promise<Conversation[]> // that contacts see, or whose team works on them; open ones first
  allConversations (limit: number): Promise<Conversation[]>
  nextConversation (): Promise<number>
  due (now: number, limit: number): Promise<Conversation[]>
  nextDue (): Promise<number | undefined>
  /**
   * Makes it or changes it. False if it was taken by somebody else since: `claim` is not what was expected. `now`: by the clock that does
   * not jump.
   */
  save (conversation: Conversation, expected: number, now: number): Promise<boolean>

  entry (entry: NewEntry, journal: number): Promise<void>
  known (conversation: number, limit: number): Promise<string[]> // the texts that the contact has said or was told, newest first
  entries (conversation: number, limit: number): Promise<Entry[]> // newest first; what went out after all stands there once
  entryOf (network: NetworkName, key: ArrivalKey): Promise<Entry | undefined>
  sentBy (journal: number): Promise<Entry | undefined>
  /** What a place knows under one of these ids: a line that was delivered there, or something that was said there. */
  lineOf (place: Place, ids: (ArrivalKey | RemoteId)[]): Promise<Line | undefined>
  held (conversation: number): Promise<Entry[]> // oldest first
  released (entry: number, sentBy?: number): Promise<void>
  /** It never left: no answer, but a note. */
  unsaid (entry: number): Promise<void>
  reworded (entry: number, content: Content, text: string): Promise<void>
  search (address: string, words: string, limit: number): Promise<Entry[]>
  ofProject (address: string, project: string, limit: number): Promise<Entry[]> // in order
  assign (entry: number, project: string): Promise<void>

  automatic (conversation: number, sent: AutomaticSent, address: string): Promise<void>
  automatics (conversation: number, since: number): Promise<AutomaticSent[]>
  automaticCount (address: string, since: number): Promise<number>

  log (line: Omit<LogLine, 'hash'>): Promise<void>
  logbook (address: string, conversation: number | undefined, limit: number): Promise<LogLine[]> // newest first
  /** Reads the whole logbook and says whether it is as it was written. */
  verify (): Promise<Verified>
  /** The seal of the last line, which stands for all before it. */
  head (): Promise<Head | undefined>
  /** The line whose seal begins so. */
  sealed (seal: string): Promise<number | undefined>

  consent (consent: Consent): Promise<void>
  consents (person: string, address: string): Promise<Consent[]> // newest first

  duty (address: string, agent: string, on: boolean, now: number): Promise<void>
  offDuty (): Promise<{ address: string, agent: string }[]>
  changeTeam (change: TeamChange): Promise<void>
  teamChanges (): Promise<TeamChange[]>

  /** The names of all addresses that contacts have written to, also of those that are not in the config any more. */
  addresses (): Promise<string[]>
  /**
   * Forgets what was said to and by an address before `before`, by the clock that does not jump, whatever became of the case: entries,
   * automatic texts, arrivals with their deliveries, and conversations in which nothing happened since. At most `limit` of each.
   */
  forget (address: string, before: number, limit: number): Promise<Forgotten>
  open (): Promise<{ address: string, state: CaseState, count: number, oldestAt: number | null }[]> // not done, by address
}
