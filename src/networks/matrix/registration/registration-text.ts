/** `zentrale registration`: a fresh registration file for the homeserver. Only this file loads the library that makes it. */
import type { Chance } from '../../../lib/chance'
import { PLACEHOLDER } from '../../../settings/keys'
import { localOf, type RegistrationNames } from './registration-file'

const HEAD = `# The registration of Zentrale as an application service. Both read this file: the homeserver (Synapse's homeserver.yaml:
# app_service_config_files) and Zentrale (config.yaml: matrix.registration). The tokens are secrets: mode 0600, and readable
# by the homeserver's user. Make a fresh one with "zentrale registration"; restart both when it changes.
`

/** The library takes a second and 40 MiB, so only these commands load it, and `start` does not. */
const library = (): typeof import('./registration') => {
  process.noDeprecation = true // the library causes warnings that do not concern the operator
  try {
    return require('./registration') as ReturnType<typeof library> // eslint-disable-line @typescript-eslint/no-require-imports
  } finally {
    process.noDeprecation = false
  }
}

const BOT = 'zentrale'

/** `url`: where the homeserver reaches Zentrale. `names`: what function addresses need. */
export const registrationText = (domain: string, url: string, chance: Chance,
  { users, aliases }: Pick<RegistrationNames, 'users' | 'aliases'> = { users: [], aliases: [] }): string => {
  const { makeRegistration, writeRegistration } = library()
  const addresses = users.map(localOf)
  const botLocalpart = addresses.includes(BOT) ? `${BOT}-bot` : BOT // a function address may have this name
  return HEAD + writeRegistration(makeRegistration({ domain, url, botLocalpart, addresses, aliases: aliases.map(localOf) }, chance))
}

/** The registration.yaml that comes with the project: with tokens that are refused, and the address of config.sample.yaml. */
export const sampleRegistration = (): string =>
  registrationText('example.org', 'http://127.0.0.1:9993', { fraction: () => 0, token: () => PLACEHOLDER },
    { users: ['@buergerbuero:example.org'], aliases: ['#bürgerbüro:example.org', '#buergerbuero:example.org'] })
