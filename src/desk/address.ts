/**
 * Function addresses as the config or an order makes them: a public identity, the team behind it, and how it works.
 * Everything here is data; what happens is in contact.ts and agent.ts.
 */
import { addressKey, type NetworkName, type Person } from '../model/address'
import type { Profile } from '../model/network'
import type { Hours } from './hours'

/** Somebody of a team, by one or several addresses. `direct`: sees cases in direct chats, without rooms. */
export interface Agent { name: string; addresses: Person[]; direct?: boolean }

/** soft: who does not have the case writes notes; open: everybody's words go out; hard: only who has the case may speak. */
export type ClaimPolicy = 'soft' | 'open' | 'hard'
/** What of what the team says in the room of a case goes to the contact: all that is no note and no command, or only what says that it is to. */
export type Answers = 'all' | 'explicit'
/** What a message to a closed case does: goes on with it, begins a new one, or goes on for so many days. */
export type FollowUp = 'reopen' | 'new' | { days: number }
/** What the contact sees of who answers, as a last line when it changes. */
export type Signature = 'none' | 'first name' | 'full'

/** The name under which what comes from ourselves stands where networks stand: orders in the journal, files of standard texts. */
export const OURS = 'desk'

export interface StandardTextFile { path: string; name: string; mime: string }
export interface StandardText { text: string; file?: StandardTextFile }

export interface FunctionAddress {
  name: string // canonical: NFC, lower case; unique
  slug: string // of a–z, 0–9 and -; unique; names rooms
  identities: Person[] // what it is called, at most one a network
  aliases: Person[] // further spellings
  team: Agent[]
  profile: Omit<Profile, 'present'>
  language: 'de' | 'en'
  zone: string // time zone, for times in texts
  hours?: Hours // always open without
  automatic: { greeting?: string, absence?: string, redirect?: string } // the texts, with variables; off without
  privacy?: string // link
  redirectOnly: boolean
  claim: ClaimPolicy
  answers: Answers
  undoSeconds: number // an answer may be taken back so long before it leaves
  claimTimeoutMinutes: number // business minutes without a word of who has the case, after which anybody may take it
  signature: Signature
  followUp: FollowUp
  texts: Record<string, StandardText> // by name
  retentionDays: number
  retired?: Person[] // what it was called, if it is not in the config any more
}

export interface Roster {
  all (): FunctionAddress[]
  named (name: string): FunctionAddress | undefined
  /** By what it is called on a network. */
  called (person: Person): FunctionAddress | undefined
  /** Puts an address in, or in place of the one of the same name. */
  put (address: FunctionAddress): void
}

export const makeRoster = (addresses: FunctionAddress[]): Roster => {
  const byName = new Map(addresses.map(address => [address.name, address]))
  return {
    all: () => [...byName.values()],
    named: name => byName.get(name.normalize('NFC').toLowerCase()),
    called: person => [...byName.values()].find(({ identities, aliases }) =>
      [...identities, ...aliases].some(one => addressKey(one) === addressKey(person))),
    put: address => { byName.set(address.name, address) }
  }
}

export const agentOf = ({ team }: FunctionAddress, person: Person): Agent | undefined =>
  team.find(({ addresses }) => addresses.some(one => addressKey(one) === addressKey(person)))

/** What an agent is called in the store: the first of their addresses. */
export const agentKey = ({ addresses }: Agent): string => addresses.map(addressKey)[0] ?? ''

/** Of a conversation that the team of another address has from now on. */
export const leftRooms = (before: string[] | undefined, { slug }: FunctionAddress): { leftRooms: string[] } =>
  ({ leftRooms: [...new Set([...before ?? [], slug])] })

export const identityOn = ({ identities }: FunctionAddress, network: NetworkName): string | undefined =>
  identities.find(one => one.network === network)?.id
