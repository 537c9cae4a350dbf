/** The machine on which the bridge runs. It starts the process, kills it, stops it properly, and starts it again. */
import { makeBridge, type Bridge } from '../../src/bridge/bridge'
import { makeMedia, makeMemory, makeVault } from '../../src/bridge/world'
import { makeLinks } from '../../src/plan/links'
import type { Observer } from '../../src/bridge/observer'
import type { FunctionAddress } from '../../src/desk/address'
import { silentLog } from '../../src/lib/log'
import type { DirectRules } from '../../src/plan/directs'
import { watchPlans } from '../support/reasons'
import type { Store } from '../../src/store/store'
import type { Disk } from './disk'
import { inspect } from './inspect'
import { makeLife, type Life } from './life'
import type { Random } from './random'
import { slowed } from './slow'
import type { Town } from './town'
import type { Server, World } from './world'

const DRAIN_MS = 5000
const STOP_SPARE_MS = 3000 // a link waits 2 s for the answer to its farewell
const DOWN_MS = [50, 60_000] as const
const BOOT_MS = 3_600_000
const FILE_BYTES_MAX = 1_000_000
const LIMITS = { linkMs: 86_400_000, keepMs: 30 * 86_400_000, drainMs: DRAIN_MS }

export interface Machine {
  readonly up: boolean
  /** Timers that the process has set. */
  readonly timers: number
  start (): void
  /** Ends the process at one of the next crossings. */
  doom (crossings: number): void
  /** Ends the process now. */
  kill (how: string): void
  /** Sends the signal to stop. When the process has ended, calls `ended`, or starts it again. */
  stop (ended?: () => void): void
  /** From now on nothing ends the process. */
  calm (): void
}

interface Running { life: Life; bridge: Bridge; store: Store }

export interface Wall { offset: number; readonly epoch: number }

export interface Parts {
  world: World; disk: Disk; town: Town; servers: Server[]; wall: Wall; observer: Observer; queueMax: number
  /** Called at each start: the addresses that are in the config now. */
  configured (): FunctionAddress[]
  /** If the store is slow: of what its jobs take. */
  slowness?: Random | undefined
  directChats?: DirectRules | undefined
}

export const makeMachine = ({ world, disk, town, servers, wall, observer, queueMax, configured, directChats, slowness }: Parts): Machine => {
  const { timeline, random, auditor, note, weather } = world
  let life: Life | undefined
  let running: Running | undefined
  let stopping = false

  /** The process is gone, whatever the reason. */
  const over = (how: string, again = true): void => {
    note(`process: ${how}`)
    running = undefined
    life = undefined
    stopping = false
    for (const server of servers) server.lost()
    disk.seize()
    if (again) timeline.after(random.between(...DOWN_MS), start)
  }

  const kill = (how: string): void => {
    if (life === undefined) return
    life.end()
    over(how)
  }

  const boot = async (mine: Life, addresses: FunctionAddress[]): Promise<void> => {
    const ended = (what: string) => (error: unknown): void => {
      if (!mine.alive) return
      if (!mine.damaged) auditor.violation('bug', `${what}: ${String(error)} ${(error as Error).stack ?? ''}`)
      kill(what)
    }
    try {
      const opening = disk.open(mine, ended('the store failed'))
      const opened = opening instanceof Promise ? await opening : opening
      const store = watchPlans(slowness ? slowed(opened, mine.clock, slowness) : opened, (_plan, isSilent) => {
        if (isSilent) auditor.violation('N', 'nothing came of something that was said, and no reason is given')
      })
      const media = makeMedia(name => networks.find(network => network.name === name), FILE_BYTES_MAX, mine.clock)
      const networks = await Promise.all(servers.map(async server => server.connect(mine, {
        clock: mine.clock, chance: random, log: silentLog, media, memory: await makeMemory(store, server.name),
        vault: makeVault(store, server.name), fence: store.fence
      })))
      const bridge = await makeBridge({
        networks, mirrors: town.mirrors, addresses, store, observer, directChats,
        links: makeLinks('secret', { files: 'https://files.example.org' }, store, mine.clock.now), language: 'en',
        clock: mine.clock, chance: random, log: silentLog, limits: { ...LIMITS, queueMax }, bug: ended('it contradicts itself')
      })
      await bridge.start()
      if (!mine.cross()) return
      running = { life: mine, bridge, store }
      note('process: started')
    } catch (error) {
      ended('it does not start')(error)
    }
  }

  const start = (): void => {
    inspect(disk, auditor, false)
    if (Math.abs(wall.offset) > BOOT_MS) wall.offset = 0 // a machine sets its clock when it boots
    if (wall.offset !== 0) auditor.outs.doubt()
    life = makeLife(timeline, random, wall, () => over('crashed'))
    void boot(life, configured())
  }

  const stop = (ended?: () => void): void => {
    if (running === undefined || stopping) { timeline.after(1000, () => stop(ended)); return }
    const { life: mine, bridge, store } = running
    stopping = true
    note('process: told to stop')
    timeline.after(DRAIN_MS + STOP_SPARE_MS, () => {
      if (mine.alive && life === mine) auditor.violation('I5', 'it does not stop')
    })
    bridge.stop().then(() => store.close()).then(() => {
      if (!mine.alive) return
      if (mine.timers > 0) auditor.violation('I4', `${mine.timers} timers are left after a stop`)
      mine.end()
      over('stopped', ended === undefined)
      ended?.()
    }, (error: unknown) => {
      if (mine.alive) auditor.violation('bug', `stop: ${String(error)}`)
      if (mine.alive) kill('it does not stop well')
    })
  }

  return {
    get up () { return running !== undefined },
    get timers () { return life?.timers ?? 0 },
    start, kill,
    doom (crossings) {
      weather.happened('crash')
      life?.doom(crossings)
    },
    stop,
    calm: () => life?.doom(Infinity)
  }
}
