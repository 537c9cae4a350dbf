/**
 * Runs the worker of encryption. It is started when it is needed first. If it dies, or does not answer in time, it is ended; what was under way
 * fails as Unavailable, and the next call starts it again from what was kept.
 */
import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { messageOf, Unavailable } from '../../../model/errors'
import type { Answered, Asked, CallName, FromWorker, ToWorker } from './calls'
import type { Row } from './indexed-db'

export interface Engine {
  /** Throws Unavailable. */
  call<N extends CallName>(device: string, name: N, ...asked: Asked<N> extends undefined ? [] : [Asked<N>]): Promise<Answered<N>>
  /** Counts the workers that have ended: a device that was opened in one of them has to be opened again. */
  readonly life: number
  stop (): void
}

export interface EngineParts {
  clock: Clock; log: Log
  /** Resolves when all of it is on disk. */
  keep (device: string, changes: Row[]): Promise<void>
}

export type MakeEngine = (parts: EngineParts) => Engine

const CALL_MS_MAX = 30_000
const SAID_CHARS_MAX = 500
const MEMORY_MB_MAX = 512 // of the worker's own objects; the library's memory is beside them

interface Open { resolve (answer: unknown): void; reject (error: Unavailable): void; done (): void }

export const makeEngine: MakeEngine = ({ clock, log, keep }) => {
  const ending = extname(__filename)
  const open = new Map<number, Open>()
  let worker: Worker | undefined
  let life = 0
  let calls = 0
  let stopped = false

  const end = (one: Worker, why: string): void => {
    if (worker !== one) return
    worker = undefined
    life++
    for (const { reject, done } of open.values()) {
      done()
      reject(new Unavailable(`encryption: ${why}`))
    }
    open.clear()
    if (!stopped) log.warn({ why }, 'the worker of encryption has ended; it is started again when it is needed')
    void one.terminate()
  }

  const hear = (one: Worker, message: FromWorker): void => {
    if (worker !== one) return
    if (message.what === 'keep') {
      const { id, device, changes } = message
      keep(device, changes).then(() => one.postMessage({ what: 'kept', id } satisfies ToWorker), (error: unknown) => end(one, messageOf(error)))
      return
    }
    const asked = open.get(message.id)
    open.delete(message.id)
    asked?.done()
    if (message.what === 'answer') asked?.resolve(message.answer)
    else asked?.reject(new Unavailable(`encryption: ${message.why}`))
  }

  const start = (): Worker => {
    const one = new Worker(join(__dirname, `worker${ending}`), {
      ...ending === '.ts' && { execArgv: ['-r', 'ts-node/register'] }, resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB_MAX },
      stdout: true, stderr: true // the library writes there why it dies
    })
    worker = one
    one.unref()
    one.stdout.resume()
    one.stderr.on('data', (said: Buffer) => log.warn({ said: said.toString().slice(0, SAID_CHARS_MAX) }, 'the library of encryption complains'))
    one.on('message', (message: FromWorker) => hear(one, message))
    one.on('error', error => end(one, messageOf(error)))
    one.on('exit', code => end(one, `it exited with ${code}`))
    return one
  }

  return {
    call: (device, name, asked?: unknown) => new Promise((resolve, reject) => {
      if (stopped) return reject(new Unavailable('encryption: stopping'))
      const one = worker ?? start()
      const id = ++calls
      const timer = clock.after(CALL_MS_MAX, () => end(one, `no answer to ${name} within ${CALL_MS_MAX} ms`))
      open.set(id, { resolve: resolve, reject, done: () => timer.cancel() })
      one.postMessage({ what: 'call', id, device, name, asked } satisfies ToWorker)
    }),
    get life () { return life },
    stop () {
      stopped = true
      if (worker) end(worker, 'stopping')
    }
  }
}
