/**
 * A secret may be in the config itself, in a file of its own (`token_file: ./operate.token`) or in the environment
 * (ZENTRALE_OPERATE_TOKEN). This file copies the last two into the config, where the schema expects secrets.
 */
import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import { ConfigError, type Path, type Problem, spell } from '../settings/problem'
import { environmentName, named } from './refusal'
import { told } from '../settings/keys'
import { readText, shown, type Source } from '../settings/source'
import { inner, type Node, pick } from './walk'

export type Environment = Record<string, string | undefined>

/** Where a secret belongs: the section that holds it, and the key. */
interface Slot { section: Record<string, unknown>; path: Path; key: string }

const isSection = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

const slots = (node: Node, value: unknown, path: Path): Slot[] => {
  if (Array.isArray(value) && node.def.type === 'array') {
    const element = inner(node.def.element!)
    return value.flatMap((item, index) => slots(pick(element, item), item, [...path, index]))
  }
  if (!isSection(value)) return []
  return Object.entries(node.def.shape ?? {}).flatMap(([key, wrapped]) => {
    const below = inner(wrapped)
    return told.get(below)?.secret ? [{ section: value, path, key }] : slots(pick(below, value[key]), value[key], [...path, key])
  })
}

/** Copies secrets from files and the environment into `source.value`. Returns the problems. */
export const fillSecrets = (schema: z.ZodType, source: Source, path: string, environment: Environment): Problem[] =>
  slots(schema as Node, source.value, []).flatMap(slot => fill(slot, source, path, environment))

const fill = ({ section, path, key }: Slot, source: Source, config: string, environment: Environment): Problem[] => {
  const fileKey = `${key}_file`
  const file = section[fileKey]
  const set = environment[environmentName(named([...path, key], source.value))]
  delete section[fileKey]
  if (file !== undefined && section[key] !== undefined) {
    return [source.problem([...path, fileKey], spell([...path, fileKey]), `is there besides ${key}`, 'Keep one of the two')]
  }
  if (file === undefined) {
    if (section[key] === undefined && set !== undefined) section[key] = set
    return []
  }
  if (typeof file !== 'string') return [source.problem([...path, fileKey], spell([...path, fileKey]), 'is not a path',
    `Write for example: ${fileKey}: ./${key}.txt`)]
  try {
    const from = resolve(dirname(config), file)
    section[key] = readText(from, shown(from), '').trim()
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    section[key] = 'postgres://the-file/is-missing' // fits each kind of secret, so that the schema does not report this key too
    return error.problems.map(({ file, wrong }) =>
      source.problem([...path, fileKey], spell([...path, fileKey]), `${file} ${wrong}`,
        `Create the file, readable for Zentrale, or write ${key} instead`))
  }
}
