/**
 * The registration file that the operator gives to the homeserver (AS API §Registration). A file of its own, so that only the commands that
 * make one load the library.
 */
import { AppServiceRegistration } from 'matrix-appservice-bridge'
import { stringify } from 'yaml'
import type { Chance } from '../../../lib/chance'
import { exactly, GHOST_PREFIX } from '../names'

export interface RegistrationOptions {
  domain: string
  url: string // where the homeserver reaches us
  id?: string
  botLocalpart?: string
  addresses?: string[] // localparts of function addresses
  aliases?: string[] // their room aliases: the part between # and :
}

const TOKEN_BYTES = 32

/** A registration with new tokens. */
export const makeRegistration = (options: RegistrationOptions, chance: Chance) => {
  const { domain, url, id = 'zentrale', botLocalpart = 'zentrale', addresses = [], aliases = [] } = options
  const registration = new AppServiceRegistration(url)
  registration.setId(id)
  registration.setAppServiceToken(chance.token(TOKEN_BYTES))
  registration.setHomeserverToken(chance.token(TOKEN_BYTES))
  registration.setSenderLocalpart(botLocalpart)
  registration.setRateLimited(false)
  registration.setProtocols([])
  for (const localpart of [botLocalpart, ...addresses]) registration.addRegexPattern('users', exactly(`@${localpart}:${domain}`), true)
  registration.addRegexPattern('users', `@${GHOST_PREFIX}.*:${exactly(domain)}`, true)
  registration.addRegexPattern('aliases', `#${GHOST_PREFIX}.*:${exactly(domain)}`, true)
  for (const alias of aliases) registration.addRegexPattern('aliases', exactly(`#${alias}:${domain}`), true)
  const { namespaces, ...rest } = registration.getOutput()
  return { ...rest, receive_ephemeral: true, namespaces: { rooms: [], ...namespaces } }
}

export const writeRegistration = (registration: ReturnType<typeof makeRegistration>): string => stringify(registration)
