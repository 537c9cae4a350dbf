/** Who and where. Networks are equals, known by their name; ids are opaque to everyone but the network itself. */

export type NetworkName = string

/** Somebody on one network: an MXID, a JID or MUC occupant, an E.164 number. */
export interface Person { network: NetworkName; id: string }

/**
 * Where people read and write on one network: a room, a group chat, a thread between two numbers.
 * The id is the one that the config uses (an alias stays an alias), in the network's canonical spelling,
 * so that it stays the same while the network is down and across restarts.
 */
export interface Place { network: NetworkName; id: string }

/** One string for one person or place, to be a key of maps and of the store. The network's name has no space. */
export const addressKey = (address: Person | Place): string => `${address.network} ${address.id}`
