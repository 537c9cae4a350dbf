/** The config as the program uses it: complete and checked. */
import type { FunctionAddress } from '../desk/address'
import type { Level } from '../lib/log'
import type { Listen } from '../lib/serve'
import type { NetworkName } from '../model/address'
import type { NetworkKind } from '../networks/kind'
import type { Mirror } from '../plan/directory'
import type { DirectRules } from '../plan/directs'
import type { PortalRules } from '../plan/portals'

export interface Config {
  file: string // absolute
  language: 'de' | 'en'
  logLevel: Level
  store: ({ path: string, postgres?: undefined } | { postgres: string, path?: undefined }) & { keepDays: number } // the path is absolute
  kinds: readonly NetworkKind[] // all networks that a config can have
  networks: Partial<Record<NetworkName, unknown>> // the networks of this config, each as its adapter takes it
  media: { listen: Listen, publicUrl: string, linkDays: number, bytesMax: number }
  limits: { queueMax: number, drainMs: number }
  mirrors: Mirror[]
  directChats?: DirectRules | undefined
  portals?: PortalRules | undefined
  addresses: FunctionAddress[]
  listens: (Listen & { key: string })[] // wherever it listens, and the key of the port
  shared: Record<string, string> // digests of what must be the same wherever it runs: mark.ts
  servers: Partial<Record<NetworkName, string>> // what those are called that keep their name for ever
  /** `logbookKey`: the token, if nothing else is written. */
  operate: { listen: Listen, token: string, metricsPublic: boolean, logbookKey: string, publicUrl?: string }
}

/** The networks that a config has, with their parts of it. */
export const networksOf = ({ kinds, networks }: Pick<Config, 'kinds' | 'networks'>): { kind: NetworkKind, config: unknown }[] =>
  kinds.flatMap(kind => {
    const config = networks[kind.settings.name]
    return config === undefined ? [] : [{ kind, config }]
  })

/** The places of all mirrors on one network. */
export const placesOn = (mirrors: Mirror[], network: NetworkName) =>
  mirrors.flatMap(({ places }) => places.flatMap(({ place }) => place.network === network ? [place] : []))
