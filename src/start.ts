/** `zentrale start`: the process from start to end. Every way out has an exit code (docs/operating.md). */
import type { Config } from './config/config'
import { systemChance } from './lib/chance'
import { deadline, systemClock } from './lib/clock'
import { type Log, makeLog } from './lib/log'
import { messageOf } from './model/errors'
import { assemble } from './zentrale'

/** sysexits.h where it has a word for it. */
export const EXIT = { ok: 0, failed: 1, usage: 64, bug: 70, cannotStart: 71, config: 78 } as const

/** How long after the drain the last pieces may take before the process ends anyway. */
const STOP_SPARE_MS = 10_000

/** Ends the process by the first of: a signal (in peace), a second signal (at once), a bug. Never resolves before. */
export const start = async (config: Config): Promise<never> => {
  const log = makeLog(config.logLevel)
  const bug = (error: unknown): never => {
    log.error({ error }, 'stopping: this should not happen, and going on could lose something')
    process.exit(EXIT.bug)
  }
  process.on('uncaughtException', bug)
  process.on('unhandledRejection', bug)
  process.stderr.on('error', () => {}) // who does not read the log any more stops nothing
  for (const signal of ['SIGHUP', 'SIGUSR2'] as const) {
    process.on(signal, () => log.info({ signal }, 'nothing is read anew while Zentrale runs; restart it after a change of the config'))
  }
  const signalled = new Promise<NodeJS.Signals>(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal))
  })
  const zentrale = await starting(config, log, bug)
  log.info({ places: zentrale.bridge.places().length, mirrors: config.mirrors.length, pid: process.pid }, 'started')
  log.info({ signal: await signalled }, 'stopping')
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(EXIT.failed))
  const { signal } = deadline(systemClock, config.limits.drainMs + STOP_SPARE_MS)
  signal.addEventListener('abort', () => {
    log.warn({}, 'stopped without waiting any longer; what is not sent is in the store')
    process.exit(EXIT.ok)
  })
  await zentrale.stop()
  log.info({}, 'stopped')
  process.exit(EXIT.ok)
}

/** What keeps it from starting is said in one line, and the process ends. */
const starting = async (config: Config, log: Log, bug: (error: unknown) => never) => {
  try {
    const zentrale = await assemble(config, { clock: systemClock, chance: systemChance, log, bug })
    await zentrale.start()
    return zentrale
  } catch (error) {
    log.error({ error: messageOf(error) }, 'cannot start')
    process.exit(EXIT.cannotStart)
  }
}
