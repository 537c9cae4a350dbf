/** All that is kept about one person, for export and erasure. */
import type { DeliveryKey, Person, Place } from '../model/address'
import type { Arrival, Delivery } from '../model/message'
import type { AutomaticSent, Consent, Conversation, Entry, LogLine } from './desk'

/**
 * `said`: they said it, or it came to their own chat. `about`: it belongs to a conversation with them. `named`: somebody else said it, and it
 * holds their address.
 */
export interface ArrivalAbout { seq: number; at: number; how: 'said' | 'about' | 'named'; arrival: Arrival }

/** What was sent because of them, to their own chat, or to rooms about them alone. */
export interface DeliveryAbout { id: number; journal: number; state: string; network: string; place: string; queuedAt: number; delivery: Delivery }

export interface Unread { id: number; network: string; raw: string; why: string; at: number }

/** `key` and `value` as a network wrote them. Of what is in a vault, only how many bytes it has. */
export interface Fact { owner: string; key: string; value: string }

/** `links`: to files that came with the arrivals, by the row of the arrival. */
export interface About {
  person: Person
  conversations: Conversation[]
  entries: Entry[]
  automatic: (AutomaticSent & { conversation: number })[]
  arrivals: ArrivalAbout[]
  deliveries: DeliveryAbout[]
  links: { journal: number, expiresAt: number }[]
  quarantine: Unread[]
  logbook: LogLine[]
  consents: Consent[]
  stoppedAt?: number // they said STOP
  facts: Fact[]
}

/**
 * Somebody who is erased. `ids`: under which they stand anywhere: their own, and those of ghosts that speak for them. `rooms`: of teams, about them
 * alone.
 */
export interface Subject { person: Person; ids: string[]; rooms: Place[] }

/** Rows of the journal, from the first after `after` up to `upTo`. */
export interface Stretch { after: number; upTo: number }

/** How many rows were deleted, by what they hold. */
export interface Erased { conversations: number; messages: number; quarantine: number; facts: number }

export interface PersonTx {
  /** Everything. Reads each row of the store, so it is asked of a copy. */
  about (person: Person): Promise<About>
  /** Their addresses in rooms, where a room vouched for whose they are. */
  occupants (person: Person): Promise<Person[]>
  /** The number of the last row of the journal. */
  lastArrival (): Promise<number>
  /** What is about them in this stretch, with all that was sent because of it. */
  aboutWithin (subject: Subject, stretch: Stretch): Promise<Pick<About, 'arrivals' | 'deliveries'>>
  isQueued (key: DeliveryKey): Promise<boolean>
  /** How the deliveries that an arrival caused have ended, and how many have not. */
  endings (journal: number): Promise<{ network: string, state: string, reason: string, count: number }[]>
  /** Those of an arrival that wait. */
  waitingOf (journal: number): Promise<number[]>
  /** Deletes an arrival with all that it caused. */
  forgetArrival (journal: number): Promise<void>
  /** Deletes all that is about them in this stretch and not under way; takes their address out of what others said. Networks may bring it again. */
  eraseWithin (subject: Subject, stretch: Stretch, now: number): Promise<Pick<Erased, 'messages'>>
  /** Deletes conversations, consent, and what could not be read. */
  eraseRest (subject: Subject): Promise<Pick<Erased, 'conversations' | 'quarantine'>>
  /** Deletes facts that hold one of these ids, but for those of some owners. */
  eraseFacts (ids: string[], but: string[]): Promise<Pick<Erased, 'facts'>>
}

/** The rows that belong to an order to erase somebody: where they are queued from. They say for whom, so they go last. */
export const ORDER_PLACE = 'erasure '

/** The direct chat of a person: its id ends in theirs (Naming.direct). */
export const isTheirChat = ({ network, id }: Place, person: Person): boolean =>
  network === person.network && id.endsWith(person.id) && [' ', '/'].includes(id.at(-person.id.length - 1) ?? '')

/** Whether a text holds an address, and not only a longer one in which it is. */
export const holds = (text: string, id: string): boolean => {
  const isPart = (character: string | undefined): boolean => character !== undefined && /[\p{L}\p{N}@_+-]/u.test(character)
  for (let at = text.indexOf(id); at >= 0; at = text.indexOf(id, at + 1)) {
    const behind = text.slice(at + id.length)
    if (!isPart(text[at - 1]) && !isPart(behind[0]) && !/^\.[\p{L}\p{N}]/u.test(behind)) return true
  }
  return false
}

export const holdsOne = (text: string, ids: string[]): boolean => ids.some(id => holds(text, id))

/** The same without the elements and fields that hold an address; undefined if nothing is left. */
export const withoutAddress = (value: unknown, ids: string[]): unknown => {
  const isTheirs = (text: string): boolean => holdsOne(text, ids)
  if (typeof value === 'string') return isTheirs(value) ? undefined : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const left: unknown[] = value.filter((one: unknown) => !isTheirs(JSON.stringify(one)))
    return left.length === 0 ? undefined : left
  }
  const left = Object.entries(value).filter(([key, one]) => !isTheirs(key) && !isTheirs(JSON.stringify(one)))
  return left.length === 0 ? undefined : Object.fromEntries(left)
}

/** A fact of a network without an address. What is no JSON, or one value, goes as a whole. */
export const factWithout = (value: string, ids: string[]): string | undefined => {
  try {
    const left = withoutAddress(JSON.parse(value), ids)
    return left === undefined ? undefined : JSON.stringify(left)
  } catch {
    return undefined
  }
}
