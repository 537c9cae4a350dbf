/** Those who stand for an erased person on other networks leave, without name and picture; and nobody is shown until they are seen anew. */
import type { NetworkName, Person } from '../model/address'
import { messageOf } from '../model/errors'
import type { Network } from '../model/network'
import type { Directory } from '../plan/directory'
import type { Members } from './members'

export interface ErasingGhostsParts { networks: ReadonlyMap<NetworkName, Network>; directory: Directory; members: Pick<Members, 'forget'> }

const stillThere = (rooms: number): string => `They are still in ${rooms} rooms that Zentrale mirrors. As soon as they say something there, or ` +
  'Zentrale starts anew, they are shown again as somebody new: have them leave, or take them out.'

/** `failed`: the networks that still need to know whose ghosts these are. */
export const makeErasingGhosts = ({ networks, directory, members }: ErasingGhostsParts) =>
  async (persons: Person[]): Promise<{ failed: NetworkName[], unreached: string[] }> => {
    const rooms = persons.flatMap(members.forget)
    const [failed, unreached]: [NetworkName[], string[]] = [[], rooms.length === 0 ? [] : [stillThere(rooms.length)]]
    for (const network of networks.values()) {
      try {
        unreached.push(...await network.eraseGhosts?.(persons.filter(person => person.network !== network.name)) ?? [])
      } catch (error) {
        failed.push(network.name)
        unreached.push(`Users that stood for them on ${directory.can(network.name).label} may still show their name and picture: ` +
          `${messageOf(error)}. Until that is done it is known whose they are: erase them again then.`)
      }
    }
    return { failed, unreached }
  }
