/** Who is in a room, as its listener sees it: only occupants whose real address the room shows, and at most REAL_JIDS_MAX. */
import { bareOf, canonicalBare, resourceOf } from '../names'
import { child, type Element, owned } from '../wire/xml'

const REAL_JIDS_MAX = 5_000
const MUC_USER = 'http://jabber.org/protocol/muc#user'

export interface RealJid { address: string, role: string }

/** Notes what a presence from the room to its listener says. Returns the nick if somebody is there now. */
export const noteRealJid = (realJids: Map<string, RealJid>, presence: Element): string | undefined => {
  const nick = resourceOf(presence.attrs.from ?? '')
  const { type } = presence.attrs
  if (type === 'unavailable') realJids.delete(nick)
  if (type !== undefined) return undefined
  const user = child(presence, 'x', MUC_USER)
  const { jid, role = '' } = (user && child(user, 'item')?.attrs) ?? {}
  if (jid === undefined || (realJids.size >= REAL_JIDS_MAX && !realJids.has(nick))) return undefined
  realJids.set(owned(nick), { address: owned(canonicalBare(bareOf(jid)) ?? bareOf(jid)), role: owned(role) })
  return nick
}

/**
 * The writer of a message in an archive (XEP-0313). Rooms add this themselves. If somebody forges one, there are two, and neither is
 * believed.
 */
export const archivedJid = (message: Element): string | undefined => {
  const users = message.children.filter(one => typeof one !== 'string' && one.name === 'x' && one.ns === MUC_USER) as Element[]
  const jid = users.length === 1 && users[0] ? child(users[0], 'item')?.attrs.jid : undefined
  return jid === undefined ? undefined : canonicalBare(bareOf(jid))
}
