/**
 * What each network provides besides its adapter (`Network` in model/network.ts): its part of the config and of what commands ask and show
 * (`settings.ts`), and its checks (`check.ts`). config and operate know nothing else of networks. kinds.ts lists them.
 *
 * W is the network's section of the config as written, C the config that the adapter takes, P a place as written in a mirror, N the value of
 * the network's key in a function address. `section` is undefined if the config has none; a function that needs it then reports a problem.
 */
import type { z } from 'zod'
import type { Chance } from '../lib/chance'
import type { Clock } from '../lib/clock'
import type { Listen } from '../lib/serve'
import type { MirrorPlace, NetworkName, Person, Place } from '../model/address'
import type { Network, Profile, Vault, World } from '../model/network'
import type { Finding } from '../settings/probe'
import type { Path, Problem, Problems } from '../settings/problem'
import type { Given, Question } from '../settings/questions'

export interface NetworkKind<W = unknown, C = unknown, P = unknown, N = unknown> {
  settings: Settings<W, C, P, N>
  check: Check<C>
  make (config: C, world: World): Network
  /** The devices of our addresses, by which chats are encrypted. Absent: it has none. */
  keyring?: Keyring
}

/** Reads and changes what a network keeps of devices in its vault. */
export interface Keyring {
  /** How a fingerprint is shown to people: what it is called, and how many characters stand together. */
  shown: { label: Record<'de' | 'en', string>, group: number }
  /** `waiting`: how many messages wait for a key. */
  list (vault: Vault): Promise<{ devices: DeviceLine[], waiting: number }>
  /** The device is to be made anew, under the same identity. False if there is none. */
  renew (vault: Vault, address: string): Promise<boolean>
  /** An earlier copy of the store was put back: what it says of chats may not hold any more. */
  restored? (vault: Vault): Promise<void>
  /** The identities that sign devices, with their private keys, by address. */
  identities (vault: Vault): Promise<object>
  /** Returns the addresses that had none. Throws Refused, and takes nothing, if something is no identity, or an address has another one. */
  take (vault: Vault, identities: unknown): Promise<string[]>
}

/** `since`: ms since 1970. `sessions`: how many keys for reading it has. `isRenewing`: another one is to be made. */
export interface DeviceLine {
  address: string; device: string; fingerprint: string; identity: string; since: number; sessions: number; isRenewing: boolean
}

export interface Settings<W = unknown, C = unknown, P = unknown, N = unknown> {
  name: NetworkName // also the key of its section, of its places in mirrors, and of its names of function addresses
  label: string // what people call it
  section: z.ZodType<W>
  /** The canonical id of the person whom `written` names; undefined if it names nobody on this network. */
  person (written: string): string | undefined
  /** Where Zentrale listens for this network. Paths start at the section. */
  listeners? (section: W): (Listen & { path: Path })[]
  place: PlaceSettings<W, P>
  address: AddressSettings<W, N>
  agents: AgentSettings<W>
  /** Where people of other networks have no ghosts: an address of ours that stands for one of them. None, with a problem, if it is not ours. */
  standIn? (written: string, section: W | undefined, path: Path, problem: Problems): Person[]
  /** Reports keys that contradict one another. The paths in `places` and `names` lead to the network's key. */
  contradictions? (given: { section: W | undefined, places: Found<P>[], names: Found<N>[], standIns: Found<string>[] }, tell: Tell): void
  /** The section as the adapter takes it. If that is impossible, reports why and returns undefined. */
  take (section: W, around: Taking): C | undefined
  /** What it has read in a file that its section names, by that key, as far as it must be the same on each machine. */
  read? (config: C): Record<string, unknown>
  /** What its server is called, if that never changes: with another one, all that a store knows of this network is somebody else's. */
  server? (config: C): string
  /** How to write to an address of ours on this network, for its contact block. */
  contact (id: string): ContactWay
  init: InitSettings
  /** Set if the network's server needs a file that names our addresses (`zentrale registration`). */
  registration?: Registering<W>
}

/** Something in the config, and where. */
export interface Found<T> { value: T; path: Path }

export interface Tell {
  problem: Problems
  /** The line of the value at a path. */
  line (path: Path): number
}

/** A place of a mirror, and its path in the config. */
export interface Seat extends MirrorPlace { path: Path }

export interface PlaceSettings<W, P> {
  key: z.ZodType<P>
  sample: string // lines of the list of places in config.sample.yaml
  asked?: RegExp // how the rooms look for which people of other networks may ask; absent: they cannot
  seats (written: P, section: W | undefined, path: Path, problem: Problems): Seat[]
}

/** What a function address is called on a network. */
export interface Names { identities: Person[]; aliases: Person[] }

/** `written`: the name configured for this network alone, if any. `ascii`: the name in a–z, taken from any network's key. */
export interface ToName<N> { name: string; written: N | undefined; ascii: string | undefined }

export interface AddressSettings<W, N> {
  key: z.ZodType<N>
  /** Set if an address is on this network only with a key of its own. Says for which addresses that is, and what to write. */
  needs?: { when: string, what: string }
  /** Set if the network takes only names in a–z, so that other letters are rewritten. */
  rewritten?: true
  /** The name in the key, to compare with the names of other addresses; and the same in a–z. */
  spelled? (written: N): { spelling: string, ascii: string | undefined }
  /** If the name cannot be rewritten, reports that and returns undefined. */
  names (to: ToName<N>, section: W | undefined, path: Path, problem: Problems): Names | undefined
  profile? (written: N): Partial<Profile>
  /** If the address wants its chats to be encrypted, those with this id can be. Throws Impossible if not. Absent: that is not left to the address. */
  encrypts? (id: string, section: W | undefined): true
}

/** Who may be in a team: people by their addresses on this network, or nobody. */
export type AgentSettings<W> = {
  example: string
  sample: string // ends "an address …"
  pattern: RegExp
  /** Undefined if this is not an address of the network. Throws Impossible. */
  person (written: string, section: W | undefined): Person | undefined
  encryptedRooms?: true // rooms of a team can be encrypted
} | {
  pattern: RegExp
  refused: { wrong: string, because: string }
}

/** As much of a function address as networks need. */
export interface Addressed extends Names { name: string; team: { name: string, addresses: Person[], direct?: boolean }[] }

export interface Taking {
  folder: string // paths are relative to it
  language: 'de' | 'en'
  bytesMax: number // of a file
  places: Place[] // of mirrors, on this network
  addresses: Addressed[]
  problem: Problems
  /** Reports problems in another file. */
  elsewhere (problems: Problem[]): void
}

/** `uri` opens an app, `code` goes into a QR code, `href` into a web page, and `impp` into an address book if it is a chat (RFC 4770). */
export interface ContactWay { uri: string; code: string; href: string; impp?: string }

export interface InitSettings {
  questions: readonly Question[]
  /** Asked about the team of the first address, after the question for that address. */
  ofTeams?: readonly Question[]
  roomKey?: string // key of the question for the room of the first mirror
  /** The domain of the business, if the answers tell it. */
  domain? (answers: Given): string | undefined
  /** Somebody who may answer at the first address. */
  somebody? (answers: Given, own: string): string | undefined
  /** Its section of the config; undefined without this network. `secret` is freshly made. */
  section (answers: Given, secret: string): object | undefined
  /** The value of its key in the first function address. */
  address? (answers: Given): unknown
  /** The other files that it needs, with their texts. `address`: the name of the first function address. */
  files? (answers: Given, address: string | undefined, chance: Chance): [name: string, text: string][]
  /** What to paste into the server's own config. */
  paste (answers: Given, secret: string, folder: string): string[]
}

export interface Registering<W> {
  /** What --help says of the flags. */
  flags: { domain: string, url: string }
  /** `known`: what the config says, if there is one. */
  text (flags: { domain?: string, url?: string }, chance: Chance, known?: { section: W, addresses: Addressed[] }): string
  sample (): string
}

export interface Check<C> {
  /** Tries its servers. While a Zentrale is active, does nothing that would disturb it. */
  servers (config: C, around: Checking): Promise<Finding[]>
  /** Files with secrets that the config names. */
  files? (config: C): string[]
  /** Where Zentrale listens for it, unless `servers` tries that too. */
  ports? (config: C): Listen[]
  /** What does not work for this address. */
  address? (config: C, address: Addressed): Trouble[]
}

export interface Trouble { found: string; advice: string }

/** Where a Zentrale is active with the same store. If elsewhere, what is tried here is the way to the servers, and nothing that only one may be. */
export type Active = 'here' | 'elsewhere' | 'nowhere'

export interface Checking {
  active: Active
  clock: Clock
  chance: Chance
  places: Place[] // of mirrors, on this network
  mayBeEncrypted?: Place[] // those of them that are carried although they are encrypted
  addresses: Addressed[]
}
