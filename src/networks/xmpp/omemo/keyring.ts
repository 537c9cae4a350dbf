/** What the operator sees of the keys of our addresses, and may do: all of it is in the vault, so it works whether Zentrale runs or not. */
import { Refused } from '../../../model/errors'
import type { Keyring } from '../../kind'
import { canonicalBare } from '../names'
import { KEY_BYTES } from './keys'
import { makeKept, seedChange } from './kept'
import { meOf } from './own'

const readSeed = (ours: string, given: unknown): Buffer => {
  const seed = typeof given === 'string' ? Buffer.from(given, 'base64') : undefined
  if (canonicalBare(ours) !== ours || seed?.length !== KEY_BYTES) throw new Refused(`${ours.slice(0, 255)} has no whole identity in this file`)
  return seed
}

export const keyring: Keyring = {
  shown: { group: 8, label: { de: 'OMEMO-Fingerabdruck', en: 'OMEMO fingerprint' } },
  async list (vault) {
    const kept = makeKept(vault)
    const devices = await Promise.all((await kept.owns()).map(async ([address, own]) => {
      const fingerprint = meOf(own).pub.toString('hex')
      const line = { address, device: String(own.device), fingerprint, identity: fingerprint, since: own.since, isRenewing: false }
      return { ...line, sessions: await kept.sessionCount(address) }
    }))
    return { devices, waiting: 0 }
  },
  /** The ratchet renews its keys with each answer, and people compare only the identity, so another device would bring nothing. */
  renew: () => Promise.resolve(false),
  /** Who wrote in the clear last may have written encrypted since. */
  async restored (vault) {
    const kept = makeKept(vault)
    await kept.change(await kept.doubting())
  },
  async identities (vault) {
    const kept = makeKept(vault)
    return Object.fromEntries((await kept.owns()).map(([ours, { seed }]) => [ours, seed.toString('base64')]))
  },
  async take (vault, given) {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) throw new Refused('this is no file of identities')
    const kept = makeKept(vault)
    const all = Object.entries(given).map(([ours, one]): [string, Buffer] => [ours, readSeed(ours, one)])
    const before = new Map((await kept.owns()).map(([ours, { seed }]) => [ours, seed]))
    const other = all.find(([ours, seed]) => before.get(ours)?.equals(seed) === false)
    if (other !== undefined) throw new Refused(`${other[0]} has another identity already, under which contacts know it by now`)
    const fresh = all.filter(([ours]) => !before.has(ours))
    await kept.change(fresh.map(([ours, seed]) => seedChange(ours, seed)))
    return fresh.map(([ours]) => ours)
  }
}
