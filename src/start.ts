/** `zentrale start`: the process from start to end. Every way out has an exit code (docs/operating.md). */
import type { Config } from './config/config'
import { systemChance } from './lib/chance'
import { deadline, systemClock } from './lib/clock'
import { makeLog } from './lib/log'
import { messageOf } from './model/errors'
import { assemble, type Machine } from './zentrale'

/** As in sysexits.h, where it has a code. */
export const EXIT = { ok: 0, failed: 1, usage: 64, bug: 70, cannotStart: 71, config: 78 } as const

/** How long stopping may take after the drain, before the process ends anyway. */
const STOP_SPARE_MS = 10_000

/** Runs until a signal (stops properly), a second signal (ends at once) or a bug. Never resolves. */
export const start = async (config: Config, version: string): Promise<never> => {
  const log = makeLog(config.logLevel)
  const bug = (error: unknown): never => {
    log.error({ error }, 'stopping: this should not happen, and going on could lose something')
    process.exit(EXIT.bug)
  }
  process.on('uncaughtException', bug)
  process.on('unhandledRejection', bug)
  process.stderr.on('error', () => {}) // a log that nobody reads any more stops nothing
  for (const signal of ['SIGHUP', 'SIGUSR2'] as const) {
    process.on(signal, () => log.info({ signal }, 'the config is read only at the start; restart Zentrale after a change'))
  }
  const signalled = new Promise<NodeJS.Signals>(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal))
  })
  const zentrale = await starting(config, { log, version, bug })
  log.info({ places: zentrale.bridge.places().length, mirrors: config.mirrors.length, pid: process.pid }, 'started')
  log.info({ signal: await signalled }, 'stopping')
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

/** If it cannot start, logs the reason in one line and ends the process. */
const starting = async (config: Config, machine: Pick<Machine, 'log' | 'version' | 'bug'>) => {
  try {
    const zentrale = await assemble(config, { clock: systemClock, chance: systemChance, ...machine })
    await zentrale.start()
    return zentrale
  } catch (error) {
    machine.log.error({ error: messageOf(error) }, 'cannot start')
    process.exit(EXIT.cannotStart)
  }
}
