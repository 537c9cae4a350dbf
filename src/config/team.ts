/** The team of a function address: its people and their addresses. */
import { addressKey, type Person } from '../model/address'
import type { Agent } from '../desk/address'
import type { NetworkKind } from '../networks/kind'
import { capitalized, folded } from '../settings/names'
import { attempt, Impossible, type Path, type Problems, spell, twice } from '../settings/problem'
import { type Written, writtenOf } from './schema'
import type { WrittenAddress } from './schema-address'

/** Somebody who has an app, by their address. Throws Impossible. */
export const personOf = (config: Written, kinds: readonly NetworkKind[], written: string): Person => {
  const staffed = kinds.flatMap(kind => 'person' in kind.settings.agents ? [{ kind, agents: kind.settings.agents }] : [])
  for (const { settings: { agents } } of kinds) {
    if ('refused' in agents && agents.pattern.test(written)) throw new Impossible(`${written} ${agents.refused.wrong}`,
      `Who answers needs an address on ${staffed.map(({ kind }) => kind.settings.label).join(' or ')}: ${agents.refused.because}`)
  }
  for (const { kind, agents } of staffed) {
    const person = agents.person(written, writtenOf(config, kind))
    if (person !== undefined) return person
  }
  throw new Impossible(`"${written}" is nobody's address`,
    `Write one such as ${staffed.map(({ agents }) => `"${agents.example}"`).join(' or ')}`)
}

const localpart = (address: string): string => /^@?(?<local>[^:@]+)/.exec(address)?.groups?.['local'] ?? address

interface Seat { name: string; direct: boolean; path: Path; written: { address: string, path: Path }[] }

const seatOf = (member: WrittenAddress['team'][number], path: Path): Seat => typeof member === 'string'
  ? { name: capitalized(localpart(member)), direct: false, path, written: [{ address: member, path }] }
  : { name: member.name, direct: member.direct, path: [...path, 'name'],
      written: member.addresses.map((address, at) => ({ address, path: [...path, 'addresses', at] })) }

/** `ours`: the keys of our function addresses, which cannot be in a team. */
export const teamOf = (config: Written, kinds: readonly NetworkKind[], { team }: WrittenAddress, path: Path, ours: Set<string>,
  problem: Problems): Agent[] => {
  const personAt = (address: string, at: Path): Person[] => attempt(at, problem, () => {
    const person = personOf(config, kinds, address)
    if (ours.has(addressKey(person))) throw new Impossible(`${address} is a function address itself`, 'Write the people who answer there')
    return person
  })
  const seats = team.map((member, index) => seatOf(member, [...path, 'team', index]))
    .map(seat => ({ ...seat, found: seat.written.flatMap(({ address, path: at }) => personAt(address, at).map(person => ({ person, path: at }))) }))
  for (const { entry, first } of twice(seats.flatMap(({ found }) => found), ({ person }) => addressKey(person))) {
    problem(entry.path, `${entry.person.id} is in the team twice`, `It is already at ${spell(first.path)}. Remove one of the two`)
  }
  for (const { entry, first } of twice(seats, ({ name }) => folded(name))) {
    problem(entry.path, `two people of the team are called ${entry.name}`, `The other is ${spell(first.path)}. ` +
    `If they are one person, write { name: ${entry.name}, addresses: [${[...first.written, ...entry.written].map(({ address }) =>
      `"${address}"`).join(', ')}] }; otherwise give them names that differ`)
  }
  return seats.map(({ name, direct, found }) => ({ name, addresses: found.map(({ person }) => person), ...direct ? { direct } : {} }))
}
