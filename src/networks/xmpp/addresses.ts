/** The function addresses: which JIDs of the component's domain are public, and whose they are. */
import type { Identity } from '../../model/network'
import { bareOf, canonicalBare, parseJid } from './names'

/** What all of ours speak from. */
export const RESOURCE = 'zentrale'

/** Who hears what is said in rooms, and owns those that we make. */
export const LISTENER_LOCAL = 'zentrale'

export interface Addresses {
  /** Undefined until they are known for the first time. */
  all (): Identity[] | undefined
  /** Whose address this is, canonical or not, with or without resource. */
  at (jid: string): Identity | undefined
  /** Replaces all. Returns those that are not ours to be: not in canonical spelling, or not of our domain. */
  put (identities: Identity[]): string[]
}

export const makeAddresses = (domain: string): Addresses => {
  let known: Identity[] | undefined
  let byJid = new Map<string, Identity>()
  const isOurs = (jid: string): boolean => {
    const { local = '' } = parseJid(jid) ?? {}
    return canonicalBare(jid) === jid && local !== '' && !local.startsWith('_') && jid === `${local}@${domain}`
  }
  return {
    all: () => known,
    at: jid => byJid.get(bareOf(jid)),
    put (identities) {
      known = identities.filter(({ id }) => isOurs(id))
      byJid = new Map(known.flatMap(one => [...one.aliases.filter(isOurs), one.id].map(jid => [jid, one])))
      return identities.flatMap(({ id, aliases }) => [id, ...aliases]).filter(jid => !byJid.has(jid))
    }
  }
}
