/** Who answers at a function address: people by their addresses, of networks that there are. */
import { addressKey, type Person } from '../model/address'
import type { Agent } from '../desk/address'
import { GHOST_PREFIX } from '../networks/matrix/names'
import { canonicalBare } from '../networks/xmpp/names'
import { type Problems, twice } from './contradictions'
import { capitalized, folded } from './names'
import { Impossible } from './places'
import { type Path, spell } from './problem'
import type { Written } from './schema'
import type { WrittenAddress } from './schema-address'

const MXID = /^@(?<local>[^:\s]+):(?<server>[^\s]+)$/

const noSection = (written: string, network: string): Impossible =>
  new Impossible(`${written} is on ${network}, and there is no section ${network}`, `Write the section ${network} first, or remove this person`)

/** Throws Impossible. */
const personOf = ({ matrix, xmpp }: Written, written: string): Person => {
  const { local, server } = MXID.exec(written)?.groups ?? {}
  if (local !== undefined && server !== undefined) {
    if (matrix === undefined) throw noSection(written, 'matrix')
    if (local.startsWith(GHOST_PREFIX)) throw new Impossible(`${written} is a stand-in of Zentrale's`, 'Write the person\'s own address')
    return { network: 'matrix', id: `@${local}:${server.toLowerCase()}` }
  }
  if (written.startsWith('+')) throw new Impossible(`${written} is a phone`, 'Who answers needs an address on Matrix or XMPP: ' +
    'the sender of an SMS can be forged, and then anybody could answer in your name')
  const id = written.indexOf('@') > 0 ? canonicalBare(written) : undefined
  if (id === undefined) throw new Impossible(`"${written}" is nobody's address`, 'Write one such as "@anna:example.org" or "bernd@example.org"')
  if (xmpp === undefined) throw noSection(written, 'xmpp')
  if (id.endsWith(`@${xmpp.component.domain}`)) throw new Impossible(`${written} is on Zentrale's own domain`, 'Write the person\'s own address')
  return { network: 'xmpp', id }
}

const localpart = (address: string): string => /^@?(?<local>[^:@]+)/.exec(address)?.groups?.['local'] ?? address

interface Seat { name: string; direct: boolean; path: Path; written: { address: string, path: Path }[] }

const seatOf = (member: WrittenAddress['team'][number], path: Path): Seat => typeof member === 'string'
  ? { name: capitalized(localpart(member)), direct: false, path, written: [{ address: member, path }] }
  : { name: member.name, direct: member.direct, path: [...path, 'name'],
      written: member.addresses.map((address, at) => ({ address, path: [...path, 'addresses', at] })) }

/** `ours`: the keys of our function addresses; none of them can be of a team. */
export const teamOf = (config: Written, { team }: WrittenAddress, path: Path, ours: Set<string>, problem: Problems): Agent[] => {
  const attempt = (address: string, at: Path): Person[] => {
    try {
      const person = personOf(config, address)
      if (ours.has(addressKey(person))) throw new Impossible(`${address} is a function address itself`, 'Write the people who answer there')
      return [person]
    } catch (error) {
      if (!(error instanceof Impossible)) throw error
      problem(at, error.message, error.advice)
      return []
    }
  }
  const seats = team.map((member, index) => seatOf(member, [...path, 'team', index]))
    .map(seat => ({ ...seat, found: seat.written.flatMap(({ address, path: at }) => attempt(address, at).map(person => ({ person, path: at }))) }))
  for (const { entry, first } of twice(seats.flatMap(({ found }) => found), ({ person }) => addressKey(person))) {
    problem(entry.path, `${entry.person.id} is in the team twice`, `It stands at ${spell(first.path)} already. Remove one of the two`)
  }
  for (const { entry, first } of twice(seats, ({ name }) => folded(name))) {
    problem(entry.path, `two people of the team are called ${entry.name}`, `The other is ${spell(first.path)}. ` +
    `If they are one person, write { name: ${entry.name}, addresses: [${[...first.written, ...entry.written].map(({ address }) =>
      `"${address}"`).join(', ')}] }; otherwise give them names that differ`)
  }
  return seats.map(({ name, direct, found }) => ({ name, addresses: found.map(({ person }) => person), ...direct ? { direct } : {} }))
}
