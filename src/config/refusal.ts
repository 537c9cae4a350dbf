/** Turns the schema's errors into sentences that say what to write instead. */
import type { z } from 'zod'
import { nearest } from '../lib/nearest'
import { PLACEHOLDER, type Told, told } from '../settings/keys'
import { type Path, type Problem, spell } from '../settings/problem'
import type { Source } from '../settings/source'
import { inner, type Node, nodeAt, valueAt } from './walk'

const PREVIEW_CHARS_MAX = 40

/** Wrong values of these types are shown. In place of a section or list they are not: the value may be a secret for a key below. */
const SCALARS: ReadonlySet<string> = new Set(['string', 'number', 'boolean', 'enum', 'literal'])

/** An address without its passwords and parameters. */
const veiled = (address: string): string => address.replace(/\/\/[^/@]*@/g, '//…@').replace(/([?&][^=&]*=)[^&#]*/g, '$1…')

const describe = (value: unknown, about: Told | undefined, node: Node | undefined): string => {
  if (value === null || value === '') return 'is empty'
  if (Array.isArray(value)) return value.length === 0 ? 'is an empty list' : `is a list${value.length === 1 ? '' : ` of ${value.length}`}`
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'is empty' : `is a section with ${Object.keys(value).join(', ')}`
  if (value === PLACEHOLDER) return 'is still the sample\'s value'
  if (about?.secret) return typeof value === 'string' ? about.wrong ?? 'is too short' : `is read as a ${typeof value}`
  if (node !== undefined && !SCALARS.has(node.def.type)) return `is a ${typeof value === 'string' ? 'text' : typeof value}`
  const shown = JSON.stringify(typeof value === 'string' ? veiled(value) : value)
  return `is ${shown.length > PREVIEW_CHARS_MAX ? `${shown.slice(0, PREVIEW_CHARS_MAX)}…` : shown}`
}

const example = (path: Path, about: Told | undefined): string => {
  const key = path.at(-1)
  if (about?.sample === undefined || about.sample.includes('\n') || about.secret) return ''
  return `. Write for example: ${typeof key === 'string' ? `${key}: ` : ''}${about.sample}`
}

/** The name of a secret in the environment: ZENTRALE_OPERATE_TOKEN. */
export const environmentName = (path: Path): string => ['zentrale', ...path].join('_').toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')

/** The path with the names of list items instead of their indexes. Secrets in the environment are named so. */
export const named = (path: Path, value: unknown): Path => path.map((part, index) => {
  const name = typeof part === 'number' ? (valueAt(value, path.slice(0, index + 1)) as { name?: unknown } | null)?.name : part
  return typeof name === 'string' ? name : part
})

const missing = (path: Path, about: Told | undefined, value: unknown): string => {
  const key = String(path.at(-1))
  return about?.secret ? `Write ${key}, or ${key}_file with the path of a file that holds it, or set ${environmentName(named(path, value))}`
    : `It must be ${about?.must ?? 'there'}${example(path, about)}`
}

/** YAML reads +4930123457 and 12345678 as numbers, and `no` perhaps as false. Such texts need quotes. */
const unquoted = (source: Source, path: Path, node: Node | undefined, about: Told | undefined, value: unknown): string | undefined => {
  if (node?.def.type !== 'string' || (typeof value !== 'number' && typeof value !== 'boolean')) return undefined
  return `Put it in quotes${about?.secret ? '' : `: "${source.spelling(path) ?? String(value)}"`}`
}

const unknownKey = (source: Source, node: Node | undefined, path: Path, key: string): Problem => {
  const here = [...path, key]
  const known = Object.keys(node?.def.shape ?? {}).flatMap(name =>
    told.get(inner(node!.def.shape![name]!))?.secret ? [name, `${name}_file`] : [name])
  const guess = nearest(key, known)
  return source.problem(here, spell(here), 'unknown key',
    guess === undefined ? `Known here: ${known.join(', ')}` : `Did you mean "${guess}"?`)
}

/** Without a `kind`, the schema does not look at the other keys, so this finds a misspelt `kind`. */
const misspelt = (root: z.ZodType, source: Source, value: unknown, path: Path): Problem[] => {
  const section = path.slice(0, -1)
  return Object.keys(valueAt(value, section) ?? {}).filter(key => nearest(key, [String(path.at(-1))]) !== undefined)
    .map(key => unknownKey(source, nodeAt(root, section, value), section, key))
}

/** An invalid key that people name themselves, such as a day. */
const wrongKey = (root: z.ZodType, source: Source, value: unknown, path: Path): Problem => {
  const key = String(path.at(-1))
  const about = told.get(nodeAt(root, path.slice(0, -1), value)!.def.keyType!)!
  return source.problem(path, spell(path), `is not ${about.must}`, about.instead?.(key) ?? `It must be ${about.must}`)
}

/** For a key with several forms: the issues of the form that was meant. */
const meant = (issue: z.core.$ZodIssue): z.core.$ZodIssue[] | undefined => issue.code !== 'invalid_union' ? undefined
  : issue.errors.find(list => !list.some(({ code, path }) => path.length === 0 && (code === 'invalid_type' || code === 'invalid_value')))

/** The problems to show for one zod issue. `root`: the schema. `value`: the whole config. */
const refuse = (root: z.ZodType, source: Source, value: unknown, issue: z.core.$ZodIssue): Problem[] => {
  const path = issue.path as Path
  const below = meant(issue)
  if (below !== undefined) return below.flatMap(each => refuse(root, source, value, { ...each, path: [...path, ...each.path] }))
  const node = nodeAt(root, path, value)
  const about = node && told.get(node)
  if (issue.code === 'unrecognized_keys') return issue.keys.map(key => unknownKey(source, node, path, key))
  if (issue.code === 'invalid_key') return [wrongKey(root, source, value, path)]
  const found = valueAt(value, path)
  if (found === undefined) {
    return [source.problem(path, spell(path), 'is missing', missing(path, about, value)),
      ...issue.code === 'invalid_union' ? misspelt(root, source, value, path) : []]
  }
  const longest = issue.code === 'too_big' && issue.origin === 'array' ? `At most ${String(issue.maximum)} can stand here` : undefined
  const advice = longest ?? unquoted(source, path, node, about, found) ?? `It must be ${about?.must ?? 'something else'}${example(path, about)}`
  return [source.problem(path, spell(path), describe(found, about, node), advice)]
}

const isBelow = (path: Path, other: Path): boolean => path.every((part, index) => other[index] === part)

/** The problems of all issues, except those that only follow from an unknown key in the same section. */
export const refuseAll = (root: z.ZodType, source: Source, value: unknown, issues: z.core.$ZodIssue[]): Problem[] => {
  const misspelt = issues.filter(({ code }) => code === 'unrecognized_keys').map(({ path }) => path as Path)
  return issues
    .filter(({ code, path }) => code !== 'custom' || typeof valueAt(value, path as Path) !== 'object'
      || !misspelt.some(other => isBelow(path as Path, other)))
    .flatMap(issue => refuse(root, source, value, issue))
}
