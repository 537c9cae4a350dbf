/**
 * What a network brings beside the adapter itself (Network in model/network.ts): its part of the config and of what commands ask and show
 * (`settings.ts`), and its checks (`check.ts`). config and operate know networks by this alone; kinds.ts lists them.
 *
 * W is the network's section of the config as it is written, C what the adapter takes, P a place as mirrors write it, N the network's key of
 * a function address. A function that gets `section` gets undefined where the config has none, and tells a problem if there should be one.
 */
import type { z } from 'zod'
import type { Chance } from '../lib/chance'
import type { Clock } from '../lib/clock'
import type { Listen } from '../lib/serve'
import type { MirrorPlace, NetworkName, Person, Place } from '../model/address'
import type { Network, Profile, World } from '../model/network'
import type { Finding } from '../settings/probe'
import type { Path, Problem, Problems } from '../settings/problem'
import type { Given, Question } from '../settings/questions'

export interface NetworkKind<W = unknown, C = unknown, P = unknown, N = unknown> {
  settings: Settings<W, C, P, N>
  check: Check<C>
  make (config: C, world: World): Network
}

export interface Settings<W = unknown, C = unknown, P = unknown, N = unknown> {
  name: NetworkName // also the key of its section, of its places in mirrors, and of its names of function addresses
  label: string // how people call it
  section: z.ZodType<W>
  /** Where this program listens for it. Paths begin in the section. */
  listeners? (section: W): (Listen & { path: Path })[]
  place: PlaceSettings<W, P>
  address: AddressSettings<W, N>
  agents: AgentSettings<W>
  /** What no single key is wrong about. Paths of `places` and `names` lead to the network's key. */
  contradictions? (given: { section: W | undefined, places: Found<P>[], names: Found<N>[] }, tell: Tell): void
  /** The section as the adapter takes it. Undefined if that is impossible, which is told. */
  take (section: W, around: Taking): C | undefined
  /** One way to write to an address of ours, for its contact block. */
  contact (id: string): ContactWay
  init: InitSettings
  /** Where its server needs a file that names our addresses: `zentrale registration`. */
  registration?: Registering<W>
}

/** Something in the config, and where. */
export interface Found<T> { value: T; path: Path }

export interface Tell {
  problem: Problems
  /** The line of what stands at a path. */
  line (path: Path): number
}

/** A place of a mirror, and where it stands. */
export interface Seat extends MirrorPlace { path: Path }

export interface PlaceSettings<W, P> {
  key: z.ZodType<P>
  sample: string // lines of the list of places in config.sample.yaml
  seats (written: P, section: W | undefined, path: Path, problem: Problems): Seat[]
}

/** What a function address is called on a network. */
export interface Names { identities: Person[]; aliases: Person[] }

/** `written`: its name on this network alone, if there is one; `ascii`: its name in a–z, as another network's key gives it. */
export interface ToName<N> { name: string; written: N | undefined; ascii: string | undefined }

export interface AddressSettings<W, N> {
  key: z.ZodType<N>
  /** Where an address is on this network only if the key is written: for which ones, and what to write. */
  needs?: { when: string, what: string }
  /** Where names of a–z are taken alone, so that others are rewritten. */
  rewritten?: true
  /** What the key says that could be taken for another address, and the same in a–z. */
  spelled? (written: N): { spelling: string, ascii: string | undefined }
  /** Undefined if its name cannot be rewritten, which is told. */
  names (to: ToName<N>, section: W | undefined, path: Path, problem: Problems): Names | undefined
  profile? (written: N): Partial<Profile>
}

/** Who may be of a team: people by their addresses on this network, or none of them. */
export type AgentSettings<W> = {
  example: string
  sample: string // ends "an address …"
  pattern: RegExp
  /** Undefined if it is no address of this network. Throws Impossible. */
  person (written: string, section: W | undefined): Person | undefined
} | {
  pattern: RegExp
  refused: { wrong: string, because: string }
}

/** A function address, as far as networks look at it. */
export interface Addressed extends Names { name: string; team: { name: string, addresses: Person[], direct?: boolean }[] }

export interface Taking {
  folder: string // paths count from it
  language: 'de' | 'en'
  bytesMax: number // of a file
  places: Place[] // of mirrors, on this network
  addresses: Addressed[]
  problem: Problems
  /** Tells what is wrong with another file. */
  elsewhere (problems: Problem[]): void
}

/** `uri` opens an app; `code` is what a camera reads; `href` is for a web page; `impp` for an address book, where it is a chat (RFC 4770). */
export interface ContactWay { uri: string; code: string; href: string; impp?: string }

export interface InitSettings {
  questions: readonly Question[]
  /** Asked only for the team of a first address, behind the question for it. */
  ofTeams?: readonly Question[]
  roomKey?: string // of the question for a room of the first mirror
  /** The domain of the business, if what was answered tells it. */
  domain? (answers: Given): string | undefined
  /** Somebody who may answer at the first address. */
  somebody? (answers: Given, own: string): string | undefined
  /** Its section of the config. Undefined without this network. `secret` is new. */
  section (answers: Given, secret: string): object | undefined
  /** Its key of the first function address. */
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
  /** Tries its servers. While Zentrale runs nothing that would disturb it. */
  servers (config: C, around: Checking): Promise<Finding[]>
  /** Files with secrets that the config names. */
  files? (config: C): string[]
  /** Where it listens, unless `servers` finds that out. */
  ports? (config: C): Listen[]
  /** What would not work for this address. */
  address? (config: C, address: Addressed): Trouble[]
}

export interface Trouble { found: string; advice: string }

export interface Checking {
  isRunning: boolean
  clock: Clock
  chance: Chance
  places: Place[] // of mirrors, on this network
  addresses: Addressed[]
}
