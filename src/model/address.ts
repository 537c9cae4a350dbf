/** Who and where. Networks are equals, known by their name; ids are opaque to everyone but the network itself. */

export type NetworkName = string

declare const kind: unique symbol
/** Lets the compiler tell types of the same shape apart; it has no value. A plain string may become any kind, but one kind never another. */
export interface Kind<K extends string> { readonly [kind]?: K }

/** Somebody on one network: an MXID, a JID or MUC occupant, an E.164 number. */
export interface Person extends Kind<'person'> { network: NetworkName; id: string }

/**
 * Where people read and write on one network: a room, a group chat, a thread between two numbers.
 * The id is the one in the config (an alias stays an alias), in the network's canonical spelling. So it stays the same while the
 * network is down, and across restarts.
 */
export interface Place extends Kind<'place'> { network: NetworkName; id: string }

/** The source's own id of an arrival: unique on its network for ever. */
export type ArrivalKey = string & Kind<'arrival'>
/** The id of a delivery: [A-Za-z0-9_-]{1,64}, unique for ever. It never changes, however often the delivery is tried. */
export type DeliveryKey = string & Kind<'delivery'>
/** The id that a destination gave to a message delivered there. */
export type RemoteId = string & Kind<'remote'>

/**
 * A place whose messages are carried to others. `people`, for a place that is one person's thread: person id → the name in the config.
 * `reactions`: where nobody can react, those to the person's own messages are told in a line each.
 */
export interface MirrorPlace { place: Place; people?: Record<string, string>; reactions?: 'lines' }

/** One string for one person or place: a key for maps and the store. The network's name has no space. */
export const addressKey = (address: Person | Place): string => `${address.network} ${address.id}`

export const samePlace = (one: Place, other: Place): boolean => one.network === other.network && one.id === other.id
