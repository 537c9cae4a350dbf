import assert from 'node:assert/strict'
import fc from 'fast-check'
import { KINDS } from '../../../src/networks/kinds'
import { told } from '../../../src/settings/keys'
import { schemaOf } from '../../../src/config/schema'
import { inner, type Node, nodeAt } from '../../../src/config/walk'
import type { Path } from '../../../src/settings/problem'
import { addressConfig, loadConfig, refusals, type Tree, write } from '../../support/config'

const schema = schemaOf(KINDS)

const pathsOf = (value: unknown, path: Path = []): Path[] => {
  if (typeof value !== 'object' || value === null) return [path]
  const below = Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...path, Array.isArray(value) ? Number(key) : key]))
  return path.length === 0 ? below : [path, ...below]
}

const parentOf = (config: Tree, path: Path): Tree => path.slice(0, -1).reduce<Tree>((here, key) => here[key], config)
const FREE = ['members', 'texts', 'days'] // whose keys are of free choice
const isMember = (path: Path): boolean => path.some((key, index) => index < path.length - 1 && FREE.includes(String(key)))

/** The node with its wrappers: whether the key may be left out. */
const mayMiss = (path: Path): boolean => {
  const above = nodeAt(schema, path.slice(0, -1), path.slice(0, -1).reduce<any>((here, key) => here[key], addressConfig()))
  const wrapped = above?.def.shape?.[path.at(-1)!]
  return wrapped === undefined || ['optional', 'default', 'prefault'].includes(wrapped.def.type)
}

const all = pathsOf(addressConfig())
const keys = all.filter(path => typeof path.at(-1) === 'string' && !isMember(path))

describe('every key of the config', () => {
  it('is named when it is missing', () => {
    fc.assert(fc.property(fc.constantFrom(...keys.filter(path => !mayMiss(path))), path => {
      const config = addressConfig()
      delete parentOf(config, path)[path.at(-1)!]
      const { problems } = refusals(() => loadConfig(write(config), {}))
      assert.ok(problems.some(({ path: where, advice }) => where.includes(String(path.at(-1))) && advice !== ''),
        `${path.join('.')}: ${JSON.stringify(problems)}`)
    }), { numRuns: 200 })
  })

  it('is named when it is misspelt, and the right spelling is offered', () => {
    const longer = keys.filter(path => String(path.at(-1)).length > 3)
    fc.assert(fc.property(fc.constantFrom(...longer), fc.nat(), (path, at) => {
      const key = String(path.at(-1))
      const cut = at % (key.length - 1)
      const wrong = key.slice(0, cut) + key[cut + 1] + key[cut] + key.slice(cut + 2)
      fc.pre(wrong !== key)
      const config = addressConfig()
      const section = parentOf(config, path)
      section[wrong] = section[key]
      delete section[key]
      const { problems } = refusals(() => loadConfig(write(config), {}))
      const found = problems.find(({ path: where }) => where.endsWith(wrong))
      assert.match(found?.advice ?? '', new RegExp(`Did you mean "${key}"`), `${wrong}: ${JSON.stringify(problems)}`)
    }), { numRuns: 200 })
  })

  it('is named, with its line, when it has a wrong type', () => {
    const wrongs = fc.constantFrom<unknown>({ a: 1 }, [[]], null, -1, 1.5, 'a\u0000b\n', false)
    fc.assert(fc.property(fc.constantFrom(...all.filter(path => !isMember(path))), wrongs, (path, wrong) => {
      const config = addressConfig()
      parentOf(config, path)[path.at(-1)!] = wrong
      fc.pre(!schema.safeParse(config).success)
      const { problems } = refusals(() => loadConfig(write(config), {}))
      const spelled = path.map(part => typeof part === 'number' ? `[${part}]` : `.${part}`).join('').slice(1)
      assert.ok(problems.some(({ path: where, line }) => where.startsWith(spelled) && line >= 1), `${spelled}: ${JSON.stringify(problems)}`)
    }), { numRuns: 400 })
  })

  it('has words that explain it and say what it must be', () => {
    const visit = (node: Node, path: string): void => {
      const about = told.get(node)
      assert.ok(node.def.type === 'union' || (about !== undefined && about.doc.length > 3 && about.must.length > 3), path)
      for (const [key, below] of Object.entries(node.def.shape ?? {})) visit(inner(below), `${path}.${key}`)
      for (const option of node.def.options ?? []) visit(option, path)
      for (const below of [node.def.element, node.def.valueType]) if (below !== undefined) visit(inner(below), `${path}[]`)
    }
    visit(schema, '')
  })

  it('never throws anything but a refusal, whatever the file holds', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.object().map(value => JSON.stringify(value))), text => {
      refusals(() => loadConfig(write(text), {}))
    }), { numRuns: 300 })
  })
})
