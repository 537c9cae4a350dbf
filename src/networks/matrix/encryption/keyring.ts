/** What the operator sees of the devices of our addresses, and may do: all of it is in the vault, so it works whether Zentrale runs or not. */
import { Refused } from '../../../model/errors'
import type { Keyring } from '../../kind'
import { isJson, jsonOf, parsed } from '../events/json'
import { type Identity, identitiesOf, isToRenew, keepIdentity, orderNew } from './identities'
import { forgetMark } from '../rooms/mark'
import { sessionsStart, WAITING } from './kept'

/** CS API §Cross-signing: the public master key. */
const masterOf = ({ upload }: Identity): string => String(Object.values(jsonOf(jsonOf(parsed(upload).master_key).keys))[0] ?? '')

const SECRET = /^[\w+/-]{43}$/ // 32 bytes
const USER = /^@[^:\s]+:\S+$/

const readIdentity = (user: string, given: unknown): Pick<Identity, 'upload' | 'secret'> => {
  const { upload, secret } = jsonOf(given)
  const { master, self, user: theirs } = jsonOf(secret)
  const isSecret = (one: unknown): one is string => typeof one === 'string' && SECRET.test(one)
  const isTheirs = (): boolean => typeof upload === 'string' && jsonOf(parsed(upload).master_key).user_id === user
  if (!USER.test(user) || !isSecret(master) || !isSecret(self) || !isSecret(theirs) || typeof upload !== 'string' || !isTheirs()) {
    throw new Refused(`${user.slice(0, 255)} has no whole identity in this file`)
  }
  return { upload, secret: { master, self, user: theirs } }
}

export const keyring: Keyring = {
  shown: { label: { de: 'Schlüssel unserer Sitzung (Ed25519)', en: 'key of our session (Ed25519)' }, group: 4 },
  async list (vault) {
    const devices = []
    for (const [address, identity] of await identitiesOf(vault)) {
      const { device, fingerprint, at } = identity
      if (device === '') continue // imported, and not used yet
      const sessions = await vault.count(sessionsStart(address, device))
      devices.push({ address, device, fingerprint, identity: masterOf(identity), since: at, sessions, isRenewing: await isToRenew(vault, address) })
    }
    return { devices, waiting: await vault.count(WAITING) }
  },
  async renew (vault, address) {
    const isThere = (await identitiesOf(vault)).some(([user]) => user === address)
    if (isThere) await orderNew(vault, address)
    return isThere
  },
  restored: forgetMark,
  identities: async vault =>
    Object.fromEntries((await identitiesOf(vault)).map(([user, { upload, secret }]) => [user, { upload, secret }])),
  async take (vault, given) {
    if (!isJson(given)) throw new Refused('this is no file of identities')
    const all = Object.entries(given).map(([user, one]): [string, ReturnType<typeof readIdentity>] => [user, readIdentity(user, one)])
    const before = new Map(await identitiesOf(vault))
    const other = all.find(([user, { secret }]) => before.has(user) && before.get(user)?.secret.master !== secret.master)
    if (other !== undefined) throw new Refused(`${other[0]} has another identity already, and homeservers do not take an earlier one back`)
    const fresh = all.filter(([user]) => !before.has(user))
    for (const [user, identity] of fresh) await keepIdentity(vault, user, { device: '', fingerprint: '', at: 0, ...identity })
    return fresh.map(([user]) => user)
  }
}
