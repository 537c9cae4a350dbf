/** What each function address is called on each network, and that nobody else is called so. */
import type { Person } from '../model/address'
import { GHOST_PREFIX } from '../networks/matrix/names'
import { isOnGateway, type Problems, twice } from './contradictions'
import { aliasesOf, canonicalName, folded, slugOf, transliterated, xmppLocal } from './names'
import { type Path, spell } from './problem'
import type { Written } from './schema'
import type { WrittenAddress } from './schema-address'

export interface Called { name: string; slug: string; identities: Person[]; aliases: Person[] }

/** With all that its name may be taken for, and where each stands. */
interface Known extends Called { path: Path; spellings: { key: string, path: Path }[] }

const MATRIX_BYTES_MAX = 255 // Matrix appendices §User identifiers

const matrixNames = ({ matrix }: Written, written: WrittenAddress, path: Path, problem: Problems): Pick<Called, 'identities' | 'aliases'> => {
  if (matrix === undefined) return { identities: [], aliases: [] }
  const local = written.matrix ?? transliterated(written.name)
  const at = [...path, written.matrix === undefined ? 'name' : 'matrix']
  const id = `@${local}:${matrix.domain}`
  if (local === undefined) {
    problem(at, `"${written.name}" has letters that cannot be rewritten for Matrix`,
      'Write below it what it is called there, of a–z and 0–9. For example: matrix: rathaus')
  } else if (local.startsWith(GHOST_PREFIX)) {
    problem(at, `${id} would be the name of a stand-in of Zentrale's`, 'Write a name that does not begin with an underscore')
  } else if (Buffer.byteLength(id) > MATRIX_BYTES_MAX) {
    problem(at, `${id} is over ${MATRIX_BYTES_MAX} bytes`, 'Write a shorter name')
  }
  const aliases = local === undefined ? [] : aliasesOf(written.name, local)
  return {
    identities: local === undefined ? [] : [{ network: 'matrix', id }],
    aliases: aliases.map(alias => ({ network: 'matrix', id: `#${alias}:${matrix.domain}` }))
  }
}

const xmppNames = ({ xmpp }: Written, written: WrittenAddress, path: Path, problem: Problems): Pick<Called, 'identities' | 'aliases'> => {
  if (xmpp === undefined) return { identities: [], aliases: [] }
  const local = xmppLocal(written.xmpp ?? written.name)
  const at = [...path, written.xmpp === undefined ? 'name' : 'xmpp']
  if (local === undefined) problem(at, `"${written.xmpp ?? written.name}" cannot stand before the @ of an XMPP address`, 'Write another name')
  else if (local.startsWith('_')) {
    problem(at, `"${local}" could be the name of a stand-in of Zentrale's`, 'Write a name that does not begin with an underscore')
  }
  const ascii = transliterated(written.xmpp ?? written.name) ?? written.matrix
  const person = (spelling: string): Person => ({ network: 'xmpp', id: `${spelling}@${xmpp.component.domain}` })
  return {
    identities: local === undefined ? [] : [person(local)],
    aliases: ascii === undefined || ascii === local || xmppLocal(ascii) !== ascii ? [] : [person(ascii)]
  }
}

const phone = (config: Written, { sms }: WrittenAddress, path: Path, problem: Problems): Person[] => {
  if (sms === undefined || !isOnGateway(config, sms, [...path, 'sms'], problem)) return []
  return [{ network: 'sms', id: sms.number }]
}

/** Short names of rooms come from the plainest spelling there is. */
const slug = (written: WrittenAddress, path: Path, problem: Problems): string => {
  const plainest = transliterated(written.name) ?? written.matrix ?? transliterated(written.xmpp ?? '')
  const made = slugOf(plainest ?? '')
  if (made === '' && written.matrix === undefined) {
    problem([...path, 'name'], `"${written.name}" cannot be rewritten with a–z and 0–9`,
      'Write below it how, as its name on Matrix or XMPP. For example: matrix: rathaus')
  }
  return made
}

const knownAs = (config: Written, written: WrittenAddress, index: number, problem: Problems): Known => {
  const path: Path = ['function_addresses', index]
  const [matrix, xmpp] = [matrixNames(config, written, path, problem), xmppNames(config, written, path, problem)]
  const short = config.matrix === undefined || matrix.identities.length > 0 ? slug(written, path, problem) : ''
  for (const network of ['matrix', 'xmpp'] as const) {
    if (written[network] !== undefined && config[network] === undefined) {
      problem([...path, network], `there is no section ${network}`, `Write the section ${network} first, or remove this name`)
    }
  }
  const identities = [...matrix.identities, ...xmpp.identities, ...phone(config, written, path, problem)]
  if (config.matrix === undefined && config.xmpp === undefined && written.sms === undefined) {
    problem(path, 'is on no network', 'Write sms with one of your numbers below its name, or a section matrix or xmpp above')
  }
  const spelled: [string | undefined, string][] = [[written.name, 'name'], [written.matrix, 'matrix'], [written.xmpp, 'xmpp'],
    [short, 'name']]
  const spellings = spelled.flatMap(([spelling, key]) =>
    spelling === undefined || spelling === '' ? [] : [{ key: folded(spelling), path: [...path, key] }])
  return { path, name: canonicalName(written.name), slug: short, identities, aliases: [...matrix.aliases, ...xmpp.aliases], spellings }
}

const checkNames = (all: Known[], config: Written, problem: Problems, line: (path: Path) => number): void => {
  const entries = all.flatMap(known => [...new Map(known.spellings.toReversed().map(spelling => [spelling.key, spelling])).values()]
    .toReversed().map(spelling => ({ ...spelling, known })))
  const told = new Set<Known>()
  for (const { entry, first } of twice(entries, ({ key }) => key)) {
    if (told.has(entry.known)) continue
    told.add(entry.known)
    const [one, other] = [entry, first].map(({ known }) => config.function_addresses[all.indexOf(known)]!.name)
    const same = entry.known.name === first.known.name
    problem(entry.path, same ? `"${one}" is the name of two function addresses` : `"${one}" and "${other}" come to the same (${entry.key})`,
      `The other is ${spell(first.path)} in line ${line(first.path)}. Remove one of the two, or give it another name`)
  }
}

const checkNumbers = (config: Written, problem: Problems, line: (path: Path) => number): void => {
  const ofMirrors = config.mirrors.flatMap(({ places }, index) => places.flatMap(({ sms }, at) => sms === undefined ? []
    : [{ number: sms.number, path: ['mirrors', index, 'places', at, 'sms', 'number'] }]))
  const ours = config.function_addresses.flatMap(({ sms }, index) => sms === undefined ? []
    : [{ number: sms.number, path: ['function_addresses', index, 'sms', 'number'] }])
  const firsts = [...new Map(ofMirrors.map(each => [each.number, each])).values()]
  for (const { entry, first } of twice([...firsts, ...ours], ({ number }) => number)) {
    problem(entry.path, `${entry.number} is used already`,
      `It stands at ${spell(first.path)} in line ${line(first.path)}; a number leads to one address or to mirrors. Write another number`)
  }
}

/** An alias that leads to a mirrored room goes on leading there. */
const withoutRooms = (aliases: Person[], config: Written): Person[] => {
  const rooms = new Set(config.mirrors.flatMap(({ places }) => places.flatMap(({ matrix }) => matrix?.toLowerCase() ?? [])))
  return aliases.filter(({ id }) => !rooms.has(id.toLowerCase()))
}

/** In the order of the config. `line` tells where something stands. */
export const calledOf = (config: Written, problem: Problems, line: (path: Path) => number): Called[] => {
  const all = config.function_addresses.map((written, index) => knownAs(config, written, index, problem))
  checkNames(all, config, problem, line)
  checkNumbers(config, problem, line)
  return all.map(({ name, slug, identities, aliases }) => ({ name, slug, identities, aliases: withoutRooms(aliases, config) }))
}
