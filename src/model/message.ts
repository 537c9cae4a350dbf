/**
 * What flows: an arrival comes in from a network, a delivery goes out to one.
 * Both are plain data and survive JSON, because both are stored before anything is done with them.
 */
import type { ArrivalKey, DeliveryKey, NetworkName, Person, Place, RemoteId } from './address'
import type { Forbidden } from './errors'
import type { Mention } from './mention'
import type { Text } from './text'

/** Where a file lies: an mxc:// or https:// address that only its network can open. `hash`: whatever has the same one there is the same file. */
export interface MediaRef { network: NetworkName; ref: string; hash?: string }

/** A smaller picture of a file, to show until somebody opens it. */
export interface Thumbnail {
  mime: string
  width?: number // pixels
  height?: number
  at: MediaRef
  url?: string // see Attachment.url
}

/** A larger one is none. */
export const THUMBNAIL_BYTES_MAX = 1024 * 1024

/** What apps show as pictures in their place. */
export const THUMBNAIL_MIMES: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])

export interface Attachment {
  kind: 'image' | 'audio' | 'video' | 'file'
  name: string
  mime: string
  size?: number // bytes; this and the rest as the source says
  width?: number // pixels
  height?: number
  durationMs?: number
  blurhash?: string // a few colours to show until it is there
  thumbhash?: string // the same in base64, another way
  thumbnail?: Thumbnail
  voice?: true // its sender spoke it into the app
  spoiler?: string // to be seen only by whoever wants to; why, or what it is about, '' if that is not said
  at: MediaRef
  url?: string // our own signed link, set on deliveries
  kept?: true // in a correction of a message: it has this file already
}

/** Why a message cannot be read here. `track`: where somebody is from now on. `kind`: we do not know this kind of message. */
export type Unreadable = 'encrypted' | 'poll' | 'call' | 'file' | 'track' | 'kind'

/**
 * A message's body: text, a file, or both; a delivery has both only where words and a file are one message. `alert`: our own words that
 * need a person, so phones sound for them. `quiet`: a machine's words, for which phones stay silent. `unreadable`: it has neither, but somebody
 * said something.
 */
export interface Content {
  style: 'text' | 'quiet' | 'alert' | 'emote'
  text: Text
  file?: Attachment
  more?: Attachment[] // further files, in order; no delivery has any
  linked?: Attachment[] // files to which `text` links, where it takes their place; only deliveries have any
  poll?: Poll // `text` asks it too
  ends?: Poll['form'] // it ends the poll that it answers; `text` says with which result
  location?: string // a geo URI (RFC 5870); `text` says it too
  unreadable?: Unreadable
}

/**
 * What may be answered, and with what. `form`: how its network spells it. `most`: so many answers a person may choose. `open`: everybody sees
 * before its end how it stands.
 */
export interface Poll { form: string; question: string; answers: { id: string, text: string }[]; most: number; open?: true }

/** Further files are told by their number alone. */
export const FILES_MAX = 60

export const filesOf = ({ file, more = [] }: Content): Attachment[] => file === undefined ? [] : [file, ...more]

/** How many switchboards may carry a message, one after another. Without this limit, two that face each other would never end. */
export const HOPS_MAX = 3

/**
 * `nameless`: `name` is only made from the address, so do not call anybody by it. `address`: their own address, if the place shows it to
 * everybody and `id` is something else (an occupant of a room). `vouched`: `address` is certain, because the place is on its own server. `account`:
 * the same as `address`, if the place shows it to us alone; we show it to nobody. `hops`: how many other switchboards carried the message, as
 * their mark says; HOPS_MAX if a switchboard said it itself.
 */
export interface Sender {
  id: string; name: string; nameless?: boolean; avatar?: MediaRef; address?: string; vouched?: true; account?: string; hops?: number
}

interface Arrived {
  key: ArrivalKey // arrivals are deduplicated by it
  place: Place
  at: number // ms since 1970, as the source claims: for display, never for order or expiry
}

export interface MessageArrival extends Arrived {
  kind: 'message'; sender: Sender; content: Content
  direct?: boolean // a person writes to us alone, so it concerns us even if the config does not name the place
  to?: string // if `direct`: the address of ours that they wrote to, in its canonical spelling
  inThread?: boolean // said in a thread, not in the main timeline
  /** The thread that it is said in, as its place calls it: spellings of the id of its first message, or any id that its messages share. */
  thread?: (ArrivalKey | RemoteId)[]
  mentions?: Mention[]
  /** The message that it answers: spellings of that message's id at this place. */
  replyTo?: (ArrivalKey | RemoteId)[]
  named?: RemoteId // the id that apps at its place use for it, if that is not its key
  quoted?: number // the number of blocks in front that only repeat the answered message, for apps that cannot show replies (XEP-0428)
  mayEnd?: true // the place's own server vouches that its sender may end polls of others there
  encrypted?: true // whoever carried it to us could not read it
  openly?: true // it came in the clear into a room where all is encrypted: whoever carried it may have written it
  rekeyed?: string // the key of a device of theirs that we know, if it has another one since their last message
  reidentified?: true // what vouches for their devices is another one since this message
  masked?: number // one-time codes in it are masked; for so many ms, whoever asks can see them
  automatic?: boolean // its network says that a machine wrote it; no machine may answer it
  lateVote?: true // a number that would have been a vote, had nobody spoken since the poll
  /** It may say in words that its sender reacts, with these and no others, to a message that begins with `to`. */
  reacts?: { to: string, emojis: string[] }
}
/**
 * `of`: the arrival key of the message that is changed. Only its sender may change it; route checks that. `theirs`: its place vouches that they are
 * the same person, although they are called otherwise there now.
 */
export interface EditArrival extends Arrived {
  kind: 'edit'; sender: Sender; of: ArrivalKey; theirs?: true; content: Content; mentions?: Mention[]; quoted?: number
  encrypted?: true // as of a message
  openly?: true // what it changes was encrypted, and this was not: whoever carried it may have written it, so the message stays as it was
}
export interface DeletionArrival extends Arrived {
  kind: 'deletion'; sender: Sender; of: ArrivalKey; theirs?: true
  moderated?: boolean // the place's own server vouches that they may remove messages of others there
  named?: RemoteId // the id that apps at its place use for the message, if that is not `of`
  unknown?: true // it cannot be known which message it is of, or that it was theirs: `of` is the key of none
}
/**
 * Somebody's reaction to a message. `of`: spellings of that message's id at this place. `whole`: `emojis` are all their reactions to it now,
 * and an empty list takes all back; otherwise `emojis` are added. A deletion of the arrival takes a single reaction back. `by`: whose they are,
 * where several people may have the sender's id one after another; `theirs` as of an edit.
 */
export interface ReactionArrival extends Arrived {
  kind: 'reaction'; sender: Sender; of: (ArrivalKey | RemoteId)[]; emojis: string[]; whole?: boolean; by?: string; theirs?: true
}
/** All that somebody chooses in a poll now. `of`: spellings of the poll's id at this place. */
export interface VoteArrival extends Arrived { kind: 'vote'; sender: Sender; of: (ArrivalKey | RemoteId)[]; answers: string[] }
/**
 * What became of a delivery after it was sent. `of`: spellings of the remote id, best first, because gateways write one id in
 * several ways. Each remote id of a delivery gets its own receipt. `because`: why it failed, in words of ours; `detail`: in those of its source.
 */
export interface ReceiptArrival extends Arrived {
  kind: 'receipt'; of: RemoteId[]; outcome: 'delivered' | 'failed'; because?: Forbidden; detail?: string
}

/**
 * How a mirrored place stands to us: `in` each time we enter, `out` when it removed us or is gone, `encrypted` when we cannot read
 * it, `sealed` when it is encrypted and we read it. While it is `out` or `encrypted`, nothing is carried from or to it. The same standing again
 * changes nothing. `key`: the source's own id of the event that says so, or a new one. `moved`: it is in another room now, which people there
 * call so.
 */
export interface StandingArrival extends Arrived { kind: 'standing'; standing: Standing; moved?: string }
export type Standing = 'in' | 'out' | 'encrypted' | 'sealed'

/** One thing that a place shows of itself: a text, or where a picture lies on the place's network; '' for none. */
export interface Shown { what: 'topic' | 'name' | 'picture'; value: string }

/** A place shows something else of itself. `by`: who changed it; absent: nobody was heard to change it, but so it looks now. */
export interface ProfileArrival extends Arrived { kind: 'profile'; shown: Shown; by?: Sender }
/**
 * Somebody with the power for it put our ghost of `person` out of the place, took its voice, or let it in again. `invited`: only asked it in.
 * `name`: as people there call it.
 */
export interface ExpulsionArrival extends Arrived {
  kind: 'expulsion'; person: Person; name: string; how: 'kicked' | 'banned' | 'muted' | 'invited' | 'let in'
}

/** Somebody in the place has another id from now on, because it is made of what they call themselves there. */
export interface RenamedArrival extends Arrived { kind: 'renamed'; person: string; now: string }

/** Comes from Zentrale itself: something is due, or the operator orders something. Its place is the function address. */
export interface OrderArrival extends Arrived { kind: 'order'; order: Order }

export type Order =
  | { what: 'due', conversation: number }
  // at the start: put the rooms of an address in order, and with `all` those of its conversations. `unsealed`: its team reads in the clear now
  | { what: 'open', all: boolean, unsealed?: true }
  | { what: 'say', by: string, words: string } // a command, as the team would type it
  | { what: 'act', by: string, conversation: number, word: string, rest: string } // a command about a case, from the page of the team

export type Arrival = MessageArrival | EditArrival | DeletionArrival | ReactionArrival | VoteArrival | ReceiptArrival | StandingArrival
  | ExpulsionArrival | RenamedArrival | ProfileArrival | OrderArrival

/**
 * The person for whom a ghost speaks, and the name to show, cleaned and marked with the network. `everywhere`: their own address, if it is certain:
 * in all places where it is, they are one. `hops`: counts ours too; 1 if absent.
 */
export interface Persona { person: Person; name: string; everywhere?: string; avatar?: MediaRef; hops?: number }

/** The hops to mark on a message, so that another switchboard knows when to stop. */
export const hopsOf = (as: Persona | undefined): number => as === undefined ? HOPS_MAX : as.hops ?? 1

/**
 * The one person whom a message of ours is for, because it is about what they said: `of` is the arrival key of their message, `person`
 * their address. `open`: everybody who reads their message should read this too; otherwise only they need to.
 */
export interface Addressee { of: ArrivalKey; person: string; open?: boolean }

/** A message at a place: our delivery, or the arrival of a message said there. */
export type Stands = { delivery: DeliveryKey } | { arrival: ArrivalKey | RemoteId }

/**
 * A thread at a delivery's place. `root`: its first message. `id`: how the place calls it, if not by that message. `alone`: nobody is answered
 * in it, so `said` is the root.
 */
export interface Thread { root: Stands; id?: string; alone?: true }

/**
 * The message that a delivery answers. `said`: what it is known by at the delivery's place, if it is there. `by`: who said it, as people
 * there call them. `text`: its beginning; absent: it was taken back, and is only where a thread begins.
 */
export interface Reply {
  said?: Stands
  thread?: Thread // it is said in this one
  by: Persona
  text?: string
  encrypted?: true // it came to us from there so
  unquoted?: true // if it turns out not to be there, nothing of it is told there: it may have been sealed
}

/** How a room of ours should be. Applying it twice changes nothing. */
export interface RoomState {
  name: string
  topic: string
  people: string[] // the addresses of all who belong in it, besides ours; everybody else is removed
  from?: string // the id of the Identity that invites people
  withdrawn?: string // if given, nobody is invited, and whoever was and has not come no longer is; this tells them why
  speakers?: string[] // if given, nobody else may speak
  inside?: Place // the space that holds it, where the network has spaces
  encrypted?: true // what is said there is to be encrypted, where the network can do that. Once it is, it stays so
}

export type Action =
  /**
   * `mentions`: those who are called at this place. No delivery to a contact has any. `secret`: it answers what came encrypted, so it goes into no
   * room that is not. `code`: the text of this arrival with its code takes the place of `content` while it is sent, or `gone` if it is kept no more.
   */
  | {
    kind: 'message'; content: Content; addressee?: Addressee; reply?: Reply; mentions?: Mention[]; secret?: true
    code?: { of: { place: Place, key: ArrivalKey }, gone: string }
  }
  | { kind: 'room'; room: RoomState }
  | { kind: 'edit'; of: DeliveryKey; content: Content; reply?: Reply; mentions?: Mention[] }
  /** `edits`: if given, it goes for good, with these edits: out of the place's archive too, where we have the power. Fails if it is only hidden. */
  | { kind: 'deletion'; of: DeliveryKey; edits?: DeliveryKey[] }
  /** Takes away what somebody else said there, by our power over others. `said`: the message, then its corrections. */
  | { kind: 'removal'; said: ArrivalKey[] }
  /** `emojis`: on a network where reactions are a set, all of this person's reactions to the message; otherwise the new one. */
  | { kind: 'reaction'; to: Stands; emojis: string[] }
  /** All that the person chooses in a poll that is asked there; nothing takes their vote back. */
  | { kind: 'vote'; to: Stands; form: string; answers: string[] }
  /** `change`: the arrival that says so; a picture lies on its network. */
  | { kind: 'profile'; shown: Shown; change: { network: NetworkName, key: ArrivalKey } }

export interface Delivery {
  key: DeliveryKey
  place: Place
  as?: Persona // who speaks; absent: Zentrale itself
  at: number // ms since 1970: when it was said, as the source claims
  action: Action
  attempt: number // 1 on the first try
  target?: RemoteId[] // for an edit or deletion: the remote ids of the delivery that it changes
  edits?: RemoteId[][] // for a deletion for good: the remote ids of each edit
  answered?: RemoteId[] // if it answers a delivery or reacts to one: the remote ids of that delivery
  root?: RemoteId[] // if the first message of its thread is a delivery: the remote ids of that delivery
}

/**
 * `ids`: the destination's ids for it; a later edit names the first. If it became several messages, there is one id for each.
 * `parts`: how many messages it became, 1 if absent. `shows`: what the place shows of itself from now on, as its arrivals say it; absent: as
 * it was wanted. `unseen`: whoever reads there has left where it was done, and sees nothing of it.
 */
export interface Sent { ids: RemoteId[]; parts?: number; shows?: string; unseen?: true }
