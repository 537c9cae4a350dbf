/** Walks the schema: finds the node for a path of the config. */
import type { z } from 'zod'
import type { Path } from '../settings/problem'
import { told } from '../settings/keys'

/** The parts of zod's internals that we read. */
export type Node = z.ZodType & {
  def: {
    type: string, innerType?: Node, element?: Node, options?: Node[], shape?: Record<string, Node>, keyType?: Node, valueType?: Node
    defaultValue?: unknown
  }
}

/** The node inside defaults and optionals. */
export const inner = (node: Node): Node => told.has(node) || node.def.innerType === undefined ? node : inner(node.def.innerType)

const formOf = (value: unknown): string => Array.isArray(value) ? 'array' : typeof value === 'object' && value !== null ? 'object' : 'word'
const formOfNode = ({ def: { type } }: Node): string => type === 'record' ? 'object' : ['array', 'object'].includes(type) ? type : 'word'

/** For a key with several forms, the one that fits the value: the section with the value's `kind`, the list or the text; else the first. */
export const pick = (node: Node, value: unknown): Node => node.def.type !== 'union' ? node
  : node.def.options!.find(option =>
    option.def.shape?.['kind']?.safeParse((value as { kind?: unknown } | null | undefined)?.kind).success === true)
  ?? node.def.options!.find(option => formOfNode(option) === formOf(value)) ?? node.def.options![0]!

const child = (value: unknown, key: string | number): unknown => (value as Record<string | number, unknown> | null | undefined)?.[key]

export const valueAt = (value: unknown, path: Path): unknown => path.reduce(child, value)

export const nodeAt = (root: z.ZodType, path: Path, value: unknown): Node | undefined => {
  let node = pick(inner(root), value)
  for (const [depth, key] of path.entries()) {
    const next: Node | undefined = node.def.element ?? node.def.valueType ?? node.def.shape?.[key]
    if (next === undefined) return undefined
    node = pick(inner(next), valueAt(value, path.slice(0, depth + 1)))
  }
  return node
}
