/** Virtual environments of Python in the checkout. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { installPackages } from './packages'
import { checkout, run } from './process'

export interface Venv {
  path: string
  python: string
  /** Makes it if it is missing. Throws if that is not possible on this machine. */
  ensure (): Promise<void>
  isThere (): boolean
}

/** `requirements`: as pip takes them. */
export const venvOf = (name: string, requirements: string[]): Venv => {
  const path = join(checkout, '.sandbox', name)

  /** Builds it beside its final place, then moves it there, so that an existing one is always complete. */
  const build = async (building: string): Promise<void> => {
    mkdirSync(join(checkout, '.sandbox'), { recursive: true })
    await run('python3', ['-m', 'venv', building]).catch(async () => {
      await installPackages(['python3', 'python3-venv'])
      await run('python3', ['-m', 'venv', '--clear', building])
    })
    await run(join(building, 'bin', 'python'),
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:', ...requirements])
    if (!existsSync(path)) renameSync(building, path)
  }

  return {
    path, python: join(path, 'bin', 'python'), isThere: () => existsSync(path),
    async ensure () {
      if (existsSync(path)) return
      const building = `${path}.${process.pid}`
      try { await build(building) } catch (error) {
        throw new Error(`${requirements.join(', ')} cannot be installed from PyPI: ${(error as Error).message}`)
      } finally { rmSync(building, { recursive: true, force: true }) }
    }
  }
}

/** An XMPP app that encrypts with OMEMO, which is none of ours. */
export const omemoVenv = venvOf('omemo-venv', [
  'slixmpp-omemo==2.2.0', 'slixmpp==1.17.0', 'omemo==2.1.0', 'oldmemo[xml]==2.1.0', 'twomemo[xml]==2.1.0', 'doubleratchet==1.3.0', 'x3dh==1.3.0'
])
