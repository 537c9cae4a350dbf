/** What the pages are made of. */
import type { Bridge } from '../bridge/bridge'
import type { FunctionAddress } from '../desk/address'
import type { Chance } from '../lib/chance'
import type { Clock } from '../lib/clock'
import type { Log } from '../lib/log'
import type { NetworkName } from '../model/address'
import type { ConnectionState } from '../operate/metrics'
import type { QueueLines } from '../operate/queue'
import type { Conversation } from '../store/desk'
import type { Store } from '../store/store'
import type { Flow } from './flow'
import type { Who } from './sessions'
import type { Language } from './words'

export interface PagesServed {
  desk: Bridge['desk']; store: Store; queue: QueueLines; flow: Flow
  connections (): ConnectionState[]
  networks: { name: NetworkName, label: string }[]
  token: string
  publicUrl?: string | undefined
  language: Language
  clock: Clock; chance: Chance; log: Log
}

/** Who looks at a page. */
export interface Viewer { who: Who; language: Language }

export const inboxPath = ({ name }: Pick<FunctionAddress, 'name'>): string => `/inbox/${encodeURIComponent(name)}`

export const casePath = ({ id }: Pick<Conversation, 'id'>): string => `/case/${id}`

export const labelOf = ({ networks }: Pick<PagesServed, 'networks'>, network: NetworkName): string =>
  networks.find(({ name }) => name === network)?.label ?? network
