/** Who may begin a direct chat with whom, and which rooms people may have mirrored, as the config says. */
import { addressKey, type Person } from '../model/address'
import type { NetworkKind, Tell } from '../networks/kind'
import type { DirectRules, Pattern } from '../plan/directs'
import type { PortalRules } from '../plan/portals'
import { attempt, Impossible, type Path, spell, twice } from '../settings/problem'
import { carriedOf } from './contradictions'
import { type Written, writtenOf } from './schema'
import { personOf } from './team'

/** The network of people is seen by how their addresses look. Throws Impossible. */
const patternOf = (written: string, kinds: readonly NetworkKind[]): Pattern => {
  const kind = kinds.find(({ settings: { agents } }) => agents.pattern.test(written))
  if (kind === undefined) throw new Impossible(`"${written}" is nobody's address`, 'Write addresses, with * for any characters: "@*:example.org"')
  return { network: kind.settings.name, id: written.startsWith('@') ? written : written.toLowerCase() }
}

/** The same of rooms. */
const roomsOf = (written: string, kinds: readonly NetworkKind[]): Pattern => {
  const kind = kinds.find(({ settings: { place: { asked } } }) => asked?.test(written) === true)
  if (kind === undefined) throw new Impossible(`"${written}" is no room's address`, 'Write for example "*@rooms.example.org"; * is any characters')
  return { network: kind.settings.name, id: written.startsWith('#') ? written : written.toLowerCase() }
}

/** Which rooms people may bring. */
export const portalRulesOf = ({ portals }: Written, kinds: readonly NetworkKind[], { problem }: Tell): PortalRules | undefined => portals && {
  rooms: portals.rooms.flatMap((one, at) => attempt(['portals', 'rooms', at], problem, () => roomsOf(one, kinds))),
  from: portals.from.flatMap((one, at) => attempt(['portals', 'from', at], problem, () => patternOf(one, kinds))), most: portals.most,
  carried: carriedOf(portals)
}

export const directRulesOf = (config: Written, kinds: readonly NetworkKind[], { problem }: Tell): DirectRules | undefined => {
  const written = config.direct_chats
  if (written === undefined) return undefined
  const patterns = (list: string[], path: Path): Pattern[] =>
    list.flatMap((one, at) => attempt([...path, at], problem, () => patternOf(one, kinds)))
  const numbers = Object.entries(written.numbers).flatMap(([number, person]) => {
    const path = ['direct_chats', 'numbers', number]
    const ours: Person[] = kinds.flatMap(kind => kind.settings.standIn?.(number, writtenOf(config, kind), path, problem) ?? [])
    return attempt(path, problem, () => personOf(config, kinds, person)).flatMap(person => ours.map(one => ({ ours: one, person, path })))
  })
  for (const { entry, first } of twice(numbers, ({ ours, person }) => `${ours.network} ${addressKey(person)}`)) {
    problem(entry.path, `${entry.person.id} has a number already`, `It is at ${spell(first.path)}. Remove one of the two`)
  }
  return {
    allow: written.allow.map(({ from, to }, index) => ({
      from: patterns(from, ['direct_chats', 'allow', index, 'from']), to: patterns(to, ['direct_chats', 'allow', index, 'to'])
    })),
    numbers: numbers.map(({ ours, person }) => ({ ours, person })), perDay: written.per_day, shows: { typing: written.typing, read: false }
  }
}
