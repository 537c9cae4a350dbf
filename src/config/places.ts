/** Places as people write them, in the spelling that each network counts as canonical. */
import type { Place } from '../model/address'
import { canonicalNumber, threadId } from '../networks/sms/names'
import { canonicalBare } from '../networks/xmpp/names'
import type { MirrorPlace } from '../plan/directory'

/** A place that its network cannot have. */
export class Impossible extends Error {
  readonly advice: string
  constructor (wrong: string, advice: string) { super(wrong); this.advice = advice }
}

/** `component`: the domain where our own users live; no room can be there. Throws Impossible. */
export const xmppRoom = (written: string, component: string): Place => {
  const id = canonicalBare(written)
  if (id === undefined) throw new Impossible(`"${written}" is not an address`, 'Write a room address, such as werkstatt@rooms.example.org')
  if (id.endsWith(`@${component}`)) {
    throw new Impossible(`"${written}" is on Zentrale's own domain`,
      'Rooms are on the server\'s room service, such as werkstatt@rooms.example.org')
  }
  return { network: 'xmpp', id }
}

const ROOM_BYTES_MAX = 255 // Matrix appendices §Common identifier format
const ROOM = /^(?<local>[#!][^:\s]+)(?::(?<server>[^\s]+))?$/

/** Matrix appendices §Room IDs, §Room aliases: ids of room version 12 have no server. Throws Impossible. */
export const matrixRoom = (written: string): Place => {
  const { local, server } = ROOM.exec(written)?.groups ?? {}
  if (local === undefined || (server === undefined && local.startsWith('#')) || Buffer.byteLength(written) > ROOM_BYTES_MAX) {
    throw new Impossible(`"${written}" is not a room`,
      'Write an alias such as "#werkstatt:example.org", or the room\'s id, which begins with "!"')
  }
  return { network: 'matrix', id: server === undefined ? local : `${local}:${server.toLowerCase()}` }
}

/** The thread of one member with our number. Throws Impossible. */
export const phoneThread = (ours: string, member: string, name: string): MirrorPlace => {
  const theirs = canonicalNumber(member)
  if (theirs === undefined) throw new Impossible(`${member} is no phone number of any country`, 'Look at the country code behind the +')
  if (theirs === ours) throw new Impossible(`${member} is our own number`, 'Write the number of the person')
  return { place: { network: 'sms', id: threadId(ours, theirs) }, people: { [theirs]: name } }
}
