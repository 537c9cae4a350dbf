/**
 * The names of this network: addresses in their canonical spelling, the localparts of ghosts, nicknames that a room takes.
 * Promises: two persons never share a ghost (one-to-one over all strings); no ghost equals an address that people choose, because
 * theirs may not begin with an underscore; names are only ever compared in the written form, never unescaped (XEP-0106 §4).
 */
import { createHash } from 'node:crypto'
import { type Person, addressKey } from '../../model/address'
import { nameprep, nodeprep } from './wire/stringprep'

/** The parts of an address. `local` and `resource` may be empty. */
export interface Jid { local: string, domain: string, resource: string }

const PART_BYTES_MAX = 1023 // RFC 7622 §3.2, §3.3, §3.4
export const GHOST_LENGTH_MAX = 255 // many databases do not keep longer localparts
const NICK_LENGTH_MAX = 200 // code points

const FORBIDDEN_LOCAL = /["&'/:<>@\s\p{Cc}\p{Cs}]/u // RFC 7622 §3.3.1
const FORBIDDEN_DOMAIN = /["&'/:<>@\s\p{Cc}\p{Cs}]|^\.|\.\./u
const FORBIDDEN_RESOURCE = /[\p{Cc}\p{Cs}\u2028\u2029]/u
const IPV6 = /^\[[0-9a-f:.]+\]$/i

const fits = (part: string): boolean => Buffer.byteLength(part) <= PART_BYTES_MAX

/** Splits an address as RFC 7622 §3.1 says, without changing its spelling. Undefined if it is not an address. */
export const parseJid = (text: string): Jid | undefined => {
  const slash = text.indexOf('/')
  const bare = slash < 0 ? text : text.slice(0, slash)
  const resource = slash < 0 ? '' : text.slice(slash + 1)
  const at = bare.indexOf('@')
  const local = at < 0 ? '' : bare.slice(0, at)
  const domain = bare.slice(at + 1)
  if (domain === '' || at === 0 || (slash >= 0 && resource === '')) return undefined
  if (FORBIDDEN_LOCAL.test(local) || FORBIDDEN_RESOURCE.test(resource)) return undefined
  if (FORBIDDEN_DOMAIN.test(domain) && !IPV6.test(domain)) return undefined
  return fits(local) && fits(domain) && fits(resource) ? { local, domain, resource } : undefined
}

/** The address in an id of somebody: of a hidden occupant, the room's (see isHidden). */
export const addressIn = (id: string): string => id.split(' ', 1)[0] ?? ''

/** The server whose limits count for somebody. Whoever has a domain also has all names below it. */
export const serverOf = (jid: string): string => (parseJid(addressIn(jid))?.domain ?? jid).toLowerCase().split('.').slice(-2).join('.')

export const bareOf = (jid: string): string => {
  const slash = jid.indexOf('/')
  return slash < 0 ? jid : jid.slice(0, slash)
}

export const resourceOf = (jid: string): string => {
  const slash = jid.indexOf('/')
  return slash < 0 ? '' : jid.slice(slash + 1)
}

/** Whether this is no JID, but an occupant of a room that hides addresses: the room, a space, and the room's own id of them (XEP-0421). */
export const isHidden = (id: string): boolean => /^[^ /]+ /.test(id)

/** The spelling that servers use for a bare address: `Bürger@Rooms.Example` is `bürger@rooms.example`. Undefined if servers refuse it. */
export const canonicalBare = (text: string): string | undefined => {
  const jid = parseJid(text)
  if (jid === undefined || jid.resource !== '') return undefined
  const [local, domain] = [nodeprep(jid.local), nameprep(jid.domain.replace(/\.$/, ''))]
  if (local === undefined || domain === undefined || domain.endsWith('.') || (local === '') !== (jid.local === '')) return undefined
  const folded = local === '' ? domain : `${local}@${domain}`
  const read = parseJid(folded) // a letter may have become a sign that splits an address
  return read?.local === local && read.domain === domain ? folded : undefined
}

/** The one person behind a JID, or behind a hidden occupant. */
export const personOf = (from: string): string => isHidden(from) ? from : canonicalBare(bareOf(from)) ?? bareOf(from)

const hex = (byte: number): string => `=${byte.toString(16).padStart(2, '0')}`

const escapeUnit = (found: string): string => found <= '~' ? hex(found.charCodeAt(0))
  : /\p{Cs}/u.test(found) ? `=u${found.charCodeAt(0).toString(16)}` : [...Buffer.from(found)].map(hex).join('')

const escapeLocal = (text: string): string => text.replace(/[^a-z0-9.-]/gu, escapeUnit)

/**
 * The localpart of a person's ghost: `_network_id`, with everything but a–z 0–9 . - written as =xx per UTF-8 byte. If that is too long, `__`
 * and a hash instead.
 */
export const ghostLocal = (person: Person): string => {
  const readable = `_${escapeLocal(person.network)}_${escapeLocal(person.id)}`
  return readable.length <= GHOST_LENGTH_MAX
    ? readable
    : `__${createHash('sha256').update(escapeLocal(addressKey(person))).digest('hex')}`
}

const unescapeLocal = (text: string): string =>
  Buffer.from(text.replace(/=([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))), 'latin1').toString('utf8')

/** The person for whom a ghost speaks; undefined if this is no ghost's localpart, or if it does not tell. */
export const ghostPerson = (local: string): Person | undefined => {
  const [, network = '', id = ''] = /^_([^_]+)_([^_]+)$/.exec(local) ?? []
  const person = { network: unescapeLocal(network), id: unescapeLocal(id) }
  return network !== '' && ghostLocal(person) === local ? person : undefined
}

/** A nickname that resourceprep accepts (RFC 7622 §3.4), with a number that tells it from the same nickname of another. */
export const nickOf = (name: string, number = 1): string => {
  const clean = name.normalize('NFKC').replace(/[\p{C}\u2028\u2029\uFFFD]/gu, '').replace(/\s+/gu, ' ').trim()
  const short = [...(clean || 'Unknown')].slice(0, NICK_LENGTH_MAX).join('').trim()
  return number === 1 ? short : `${short} ${number}`
}

/** Plainer and plainer spellings of a name, for servers that refuse letters newer than Unicode 3.2 (RFC 3454 §7). */
export const nickSpellings = (name: string): string[] => [...new Set([
  nickOf(name),
  nickOf(name.normalize('NFKC').replace(/[^\p{L}\p{N}\p{P} ]/gu, '')),
  nickOf(name.normalize('NFKD').replace(/[^ -~]/gu, ''))
])]

const ESCAPES = new Map([...' "&\'/:<>@\\'].map(sign => [sign, `\\${sign.charCodeAt(0).toString(16)}`])) // XEP-0106 §4.1
const SIGNS = new Map([...ESCAPES].map(([sign, code]) => [code, sign]))

const unescaped = (local: string): string => local.replace(/\\[0-9a-f]{2}/g, code => SIGNS.get(code) ?? code)

/**
 * The room of another network that a localpart names: `#room\3aserver` by XEP-0106, `#room%server`, or `#room#server` as other bridges have
 * it. Undefined if it names none.
 */
export const roomNamed = (local: string): string | undefined => {
  if (!local.startsWith('#')) return undefined
  const [, name, server] = /^#(.+)[%#]([^%#]+)$/u.exec(local) ?? []
  const whole = local.includes('\\3a') || name === undefined || server === undefined ? unescaped(local) : `#${unescaped(name)}:${server}`
  return /^#[^:]+:[^\s#%]+$/u.test(whole) ? whole : undefined
}

/** The localpart that names this room; undefined if none can. */
export const localOfRoom = (room: string): string | undefined => {
  const local = [...room].map(sign => ESCAPES.get(sign) ?? sign).join('')
  return roomNamed(local) === room && nodeprep(local) === local ? local : undefined
}

/** The canonical id of the person whom `written` names. */
export const personId = (written: string): string | undefined => written.indexOf('@') > 0 ? canonicalBare(written) : undefined
