/**
 * What flows: an arrival comes in from a network, a delivery goes out to one.
 * Both are plain data and survive JSON, because both are stored before anything is done with them.
 */
import type { NetworkName, Person, Place } from './address'
import type { Text } from './text'

/** A file where it lies: an mxc:// or https:// address that only its network can open. */
export interface MediaRef { network: NetworkName; ref: string }

export interface Attachment {
  kind: 'image' | 'audio' | 'video' | 'file'
  name: string
  mime: string
  size?: number // bytes, as the source says
  at: MediaRef
  url?: string // our own signed link, set on deliveries to networks that take links instead of files
}

/** A message's body. Either may be empty, not both; a delivery has one of the two, never both. */
export interface Content {
  style: 'text' | 'notice' | 'emote'
  text: Text
  file?: Attachment
}

export interface Sender { id: string; name: string; avatar?: MediaRef }

interface Arrived {
  key: string // the source's own id, unique on that network for ever: what it is deduplicated by
  place: Place
  at: number // ms since 1970 as the source claims: for display, never for order or expiry
}

export interface MessageArrival extends Arrived {
  kind: 'message'; sender: Sender; content: Content
  direct?: boolean // the place is a person writing to us alone, so it concerns us even if nothing is configured for it
}
/** `of` is the arrival key of what is changed. Only its own sender may change it: route checks. */
export interface EditArrival extends Arrived { kind: 'edit'; sender: Sender; of: string; content: Content }
export interface DeletionArrival extends Arrived { kind: 'deletion'; sender: Sender; of: string }
/**
 * What became of a delivery after it was sent. `of` lists spellings of the remote id, best first (gateways write one id in
 * several ways); each remote id of a delivery gets its own receipt.
 */
export interface ReceiptArrival extends Arrived { kind: 'receipt'; of: string[]; outcome: 'delivered' | 'failed'; detail?: string }

export type Arrival = MessageArrival | EditArrival | DeletionArrival | ReceiptArrival

/** Whom a ghost stands in for, and the name to show, already cleaned and marked with the network. */
export interface Persona { person: Person; name: string; avatar?: MediaRef }

export type Action =
  | { kind: 'message'; content: Content }
  | { kind: 'edit'; of: string; content: Content } // of: the key of the delivery that is changed
  | { kind: 'deletion'; of: string }

export interface Delivery {
  key: string // [A-Za-z0-9_-]{1,64}, unique for ever, never changes however often it is tried
  place: Place
  as?: Persona // who speaks; without it Zentrale itself does
  at: number // ms since 1970: when the source says it was said
  action: Action
  attempt: number // 1 on the first try
  target?: string[] // for edit and deletion: the remote ids of the delivery that is changed
}

/**
 * `ids`: by which the destination knows it, the first being the one to name in a later edit; where it became several messages,
 * one for each. `parts`: how many messages it became, 1 if absent.
 */
export interface Sent { ids: string[]; parts?: number }
