/** A whole bridge on practice networks, with a store in a temporary file that can be killed and started again. */
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { makeBridge, type Bridge, type BridgeOptions } from '../../src/bridge/bridge'
import type { Mirror } from '../../src/plan/directory'
import { makeLinks } from '../../src/plan/links'
import type { Observer } from '../../src/bridge/observer'
import { systemChance } from '../../src/lib/chance'
import { systemClock, type Clock } from '../../src/lib/clock'
import { silentLog } from '../../src/lib/log'
import { openSqlite } from '../../src/store/sqlite'
import type { Store } from '../../src/store/store'
import { temporaryFolder } from './folder'
import type { Practice } from './practice'

const nothingObserved: Observer = {
  accepted () {}, quarantined () {}, settled () {}, retried () {}, receipt () {}, connection () {}
}

export interface Started { bridge: Bridge; store: Store; path: string; stop (): Promise<void>; bugs: unknown[] }

export const mirrorOf = (...places: [network: string, id: string, people?: Record<string, string>][]): Mirror => ({
  name: 'werkstatt',
  places: places.map(([network, id, people]) => ({ place: { network, id }, ...people === undefined ? {} : { people } }))
})

/** `around`: wraps the store for the bridge. `Engine`: whose disk may fail. `pagesUrl`: where pages are reached. */
type StartOptions = Partial<BridgeOptions> & { path?: string, around?: (store: Store) => Store, pagesUrl?: string, Engine?: typeof DatabaseSync }

export const startBridge = async (networks: Practice[], mirrors: Mirror[], options: StartOptions = {}): Promise<Started> => {
  const path = options.path ?? join(temporaryFolder(), 'zentrale.db')
  const clock: Clock = options.clock ?? systemClock
  const bugs: unknown[] = []
  const opened = openSqlite(path, clock, error => bugs.push(error), '', { ...options.Engine && { Engine: options.Engine } })
  const store = options.around?.(opened) ?? opened
  const bridge = await makeBridge({
    networks, mirrors, store, language: 'en', observer: nothingObserved,
    links: makeLinks('secret', { files: 'https://files.example.org', pages: options.pagesUrl }, store, clock.now),
    clock, chance: systemChance, log: silentLog, limits: { queueMax: 10_000, linkMs: 86_400_000, keepMs: 86_400_000, drainMs: 2000 },
    bug: error => bugs.push(error), ...options
  })
  await bridge.start()
  return { bridge, store, path, bugs, stop: async () => { await bridge.stop(); await store.close() } }
}
