/** Writes config.sample.yaml from the schema, so that it is always true (`zentrale sample`). */
import { type Told, told } from '../settings/keys'
import type { NetworkKind } from '../networks/kind'
import { KINDS } from '../networks/kinds'
import { schemaOf } from './schema'
import { environmentName } from './refusal'
import { inner, type Node } from './walk'

const LINE_CHARS_MAX = 110

const SECRETS_MAX = 2 // as examples

/** The paths of secrets, one for each section. */
const secretsIn = (node: Node): string[][] => Object.entries(node.def.shape ?? {}).flatMap(([key, wrapped]) => {
  const below = inner(wrapped)
  if (told.get(below)?.secret) return [[key]]
  const item = below.def.type === 'array' ? inner(below.def.element!) : undefined
  const first = item?.def.options?.[0] ?? item
  const named = first === undefined ? [] : secretsIn(first).map(path => [told.get(inner(first.def.shape!['name'] ?? first))?.sample ?? '', ...path])
  return [...secretsIn(below), ...named].slice(0, 1).map(path => [key, ...path])
})

const headOf = (secrets: string[][]): string => `# Zentrale's config. Copy it to config.yaml and change what is yours, or let "zentrale init" ask you.
# "zentrale check" says what is wrong with it, line by line, and tries the servers. All keys are shown; those with a
# default show it. Instead of a secret you can write its key with _file behind it and the path of a file
# (${secrets[0]!.at(-1)}_file: ./${secrets[0]![0]}.${secrets[0]!.at(-1)}), or leave it out and set it in the environment (${
  secrets.map(environmentName).join(',\n# ')}). Paths count from this file's folder.
`

const wrap = (doc: string, room: number): string[] => doc.split(' ').reduce<string[]>((lines, word) => {
  const last = lines.at(-1)
  if (last === undefined || last.length + 1 + word.length > room) return [...lines, word]
  return [...lines.slice(0, -1), `${last} ${word}`]
}, [])

const indent = (lines: string[], by: string): string[] => lines.map(line => line === '' ? '' : by + line)
const comment = (lines: string[]): string[] => lines.map(line => `# ${line}`)

/** The first kind of item in a list is live; the other kinds follow as comments. */
const items = (node: Node): string[] => {
  const kinds = node.def.type === 'union' ? node.def.options! : [node]
  return kinds.flatMap((kind, index) => {
    const lines = sectionLines(kind, true)
    const marked = lines.map((line, at) => line === '' ? '' : `${at === 0 ? '- ' : '  '}${line}`)
    return index === 0 ? marked : ['', ...comment([told.get(kind)!.doc, ...marked])]
  })
}

const value = (key: string, node: Node, about: Told): string[] => {
  if (node.def.type === 'object') return [`${key}:`, ...indent(sectionLines(node, false), '  ')]
  if (about.sample?.startsWith('\n')) return [`${key}:`, ...indent(about.sample.slice(1).split('\n'), '  ')]
  if (about.sample !== undefined) return [`${key}: ${about.sample}`]
  return [`${key}:`, ...indent(items(inner(node.def.element!)), '  ')]
}

/** `itemFirst`: the lines become a list item, so the first one must be a key, not a comment. */
const sectionLines = (node: Node, itemFirst: boolean): string[] => Object.entries(node.def.shape!).flatMap(([key, wrapped], index) => {
  const below = inner(wrapped)
  const about = told.get(below)!
  const lines = value(key, below, about)
  const isLive = wrapped.def.type !== 'optional' || about.live || below.def.type === 'object'
  const isEmpty = below.def.type === 'object' && lines.slice(1).every(line => line.startsWith('  #'))
  if (itemFirst && index === 0) return [`${lines[0]}  # ${about.doc}`, ...lines.slice(1)]
  return [...comment(wrap(about.doc, LINE_CHARS_MAX)), ...isLive && !isEmpty ? lines : comment(lines)]
})

/** The text of config.sample.yaml. */
export const sampleConfig = (kinds: readonly NetworkKind[] = KINDS): string => {
  const schema = schemaOf(kinds) as Node
  const sections = Object.entries(schema.def.shape!).map(([key, wrapped]) => {
    const below = inner(wrapped)
    const about = told.get(below)!
    const lines = value(key, below, about)
    return [...comment(wrap(about.doc, LINE_CHARS_MAX)), ...about.off ? comment(lines) : lines].join('\n')
  })
  return `${[headOf(secretsIn(schema).slice(0, SECRETS_MAX)).trimEnd(), ...sections].join('\n\n')}\n`
}
