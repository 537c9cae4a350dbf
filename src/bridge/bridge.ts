/** Joins the steps: accept ▶ route ▶ deliver ▶ receipt. Starts and stops them in the order in which nothing is lost. */
import type { Chance } from '../lib/chance'
import { deadline, type Clock } from '../lib/clock'
import type { Log } from '../lib/log'
import type { NetworkName, Place } from '../model/address'
import type { Inbox, Network } from '../model/network'
import type { QuarantineRow, QueueRow, Store, OutboxState, UnroutedRow } from '../store/store'
import { makeAccept } from './accept'
import { makeDeliver } from './deliver'
import { makeDirectory, type Mirror } from './directory'
import type { Links } from './links'
import type { Observer } from './observer'
import { TEXTS, type Language } from './texts'

export interface BridgeOptions {
  networks: Network[]
  mirrors: Mirror[]
  store: Store
  links: Links
  language: Language
  observer: Observer
  clock: Clock
  chance: Chance
  log: Log
  limits: { queueMax: number, linkMs: number, keepMs: number, drainMs: number }
  /** We contradict ourselves: the process must stop and be started again. */
  bug (error: unknown): void
}

/** What the operator may see and do about single deliveries. */
export interface Queue {
  list (state: OutboxState): Promise<QueueRow[]>
  show (id: number): Promise<QueueRow | undefined>
  /** Tries a failed or unknown delivery again, as if it had just been queued. False if there is none. */
  retry (id: number): Promise<boolean>
  /** Ends a waiting, failed or unknown delivery for good. False if there is none. */
  drop (id: number): Promise<boolean>
  unrouted (): Promise<UnroutedRow[]>
  quarantined (): Promise<QuarantineRow[]>
}

export interface Bridge {
  start (): Promise<void>
  /** Stops intake, lets what is being sent finish within `drainMs`, leaves the rest in the store. The store stays open. */
  stop (): Promise<void>
  readonly queue: Queue
  places (): Place[]
}

const LIST_ROWS_MAX = 500
const PRUNE_EVERY_MS = 3_600_000
const PRUNE_ROWS = 500

/** The queue on the store alone, or, with `changed`, on a bridge that runs. */
export const makeQueue = (store: Store, clock: Clock, changed: (lane: Place, opened: number) => void): Queue => ({
  list: state => store.run(tx => tx.list(state, LIST_ROWS_MAX)),
  show: id => store.run(tx => tx.show(id)),
  async retry (id) {
    const lane = await store.run(tx => tx.retry(id, clock.now()))
    if (lane !== undefined) changed(lane, 1)
    return lane !== undefined
  },
  async drop (id) {
    const dropped = await store.run(tx => tx.drop(id, clock.now()))
    if (dropped !== undefined) changed(dropped.lane, dropped.waited ? -1 : 0)
    return dropped !== undefined
  },
  unrouted: () => store.run(tx => tx.unrouted(LIST_ROWS_MAX)),
  quarantined: () => store.run(tx => tx.quarantined(LIST_ROWS_MAX))
})

/** Throws if the store cannot be read. */
export const makeBridge = async (options: BridgeOptions): Promise<Bridge> => {
  const { store, clock, log, limits, observer } = options
  const networks = new Map(options.networks.map(network => [network.name, network]))
  const can = new Map(options.networks.map(network => [network.name, network.can]))
  const blocked = await store.run(tx => tx.blocked())
  const directory = makeDirectory(options.mirrors, blocked, can, options.links, TEXTS[options.language])
  const deliver = makeDeliver({ ...options, networks, directory, linkMs: limits.linkMs })
  const accept = makeAccept({ store, directory, deliver, observer, clock, limits })
  const up = new Map<string, boolean>() // as many as links, a fixed few

  const inbox: Inbox = {
    ...accept,
    link (network, name, isUp, detail) {
      const before = up.get(`${network} ${name}`)
      up.set(`${network} ${name}`, isUp)
      observer.link(network, name, isUp, detail)
      if (before !== isUp) log.info({ network, link: name, up: isUp, detail }, isUp ? 'link up' : 'link down')
      if (isUp) deliver.wake(network)
    }
  }

  let pruning: { cancel (): void } | undefined
  const prune = (): void => {
    store.run(tx => tx.prune(clock.now() - limits.keepMs, PRUNE_ROWS)).then(
      count => { pruning = clock.after(count === PRUNE_ROWS ? 1000 : PRUNE_EVERY_MS, prune) }, () => {})
  }

  const attendances = (network: NetworkName): Place[] => directory.places().filter(place => place.network === network)

  return {
    async start () {
      await deliver.start()
      for (const network of networks.values()) network.attend(attendances(network.name))
      await Promise.all([...networks.values()].map(network => network.start(inbox)))
      prune()
    },
    async stop () {
      pruning?.cancel()
      accept.close()
      const { signal, done } = deadline(clock, limits.drainMs)
      await Promise.all([deliver.stop(signal), ...[...networks.values()].map(network => network.stop())])
      done()
    },
    queue: makeQueue(store, clock, deliver.changed),
    places: directory.places
  }
}
