/** The function addresses: which JIDs of the component's domain, or which account, are public, and to which identity each belongs. */
import type { Identity } from '../../model/network'
import { bareOf, canonicalBare, parseJid } from './names'

/** The resource of all our JIDs. */
export const RESOURCE = 'zentrale'

/** The localpart of the one that listens in rooms, and owns those that we make. */
export const LISTENER_LOCAL = 'zentrale'

export interface Addresses {
  /** Undefined until the first `put`. */
  all (): Identity[] | undefined
  /** Whose address this is, canonical or not, with or without resource. */
  at (jid: string): Identity | undefined
  /** Who speaks for it; undefined if its server writes that. */
  speaker (identity: Identity): string | undefined
  /** The same, or the ghost that has this JID, as an address without a profile. */
  orGhost (jid: string): Identity | undefined
  /** Replaces all. Returns the JIDs that cannot be ours: not in canonical spelling, or not of our domain. */
  put (identities: Identity[]): string[]
}

export const makeAddresses = (domain: string): Addresses => {
  let known: Identity[] | undefined
  let byJid = new Map<string, Identity>()
  const isOurs = (jid: string): boolean => {
    const { local = '' } = parseJid(jid) ?? {}
    return canonicalBare(jid) === jid && local !== '' && !local.startsWith('_') && jid === `${local}@${domain}`
  }
  const at = (jid: string): Identity | undefined => byJid.get(bareOf(jid))
  const isGhost = (bare: string): boolean => bare.startsWith('_') && bare.endsWith(`@${domain}`) && canonicalBare(bare) === bare
  return {
    all: () => known,
    at,
    speaker: ({ id }) => `${id}/${RESOURCE}`,
    orGhost: jid => at(jid) ?? (isGhost(bareOf(jid)) ? { id: bareOf(jid), aliases: [], profile: { name: '', about: '' } } : undefined),
    put (identities) {
      known = identities.filter(({ id }) => isOurs(id))
      byJid = new Map(known.flatMap(one => [...one.aliases.filter(isOurs), one.id].map(jid => [jid, one])))
      return identities.flatMap(({ id, aliases }) => [id, ...aliases]).filter(jid => !byJid.has(jid))
    }
  }
}

/** The one address that is an account. */
export const makeAccountAddress = (account: string): Addresses => {
  let known: Identity[] | undefined
  const at = (jid: string): Identity | undefined => bareOf(jid) === account ? known?.[0] : undefined
  return {
    all: () => known, at, orGhost: at,
    speaker: () => undefined,
    put (identities) {
      known = identities.filter(({ id }) => id === account)
      return []
    }
  }
}
