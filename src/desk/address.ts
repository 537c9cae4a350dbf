/**
 * Function addresses as the config or an order makes them: a public identity, the team behind it, and how it works.
 * Everything here is data; contact.ts and agent.ts decide what happens.
 */
import { addressKey, type NetworkName, type Person } from '../model/address'
import type { Profile } from '../model/network'
import type { Shows } from '../model/signal'
import type { Hours } from './hours'
import type { Secret } from './in-the-clear'

/** Somebody in a team, with one or several addresses. `direct`: sees cases in direct chats, without rooms. */
export interface Agent { name: string; addresses: Person[]; direct?: boolean }

/** soft: answers of whoever does not have the case are held; open: everybody's answers go out; hard: only whoever has the case may speak. */
export type ClaimPolicy = 'soft' | 'open' | 'hard'
/** Which words in the room of a case go to the contact: all that are neither note nor command, or only those that say so. */
export type Answers = 'all' | 'explicit'
/** What a message to a closed case does: reopens it, begins a new one, or reopens it within so many days. */
export type FollowUp = 'reopen' | 'new' | { days: number }
/** What the contact sees of the team's reactions: nothing, or those of whoever has the case; and `lines`: also where they become an SMS each. */
export type Reactions = 'inside' | 'shown' | 'lines'
/** How the contact is told who answers: in a last line, whenever that changes. */
export type Signature = 'none' | 'first name' | 'full'

/** The “network” of what comes from ourselves: orders in the journal, files of standard texts. */
export const OURS = 'desk'

export interface StandardTextFile { path: string; name: string; mime: string }
export interface StandardText { text: string; file?: StandardTextFile }

/** What it says besides what is known anyway. `about`: without hours and links. */
export interface LinkPage { about: string; imprint?: string }

export interface FunctionAddress {
  name: string // canonical: NFC, lower case; unique
  slug: string // of a–z, 0–9 and -; unique; names rooms
  identities: Person[] // its names, at most one for each network
  aliases: Person[] // further spellings
  team: Agent[]
  profile: Omit<Profile, 'present'>
  language: 'de' | 'en'
  zone: string // time zone, for times in texts
  hours?: Hours // without them, always open
  automatic: { greeting?: string, absence?: string, redirect?: string } // the texts, with variables; one that is missing is off
  privacy?: string // link
  redirectOnly: boolean
  claim: ClaimPolicy
  answers: Answers
  reactions: Reactions
  undoSeconds: number // how long an answer waits before it leaves, and may be taken back
  claimTimeoutMinutes: number // opening minutes without an answer, after which anybody may take the case
  signature: Signature
  heldInTheClear: Secret[] // what is held where it would not go encrypted
  followUp: FollowUp
  texts: Record<string, StandardText> // by name
  retentionDays: number
  countsAgents?: true // reports say who of the team answered how much
  encryptedRooms?: true // the rooms of the team, where the network can encrypt them
  wordsOnPage: boolean // the page of the team shows what was said, not only with whom
  shows?: Shows // signals, to contacts and of them; absent: none
  encrypts?: boolean // see Identity
  linkPage?: LinkPage // that anybody may open; absent: there is none
  retired?: Person[] // its former names, if it is not in the config any more
}

export interface Roster {
  all (): FunctionAddress[]
  named (name: string): FunctionAddress | undefined
  /** The address that has this name on a network. */
  called (person: Person): FunctionAddress | undefined
  /** Adds an address, or replaces the one of the same name. */
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

/** An agent's key in the store: the first of their addresses. */
export const agentKey = ({ addresses }: Agent): string => addresses.map(addressKey)[0] ?? ''

/** For a conversation that goes to the team of another address: the rooms it leaves, by slug. */
export const leftRooms = (before: string[] | undefined, { slug }: FunctionAddress): { leftRooms: string[] } =>
  ({ leftRooms: [...new Set([...before ?? [], slug])] })

export const identityOn = ({ identities }: FunctionAddress, network: NetworkName): string | undefined =>
  identities.find(one => one.network === network)?.id
