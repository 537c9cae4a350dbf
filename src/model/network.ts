/**
 * The one interface between the bridge and a network. A new network is a folder that implements Network, and one line in
 * networks/kinds.ts. `can` says what a network cannot do; plan/adapt.ts makes up for it.
 */
import type { Readable } from 'node:stream'
import type { Chance } from '../lib/chance'
import type { Clock } from '../lib/clock'
import type { Log } from '../lib/log'
import type { ArrivalKey, NetworkName, Person, Place } from './address'
import type { Malformed } from './errors'
import type { MemberList, MemberNews } from './members'
import type { Arrival, Attachment, Delivery, Sent } from './message'
import type { Presence, Shows, SignalIn, SignalOut } from './signal'

export interface Capabilities {
  label: string // what people call this network: shown behind the names of its people
  ghosts: boolean // people of other networks can speak under their own name; otherwise the name is written in front
  formatting: boolean // takes the text model; otherwise gets one plain paragraph
  files: 'upload' | 'link' | 'text' // takes files; takes our link as a file; gets our link as a line of text
  captions: boolean // shows words and a file as one message
  edits: boolean
  editsShownMs?: number // how old a message may be for all apps to show its edit in place; absent: however old
  deletions: boolean
  replies: boolean // shows which message is answered; otherwise a few words of it are quoted
  quotes?: true // all its apps show the words that a message in a room replies to
  reactions: 'each' | 'set' | 'none' // each: singly, and a deletion takes one back; set: all of a person's reactions to a message together
  profiles: boolean // its rooms show a topic, a name and a picture, which people can change
  sealsRooms?: true // rooms of a team can be encrypted there
  polls?: true // asks polls and counts votes; otherwise a poll is told in words, and votes come in words
  textBytesMax: number // UTF-8 bytes of one message; longer ones are split, never cut
  window: number // how many deliveries of one lane may be unanswered at once; more than 1 only where the connection keeps order
  afterCrash: 'resend' | 'park' // what to do with a try that a crash cut off: send it again with the same key, or leave it to a person
  giveUpAfterMs: number
}

/**
 * The ids of our places. Pure: an id is known before its place exists, and stays the same for ever. `ours` is an Identity's id, `theirs`
 * a person's, `address` a function address's short name of a–z, 0–9 and -.
 */
export interface Naming {
  /** The chat between an address of ours and one person. It needs no room before the first message. */
  direct (ours: string, theirs: string): string
  /** A room for the team of an address: for one conversation, or for all cases. Undefined: the network has no such rooms. */
  room (address: string, what: number | 'queue' | 'all'): string | undefined
  /** The canonical id of the person whom `written` names; undefined if it names nobody on this network. */
  person (written: string): string | undefined
  /** Whether an address of ours can have this id, as the network is set up now. */
  serves (ours: string): boolean
  /** Whether this is nobody but us: an address, a ghost, a number of ours. */
  isOurs (id: string): boolean
  /** The ghost that speaks for a person of another network in a direct chat. Absent: the network has no ghosts. */
  ghost? (person: Person): string
  /** Whether this is how rooms of this network are called. Absent: nobody can ask for them. */
  isRoom? (id: string): boolean
  /** What this name of a room asks for; undefined if it is no such name. */
  portal? (id: string): Wanted | undefined
  /** The person for whom a ghost speaks; undefined if it is none, or if its name does not tell. */
  standsFor? (id: string): Person | undefined
}

/** A room of another network, which is the only one that calls rooms so if `network` is absent. `here`: where it is mirrored on the asker's. */
export interface Wanted { room: string; network?: NetworkName; here: string }

/** A public address of ours, as everybody else sees it. */
export interface Identity {
  id: string // canonical
  aliases: string[] // other spellings that reach it
  profile: Profile
  team?: string[] // the agents' addresses on this network
  menu?: Menu // for the team, if the network has menus
  shows?: Shows // the signals that its contacts see, and that the team sees of them; absent: none
  encrypts?: boolean // its direct chats are encrypted where contacts can, on networks that leave that to the address
}

/** What a team may choose from. `missing`: what to say if a required field is empty. */
export interface Menu { items: MenuItem[]; missing: string }

/** A choice arrives as a message: the case as `#17`, then `words`, then all other fields. `reads`: it changes nothing. */
export interface MenuItem { node: string; name: string; words: string; fields: MenuField[]; reads?: boolean }

/** `case`: one of the open cases that Inbox.cases lists. */
export interface MenuField { name: string; label: string; kind: 'case' | 'line' | 'lines' | 'choice'; required: boolean; options?: Option[] }

/** `words`: what somebody said, which should stand only where they may. */
export interface Option { value: string; label: string; words?: string }

/** The result of an order. */
export interface Answered { text: string; done: boolean }

export interface Profile {
  name: string
  about: string // what it is, its opening hours, imprint and privacy link: a few lines of plain text
  website?: string
  phone?: string
  logo?: { bytes: Uint8Array, mime: string }
  present?: { available: boolean, text: string } // whether somebody answers now, to be shown as presence; absent: none is shown
}

export interface Network {
  readonly name: NetworkName
  readonly can: Capabilities
  readonly naming: Naming
  /**
   * Be present in these places and listen. May be called again with more, before and after start. Never throws: a place that cannot
   * be joined now is tried again, and shows as a connection that is down.
   */
  attend (places: Place[]): void
  /**
   * Be these addresses: take what is written to them (as `direct` messages with `to`), speak as them in their direct chats, show
   * their profiles. May be called again with all of them, before and after start. Never throws.
   */
  serve (identities: Identity[]): void
  /** Resolves once it listens. It waits for a peer that is down in the background. Throws only if the config is wrong. */
  start (inbox: Inbox): Promise<void>
  /**
   * Resolves when the destination itself has confirmed. Throws Refused or Unavailable. Deliveries to one place come in order and must go
   * out in that order; with `can.window` > 1 the next one comes before the former ones are answered.
   */
  send (delivery: Delivery, signal: AbortSignal): Promise<Sent>
  /**
   * Uploads the delivery's file, so that `send` needs no other server. A second call does no harm. A network that takes our link as a file
   * may have it too: if it fails, the link goes out. Throws Refused or Unavailable, with `trouble` if the file cannot be fetched from its source.
   * Resolves with `left` if the link goes out in any case, and the file was not asked for.
   */
  upload? (delivery: Delivery, signal: AbortSignal): Promise<'left' | void>
  /** Asks whether the destination got a delivery whose last try ended unknown. Undefined if not, or if it cannot tell. */
  find? (delivery: Delivery, signal: AbortSignal): Promise<Sent | undefined>
  /**
   * Shows a signal, if that can be done at once, by somebody who is there already; otherwise drops it. Never throws. Absent: the network has
   * no signals.
   */
  signal? (signal: SignalOut): void
  /**
   * Brings the ghosts of these people into the place, and those of nobody else, at its own pace. The newest list counts. Never throws.
   * Absent: the network has no ghosts.
   */
  members? (list: MemberList): void
  /**
   * Whether there is a room of this id that we can enter, and that may be shown to others: resolves with the id by which we know it already, or
   * with this one. Undefined if not. Never throws. Absent: nobody can ask for rooms of this network.
   */
  findRoom? (id: string): Promise<string | undefined>
  /**
   * Opens a file that lies on this network. Throws Refused (gone, too large, forbidden address) or Unavailable. `pictureBytesMax`: a picture
   * over it comes smaller, if the network can do that.
   */
  open (ref: string, signal: AbortSignal, pictureBytesMax?: number): Promise<Download>
  /**
   * Leaves these direct chats and rooms and forgets them, because their conversations are forgotten, or because they are in no mirror any more.
   * Rooms that we made end. If it throws, or after a crash, it is called again. Absent: the network keeps nothing about them.
   */
  forget? (places: Place[]): Promise<void>
  /** For the receipt of an erasure, before these places are forgotten: what stays that we cannot reach. Absent: nothing. */
  remains? (places: Place[]): string[]
  /**
   * Nobody stands for these people of other networks any more, who are erased: their ghosts leave without name and picture. Resolves with what stays,
   * for the receipt. If it throws, or after a crash, it is called again. Absent: the network has no ghosts.
   */
  eraseGhosts? (persons: Person[]): Promise<string[]>
  /**
   * A room that we made for people who asked (Naming.portal) is over: they find what they asked for at `now`. Rejects if they cannot be sent there
   * now. Absent: nobody is sent on.
   */
  sendOn? (here: Place, now: Place): Promise<void>
  /** The operator has changed what is kept of its devices. Never throws. Absent: it has none. */
  devicesChanged? (): void
  /** For metrics. Absent: it encrypts nothing. */
  encryptionCounts? (): EncryptionCounts
  /** Stops receiving first. Sends under way may finish until their signal fires. Idempotent. */
  stop (): Promise<void>
}

/** Since the start: requests for others' keys, ends of what runs the encryption, and messages that nobody will read. */
export interface EncryptionCounts { claims: number; restarts: number; unread: { late: number, broken: number, full: number } }

/** `size`: in bytes, if known beforehand. A reader counts all the same. */
export interface Download { stream: Readable; mime: string; size?: number }

/**
 * Another place of a place's mirror. `people`: whose own thread it is, as they are called. `name`: what it calls itself, if that is known.
 * `shows`: which signals pass between the two, if both networks have them.
 */
export interface Beside { place: Place; people?: string[]; name?: string; can: Capabilities; shows: Shows }

/** What a network calls when something happens. */
export interface Inbox {
  /**
   * Resolves only when the arrival is on disk: do not tell the source yes before. 'seen': we have it already, or it does not concern
   * us; tell the source yes too. Throws Unavailable when no more can be taken: tell the source no, or pause reading.
   * Calls are taken in order. Many may be open at once, and then share one commit.
   * `unmasked`: of a message with `masked`, its text before that. It is kept in memory alone.
   */
  accept (arrival: Arrival, unmasked?: string): Promise<'stored' | 'seen'>
  /**
   * Whether somebody may write to this ghost of ours: then what they say is taken as `direct`. They have a chat with it, or, with `begins`, may
   * begin one, which counts as begun.
   */
  admits (theirs: Person, ours: string, begins: boolean): boolean
  /** The id of the ghost on `network` of the person of another network whom `written` names; undefined if it names nobody, or nobody has chats. */
  ghostOf (network: NetworkName, written: string): string | undefined
  /** Whether the config lets this person ask for the room of this name (Naming.portal). Says nothing about whether it is there. */
  mayAsk (asked: Place, by: Person): boolean
  /**
   * Somebody asks for a room by its name. Resolves with where on their network it is mirrored from now on: if that is a new place, the network
   * makes its room and attends it before anybody enters. Undefined if they may not, or if there is no such room. Rejects if that cannot be
   * stored. Without `by`, the network does not say who asks, and lets only people of our own in.
   */
  portal (asked: Place, by?: Person): Promise<Place | undefined>
  /** Somebody types or reads. Nobody waits for what becomes of it, and nothing may. Never throws. */
  signal (signal: SignalIn): void
  /** Whether somebody can be reached has changed, or is said again. The same holds. */
  presence (person: Person, presence: Presence): void
  /** What this place is connected with; none if it is in no mirror. */
  besides (place: Place): Beside[]
  /** Whether this place may be encrypted, and is carried all the same. */
  allowsEncrypted (place: Place): boolean
  /** Whether anybody wants to know who is at this place. */
  wantsMembers (place: Place): boolean
  /** Somebody came or went. Ours are nobody, nor are the ghosts of another switchboard. Never throws. */
  members (place: Place, news: MemberNews): void
  /** Like accept, for a choice from a menu: resolves with the answer. */
  ask (arrival: Arrival): Promise<Answered>
  /** The open cases of an address of ours. */
  cases (network: NetworkName, address: string): Promise<Option[]>
  /**
   * Keeps what cannot be understood, so that the source can be told yes. `raw` is shortened to QUARANTINE_BYTES_MAX. What comes again is
   * kept once: it is recognized by `key`, the source's own id, or without one by its bytes.
   */
  quarantine (network: NetworkName, raw: string, why: Malformed, key?: ArrivalKey): Promise<void>
  /** The key of the newest stored arrival of a person in this place: where catching up begins. */
  lastKey (place: Place): Promise<ArrivalKey | undefined>
  /**
   * Tells that a connection of this network went up or down, or something that counts as one, such as being in all rooms. `name` is from
   * a small fixed set, because it labels a metric. Going up wakes waiting lanes. `ready`: whether the network counts as reached; also if
   * something is down that people can break, such as a single room.
   */
  connection (network: NetworkName, name: string, up: boolean, detail?: string, ready?: boolean): void
}

/** What each network gets when it is made. */
export interface World {
  clock: Clock
  chance: Chance
  log: Log
  memory: Memory
  vault: Vault
  media: Media
  /**
   * To be called right before anything is said to a server. Throws, and the process ends, once another one may be active on the store: this one
   * may have been frozen, and cannot know for how long.
   */
  fence (): void
}

/** A durable map for one network's own small facts: which ghosts are registered, which room an alias names. */
export interface Memory {
  get (key: string): string | undefined // kept whole in memory
  /**
   * Resolves when on disk. `patienceMs`: how long it may wait for a commit that comes anyway. It is on disk no later than what is stored after it.
   */
  set (key: string, value: string, patienceMs?: number): Promise<void>
  delete (key: string): Promise<void>
  keys (start: string): string[] // all that begin with `start`, in any order
}

/** Bytes on disk that would be too many in memory. */
export interface Vault {
  get (key: string): Promise<Uint8Array | undefined>
  /** All whose keys begin with `start`, in the order of their keys. */
  all (start: string): Promise<[key: string, value: Uint8Array][]>
  count (start: string): Promise<number>
  /** Changes all of it or nothing; without a value, deletes. Resolves when it is on disk. */
  change (changes: [key: string, value: Uint8Array | undefined][]): Promise<void>
}

export interface Media {
  /**
   * Opens a file on whichever network it lies. Throws Refused or Unavailable, always with `trouble`, and so does the stream. A file that
   * grows over the limit is Refused. `pictureBytesMax`: a picture over it comes smaller, if its network can do that.
   */
  open (file: Pick<Attachment, 'at' | 'mime'>, signal: AbortSignal, pictureBytesMax?: number): Promise<Download>
  /** The link under which the file of a signed link of ours is encrypted, with its key (XEP-0454). Undefined if there is none. */
  sealed? (url: string): string | undefined
}
