/**
 * The one interface between the bridge and a network. A fourth network is a folder that implements Network, and two lines
 * where networks are made. Everything a network cannot do is said in `can` and made up for in plan/adapt.ts.
 */
import type { Readable } from 'node:stream'
import type { Chance } from '../lib/chance'
import type { Clock } from '../lib/clock'
import type { Log } from '../lib/log'
import type { ArrivalKey, NetworkName, Place } from './address'
import type { Malformed } from './errors'
import type { Arrival, Attachment, Delivery, Sent } from './message'

export interface Capabilities {
  label: string // how people call this network: shown behind the names of its people
  ghosts: boolean // foreign people can speak under their own name; otherwise the name is written in front
  formatting: boolean // takes the text model; otherwise gets one plain paragraph
  files: 'upload' | 'link' | 'text' // takes files; takes our link as a file; gets our link as a line of text
  edits: boolean
  deletions: boolean
  replies: boolean // shows which message is answered; otherwise that one is quoted in a few words
  textBytesMax: number // UTF-8 bytes of one message; longer ones are split, never cut
  window: number // how many deliveries of one lane may be unanswered at once; more than 1 only where the connection keeps order
  afterCrash: 'resend' | 'park' // a try that a crash cut off: send again with the same key, or leave it to a person
  giveUpAfterMs: number
}

/**
 * How places of ours are called. Pure: the same for ever, before anything is there. `ours` is an Identity's id, `theirs` a person's,
 * `address` a function address's short name of a–z, 0–9 and -.
 */
export interface Naming {
  /** The chat between an address of ours and one person. A message there needs no room to be made first. */
  direct (ours: string, theirs: string): string
  /** A room of ours for the team of an address: for a conversation, or where all cases are shown. Undefined: has no such rooms. */
  room (address: string, what: number | 'queue' | 'all'): string | undefined
  /** The person that somebody means by what they write: the canonical id, or undefined if it is nobody's on this network. */
  person (written: string): string | undefined
  /** Whether an address of ours can be called so, as this network is set up now. */
  serves (ours: string): boolean
}

/** A public address of ours: who it is for everybody else. */
export interface Identity {
  id: string // canonical
  aliases: string[] // further spellings under which it is reached
  profile: Profile
  team?: string[] // the addresses, on this network, of those who answer here
  menu?: Menu // for the team, where there are menus
}

/** What a team may choose from. `missing`: what to say where something needed is not filled in. */
export interface Menu { items: MenuItem[]; missing: string }

/** Comes in as a message: the case as `#17`, then `words`, then all other fields. `reads`: it changes nothing. */
export interface MenuItem { node: string; name: string; words: string; fields: MenuField[]; reads?: boolean }

/** `case`: one of the open cases, as the inbox knows them. */
export interface MenuField { name: string; label: string; kind: 'case' | 'line' | 'lines' | 'choice'; required: boolean; options?: Option[] }

export interface Option { value: string; label: string }

/** What came of something that was ordered. */
export interface Answered { text: string; done: boolean }

export interface Profile {
  name: string
  about: string // what it is, its opening hours, imprint and privacy link: a few lines of plain text
  website?: string
  phone?: string
  logo?: { bytes: Uint8Array, mime: string }
  present?: { available: boolean, text: string } // what to show of whether somebody answers; nothing is shown without it
}

export interface Network {
  readonly name: NetworkName
  readonly can: Capabilities
  readonly naming: Naming
  /**
   * Be present in these places and listen. May be called again with more, before and after start. Never throws:
   * what cannot be joined now is tried again, and shows as a connection that is down.
   */
  attend (places: Place[]): void
  /**
   * Be these addresses: take what is written to them (as `direct` messages with `to`), speak as them in their direct chats, show
   * their profiles. May be called again with all of them, before and after start. Never throws.
   */
  serve (identities: Identity[]): void
  /** Resolves once it listens; a peer that is down is waited for in the background. Throws only for what config got wrong. */
  start (inbox: Inbox): Promise<void>
  /**
   * Resolves when the destination itself has confirmed. Throws Refused or Unavailable. Deliveries of one place are
   * called in order; with `can.window` > 1 before the former are answered, and then go out in that order.
   */
  send (delivery: Delivery, signal: AbortSignal): Promise<Sent>
  /**
   * Where files are taken: brings the delivery's file here, after which `send` needs nothing of others. Once is enough, more do no harm.
   * Throws Refused or Unavailable, with `trouble` if it cannot be had where it lies.
   */
  upload? (delivery: Delivery, signal: AbortSignal): Promise<void>
  /** For a delivery that was tried before with unknown outcome: did the destination get it? Undefined if not, or if it cannot tell. */
  find? (delivery: Delivery, signal: AbortSignal): Promise<Sent | undefined>
  /** Opens a file that lies on this network. Throws Refused (gone, too large, forbidden address) or Unavailable. */
  open (ref: string, signal: AbortSignal): Promise<Download>
  /**
   * Forgets what it remembers of these direct chats and rooms of ours, whose conversations are forgotten, and leaves them. Throws what keeps
   * it from that; then, and after a crash, it is called again. Absent: nothing of them is kept.
   */
  forget? (places: Place[]): Promise<void>
  /** Stop receiving first; sends under way may still finish until their signal fires. Idempotent. */
  stop (): Promise<void>
}

/** `size` in bytes if known beforehand; whoever reads counts all the same. */
export interface Download { stream: Readable; mime: string; size?: number }

/** What a network calls when something happens. */
export interface Inbox {
  /**
   * Resolves only when it is on disk; then, and not before, tell the source yes. 'seen': it was there already, or is of no
   * concern; also tell the source yes. Throws Unavailable when nothing more can be taken: tell the source no or pause reading.
   * Calls are taken in order; many may be open at once and then share one commit.
   */
  accept (arrival: Arrival): Promise<'stored' | 'seen'>
  /** Like accept, for what was chosen from a menu: resolves with what was answered. */
  ask (arrival: Arrival): Promise<Answered>
  /** The open cases of an address of ours. */
  cases (network: NetworkName, address: string): Promise<Option[]>
  /**
   * Keeps what cannot be understood, so that the source can be told yes. `raw` is shortened to QUARANTINE_BYTES_MAX. The same `key`, the
   * source's own id, is kept once however often it comes; without one, the same bytes are.
   */
  quarantine (network: NetworkName, raw: string, why: Malformed, key?: ArrivalKey): Promise<void>
  /** The key of the newest stored arrival that somebody said in this place, to catch up from. */
  lastKey (place: Place): Promise<ArrivalKey | undefined>
  /**
   * A connection of this network went up or down, or what stands for one, such as being in all rooms. `name` is from a small fixed set,
   * because it labels a metric. Up wakes waiting lanes.
   */
  connection (network: NetworkName, name: string, up: boolean, detail?: string): void
}

/** What the bridge lends to each network when it is made. */
export interface World {
  clock: Clock
  chance: Chance
  log: Log
  memory: Memory
  media: Media
}

/** A durable map of one network's own small facts (which ghost is registered, which alias is which room). */
export interface Memory {
  get (key: string): string | undefined // kept whole in memory
  set (key: string, value: string): Promise<void> // resolves when on disk
  delete (key: string): Promise<void>
  keys (start: string): string[] // that begin so
}

export interface Media {
  /**
   * Opens a file on whichever network it lies. Throws Refused or Unavailable, always with `trouble`, and so does the stream; Refused also
   * when it grows over the limit.
   */
  open (file: Pick<Attachment, 'at' | 'mime'>, signal: AbortSignal): Promise<Download>
}
