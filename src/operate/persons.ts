/** Whom the operator means, when they write addresses of somebody. */
import type { Config } from '../config/config'
import type { Person } from '../model/address'
import { Refused } from '../model/errors'
import type { NetworkKind } from '../networks/kind'

const labelsOf = (kinds: readonly NetworkKind[]): string =>
  new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(kinds.map(({ settings }) => settings.label))

/**
 * In small letters too, because addresses on Matrix are written so for years, and letters to us need not be. Throws Refused if one of them is no
 * address.
 */
export const personsOf = ({ kinds }: Pick<Config, 'kinds'>, written: string[]): Person[] => written.flatMap(one => {
  const found = kinds.flatMap(({ settings: { name, person } }) => {
    const id = person(one.trim())
    return id === undefined ? [] : [{ network: name, id }]
  })[0]
  if (found === undefined) {
    throw new Refused(`${one} is no address of somebody on ${labelsOf(kinds)}. A phone number begins with + and its country code`)
  }
  return found.id === found.id.toLowerCase() ? [found] : [found, { ...found, id: found.id.toLowerCase() }]
})

/** What to try if nothing is found. */
export const OTHER_SPELLING = 'Is this the address that their own app shows? Mirrored rooms and the team\'s apps may show that of a stand-in.'

const isSame = (one: Person, other: Person): boolean => one.network === other.network && one.id === other.id

/** The other addresses that the config gives to the same person, as one of a team. */
export const alsoKnownAs = ({ addresses }: Pick<Config, 'addresses'>, persons: Person[]): Person[] => {
  const known = addresses.flatMap(({ team }) => team.map(agent => agent.addresses))
    .filter(all => all.some(one => persons.some(person => isSame(one, person)))).flat()
  return known.filter((one, index) => !persons.some(person => isSame(one, person)) && known.findIndex(other => isSame(one, other)) === index)
}
