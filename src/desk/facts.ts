/**
 * What a rule may know, by who spoke where: the arrival, and what was read for it in the transaction that also carries out the rule's plan.
 * All of it is plain data. read-facts.ts reads it.
 */
import type { ArrivalKey, Person, Place } from '../model/address'
import type {
  Arrival, Content, DeletionArrival, EditArrival, ExpulsionArrival, MessageArrival, OrderArrival, ProfileArrival, ReactionArrival, ReceiptArrival,
  RenamedArrival, StandingArrival, VoteArrival
} from '../model/message'
import type { Directory } from '../plan/directory'
import type { AutomaticSent, Conversation, Entry, LogLine } from '../store/desk'
import type { Reacted } from '../plan/react'
import type { Answered, Reaction, Recorded } from '../store/store'
import type { Agent, FunctionAddress } from './address'
import type { Calls } from './called'
import type { CaseWord, PageWord, PersonWord } from './commands'
import type { DeskMemory } from './memory'
import type { Left } from './retired'
import type { Typed } from './typed'

/** What is kept in memory, and only looked up. */
export interface Context { memory: DeskMemory; directory: Directory }

interface Common {
  now: number
  address: FunctionAddress // whose team works on it
  shown: FunctionAddress // the one that the contact sees: the same, unless the case was passed on
}

/** What a person says in a place, or changes of it. A new kind of arrival counts as such until the rule handles it. */
export type Spoken = Exclude<Arrival,
  ReactionArrival | VoteArrival | ReceiptArrival | StandingArrival | ExpulsionArrival | RenamedArrival | ProfileArrival | OrderArrival>

/** What is answered, with its entry in the record. `isLast`: the contact has said nothing since. */
export interface AnsweredEntry { said: Answered; entry: Entry; isLast: boolean }

/** `answered`: what it is a reply to. */
interface Says { kind: 'message'; arrival: MessageArrival; answered?: AnsweredEntry }
/** `original`: what is edited. */
interface Edits { kind: 'edit'; arrival: EditArrival; original?: Recorded; answered?: AnsweredEntry }
interface Deletes { kind: 'deletion'; arrival: DeletionArrival; original?: Recorded }

// ---- a contact, in their chat

interface OfContact extends Common { from: 'contact'; conversation?: Conversation }

/** `unsent`: what the team has said there that has not left yet. */
export interface Theirs { one: Conversation; unsent: Content[] }

export interface ContactSays extends OfContact, Says {
  next: number // the number that a new conversation gets
  isKnown: boolean // the contact's consent is in the ledger
  automatics: AutomaticSent[]
  automaticsLastMinute: number
  lately: Entry[] // the last entries of the conversation, newest first
  theirs: Theirs[] // all that this contact has with us, if they end or begin everything
  counting?: Recorded // the message whose line counts those that could not be read
}
/** `summedUp`: what teams were told that got the case later. */
export interface ContactEdits extends OfContact, Edits { entry?: Entry; summedUp?: Entry[]; theirs: Theirs[] }
export interface ContactDeletes extends OfContact, Deletes { entry?: Entry; summedUp?: Entry[] }
export type ContactFacts = ContactSays | ContactEdits | ContactDeletes

// ---- others who are not of the team

/** Somebody who is not of the team, in a place of the team. */
export interface OutsiderFacts extends Common { from: 'outsider'; arrival: Spoken; conversation?: Conversation }

/** Somebody else in a direct chat of ours: in a contact's, if there is a conversation. */
export interface NobodyFacts extends Common { from: 'nobody'; arrival: Spoken; conversation?: Conversation }

/** Somebody who ends or begins everything in a place that does not belong to the desk. */
export interface ElsewhereFacts extends Common { from: 'elsewhere'; arrival: MessageArrival | EditArrival; theirs: Theirs[] }

/** What was said before in a case. `sentBy`: the command that sent it after all, if it was held. `lately`: newest first. */
export interface Before { entry: Entry; lately: Entry[]; sentBy?: Recorded }

/** The writer of an answer edits or deletes it, but may no longer answer the case: they left the team, or another team has it. */
export type WriterFacts = Common & { from: 'writer', conversation: Conversation, before: Before, summedUp?: Entry[] } & (Edits | Deletes)

// ---- the team

/** The room of one case, the room in which all are announced, an agent's own chat with the address, or the page of the team. */
export type Where = 'room' | 'inbox' | 'chat' | 'page'

/** What was said, without the number in front. */
export interface Said { content: Content; typed: Typed }

export interface Speaker { agent: Agent; key: string }

interface OfTeam extends Common { from: 'team'; where: Where; who: Speaker }

/** About a case: in its room, or by its number, or in reply to a line about it. */
export interface CaseSaid extends OfTeam, Says {
  about: 'case'
  conversation: Conversation
  said: Said
  other?: number // in the room of a case, the number of another case that stands in front
  toContact: boolean // in reply to what the contact wrote
  strange: boolean // it quotes or answers something that the contact has not seen
  called?: Calls // it speaks to colleagues
}
/** About no case. `missing`: the number in front, if there is no such case here. */
export interface Talk extends OfTeam, Says { about: 'none'; said: Said; called?: Calls; missing?: number }

export interface CaseEdited extends OfTeam, Edits {
  about: 'case'
  conversation: Conversation
  said: Said
  before?: Before
  other?: number
  strange: boolean
  called?: Calls
}
export interface TalkEdited extends OfTeam, Edits { about: 'none'; said: Said }

export interface CaseDeleted extends OfTeam, Deletes { about: 'case'; conversation: Conversation; before?: Before }
export interface TalkDeleted extends OfTeam, Deletes { about: 'none' }

/** A command, with what this command needs to know. `conversation`: the case at hand, if there is one. */
export type TypedCommand = OfTeam & Says & { about: 'command', rest: string, conversation?: Conversation } & Asked
/** The same, chosen on the page of the team. */
export type PageCommand = OfTeam & { kind: 'order', arrival: OrderArrival, about: 'command', rest: string, conversation: Conversation } &
  Extract<Asked, { word: PageWord }>
export type CommandFacts = TypedCommand | PageCommand

/** What came masked last, and was told to nobody yet: in the case at hand, or in any of the address. */
export interface MaskedAt { place: Place; key: ArrivalKey; conversation: Conversation }

export type Asked =
  | { word: 'list', open: Conversation[] }
  | { word: 'search' | 'filed', found: Entry[] }
  | { word: 'log', lines: LogLine[] }
  | { word: 'duty', all: Conversation[] } // all of the address
  | { word: 'send', held: Entry[], last?: number } // held: what may still be sent; last: what its writer said in this case last
  | { word: 'assign', lately: Entry[] }
  | { word: 'project', entries: Entry[] }
  | { word: 'text' }
  | { word: 'code', masked?: MaskedAt }
  | { word: Exclude<CaseWord, PageWord | 'send' | 'project' | 'text'> }
  | { word: Exclude<PageWord, 'assign'> }
  | { word: 'team' | 'texts' | 'page' | 'help' }

/** A person named by their address, with their conversation with this address of ours. */
export interface Target { person: Person; permitted: boolean; conversation?: Conversation }

/** A command about a person. It has no case at hand. */
export interface PersonFacts extends OfTeam, Says { about: 'person'; word: PersonWord; rest: string; next: number; target?: Target }

/** A command with the number of no case here, or of another than the one at hand. Nothing is done. */
export interface Slip extends OfTeam, Says { about: 'slip'; conversation?: Conversation; wrong: { missing: number } | { other: number, own: number } }

export type TeamMessage = CaseSaid | Talk | TypedCommand | PersonFacts | Slip
export type TeamEdit = CaseEdited | TalkEdited
export type TeamDeletion = CaseDeleted | TalkDeleted
export type TeamFacts = TeamMessage | TeamEdit | TeamDeletion | PageCommand

// ---- Zentrale itself

interface OfOrder extends Common { from: 'order'; arrival: OrderArrival }
export interface DueFacts extends OfOrder { what: 'due'; conversation?: Conversation }
/** Brings the inbox rooms of an address and the rooms of its conversations up to date. */
export interface SyncFacts extends OfOrder { what: 'sync'; all: Conversation[]; unsealed?: true }
export interface RetireFacts extends OfOrder { what: 'retire'; left: Left[] }
export interface TeamChangeFacts extends OfOrder { what: 'change team'; rest: string; all: Conversation[] }
export type OrderFacts = DueFacts | SyncFacts | RetireFacts | TeamChangeFacts | (OfOrder & { what: 'open' | 'not understood' })

// ---- reactions

/**
 * Somebody reacts to what was said, or takes that back. `who`: of the team; absent if it is the contact. `reaction`: the one that comes or is
 * taken back. `words`: of the message, as its readers were shown them. `outside`: the address's reactions to it, which the contact sees.
 */
export interface ReactionFacts extends Common {
  from: 'reaction'; arrival: ReactionArrival | DeletionArrival; reaction: ReactionArrival; reacted: Reacted
  who?: Speaker; conversation?: Conversation; words: Content; outside: Reaction[]
}

export type DeskFacts = ReactionFacts | ContactFacts | OutsiderFacts | NobodyFacts | ElsewhereFacts | WriterFacts | TeamFacts | OrderFacts
