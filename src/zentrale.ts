/** Joins the parts of the program as the config says. */
import { createReadStream } from 'node:fs'
import { type Bridge, makeBridge } from './bridge/bridge'
import { makeMedia, makeMemory, makeVault } from './bridge/world'
import { OURS, type FunctionAddress } from './desk/address'
import { type Config, networksOf } from './config/config'
import { LOGBOOK_KEY, markOf, OTHER_KEY, refusalOf, unlike } from './config/mark'
import type { Chance } from './lib/chance'
import type { Clock } from './lib/clock'
import type { Log } from './lib/log'
import { serve } from './lib/serve'
import { addressKey, type NetworkName, type Place } from './model/address'
import { messageOf, Refused } from './model/errors'
import type { EncryptionCounts, Memory, Network, World } from './model/network'
import { waysOf } from './operate/contact'
import { makeDevicesOperated } from './operate/devices'
import { makeOperateApp } from './operate/http'
import { makeMediaApp } from './operate/media'
import { makeMetrics, type Metrics } from './operate/metrics'
import { makeQueueLines } from './operate/queue'
import { reloadOf } from './operate/reload'
import { makeStandby } from './operate/standby'
import { watched } from './pages/flow'
import { makeLinkPages } from './pages/link-page'
import { makePages } from './pages/pages'
import { makeLinks } from './plan/links'
import { mark, markIn } from './store/mark'
import { openStore, storeName } from './store/open'
import type { Store } from './store/store'

/**
 * What the machine provides. `bug` is called when the process must stop: we contradict ourselves, or the store failed. `stopped`: somebody wants it
 * to stop, also while it stands by. `standing`: told when it begins to stand by, and when that is over; then it gives the config as it is now,
 * because it may have changed since long ago, and throws if that cannot be used. Until then it gives the one that was read last.
 */
export interface Machine {
  clock: Clock; chance: Chance; log: Log; version?: string; stopped?: AbortSignal
  standing?: { begin (): void, now (): Config, over (): Config }
  bug (error: unknown): void
}

export interface Zentrale {
  bridge: Bridge
  metrics: Metrics
  /** Resolves once it listens everywhere. It waits for servers that are down. Throws if a port is taken. */
  start (): Promise<void>
  /** Takes over what it can of a changed config, between two messages, and says what needs a restart. */
  reload (changed: Config): Promise<string[]>
  /** Stops intake, gives sends under way `limits.drain_seconds`, then closes the store. */
  stop (): Promise<void>
}

const DAY_MS = 86_400_000
const LINK_SECRET_BYTES = 32

type WorldOf = (name: NetworkName) => Promise<World>

const makeNetworks = async (given: Config, world: WorldOf): Promise<Network[]> => {
  const made: Network[] = []
  for (const { kind, config } of networksOf(given)) made.push(kind.make(config, await world(kind.settings.name)))
  return made
}

/** Opens the files of standard texts, and no others. */
const ownFiles = (addresses: () => FunctionAddress[]): Pick<Network, 'open'> => ({
  async open (path) {
    const file = addresses().flatMap(({ texts }) => Object.values(texts)).find(text => text.file?.path === path)?.file
    if (file === undefined) throw new Refused('no standard text has this file any more')
    return { stream: createReadStream(path), mime: file.mime }
  }
})

/** Made once and kept, so that links survive a restart. */
const linkSecret = async (store: Store, chance: Chance): Promise<string> => {
  const memory = await makeMemory(store, 'links')
  const secret = memory.get('secret') ?? chance.token(LINK_SECRET_BYTES)
  await memory.set('secret', secret)
  return secret
}

const countsOf = (networks: Network[]): [NetworkName, EncryptionCounts][] => networks.flatMap(({ name, encryptionCounts }) =>
  encryptionCounts === undefined ? [] : [[name, encryptionCounts()]])

const configNow = (before: Config, { standing, log }: Machine): Config => {
  try {
    return standing?.over() ?? before
  } catch (error) {
    log.error({ why: messageOf(error) }, 'the config is refused: active with the one of before')
    return before
  }
}

/** Another config opens it in the same way. */
const opensAlike = ({ store: one, operate: { logbookKey } }: Config, { store: other, operate }: Config): boolean =>
  one.path === other.path && one.postgres === other.postgres && logbookKey === operate.logbookKey

/** While another Zentrale is active on our database, we stand by. Resolves with the config that is in force then, too. */
const openWhenActive = async (given: Config, machine: Machine): Promise<{ store: Store, config: Config }> => {
  const { store: at, operate, listens } = given
  const { clock, log, bug, stopped, standing } = machine
  const impossible = new AbortController()
  const standby = makeStandby({ listens, operate }, log, error => impossible.abort(error))
  const signal = AbortSignal.any([impossible.signal, ...stopped === undefined ? [] : [stopped]])
  let stood = false
  const told = (why: string): void => {
    stood = true
    standing?.begin()
    standby.told(why)
  }
  const seen = (mark: string | undefined): void => {
    const now = standing?.now() ?? given
    const refusal = refusalOf(mark, now, storeName(now.store))
    if (refusal === undefined) standby.unlike(unlike(mark, now))
    else impossible.abort(refusal)
  }
  const store = await openStore(at, operate.logbookKey, clock, bug, { signal, told, seen }).finally(standby.end)
  const config = stood ? configNow(given, machine) : given
  if (opensAlike(config, given)) return { store, config }
  await store.close()
  return await openWhenActive(config, machine)
}

/** Leaves the mark with which others compare their configs, and says what is not as before. Throws if the store is not ours. */
const leaveMark = async (store: Store, config: Config, log: Log): Promise<void> => {
  const before = await store.run(async tx => {
    const found = await markIn(tx)
    const refusal = refusalOf(found, config, storeName(config.store))
    if (refusal !== undefined) throw refusal
    await mark(tx, markOf(config))
    return found
  })
  const changed = unlike(before, config)
  if (changed.includes(LOGBOOK_KEY)) log.error({ changed }, OTHER_KEY)
  else if (changed.length > 0) log.info({ changed }, 'the config is another one than it was when a Zentrale was active before')
}

export const assemble = async (given: Config, machine: Machine): Promise<Zentrale> => {
  const { store, config } = await openWhenActive(given, machine)
  await leaveMark(store, config, machine.log).catch(async error => {
    await store.close()
    throw error
  })
  const { clock, chance, log, version = '', bug } = machine
  const { media: { bytesMax, listen, publicUrl, linkDays }, limits, language, mirrors, addresses, directChats, portals, operate } = config
  let running = config
  const byName = new Map<NetworkName, Network>()
  const links = makeLinks(await linkSecret(store, chance), { files: publicUrl, pages: operate.publicUrl }, store, clock.now)
  const media = { ...makeMedia(name => name === OURS ? ownFiles(() => running.addresses) : byName.get(name), bytesMax, clock), sealed: links.sealed }
  const memories = new Map<NetworkName, Memory>()
  const memoryOf = async (name: NetworkName): Promise<Memory> => {
    const memory = await makeMemory(store, name)
    memories.set(name, memory)
    return memory
  }
  const networks = await makeNetworks(config, async name =>
    ({ clock, chance, media, log: log.child({ network: name }), memory: await memoryOf(name), vault: makeVault(store, name), fence: store.fence }))
  for (const network of networks) byName.set(network.name, network)
  const names = [...byName.keys()]
  const devices = makeDevicesOperated(store, () => { for (const network of networks) network.devicesChanged?.() })
  const metrics = makeMetrics(names, () => store.run(tx => tx.depth()), clock, {
    commits: store.commits, addresses: addresses.map(({ name }) => name), cases: () => store.run(tx => tx.desk.open()),
    totals: () => store.run(tx => tx.tally.totals()),
    head: () => store.run(tx => tx.desk.head()), version,
    encryption: async () => ({ shown: await devices.list(), counts: countsOf(networks) })
  })
  const { flow, observer } = watched(metrics.observer, clock)
  const bridge = await makeBridge({
    networks, memories, mirrors, addresses, directChats, portals, store, links, open: media.open, language, observer, clock, chance, log, bug,
    limits: { queueMax: limits.queueMax, linkMs: linkDays * DAY_MS, keepMs: config.store.keepDays * DAY_MS, drainMs: limits.drainMs }
  })
  const queue = makeQueueLines(bridge.queue)
  const pages = makePages({
    desk: bridge.desk, store, queue, flow, connections: metrics.connections, token: operate.token, publicUrl: operate.publicUrl, language, clock,
    chance, log, networks: networksOf(config).map(({ kind: { settings: { name, label } } }) => ({ name, label }))
  })
  const linkPages = makeLinkPages({ roster: bridge.desk.memory.roster, publicUrl, clock, ways: address => waysOf(address, config.kinds, []) })
  const apps = [
    { listen, app: makeMediaApp({ links, media, language, clock, log, pages: linkPages }) },
    { listen: operate.listen,
      app: makeOperateApp({
        ...operate, networks: names, metrics, queue, devices, desk: bridge.desk, store, pages: pages.routes,
        storePath: config.store.path, media, erasing: bridge.erasing, codes: bridge.codes, clock, log
      }) }
  ]
  const isTaken = (place: Place): boolean =>
    bridge.desk.memory.isTeams(place) || bridge.places().some(one => addressKey(one) === addressKey(place))
  const stops: (() => Promise<void>)[] = []
  return {
    bridge, metrics,
    async start () {
      for (const { listen, app } of apps) stops.push((await serve(app, listen)).stop)
      await bridge.start()
    },
    async reload (changed) {
      const { addresses, mirrors, waiting, running: next } = reloadOf(running, changed, isTaken)
      await bridge.renew(addresses, mirrors)
      running = next
      await store.run(tx => mark(tx, markOf({ ...changed, servers: config.servers }, operate.logbookKey)))
      if (changed.operate.logbookKey !== operate.logbookKey) log.error({}, OTHER_KEY)
      return waiting
    },
    async stop () {
      await bridge.stop()
      pages.stop()
      await Promise.all(stops.map(stop => stop()))
      await store.close()
    }
  }
}
