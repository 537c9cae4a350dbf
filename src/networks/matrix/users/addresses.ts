/**
 * Our function addresses: users in our namespace with a device, a name, a picture, an about room and, if the homeserver has it, presence.
 * What is done is remembered. What fails is tried again with backoff, and shows as the connection `addresses`. For an address outside of our
 * namespace, that connection says which line the registration lacks.
 */
import { backoffMs } from '../../../lib/backoff'
import type { Chance } from '../../../lib/chance'
import { deadline, type Clock, type Timer } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { messageOf, Refused, Unavailable } from '../../../model/errors'
import type { Identity, Memory } from '../../../model/network'
import { makeAbout } from './about'
import { showBot } from './bot'
import type { Ghosts } from './ghosts'
import { makeLogos } from './logos'
import { encode, type Homeserver } from '../homeserver'
import { exactly } from '../names'

export type Namespace = Array<{ exclusive: boolean, regex: string }> | undefined
export interface Namespaces { users?: Namespace; aliases?: Namespace }

export interface AddressesWorld {
  homeserver: Homeserver; ghosts: Ghosts; memory: Memory; clock: Clock; chance: Chance; log: Log; domain: string; bot: string
  namespaces: Namespaces
  changed (allThere: boolean, detail?: string): void
}

export interface Addresses {
  serve (identities: Identity[]): void
  /** Whether this user is an address of ours. */
  has (mxid: string): boolean
  all (): string[]
  /** The picture of this address, for our rooms; undefined if it has none now. Never throws. */
  logoOf (mxid: string | undefined, signal: AbortSignal): Promise<string | undefined>
  /** Makes sure that the homeserver knows this address of ours. Throws Refused or Unavailable. */
  ready (mxid: string, signal: AbortSignal): Promise<void>
  /** The homeserver is found: checks everything again. */
  check (): void
  stop (): void
}

const FIRST_MS = 2000
const MOST_MS = 5 * 60_000
const TRY_MS_MAX = 120_000
const STATUS_CHARS_MAX = 200

/** A match of the beginning is enough: Synapse matches so (AS API §Namespaces leaves it open). */
const covered = (namespace: Namespace, name: string): boolean => (namespace ?? []).some(({ regex, exclusive }) => {
  try {
    return exclusive && new RegExp(`^(?:${regex})`).test(name)
  } catch {
    return false
  }
})

const lineFor = (where: string, name: string): string =>
  `add to the registration, under namespaces.${where}: - { exclusive: true, regex: '${exactly(name)}' }, and restart the homeserver`

export const makeAddresses = (world: AddressesWorld): Addresses => {
  const { homeserver, ghosts, memory, clock, chance, log, domain, namespaces, changed } = world
  const logos = makeLogos(homeserver, memory)
  const about = makeAbout(world)
  const stopping = new AbortController()
  const presences = new Map<string, string>() // as shown since the start
  let served = new Map<string, Identity>()
  let outside: string[] = [] // what the registration lacks
  let allowed = false
  let busy = false
  let again = false
  let attempt = 0
  let timer: Timer | undefined

  const isLocal = (name: string): boolean => name.slice(name.indexOf(':') + 1) === domain

  const showLogo = async ({ id, profile: { logo } }: Identity, signal: AbortSignal): Promise<string | undefined> => {
    const uri = logo === undefined ? undefined : await logos.stored(logo, id, signal)
    const key = `avatar ${id}`
    if (memory.get(key) === uri) return uri
    await homeserver.call('PUT', `client/v3/profile/${encode(id)}/avatar_url`, { as: id, body: { avatar_url: uri ?? '' }, signal })
    await (uri === undefined ? memory.delete(key) : memory.set(key, uri))
    return uri
  }

  /** CS API §Presence: many homeservers have it switched off, so a failure does no harm. */
  const showPresence = async ({ id, profile: { present } }: Identity, signal: AbortSignal): Promise<void> => {
    const body = present && { presence: present.available ? 'online' : 'unavailable', status_msg: present.text.slice(0, STATUS_CHARS_MAX) }
    const shown = JSON.stringify(body)
    if (body === undefined || presences.get(id) === shown) return
    try {
      await homeserver.call('PUT', `client/v3/presence/${encode(id)}/status`, { as: id, body, signal })
      presences.set(id, shown)
    } catch (error) {
      log.debug({ address: id, why: messageOf(error) }, 'presence is not shown')
    }
  }

  const ready: Addresses['ready'] = async (mxid, signal) => {
    const identity = served.get(mxid)
    if (identity === undefined) throw new Unavailable(`${mxid} is no address of ours now`)
    await ghosts.user(mxid, identity.profile.name, signal)
  }

  const bring = async (identity: Identity): Promise<void> => {
    const limit = deadline(clock, TRY_MS_MAX, stopping.signal)
    try {
      await ready(identity.id, limit.signal)
      const logo = await showLogo(identity, limit.signal)
      await about(identity, identity.aliases.filter(alias => isLocal(alias) && covered(namespaces.aliases, alias)), logo, limit.signal)
      await showPresence(identity, limit.signal)
    } finally {
      limit.done()
    }
  }

  const bringAll = async (): Promise<void> => {
    const failed: string[] = []
    for (const identity of [...served.values()]) {
      if (stopping.signal.aborted) return
      await bring(identity).catch((error: unknown) => {
        failed.push(`${identity.id}: ${messageOf(error)}`)
        if (attempt === 0 || error instanceof Refused) log.warn({ address: identity.id, why: messageOf(error) }, 'an address is not complete')
      })
    }
    const wrong = [...outside, ...failed]
    changed(wrong.length === 0, wrong.length === 0 ? undefined : wrong.join('; '))
    if (failed.length === 0) attempt = 0
    else if (!stopping.signal.aborted) timer = clock.after(backoffMs(chance, ++attempt, FIRST_MS, MOST_MS), run)
  }

  /** Nothing waits for it, and it is tried again at the next change or contact. */
  const bringBot = async (): Promise<void> => {
    const limit = deadline(clock, TRY_MS_MAX, stopping.signal)
    const logo = [...served.values()].find(({ profile }) => profile.logo !== undefined)?.profile.logo
    await showBot({ ...world, logos }, logo, limit.signal)
      .catch((error: unknown) => log.info({ why: messageOf(error) }, 'our own user stays without its name or picture'))
      .finally(limit.done)
  }

  const run = (): void => {
    if (!allowed || stopping.signal.aborted) return
    if (busy) { again = true; return }
    busy = true
    timer?.cancel()
    void bringAll().then(bringBot).finally(() => {
      busy = false
      if (again) { again = false; run() }
    })
  }

  /** Whether this can be an address of ours. A missing alias is only logged, because the address works without it. */
  const check = ({ id, aliases }: Identity): boolean => {
    for (const alias of aliases.filter(one => isLocal(one) && !covered(namespaces.aliases, one))) {
      log.warn({ address: id, alias }, `no alias: ${lineFor('aliases', alias)}`)
    }
    if (isLocal(id) && covered(namespaces.users, id)) return true
    const lacking = isLocal(id) ? lineFor('users', id) : `${id} is not on ${domain}, which is our homeserver`
    log.error({ address: id }, lacking)
    outside.push(lacking)
    return false
  }

  return {
    serve (identities) {
      outside = []
      served = new Map(identities.filter(check).map(identity => [identity.id, identity]))
      if (outside.length > 0) changed(false, outside.join('; '))
      if (served.size > 0 || outside.length > 0) run()
    },
    has: mxid => served.has(mxid),
    all: () => [...served.keys()],
    async logoOf (mxid, signal) {
      const logo = served.get(mxid ?? '')?.profile.logo
      try {
        return logo && await logos.stored(logo, mxid, signal)
      } catch (error) {
        log.info({ address: mxid, why: messageOf(error) }, 'a room stays without its picture')
        return undefined
      }
    },
    ready,
    check () {
      allowed = true
      if (served.size > 0 || outside.length > 0) run()
      else void bringBot()
    },
    stop () { stopping.abort(); timer?.cancel() }
  }
}
