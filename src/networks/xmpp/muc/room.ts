/** What we know of a room, and the interfaces for two kinds: rooms that are ours alone, and rooms in which not everybody may speak. */
import type { Refused, Unavailable } from '../../../model/errors'
import type { Occupant, PutOut } from './occupant'
import { isHidden } from '../names'
import type { Present } from './people'

/** A room's errors for somebody whom it does not know (XEP-0410 §3.2). The second also means that there is no such room now. */
export const UNKNOWN: ReadonlySet<string> = new Set(['not-acceptable', 'item-not-found'])

export const STANZA_IDS = 'urn:xmpp:sid:0'
export const ARCHIVE = 'urn:xmpp:mam:2'
export const INFO = 'http://jabber.org/protocol/disco#info'

export interface Room {
  readonly id: string // its address
  readonly place: string // the id of the place that it is; a place keeps its id when it moves to another room
  follows: string | undefined // the room in whose place it comes, until it is clear whether it may
  untold: boolean // nobody was told yet that the place has moved here
  readonly listener: Occupant
  readonly ghosts: Map<string, Occupant> // by full address
  readonly nicks: Map<string, Occupant> // ours that are inside
  readonly people: Map<string, Present> // by nick
  listed: ReadonlySet<string> // full addresses of the ghosts that belong there although they say nothing
  gone: ReadonlySet<string> // full addresses of ghosts that belong there no more
  whole: boolean // no other ghosts belong there, unless they speak
  readonly unwanted: Set<string> // full addresses of the ghosts that were put out or not let in; they enter only to speak
  readonly own: boolean // we made it, and nobody else may own it
  readonly isTeams: boolean // the same, and it is a team's
  features: ReadonlySet<string>
  subject: string | undefined // unknown until the room has said it
  look: string | undefined // the subject that it told us when we entered
  name: string | undefined
  picture: string | undefined // where it lies; '' for none
  ready: boolean
  visit: number // counts the listener's entries, to recognise answers about an earlier one
  refusal: Refused | Unavailable | undefined // why it cannot be entered at present
  putOut: PutOut | undefined
  heardAt: number
  entering: boolean
  waiting: (() => void)[] // called when ready or refusal changes
}

/** The rooms that are ours alone: which they are, how one is set up, and how one of ours is let in. */
export interface OwnRooms {
  has (id: string): boolean
  isClosed (features: ReadonlySet<string>): boolean
  setUp (id: string): Promise<void>
  /** `nick`: how the room names this one for apps while it is away (XEP-0045 §9.3). */
  admit (id: string, jid: string, nick?: string): Promise<void>
}

/** How ours enter and speak where not everybody may. */
export interface Voices {
  /** Makes one of ours a member. Throws Refused or Unavailable. */
  admit (room: Room, ghost: Occupant): Promise<void>
  /** Resolves if one of ours that is inside may speak. Throws Refused or Unavailable. */
  give (room: Room, ghost: Occupant): Promise<void>
  /** Says in the room that its owners have to make us a member before the place can move there. */
  askToStay (room: Room): void
}

export const canRule = ({ listener: { affiliation } }: Room): boolean => affiliation === 'owner' || affiliation === 'admin'

/** A room puts somebody else out who has the nick of a member, so only one that nobody has may be given. */
export const freeNick = ({ people, nicks }: Room, nick: string): string | undefined => people.has(nick) || nicks.has(nick) ? undefined : nick

/**
 * The room's id of a message, from what its arrival is known by; undefined if the room gave none, or another one that was in its place, because then
 * the key is only ours.
 */
export const namedIn = ({ id }: Pick<Room, 'id'>, known: string): string | undefined =>
  known.startsWith(`${id} `) ? known.slice(id.length + 1) : isHidden(known) || known.startsWith(`${id}/`) ? undefined : known

/** The key of what somebody said to one of ours in private. */
export const whisperKey = ({ id }: Pick<Room, 'id'>, token: string): string => `${id}/private ${token}`
export const isWhisper = (room: Pick<Room, 'id'>, key: string): boolean => key.startsWith(whisperKey(room, ''))

/** How somebody is called who is in the room now; undefined if the room does not show who is. */
export const nickOf = ({ people }: Pick<Room, 'people'>, address: string): string | undefined =>
  [...people].find(([, one]) => one.address === address)?.[0]
