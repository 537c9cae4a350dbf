/**
 * The identities of our users, beside their devices: an identity outlives them, so that apps of contacts go on trusting a new device. The public
 * keys are kept as they are uploaded, so that it can be put up again on a homeserver that has lost it, or has another one.
 */
import type { Vault } from '../../../model/network'
import { parsed } from '../events/json'
import type { Secret } from './calls'

/** `upload`: what is uploaded of it (CS API §Cross-signing). `device`, `fingerprint`: what it has signed last. `at`: since when, ms since 1970. */
export interface Identity { upload: string; secret: Secret; device: string; fingerprint: string; at: number }

const START = 'identity '

export const identityOf = async (vault: Vault, user: string): Promise<Identity | undefined> => {
  const bytes = await vault.get(START + user)
  return bytes && parsed<Identity>(bytes)
}

export const identitiesOf = async (vault: Vault): Promise<[user: string, identity: Identity][]> =>
  (await vault.all(START)).map(([key, value]) => [key.slice(START.length), parsed<Identity>(value)])

export const keepIdentity = (vault: Vault, user: string, identity: Identity): Promise<void> =>
  vault.change([[START + user, Buffer.from(JSON.stringify(identity))]])

const RENEW = 'renew '

/** Whether the operator wants another device for this user. */
export const isToRenew = async (vault: Vault, user: string): Promise<boolean> => await vault.get(RENEW + user) !== undefined
export const orderNew = (vault: Vault, user: string): Promise<void> => vault.change([[RENEW + user, Buffer.from('1')]])
export const isRenewed = (vault: Vault, user: string): Promise<void> => vault.change([[RENEW + user, undefined]])
/** For whom. */
export const ordered = async (vault: Vault): Promise<string[]> => (await vault.all(RENEW)).map(([key]) => key.slice(RENEW.length))
