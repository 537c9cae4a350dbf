/**
 * A team may have encrypted rooms and people on networks that have none: what it reads stands there in the clear. Whoever comes in so changes that
 * for all. The operator is warned, and the team told once.
 */
import type { NetworkName } from '../model/address'
import type { FunctionAddress } from './address'

/** Whether rooms of a team can be encrypted on this network. */
export type Seals = (network: NetworkName) => boolean

/** `sealed`: its rooms are encrypted where that can be. `clear`: who of the team reads elsewhere, by name. */
export interface ReadBy { sealed: boolean; clear: string[] }

export const readBy = ({ encryptedRooms, team }: FunctionAddress, seals: Seals): ReadBy => ({
  sealed: encryptedRooms === true,
  clear: team.filter(({ addresses }) => addresses.some(({ network }) => !seals(network))).map(({ name }) => name)
})

/** To be remembered. */
export const readByWritten = ({ sealed, clear }: ReadBy): string => [sealed ? 'sealed' : 'open', ...clear].join('\n')

/** Whether something that all read encrypted will stand in the clear. `before`: as it was written. */
export const isUnsealed = (before: string, now: ReadBy): boolean => {
  const [was, ...clear] = before.split('\n')
  return was === 'sealed' && (!now.sealed || now.clear.some(name => !clear.includes(name)))
}
