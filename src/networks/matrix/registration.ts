/**
 * The registration file that the operator gives to the homeserver (AS API §Registration). Apart from the rest of the network, so
 * that only the commands that make one load the library.
 */
import { AppServiceRegistration } from 'matrix-appservice-bridge'
import { stringify } from 'yaml'
import type { Chance } from '../../lib/chance'
import { GHOST_PREFIX } from './names'

export interface RegistrationOptions {
  domain: string
  url: string // where the homeserver reaches us
  id?: string
  botLocalpart?: string
}

const TOKEN_BYTES = 32

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** A registration with new tokens. */
export const makeRegistration = (options: RegistrationOptions, chance: Chance) => {
  const { domain, url, id = 'zentrale', botLocalpart = 'zentrale' } = options
  const registration = new AppServiceRegistration(url)
  registration.setId(id)
  registration.setAppServiceToken(chance.token(TOKEN_BYTES))
  registration.setHomeserverToken(chance.token(TOKEN_BYTES))
  registration.setSenderLocalpart(botLocalpart)
  registration.setRateLimited(false)
  registration.setProtocols([])
  registration.addRegexPattern('users', `@${literally(botLocalpart)}:${literally(domain)}`, true)
  registration.addRegexPattern('users', `@${GHOST_PREFIX}.*:${literally(domain)}`, true)
  registration.addRegexPattern('aliases', `#${GHOST_PREFIX}.*:${literally(domain)}`, true)
  const { namespaces, ...rest } = registration.getOutput()
  return { ...rest, receive_ephemeral: false, namespaces: { rooms: [], ...namespaces } }
}

export const writeRegistration = (registration: ReturnType<typeof makeRegistration>): string => stringify(registration)
