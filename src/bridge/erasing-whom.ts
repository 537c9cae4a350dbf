/** Whom nobody may erase, because they are none of those who write to us. */
import type { DeskMemory } from '../desk/memory'
import { addressKey, type NetworkName, type Person } from '../model/address'
import { Refused } from '../model/errors'
import type { Network } from '../model/network'
import type { Directory } from '../plan/directory'

interface Around { networks: ReadonlyMap<NetworkName, Network>; directory: Pick<Directory, 'mirrorAt'>; desk: Pick<DeskMemory, 'roster'> }

/** With an address of ours, all of its contacts would go; with one of the team, what it does. Throws Refused, and says whom to name. */
export const mustBeSomebodyElse = (person: Person, { networks, directory, desk }: Around): void => {
  const { id, network } = person
  const holds = (list: Person[]): boolean => list.some(one => addressKey(one) === addressKey(person))
  const roster = desk.roster.all()
  const name = roster.find(({ team }) => team.some(({ addresses }) => holds(addresses)))?.name
  if (name !== undefined) throw new Refused(`${id} is somebody of the team of ${name}. Take them out of the team first`)
  const naming = networks.get(network)?.naming
  const behind = naming?.standsFor?.(id)
  if (behind !== undefined) throw new Refused(`${id} only speaks for somebody on another network. Write their own address: ${behind.id}`)
  const isOurs = naming?.isOurs(id) === true || roster.some(({ identities, aliases }) => holds(identities) || holds(aliases))
  if (isOurs) throw new Refused(`${id} is an address of Zentrale's own. Write that of the person`)
  if (directory.mirrorAt({ network, id }) !== undefined) throw new Refused(`${id} is a room. Write the address of the person`)
}
