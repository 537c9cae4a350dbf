/**
 * What a package of Zentrale holds: the compiled program, what people read and copy, and every library as it was tried. Promises: no test, no
 * tool and no source; the libraries lie in it, so nothing is looked up when it is installed and the stand-ins of `overrides` cannot get lost.
 */
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checkout } from '../sandbox/servers/process'

interface Manifest {
  name: string; version: string; description: string; license: string; engines: Record<string, string>; bin: Record<string, string>
  dependencies?: Record<string, string>; peerDependencies?: Record<string, string>; overrides: Record<string, unknown>
}

const json = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T

export const manifest: Manifest = json(join(checkout, 'package.json'))

const OURS = ['bin', 'dist/src', 'docs', 'monitoring', 'config.sample.yaml', 'registration.yaml', 'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md',
  'LICENSE']

/** Of libraries: what only compilers and debuggers read, and their own documentation. Licences stay. */
const UNUSED = /\.(map|[cm]?ts|flow|md|markdown)$/
const LICENCE = /(licen[cs]e|notice|copying)[^/]*$/i

/** The folders of all libraries that the program needs, without those inside of others. */
const libraries = (): string[] => {
  const { packages } = json<{ packages: Record<string, { dev?: true, devOptional?: true }> }>(join(checkout, 'package-lock.json'))
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && dev === undefined && devOptional === undefined)
    .map(([path]) => path).filter(path => existsSync(join(checkout, path)))
}

/** What a library asks for where `overrides` gives it something else: that, by its version. Else npm would fetch what was asked for. */
const asOverridden = (file: string, versions: ReadonlyMap<string, string>): void => {
  const { dependencies, peerDependencies, ...rest } = json<Manifest>(file)
  const real = (asked: Record<string, string> | undefined) => asked && Object.fromEntries(Object.entries(asked).map(([name, spec]) =>
    [name, manifest.overrides[name] === undefined ? spec : versions.get(name) ?? spec]))
  writeFileSync(file, JSON.stringify({ ...rest, dependencies: real(dependencies), peerDependencies: real(peerDependencies) }, null, 2))
}

/** Fills `folder`, so that it can be packed by npm or started where it lies. */
export const fill = (folder: string): void => {
  for (const path of OURS) cpSync(join(checkout, path), join(folder, path), { recursive: true })
  chmodSync(join(folder, 'bin/zentrale'), 0o755)
  const kept = libraries()
  for (const path of kept) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    const filter = (from: string): boolean => !UNUSED.test(from) || LICENCE.test(from)
    cpSync(join(checkout, path), join(folder, path), { recursive: true, dereference: true, filter })
  }
  const versions = new Map(kept.map(path => [path.slice('node_modules/'.length), json<Manifest>(join(folder, path, 'package.json')).version]))
  for (const path of kept) asOverridden(join(folder, path, 'package.json'), versions)
  const { name, version, description, license, engines, bin, dependencies = {} } = manifest
  writeFileSync(join(folder, 'package.json'), JSON.stringify({
    name, version, description, license, engines, bin,
    dependencies: Object.fromEntries(Object.keys(dependencies).map(one => [one, versions.get(one)])),
    bundleDependencies: Object.keys(dependencies)
  }, null, 2))
}
