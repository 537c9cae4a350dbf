/**
 * What a store of matrix-bifrost says, in whichever of its two forms. Its words: a room is *plumbed* if somebody tied it to a group chat by
 * command, a *portal* if bifrost made it when somebody asked for the group chat, a *gateway* if people of other networks came into a
 * Matrix room through bifrost's own domain; an *account* is under what address somebody of Matrix appeared elsewhere.
 */
import { parseJid } from '../../networks/xmpp/names'

export type RoomKind = 'plumbed' | 'portal' | 'gateway' | 'direct' | 'admin'

/** `at`: where it stands. `remote`: the other end as bifrost writes it. */
export interface FormerRoom { at: string; room: string; kind: RoomKind; protocol: string; remote: string }

export interface FormerPerson { mxid: string; protocol: string; id: string; isAccount: boolean; name?: string }

export interface FormerStore {
  rooms: FormerRoom[]
  people: FormerPerson[]
  empty: number // entries without a room on the other side, which bifrost itself deletes when it finds them
  others?: number // who else is connected to the database
}

/** Both forms together hold at most so many rooms, and so many entries about people: all are in memory for a moment. */
export const RECORDS_MAX = 500_000
const PROBLEMS_SHOWN_MAX = 20

/** Everything that cannot be read in it, each with its place. */
export const unreadable = (problems: string[]): Error => {
  const more = problems.length - PROBLEMS_SHOWN_MAX
  return new Error([...problems.slice(0, PROBLEMS_SHOWN_MAX), ...more > 0 ? [`… and ${more} more`] : []].join('\n'))
}

const XMPP_BY_ITSELF = 'xmpp-js'
const XMPP_PROTOCOLS: ReadonlySet<string> = new Set([XMPP_BY_ITSELF, 'prpl-jabber'])
export const isXmpp = (protocol: string): boolean => XMPP_PROTOCOLS.has(protocol)

/** What both forms remember of a group chat. */
export interface Group {
  room_name?: string | null | undefined
  gateway?: boolean | null | undefined
  plumbed?: boolean | null | undefined
  properties?: Record<string, unknown> | null | undefined
}

/** PostgreSQL does not keep `plumbed`; but with the command, and only then, the nickname of whoever gave it is among the properties. */
export const kindOf = ({ gateway, plumbed, properties }: Group): RoomKind =>
  gateway ? 'gateway' : plumbed || typeof properties?.['handle'] === 'string' ? 'plumbed' : 'portal'

export const remoteOf = ({ room_name: name, properties }: Group): string =>
  name || (properties?.['room'] === undefined ? '' : `${String(properties['room'])}@${String(properties['server'])}`)

/** As the bridge library writes it in a name: `=` and the number of the character; capitals stay. */
const escaped = (text: string): string => text.replace(/[^A-Za-z0-9.=_-]/gu, char => `=${char.charCodeAt(0).toString(16)}`)

const endOf = ({ protocol, id }: FormerPerson): string | undefined => {
  if (protocol !== XMPP_BY_ITSELF) return `${protocol.replace(/^prpl-/, '')}_${escaped(id.replaceAll(':', '=3a').replaceAll('=40', '@'))}`
  const jid = parseJid(id)
  return jid && escaped(`${jid.resource === '' ? '' : `${jid.resource}/`}${jid.local.toLowerCase()}@${jid.domain.toLowerCase()}`)
}

/**
 * What stands before the address in the name of a ghost of bifrost, `_bifrost_` unless it was changed. Undefined if it is none: bifrost
 * stores people of Matrix as ghosts too, under the nicknames that they have in rooms.
 */
export const prefixOf = (person: FormerPerson, domain: string): string | undefined => {
  const end = endOf(person)
  const tail = `${end}:${domain}`
  return end === undefined || person.isAccount || !person.mxid.endsWith(tail) ? undefined : person.mxid.slice('@'.length, -tail.length)
}
