/** `zentrale registration`: a fresh file with the function addresses, for the server of the network that needs one. */
import { statSync } from 'node:fs'
import { readSection } from '../config/load'
import type { Chance } from '../lib/chance'
import type { NetworkKind, Registering } from '../networks/kind'
import { KINDS } from '../networks/kinds'

const registering = (kinds: readonly NetworkKind[]): { kind: NetworkKind, registration: Registering<unknown> } => {
  const found = kinds.flatMap(kind => kind.settings.registration === undefined ? [] : [{ kind, registration: kind.settings.registration }])
  if (found[0] === undefined) throw new Error('no network needs a registration')
  return found[0]
}

/** `config`: the config's path; the file may be missing. Throws ConfigError. */
export const registrationText = (config: string, flags: { domain?: string, url?: string }, environment: Record<string, string | undefined>,
  chance: Chance, kinds: readonly NetworkKind[] = KINDS): string => {
  const { kind, registration } = registering(kinds)
  const known = statSync(config, { throwIfNoEntry: false }) ? readSection(config, environment, kind, kinds) : undefined
  return registration.text(flags, chance, known)
}

/** Each flag with its meaning. */
export const registrationFlags = (kinds: readonly NetworkKind[] = KINDS): [string, string][] =>
  kinds.flatMap(({ settings }) => Object.entries(settings.registration?.flags ?? {}))

/** The sample that the project shows. */
export const sampleRegistration = (kinds: readonly NetworkKind[] = KINDS): string => registering(kinds).registration.sample()
