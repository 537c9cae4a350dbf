/** `npm run package:deb [folder]`: makes the Debian package, with a Node of its own, because Debian 12 has an older one. Needs dpkg-deb. */
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { checkout, run } from '../sandbox/servers/process'
import { fill, manifest } from './contents'

const PROGRAM = 'usr/lib/zentrale'
const DOCS = 'usr/share/doc/zentrale'

/** Where each file of packages/debian goes, and its mode. */
const FILES: [file: string, to: string, mode: number][] = [
  ['zentrale.service', 'lib/systemd/system/zentrale.service', 0o644], ['default', 'etc/default/zentrale', 0o644],
  ['zentrale', 'usr/bin/zentrale', 0o755],
  ['copyright', `${DOCS}/copyright`, 0o644],
  ['postinst', 'DEBIAN/postinst', 0o755], ['prerm', 'DEBIAN/prerm', 0o755], ['postrm', 'DEBIAN/postrm', 0o755]
]

/** What people read and copy. */
const READ = ['docs', 'monitoring', 'config.sample.yaml', 'registration.yaml', 'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md']

const controlOf = (version: string, architecture: string): string => `Package: zentrale
Version: ${version}
Architecture: ${architecture}
Maintainer: Zentrale <zentrale@localhost>
Section: net
Priority: optional
Depends: libc6 (>= 2.28), libstdc++6, passwd, util-linux
Recommends: ca-certificates
Description: switchboard for open messaging
 ${manifest.description}
`

/** Packs into the folder, and returns the path of the package, or of one for each version, which differ in nothing else. */
export const packDeb = async (into: string, versions = [manifest.version]): Promise<string[]> => {
  const root = mkdtempSync(join(tmpdir(), 'zentrale-deb-'))
  try {
    const [program, docs] = [join(root, PROGRAM), join(root, DOCS)]
    mkdirSync(docs, { recursive: true })
    fill(program)
    for (const path of READ) renameSync(join(program, path), join(docs, path))
    mkdirSync(join(program, 'node_modules/.bin'))
    copyFileSync(join(checkout, 'node_modules/node/bin/node'), join(program, 'node_modules/.bin/node'))
    cpSync(join(checkout, 'node_modules/node/package.json'), join(program, 'node_modules/node/package.json'))
    for (const [file, to, mode] of FILES) {
      mkdirSync(dirname(join(root, to)), { recursive: true })
      copyFileSync(join(checkout, 'packages/debian', file), join(root, to))
      chmodSync(join(root, to), mode)
    }
    const architecture = (await run('dpkg', ['--print-architecture'])).trim()
    writeFileSync(join(root, 'DEBIAN/conffiles'), '/etc/default/zentrale\n')
    mkdirSync(into, { recursive: true })
    const made = versions.map(version => ({ version, path: join(into, `zentrale_${version}_${architecture}.deb`) }))
    for (const { version, path } of made) {
      writeFileSync(join(root, 'DEBIAN/control'), controlOf(version, architecture))
      await run('chmod', ['-R', 'u=rwX,go=rX', root])
      await run('dpkg-deb', ['--root-owner-group', '-Zzstd', '-z3', '--build', root, path])
    }
    return made.map(({ path }) => path)
  } finally {
    rmSync(root, { recursive: true })
  }
}

if (require.main === module) {
  packDeb(resolve(process.argv[2] ?? join(checkout, '.sandbox/packages'))).then(paths => console.log(paths.join('\n')), (error: unknown) => {
    console.error(error)
    process.exitCode = 1
  })
}
