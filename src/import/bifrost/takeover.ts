/** Decides which of bifrost's rooms become mirrors, which do not and why, and who its people are here. Pure. */
import type { Config } from '../../config/config'
import { ghostMxid } from '../../networks/matrix/names'
import { canonicalBare, ghostLocal, parseJid } from '../../networks/xmpp/names'
import { type FormerPerson, type FormerRoom, type FormerStore, isXmpp, prefixOf, type RoomKind } from './former'

export interface NewMirror { name: string; matrix: string; xmpp: string; isPortal: boolean }

/** A room that is not taken over. Rooms with the same reason have the same `why`. */
export interface Left { room: FormerRoom; why: string }

/** `now`: the same person's id with Zentrale. Undefined if bifrost knew only a nickname in a room. */
export interface Known { isGhost: boolean; before: string; address: string; name: string; now?: string }

/** `notHeardFrom`: what to add to the config under this key. */
export interface Takeover { mirrors: NewMirror[]; there: FormerRoom[]; left: Left[]; known: Known[]; notHeardFrom: string[] }

/** The parts of the config that the takeover needs. */
export interface House { domain: string; component: string; bot: string; notHeardFrom: string[]; mirrors: Config['mirrors'] }

const NAME_CHARS_MAX = 64
const ROOM_BYTES_MAX = 255
const ROOM_ID = /^![^\s:\p{C}]+(:[^\s\p{C}]+)?$/u

const WHY: Record<Exclude<RoomKind, 'plumbed' | 'portal'>, string> = {
  gateway: 'Gateways: people of XMPP came in through bifrost\'s own domain. Name these rooms under portals, and who may ask under from: ' +
    'whoever enters them as before is then sent to a room on your room service',
  direct: 'Direct chats: with Zentrale, single people of Matrix do not appear on XMPP. Give a function address to those who must be reachable ' +
    'there; they write from it',
  admin: 'Chats with bifrost\'s bot, for its commands: nobody else needs them'
}
const PORTAL = 'Portals: bifrost made these rooms when somebody asked for the group chat, and keeps them while anybody is in them. With ' +
  '--portals they are taken over like the others; new ones are made where the section portals of the config allows it'
const OTHER = 'Other protocols: Zentrale speaks Matrix, XMPP and SMS'
const NO_ROOM = 'Not the address of a group chat that a mirror can have'
const NO_ID = 'Not the id of a Matrix room'
const TWICE = 'Connected to more than one room: bifrost used the first. If all should be one, write this one under places of that mirror'
const ELSEWHERE = 'One of the two is in a mirror of the config already, the other is not. To join them, write the other under places of that mirror'

const rank = ({ kind }: FormerRoom): number => ['plumbed', 'portal'].indexOf(kind)

/** Why this room cannot become a mirror, whatever the config says. */
const obstacle = ({ room, kind, protocol, remote }: FormerRoom, component: string, portals: boolean): string | undefined => {
  if (kind !== 'plumbed' && kind !== 'portal') return WHY[kind]
  if (!isXmpp(protocol)) return OTHER
  if (kind === 'portal' && !portals) return PORTAL
  const xmpp = canonicalBare(remote)
  if (xmpp === undefined || !xmpp.includes('@') || xmpp.endsWith(`@${component}`)) return NO_ROOM
  return ROOM_ID.test(room) && Buffer.byteLength(room) <= ROOM_BYTES_MAX ? undefined : NO_ID
}

/** Makes unique names: the group chat's own, with a number if needed. */
const namer = (taken: Set<string>) => (xmpp: string): string => {
  const wanted = parseJid(xmpp)!.local
  for (let number = 1; ; number++) {
    const end = number === 1 ? '' : `-${number}`
    const name = `${wanted.slice(0, NAME_CHARS_MAX - end.length).replace(/[\uD800-\uDBFF]$/, '')}${end}`
    if (taken.has(name)) continue
    taken.add(name)
    return name
  }
}

/** The mirrors of the config. An alias may name any room, so a group chat that is mirrored with one counts as taken over. */
const places = (mirrors: Config['mirrors']) => {
  const mirrorOf = new Map(mirrors.flatMap(mirror => mirror.places.map(({ place }) => [place.id, mirror] as const)))
  return {
    has: (id: string): boolean => mirrorOf.has(id),
    together (matrix: string, xmpp: string): boolean {
      const mirror = mirrorOf.get(xmpp)
      return mirror !== undefined && mirror.places.some(({ place: { network, id } }) => network === 'matrix' && (id === matrix || id.startsWith('#')))
    }
  }
}

const divide = (rooms: FormerRoom[], { component, mirrors }: House, portals: boolean): Pick<Takeover, 'mirrors' | 'there' | 'left'> => {
  const config = places(mirrors)
  const nameOf = namer(new Set(mirrors.map(({ name }) => name)))
  const used = new Set<string>()
  const result: Pick<Takeover, 'mirrors' | 'there' | 'left'> = { mirrors: [], there: [], left: [] }
  for (const room of rooms.toSorted((one, other) => rank(one) - rank(other))) {
    const why = obstacle(room, component, portals)
    const [matrix, xmpp] = [room.room, canonicalBare(room.remote) ?? '']
    if (why !== undefined) result.left.push({ room, why })
    else if (config.together(matrix, xmpp)) result.there.push(room)
    else if (config.has(matrix) || config.has(xmpp)) result.left.push({ room, why: ELSEWHERE })
    else if (used.has(matrix) || used.has(xmpp)) result.left.push({ room, why: TWICE })
    else {
      used.add(matrix).add(xmpp)
      result.mirrors.push({ name: nameOf(xmpp), matrix, xmpp, isPortal: room.kind === 'portal' })
    }
  }
  return result
}

const nowOf = (isGhost: boolean, { protocol, id, mxid }: FormerPerson, { domain, component }: House): string | undefined => {
  if (!isXmpp(protocol)) return undefined
  if (!isGhost) return `${ghostLocal({ network: 'matrix', id: mxid })}@${component}`
  const bare = canonicalBare(id)
  return bare === undefined ? undefined : ghostMxid({ network: 'xmpp', id: bare }, domain)
}

/** Leaves out people of Matrix whom bifrost stores like ghosts under their nicknames: they are themselves. */
const know = (people: FormerPerson[], house: House): Pick<Takeover, 'known' | 'notHeardFrom'> => {
  const prefixes = new Set<string>()
  const known = people.flatMap((person): Known[] => {
    const { mxid: before, id: address, name = '', isAccount } = person
    const prefix = prefixOf(person, house.domain)
    if (prefix === undefined && !isAccount) return []
    if (prefix) prefixes.add(prefix)
    const now = nowOf(prefix !== undefined, person, house)
    return [{ isGhost: prefix !== undefined, before, address, name, ...now === undefined ? {} : { now } }]
  })
  const ghosts = [...prefixes].sort().map(prefix => `@${prefix}*:${house.domain}`)
  return { known, notHeardFrom: ghosts.filter(one => !house.notHeardFrom.includes(one)) }
}

export const planTakeover = ({ rooms, people }: FormerStore, house: House, portals: boolean): Takeover =>
  ({ ...divide(rooms, house, portals), ...know(people, house) })
