/** The simulation with one line of the bridge replaced, in memory only. Throws if the line no longer exists. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import ts from 'typescript'
import type { Mutation } from './mutations'

const SRC = join(__dirname, '../../src')
const SUPPORT = join(__dirname, '../support')

type Simulation = typeof import('./simulation')
type Loader = (module: { _compile (code: string, path: string): void }, path: string) => void

const loaders = require.extensions as unknown as Record<string, Loader>

/** Modules that must be loaded again, so that they use the broken one. */
const concerned = (path: string): boolean => path.startsWith(SRC + sep) || path.startsWith(SUPPORT + sep) ||
  (path.startsWith(__dirname + sep) && path !== __filename && !path.endsWith('.test.ts') && !path.endsWith(`${sep}main.ts`))

const outputs = new Map<string, string>() // by path, so that each file is translated once for all mutations

const translated = (source: string): string => ts.transpileModule(source, {
  compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023, esModuleInterop: true }
}).outputText

const outputOf = (path: string): string => {
  const output = outputs.get(path) ?? translated(readFileSync(path, 'utf8'))
  outputs.set(path, output)
  return output
}

/** The simulation with `line` of a source file replaced. */
export const broken = ([, file, line, by]: Mutation): Simulation => {
  const path = join(SRC, file)
  const source = readFileSync(path, 'utf8')
  assert.equal(source.split(line).length, 2, `the line to break is no longer found, or not once, in src/${file}: ${line}`)
  const output = translated(source.replace(line, () => by))
  const kept = Object.entries(require.cache).filter(([name]) => concerned(name))
  for (const [name] of kept) delete require.cache[name]
  const load = loaders['.ts']!
  loaders['.ts'] = (module, name) => {
    if (concerned(name)) module._compile(name === path ? output : outputOf(name), name)
    else load(module, name)
  }
  try {
    return require('./simulation') as Simulation
  } finally {
    loaders['.ts'] = load
    for (const name of Object.keys(require.cache).filter(concerned)) delete require.cache[name]
    for (const [name, module] of kept) require.cache[name] = module
  }
}
