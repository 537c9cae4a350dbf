/** The names of each function address on each network; refuses names that two addresses share. */
import type { Names, NetworkKind, Tell } from '../networks/kind'
import type { Mirror } from '../plan/directory'
import type { Person } from '../model/address'
import { canonicalName, folded, slugOf, transliterated } from '../settings/names'
import { type Path, type Problems, spell, twice } from '../settings/problem'
import { type Written, writtenOf } from './schema'
import type { WrittenAddress } from './schema-address'

export interface Called { name: string; slug: string; identities: Person[]; aliases: Person[] }

/** With all spellings of its name, and where each is written. */
interface Known extends Called { path: Path; spellings: { key: string, path: Path }[] }

/** A name that a network's own key gives. */
interface Spelled { key: string; spelling: string; ascii: string | undefined }

const spelledBy = (written: WrittenAddress, kinds: readonly NetworkKind[]): Spelled[] => kinds.flatMap(kind => {
  const { name, address } = kind.settings
  const own = writtenOf(written, kind)
  return own === undefined || address.spelled === undefined ? [] : [{ key: name, ...address.spelled(own) }]
})

const someOf = (words: string[]): string => words.join(' or ')

/** The short name for ids of rooms, from the plainest spelling there is. */
const slug = (name: string, ascii: string | undefined, kinds: readonly NetworkKind[], path: Path, problem: Problems): string => {
  const made = slugOf(transliterated(name) ?? ascii ?? '')
  if (made !== '') return made
  const named = kinds.filter(({ settings }) => settings.address.spelled !== undefined).map(({ settings }) => settings)
  problem([...path, 'name'], `"${name}" cannot be rewritten with a–z and 0–9`,
    `Write below it how to spell it on ${someOf(named.map(({ label }) => label))}. For example: ${named[0]?.name}: rathaus`)
  return ''
}

/** Whether the config puts this address on this network. */
const isOn = (config: Written, written: WrittenAddress, kind: NetworkKind): boolean =>
  writtenOf(kind.settings.address.needs === undefined ? config : written, kind) !== undefined

const nowhere = (kinds: readonly NetworkKind[]): string => {
  const all = kinds.map(({ settings }) => settings)
  const below = all.flatMap(({ name, address: { needs } }) => needs === undefined ? [] : [`${name} with ${needs.what} below its name`])
  const above = all.filter(({ address: { needs } }) => needs === undefined).map(({ name }) => name)
  return `Write ${[...below, `a section ${someOf(above)} above`].join(', or ')}`
}

const knownAs = (config: Written, kinds: readonly NetworkKind[], written: WrittenAddress, index: number, problem: Problems): Known => {
  const path: Path = ['function_addresses', index]
  const { name } = written
  const spelled = spelledBy(written, kinds)
  const ascii = spelled.map(each => each.ascii).find(each => each !== undefined)
  const names = kinds.map((kind): Names | undefined =>
    kind.settings.address.names({ name, written: writtenOf(written, kind), ascii }, writtenOf(config, kind), path, problem))
  const short = names.includes(undefined) ? '' : slug(name, ascii, kinds, path, problem) // the problem is noted already
  if (!kinds.some(kind => isOn(config, written, kind))) problem(path, 'is on no network', nowhere(kinds))
  const spellings = [{ key: 'name', spelling: name }, ...spelled, { key: 'name', spelling: short }]
    .flatMap(({ key, spelling }) => spelling === '' ? [] : [{ key: folded(spelling), path: [...path, key] }])
  return {
    path, name: canonicalName(name), slug: short, spellings,
    identities: names.flatMap(each => each?.identities ?? []), aliases: names.flatMap(each => each?.aliases ?? [])
  }
}

const checkNames = (all: Known[], config: Written, { problem, line }: Tell): void => {
  const entries = all.flatMap(known => [...new Map(known.spellings.toReversed().map(spelling => [spelling.key, spelling])).values()]
    .toReversed().map(spelling => ({ ...spelling, known })))
  const told = new Set<Known>()
  for (const { entry, first } of twice(entries, ({ key }) => key)) {
    if (told.has(entry.known)) continue
    told.add(entry.known)
    const [one, other] = [entry, first].map(({ known }) => config.function_addresses[all.indexOf(known)]!.name)
    const same = entry.known.name === first.known.name
    problem(entry.path, same ? `"${one}" is the name of two function addresses` : `"${one}" and "${other}" count as the same name (${entry.key})`,
      `The other is ${spell(first.path)} in line ${line(first.path)}. Remove one of the two, or give it another name`)
  }
}

/** The aliases without those that name a mirrored room: these keep leading there. */
const withoutRooms = (aliases: Person[], mirrors: Mirror[]): Person[] => {
  const rooms = new Set(mirrors.flatMap(({ places }) => places.map(({ place }) => place.id.toLowerCase())))
  return aliases.filter(({ id }) => !rooms.has(id.toLowerCase()))
}

/** In the order of the config. */
export const calledOf = (config: Written, kinds: readonly NetworkKind[], mirrors: Mirror[], tell: Tell): Called[] => {
  const all = config.function_addresses.map((written, index) => knownAs(config, kinds, written, index, tell.problem))
  checkNames(all, config, tell)
  return all.map(({ name, slug, identities, aliases }) => ({ name, slug, identities, aliases: withoutRooms(aliases, mirrors) }))
}
