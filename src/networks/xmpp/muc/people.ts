/** Who is in a room, as its listener sees it: ours too, and at most PEOPLE_MAX. */
import type { Sender } from '../../../model/message'
import type { Presence } from '../../../model/signal'
import { bareOf, canonicalBare, parseJid, resourceOf } from '../names'
import { presenceIn } from '../text/signals'
import { child, type Element, elementsIn, owned } from '../wire/xml'
import { isMarked } from './own-messages'

/** The feature of a room that shows addresses to everybody in it. */
export const NON_ANONYMOUS = 'muc_nonanonymous'
export const OCCUPANT_IDS = 'urn:xmpp:occupant-id:0'
export const PEOPLE_MAX = 5_000
export const MUC_USER = 'http://jabber.org/protocol/muc#user'

/**
 * `address`: their real one, if the room shows it to us. `occupant`: the room's own id of them (XEP-0421). `rules`: over others. `owns`: the
 * room. `marked`: a switchboard's, ours or another. `presence`: absent: they are online, and say nothing of it.
 */
export interface Present {
  address?: string, occupant?: string, role: string, rules: boolean, owns?: true, marked?: true, presence?: Presence
}

/** The id that arrivals give somebody in a room. Only a room that announces ids gives one that can be believed. */
export const idOf = (room: { id: string, features: ReadonlySet<string> }, nick: string, occupant: string | undefined): string =>
  occupant === undefined || !room.features.has(OCCUPANT_IDS) ? `${room.id}/${nick}` : `${room.id} ${occupant}`

/** Who wrote this earlier message, if they are in the room now and the room tells them apart by ids, whatever their nick was then. */
export const stillHere = ({ people, features }: { people: ReadonlyMap<string, Present>, features: ReadonlySet<string> },
  message: Element): Present | undefined => {
  const id = features.has(OCCUPANT_IDS) ? child(message, 'occupant-id', OCCUPANT_IDS)?.attrs.id : undefined
  return id === undefined ? undefined : [...people.values()].find(({ occupant }) => occupant === id)
}

/** Notes what a presence from the room to its listener says. Returns the nick if somebody is there now whose address the room shows. */
export const notePresence = (people: Map<string, Present>, presence: Element): string | undefined => {
  const nick = resourceOf(presence.attrs.from ?? '')
  const { type } = presence.attrs
  if (type === 'unavailable') people.delete(nick)
  if (type !== undefined || nick === '' || (people.size >= PEOPLE_MAX && !people.has(nick))) return undefined
  const user = child(presence, 'x', MUC_USER)
  const { jid, role = '', affiliation = '' } = (user && child(user, 'item')?.attrs) ?? {}
  const occupant = child(presence, 'occupant-id', OCCUPANT_IDS)?.attrs.id
  const { kind, is, status } = presenceIn(presence)
  people.set(owned(nick), {
    ...jid !== undefined && { address: owned(canonicalBare(bareOf(jid)) ?? bareOf(jid)) }, ...occupant !== undefined && { occupant: owned(occupant) },
    role: owned(role), rules: role === 'moderator' || affiliation === 'owner' || affiliation === 'admin',
    ...affiliation === 'owner' && { owns: true },
    ...isMarked(presence) && { marked: true }, ...(is !== 'online' || status !== '') && { presence: { kind, is, status } }
  })
  return jid === undefined ? undefined : nick
}

/** The nick that somebody takes with this presence (XEP-0045 §7.6). */
export const renamedTo = (presence: Element): string | undefined => {
  const user = child(presence, 'x', MUC_USER)
  return user !== undefined && elementsIn(user).some(({ name, attrs }) => name === 'status' && attrs.code === '303')
    ? child(user, 'item')?.attrs.nick : undefined
}

/** Whether an address is of the room's own server: any other server could name anybody. */
export const vouchesFor = (room: string, address: string): boolean => {
  const [service, theirs] = [parseJid(room)?.domain, parseJid(address)?.domain]
  return service !== undefined && theirs !== undefined && (service === theirs || service.endsWith(`.${theirs}`))
}

/** Somebody's address, for a sender; only that of a room that shows it to everybody may be shown elsewhere. */
export const addressFor = ({ id, features }: { id: string, features: ReadonlySet<string> },
  address: string): Pick<Sender, 'address' | 'vouched' | 'account'> =>
  features.has(NON_ANONYMOUS) ? { address, ...vouchesFor(id, address) && { vouched: true as const } } : { account: address }

/**
 * The writer of a message in an archive (XEP-0313). Rooms add this themselves. If somebody forges one, there are two, and neither is
 * believed.
 */
export const archivedJid = (message: Element): string | undefined => {
  const users = message.children.filter(one => typeof one !== 'string' && one.name === 'x' && one.ns === MUC_USER) as Element[]
  const jid = users.length === 1 && users[0] ? child(users[0], 'item')?.attrs.jid : undefined
  return jid === undefined ? undefined : canonicalBare(bareOf(jid))
}
