/**
 * What a store of matrix-bifrost holds, in either of its two forms. Its words: a room is *plumbed* if somebody connected it to a group chat
 * by command; a *portal* if bifrost made it because somebody asked for the group chat; a *gateway* if people of other networks entered a
 * Matrix room through bifrost's own domain. An *account* is the address under which somebody of Matrix appeared elsewhere.
 */
import { parseJid } from '../../networks/xmpp/names'

export type RoomKind = 'plumbed' | 'portal' | 'gateway' | 'direct' | 'admin'

/** `at`: its place in the store. `remote`: the other end, as bifrost writes it. */
export interface FormerRoom { at: string; room: string; kind: RoomKind; protocol: string; remote: string }

export interface FormerPerson { mxid: string; protocol: string; id: string; isAccount: boolean; name?: string }

export interface FormerStore {
  rooms: FormerRoom[]
  people: FormerPerson[]
  empty: number // entries without a room on the other side, which bifrost itself deletes when it finds them
  others?: number // other connections to the database
}

/** At most so many records of one kind are read, because all are in memory at once. */
export const RECORDS_MAX = 500_000
const PROBLEMS_SHOWN_MAX = 20

/** An error with everything that cannot be read, each with its place in the store. */
export const unreadable = (problems: string[]): Error => {
  const more = problems.length - PROBLEMS_SHOWN_MAX
  return new Error([...problems.slice(0, PROBLEMS_SHOWN_MAX), ...more > 0 ? [`… and ${more} more`] : []].join('\n'))
}

const XMPP_BY_ITSELF = 'xmpp-js'
const XMPP_PROTOCOLS: ReadonlySet<string> = new Set([XMPP_BY_ITSELF, 'prpl-jabber'])
export const isXmpp = (protocol: string): boolean => XMPP_PROTOCOLS.has(protocol)

/** What both forms store about a group chat. */
export interface Group {
  room_name?: string | null | undefined
  gateway?: boolean | null | undefined
  plumbed?: boolean | null | undefined
  properties?: Record<string, unknown> | null | undefined
}

/** PostgreSQL does not keep `plumbed`. But only rooms connected by command have the nickname of the person who did it as a property. */
export const kindOf = ({ gateway, plumbed, properties }: Group): RoomKind =>
  gateway ? 'gateway' : plumbed || typeof properties?.['handle'] === 'string' ? 'plumbed' : 'portal'

export const remoteOf = ({ room_name: name, properties }: Group): string =>
  name || (properties?.['room'] === undefined ? '' : `${String(properties['room'])}@${String(properties['server'])}`)

/** Escapes a name like the bridge library: `=` and the character's number; capitals stay. */
const escaped = (text: string): string => text.replace(/[^A-Za-z0-9.=_-]/gu, char => `=${char.charCodeAt(0).toString(16)}`)

const endOf = ({ protocol, id }: FormerPerson): string | undefined => {
  if (protocol !== XMPP_BY_ITSELF) return `${protocol.replace(/^prpl-/, '')}_${escaped(id.replaceAll(':', '=3a').replaceAll('=40', '@'))}`
  const jid = parseJid(id)
  return jid && escaped(`${jid.resource === '' ? '' : `${jid.resource}/`}${jid.local.toLowerCase()}@${jid.domain.toLowerCase()}`)
}

/**
 * The prefix in the name of a bifrost ghost, `_bifrost_` unless it was changed. Undefined if the person is no ghost: bifrost stores people
 * of Matrix like ghosts too, under their nicknames in rooms.
 */
export const prefixOf = (person: FormerPerson, domain: string): string | undefined => {
  const end = endOf(person)
  const tail = `${end}:${domain}`
  return end === undefined || person.isAccount || !person.mxid.endsWith(tail) ? undefined : person.mxid.slice('@'.length, -tail.length)
}
