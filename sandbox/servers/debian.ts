/** A bare Debian 12 in a folder, for tests that install what others would install. Made once; each test takes a copy. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { installPackages } from './packages'
import { checkout, run } from './process'

export const DEBIAN_ROOT = join(checkout, '.sandbox/debian-root')

export const hasDebian = (): boolean => existsSync(DEBIAN_ROOT)

export const ensureDebian = async (): Promise<void> => {
  if (hasDebian()) return
  if (!existsSync('/usr/sbin/debootstrap')) await installPackages(['debootstrap'])
  const building = `${DEBIAN_ROOT}.${process.pid}`
  mkdirSync(join(checkout, '.sandbox'), { recursive: true })
  try {
    await run('/usr/sbin/debootstrap', ['--variant=minbase', 'bookworm', building])
    for (const path of ['var/cache/apt', 'var/lib/apt/lists']) rmSync(join(building, path), { recursive: true })
    renameSync(building, DEBIAN_ROOT)
  } finally { rmSync(building, { recursive: true, force: true }) }
}

/** What runs a command inside, as its root. It sees the machine's loopback, and its mounts end with it. */
export const inside = (root: string): [command: string, args: string[]] =>
  ['unshare', ['--mount', 'sh', '-ec', 'mount -t proc proc "$0/proc"; exec chroot "$0" "$@"', root]]

export const copyOfDebian = (to: string): Promise<string> => run('cp', ['-a', DEBIAN_ROOT, to])
