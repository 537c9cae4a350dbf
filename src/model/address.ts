/** Who and where. Networks are equals, known by their name; ids are opaque to everyone but the network itself. */

export type NetworkName = string

declare const kind: unique symbol
/** Tells types of the same shape apart for the compiler, and is never there: what is just read may become any, one kind never another. */
export interface Kind<K extends string> { readonly [kind]?: K }

/** Somebody on one network: an MXID, a JID or MUC occupant, an E.164 number. */
export interface Person extends Kind<'person'> { network: NetworkName; id: string }

/**
 * Where people read and write on one network: a room, a group chat, a thread between two numbers.
 * The id is the one that the config uses (an alias stays an alias), in the network's canonical spelling,
 * so that it stays the same while the network is down and across restarts.
 */
export interface Place extends Kind<'place'> { network: NetworkName; id: string }

/** A source's own id of what came in from there: unique on its network for ever. */
export type ArrivalKey = string & Kind<'arrival'>
/** Of a delivery: [A-Za-z0-9_-]{1,64}, unique for ever; never changes, however often it is tried. */
export type DeliveryKey = string & Kind<'delivery'>
/** By which a destination knows what was delivered there. */
export type RemoteId = string & Kind<'remote'>

/**
 * A place whose messages are carried to others. `people`: who is there, for places that are one person's thread: person id → the name that
 * the config gives.
 */
export interface MirrorPlace { place: Place; people?: Record<string, string> }

/** One string for one person or place, to be a key of maps and of the store. The network's name has no space. */
export const addressKey = (address: Person | Place): string => `${address.network} ${address.id}`

export const samePlace = (one: Place, other: Place): boolean => one.network === other.network && one.id === other.id
