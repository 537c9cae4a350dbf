/** All that is kept about one person, for export and erasure. */
import type { Person, Place } from '../model/address'
import type { Arrival, Delivery } from '../model/message'
import type { AutomaticSent, Consent, Conversation, Entry, LogLine } from './desk'

/**
 * `said`: they said it, or it came to their own chat. `about`: it belongs to a conversation with them. `named`: somebody else said it, and it
 * holds their address.
 */
export interface ArrivalAbout { seq: number; at: number; how: 'said' | 'about' | 'named'; arrival: Arrival }

/** What was sent because of them, or to their own chat. */
export interface DeliveryAbout { id: number; state: string; network: string; place: string; queuedAt: number; delivery: Delivery }

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

export interface PersonTx {
  /** Everything. Reads each row of the store, so it is asked of a copy. */
  about (person: Person): Promise<About>
  /** Their addresses in rooms, where a room vouched for whose they are. */
  occupants (person: Person): Promise<Person[]>
}

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
