/** Installs Debian packages if we are root, without starting their services. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { run } from './process'

/** While this file exists and exits with 101, no maintainer script starts or stops a service (invoke-rc.d's policy layer). */
const POLICY = '/usr/sbin/policy-rc.d'

const apt = (args: string[]): Promise<string> => run('apt-get', ['-qq', ...args], { env: { DEBIAN_FRONTEND: 'noninteractive' } })

/** Throws with the command to type when we may not install. */
export const installPackages = async (packages: string[]): Promise<void> => {
  if (process.getuid?.() !== 0) throw new Error(`not installed, and we are not root: sudo apt-get install ${packages.join(' ')}`)
  const ours = !existsSync(POLICY)
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await apt(['update'])
    await apt(['install', '-y', '--no-install-recommends', ...packages])
  } finally { if (ours) rmSync(POLICY) }
}
