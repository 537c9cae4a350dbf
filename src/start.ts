/** `zentrale start`: the process from start to end. Every way out has an exit code (docs/operating.md). */
import type { Config } from './config/config'
import { systemChance } from './lib/chance'
import { deadline, systemClock } from './lib/clock'
import { coalesced } from './lib/coalesced'
import { giveBack, ownHeap, ownProcessorMs } from './lib/give-back'
import { makeLog, type RootLog } from './lib/log'
import { messageOf } from './model/errors'
import { unheard } from './settings/probe'
import { assemble, type Machine, type Zentrale } from './zentrale'

/** As in sysexits.h, where it has a code. */
export const EXIT = { ok: 0, failed: 1, usage: 64, bug: 70, cannotStart: 71, config: 78 } as const

/** How long stopping may take after the drain, before the process ends anyway. */
const STOP_SPARE_MS = 10_000

/** Runs until a signal (stops properly), a second signal (ends at once) or a bug. `read`: reads the config, again at each SIGHUP. Never resolves. */
export const start = async (read: () => Config, version: string): Promise<never> => {
  let config = read()
  const log = makeLog(config.logLevel)
  const bug = (error: unknown): never => {
    log.error({ error }, 'stopping: this should not happen, and going on could lose something')
    process.exit(EXIT.bug)
  }
  process.on('uncaughtException', bug)
  process.on('unhandledRejection', bug)
  process.stderr.on('error', () => {}) // a log that nobody reads any more stops nothing
  process.on('SIGUSR2', signal => log.info({ signal }, 'this signal means nothing here; SIGHUP reads the config anew'))
  const signalled = new Promise<NodeJS.Signals>(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal))
  })
  const stopping = new AbortController()
  void signalled.then(signal => stopping.abort(new Error(signal)))
  let standsBy = false
  const standing = {
    begin () { standsBy = true },
    now: () => config,
    over () {
      standsBy = false
      config = read()
      log.turnTo(config.logLevel)
      return config
    }
  }
  const toStart = starting(standing.now, { log, version, bug, stopped: stopping.signal, standing })
  const reload = coalesced(async () => {
    if (standsBy) {
      config = read()
      return log.info({}, 'the config can be used, and is in force once this Zentrale is active')
    }
    await reloading(read, await toStart, log)
  }, error => log.error({ why: messageOf(error) }, 'the config is refused, and nothing is changed'))
  process.on('SIGHUP', reload)
  const zentrale = await toStart
  const heap = ownHeap()
  if (heap !== undefined) giveBack(systemClock, ownProcessorMs, heap)
  log.info({ places: zentrale.bridge.places().length, mirrors: config.mirrors.length, pid: process.pid }, 'started')
  log.info({ signal: await signalled }, 'stopping')
  process.off('SIGHUP', reload).on('SIGHUP', () => {})
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(EXIT.failed))
  const { signal } = deadline(systemClock, config.limits.drainMs + STOP_SPARE_MS)
  signal.addEventListener('abort', () => {
    log.warn({}, 'stopped without waiting any longer; unsent messages are in the store')
    process.exit(EXIT.ok)
  })
  await zentrale.stop()
  log.info({}, 'stopped')
  process.exit(EXIT.ok)
}

const reloading = async (read: () => Config, zentrale: Zentrale, log: RootLog): Promise<void> => {
  const config = read()
  const waiting = await zentrale.reload(config)
  log.turnTo(config.logLevel)
  if (waiting.length === 0) log.info({ addresses: config.addresses.length }, 'the config is in force')
  else log.warn({ waiting }, 'the config is in force, except for what needs a restart')
}

/** If it cannot start, logs the reason in one line and ends the process. */
const starting = async (config: () => Config, machine: Pick<Machine, 'log' | 'version' | 'bug' | 'standing'> & { stopped: AbortSignal }) => {
  try {
    const zentrale = await assemble(config(), { clock: systemClock, chance: systemChance, ...machine })
    await zentrale.start()
    return zentrale
  } catch (error) {
    if (error === machine.stopped.reason) {
      machine.log.info({ signal: messageOf(error) }, 'stopped')
      process.exit(EXIT.ok)
    }
    machine.log.error({ error: unheard(error, config().listens) ?? messageOf(error) }, 'cannot start')
    process.exit(EXIT.cannotStart)
  }
}
