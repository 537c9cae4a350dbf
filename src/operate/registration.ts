/** `zentrale registration`: a fresh registration file for the homeserver. Alone loads the library that makes it. */
import { writeFileSync } from 'node:fs'
import { PLACEHOLDER } from '../config/schema'
import type { Chance } from '../lib/chance'

const HEAD = `# The registration of Zentrale as an application service. Both read this file: the homeserver (Synapse's homeserver.yaml:
# app_service_config_files) and Zentrale (config.yaml: matrix.registration). The tokens are secrets: mode 0600, and readable
# for the homeserver's user. Make a fresh one with "zentrale registration"; restart both when it changes.
`

/** The library takes a second and 40 MiB, so only these commands load it, and `start` does not. */
const library = (): typeof import('../networks/matrix/registration') => require('../networks/matrix/registration')

/** `url`: where the homeserver reaches Zentrale. */
export const registrationText = (domain: string, url: string, chance: Chance): string => {
  const { makeRegistration, writeRegistration } = library()
  return HEAD + writeRegistration(makeRegistration({ domain, url }, chance))
}

/** registration.yaml as the project shows it: with tokens that are refused. */
export const sampleRegistration = (): string =>
  registrationText('example.org', 'http://127.0.0.1:9993', { fraction: () => 0, token: () => PLACEHOLDER })

/** A new file, readable for its owner only. Throws with a text rather than overwrite. */
export const writeNew = (path: string, text: string): void => {
  try {
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error
    throw new Error(`${path} is there already and is not overwritten. Move it away, or choose another place`)
  }
}
