/**
 * What flows: an arrival comes in from a network, a delivery goes out to one.
 * Both are plain data and survive JSON, because both are stored before anything is done with them.
 */
import type { ArrivalKey, DeliveryKey, NetworkName, Person, Place, RemoteId } from './address'
import type { Text } from './text'

/** A file where it lies: an mxc:// or https:// address that only its network can open. */
export interface MediaRef { network: NetworkName; ref: string }

export interface Attachment {
  kind: 'image' | 'audio' | 'video' | 'file'
  name: string
  mime: string
  size?: number // bytes, as the source says
  at: MediaRef
  url?: string // our own signed link, set on deliveries
}

/** Why something that was said cannot be read here. `kind`: it is of a kind that we do not know. */
export type Unreadable = 'encrypted' | 'poll' | 'call' | 'file' | 'kind'

/**
 * A message's body. Either may be empty, not both; a delivery has one of the two, never both. `alert`: our own words that need a person,
 * so phones sound for them; `quiet`: a machine's words, for which they do not. `unreadable`: it has neither, but somebody said something.
 */
export interface Content {
  style: 'text' | 'quiet' | 'alert' | 'emote'
  text: Text
  file?: Attachment
  unreadable?: Unreadable
}

/** How many switchboards like us may carry a message on, one after another: two that face each other would never end. */
export const HOPS_MAX = 3

/**
 * `nameless`: `name` is only made from the address, so nobody is to be called so. `address`: their own address, where the place shows
 * it and `id` is something else (an occupant of a room). `account`: the same where the place shows it to us alone: nobody else is
 * shown it. `hops`: by how many other switchboards it was carried here, as their mark
 * says; HOPS_MAX on what such a one says itself.
 */
export interface Sender { id: string; name: string; nameless?: boolean; avatar?: MediaRef; address?: string; account?: string; hops?: number }

interface Arrived {
  key: ArrivalKey // what it is deduplicated by
  place: Place
  at: number // ms since 1970 as the source claims: for display, never for order or expiry
}

export interface MessageArrival extends Arrived {
  kind: 'message'; sender: Sender; content: Content
  direct?: boolean // the place is a person writing to us alone, so it concerns us even if nothing is configured for it
  to?: string // direct: which address of ours they wrote to, in its canonical spelling
  inThread?: boolean // said in a thread, beside the main line
  mentions?: string[] // whom its writer's app marked in it, by address or by the name that is shown
  /** What it answers: spellings of the id by which its place knows that. */
  replyTo?: (ArrivalKey | RemoteId)[]
  named?: RemoteId // how apps at its place call it, where that is not its key
  quoted?: number // so many blocks in front only repeat what it answers, for apps that cannot show it (XEP-0428)
  automatic?: boolean // its network says that a machine made it: never to be answered by a machine
}
/** `of` is the arrival key of what is changed. Only its own sender may change it: route checks. */
export interface EditArrival extends Arrived { kind: 'edit'; sender: Sender; of: ArrivalKey; content: Content; mentions?: string[]; quoted?: number }
export interface DeletionArrival extends Arrived {
  kind: 'deletion'; sender: Sender; of: ArrivalKey
  moderated?: boolean // the place's own server vouches that they may take it away there, whoever said it
}
/**
 * What became of a delivery after it was sent. `of` lists spellings of the remote id, best first (gateways write one id in
 * several ways); each remote id of a delivery gets its own receipt.
 */
export interface ReceiptArrival extends Arrived { kind: 'receipt'; of: RemoteId[]; outcome: 'delivered' | 'failed'; detail?: string }

/**
 * How a place that is mirrored stands to us: `in` at each entering, `out` when it has sent us out or is gone, `encrypted` when what
 * is said there cannot be read. From `out` or `encrypted` on nothing is carried from there or to there, until it is `in` again. What
 * is the same as before changes nothing. `key`: the source's own id of the event that says so, else a new one.
 */
export interface StandingArrival extends Arrived { kind: 'standing'; standing: Standing }
export type Standing = 'in' | 'out' | 'encrypted'

/** What comes from Zentrale itself: a time that has come, an order of the operator. Its place is the function address. */
export interface OrderArrival extends Arrived { kind: 'order'; order: Order }

export type Order =
  | { what: 'due', conversation: number }
  | { what: 'open', all: boolean } // at the start: the rooms of an address, and with `all` those of its conversations, are to be as they should
  | { what: 'say', by: string, words: string } // a command, as the team types them

export type Arrival = MessageArrival | EditArrival | DeletionArrival | ReceiptArrival | StandingArrival | OrderArrival

/** Whom a ghost stands in for, and the name to show, already cleaned and marked with the network. `hops`: with ours, 1 if absent. */
export interface Persona { person: Person; name: string; avatar?: MediaRef; hops?: number }

/** What is to be marked on a message, so that another switchboard knows when to stop. */
export const hopsOf = (as: Persona | undefined): number => as === undefined ? HOPS_MAX : as.hops ?? 1

/**
 * The one person whom a message of ours is for, because it is about what they said: `of` is the arrival key of that, `person` their
 * address. `open`: everybody who reads what they said is to read this too; else nobody need.
 */
export interface Addressee { of: ArrivalKey; person: string; open?: boolean }

/**
 * What a message answers. `said`: by what it stands at the place of the delivery, as far as it stands there. `by`: who said it, as they
 * are called there. `text`: the beginning of what they said.
 */
export interface Reply {
  said?: { delivery: DeliveryKey } | { arrival: ArrivalKey | RemoteId }
  by: Persona
  text: string
}

/** How a room of ours is to be. Making it so again changes nothing. */
export interface RoomState {
  name: string
  topic: string
  people: string[] // the addresses of all who belong in it beside ours; everybody else is taken out
  from?: string // the Identity's id in whose name people are asked in
  speakers?: string[] // if given, nobody else may speak
  inside?: Place // the room of rooms in which it is found, where the network has such
}

export type Action =
  | { kind: 'message'; content: Content; addressee?: Addressee; reply?: Reply }
  | { kind: 'room'; room: RoomState }
  | { kind: 'edit'; of: DeliveryKey; content: Content; reply?: Reply }
  | { kind: 'deletion'; of: DeliveryKey }

export interface Delivery {
  key: DeliveryKey
  place: Place
  as?: Persona // who speaks; without it Zentrale itself does
  at: number // ms since 1970: when the source says it was said
  action: Action
  attempt: number // 1 on the first try
  target?: RemoteId[] // for edit and deletion: the remote ids of the delivery that is changed
  answered?: RemoteId[] // for what answers a delivery: the remote ids of that one
}

/**
 * `ids`: by which the destination knows it, the first being the one to name in a later edit; where it became several messages,
 * one for each. `parts`: how many messages it became, 1 if absent.
 */
export interface Sent { ids: RemoteId[]; parts?: number }
