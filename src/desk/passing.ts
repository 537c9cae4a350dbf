/** To whom a case is passed on: a colleague or another address, by the part of its name that somebody types. */
import { addressKey } from '../model/address'
import type { Agent, FunctionAddress, Roster } from './address'

export type Passing =
  | { kind: 'agent', agent: Agent }
  | { kind: 'address', address: FunctionAddress }
  | { kind: 'several', names: string[] }

interface Candidate { passing: Passing; name: string; exact: string[]; words: string[] }

const folded = (text: string): string => text.normalize('NFC').toLowerCase()
const wordsOf = (name: string): string[] => [name, ...name.split(/[\s-]+/)].map(folded)

/** An exact name or address counts first, then the beginning of a name or of one of its words. Undefined if nobody has such a name. */
export const passingTo = (written: string, address: FunctionAddress, roster: Roster): Passing | undefined => {
  const wanted = folded(written.trim().replace(/^@(?!.*:)/, '').replace(/[:,.]+$/, ''))
  if (wanted === '') return undefined
  const colleagues = address.team.map((agent): Candidate => ({
    passing: { kind: 'agent', agent }, name: agent.name, words: wordsOf(agent.name),
    exact: [agent.name, ...agent.addresses.flatMap(one => [one.id, addressKey(one)])].map(folded)
  }))
  const others = roster.all().filter(({ name, retired }) => name !== address.name && retired === undefined).map((other): Candidate => ({
    passing: { kind: 'address', address: other }, name: other.profile.name, words: [...wordsOf(other.name), ...wordsOf(other.profile.name)],
    exact: [other.name, other.profile.name, ...other.identities.map(({ id }) => id), ...other.aliases.map(({ id }) => id)].map(folded)
  }))
  const all = [...colleagues, ...others]
  const exact = all.filter(one => one.exact.includes(wanted))
  const found = exact.length > 0 ? exact : all.filter(one => one.words.some(word => word.startsWith(wanted)))
  return found.length > 1 ? { kind: 'several', names: found.map(({ name }) => name) } : found[0]?.passing
}
