/**
 * The MXIDs of our ghosts, one-to-one: the specification's mapping (Matrix appendices §User identifiers, "Mapping from other
 * character sets") with `=`, `_` and capitals escaped too, so that two people can never share a ghost. A name that is read back counts
 * only if the same name is made of what was read.
 */
import { createHash, createHmac } from 'node:crypto'
import { addressKey, type Person } from '../../model/address'
import type { Wanted } from '../../model/network'

export const GHOST_PREFIX = '_zentrale_'

/** Who has the keys of encrypted rooms. */
export const keeperOn = (domain: string): string => `@${GHOST_PREFIX}keys:${domain}`

const MXID_BYTES_MAX = 255
const SECRET_DIGITS = 32 // a long id has 64 in their place
const MADE_MAX = 10_000 // names kept ready, and read; a message needs its ghost's several times
const PLAIN = /^[a-z0-9./+-]$/

const OF_NETWORK = new RegExp(`^@${GHOST_PREFIX}([^_:]+)_`)
const GHOST = new RegExp(`${OF_NETWORK.source}([^_:]+):`)

const made = new Map<string, string>()
const read = new Map<string, Person | undefined>()

const kept = <V>(all: Map<string, V>, key: string, value: V): V => {
  if (all.size >= MADE_MAX) all.clear()
  all.set(key, value)
  return value
}

/** A regular expression that matches only this text, for a registration's namespaces. */
export const exactly = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

const hex = (byte: number): string => `=${byte.toString(16).padStart(2, '0')}`

/** UTF-8, except that a lone surrogate keeps its own three bytes instead of becoming U+FFFD like all the others. */
const bytesOf = (char: string): Iterable<number> => {
  const code = char.codePointAt(0)!
  return code >= 0xd800 && code <= 0xdfff ? [0xe0 | code >> 12, 0x80 | code >> 6 & 0x3f, 0x80 | code & 0x3f] : Buffer.from(char)
}

export const escapeLocalpart = (text: string): string =>
  Array.from(text, char => PLAIN.test(char) ? char : Array.from(bytesOf(char), hex).join('')).join('')

/**
 * `@_zentrale_<network>_<id>:<domain>`. If that is too long for an MXID, a hash replaces the id. A second underscore stands before it, with
 * which no escaped id can begin.
 */
export const ghostMxid = (person: Person, domain: string): string => {
  const key = `${domain} ${addressKey(person)}`
  return made.get(key) ?? kept(made, key, makeMxid(person, domain))
}

const makeMxid = (person: Person, domain: string): string => {
  const start = `@${GHOST_PREFIX}${escapeLocalpart(person.network)}_`
  const whole = `${start}${escapeLocalpart(person.id)}:${domain}`
  if (Buffer.byteLength(whole) <= MXID_BYTES_MAX) return whole
  const lone = Buffer.concat(Array.from(person.id, char => Buffer.from([...bytesOf(char)])))
  return `${start}_${createHash('sha256').update(lone).digest('hex')}:${domain}`
}

const unescaped = (text: string): string =>
  Buffer.from(text.replace(/=([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))), 'latin1').toString('utf8')

/** The person for whom this ghost speaks; undefined if it is no ghost, or if its name does not tell. */
export const ghostPerson = (mxid: string, domain: string): Person | undefined => {
  const key = `${domain} ${mxid}`
  return read.has(key) ? read.get(key) : kept(read, key, readPerson(mxid, domain))
}

const readPerson = (mxid: string, domain: string): Person | undefined => {
  const [, network = '', id = ''] = GHOST.exec(mxid) ?? []
  const person = { network: unescaped(network), id: unescaped(id) }
  return network !== '' && ghostMxid(person, domain) === mxid ? person : undefined
}

/** The network of the person for whom this ghost speaks. */
export const ghostNetwork = (ghost: string): string => unescaped(OF_NETWORK.exec(ghost)?.[1] ?? '')

/** The room of another network that an alias asks for: `#_zentrale_<network>_<room>`, with % for the @, as aliases of other bridges have it. */
export const portalOf = (alias: string, domain: string): Wanted | undefined => {
  const [start, end] = [`#${GHOST_PREFIX}`, `:${domain}`]
  const inside = alias.startsWith(start) && alias.endsWith(end) ? alias.slice(start.length, -end.length) : ''
  const [, network, local, service] = /^([a-z0-9]+)_([^:\s]+)%([^:%\s]+)$/u.exec(inside) ?? []
  return network === undefined || local === undefined || service === undefined ? undefined
    : { network, room: `${local}@${service}`, here: alias }
}

/** Whether this is an alias, and none of those that we give. */
export const isOthersAlias = (id: string, domain: string): boolean =>
  /^#[^:\s]+:[^\s]+$/.test(id) && !(id.startsWith(`#${GHOST_PREFIX}`) && id.endsWith(`:${domain}`))

/** Whether a user is a ghost that tells whom it stands for. */
export const isGhostOn = (domain: string) => (mxid: string): boolean => ghostPerson(mxid, domain) !== undefined

/** A name that does not tell whose it is, and that nobody can find by trying. */
export const secretGhostMxid = (person: Person, domain: string, key: string): string => {
  const digits = createHmac('sha256', key).update(addressKey(person)).digest('hex').slice(0, SECRET_DIGITS)
  return `@${GHOST_PREFIX}${escapeLocalpart(person.network)}__${digits}:${domain}`
}

/** With whom somebody shares a limit: with everybody of their server, or, on our own server, with nobody. */
export const sourceOf = (mxid: string, domain: string): string => {
  const server = mxid.slice(mxid.indexOf(':') + 1)
  return server === domain ? mxid : server
}

/** Whether somebody is one of these: MXIDs, with a star for the rest of a localpart. */
export const isAmong = (listed: string[]): (mxid: string) => boolean => {
  const exact = new Set(listed)
  const begun = listed.flatMap(one => {
    const star = one.indexOf('*:')
    return star < 0 ? [] : [{ start: one.slice(0, star), end: one.slice(star + 1) }]
  })
  return mxid => exact.has(mxid) || begun.some(({ start, end }) => mxid.startsWith(start) && mxid.slice(mxid.indexOf(':')) === end)
}

/** Whether this is the bot or a ghost of ours. Exact, for names of any form. */
export const isOurs = (mxid: string, bot: string, domain: string): boolean =>
  mxid === bot || (mxid.startsWith(`@${GHOST_PREFIX}`) && mxid.endsWith(`:${domain}`) &&
    mxid.indexOf(':') === mxid.length - domain.length - 1)

/** The canonical id of the person whom `written` names. */
export const personId = (written: string): string | undefined => /^@[^:\s]+:[^\s]+$/.test(written) ? written : undefined
