/**
 * When the session is lost, only another one can say so in the database. A thread makes it while everything else of this process stands still:
 * whoever takes over meanwhile is the only one who speaks.
 */
import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type Held, isPassing } from './postgres-lock'

/** So long may it take. A server that is started again is back by then. */
const EXCUSE_MS = 8_000

/** What the thread is given. `holder`: our session. `done`: is told when there is nothing more to wait for. */
export interface Excusing { url: string; holder: unknown; done: Int32Array }

/** See Failed. */
export const excuse = (url: string, { client }: Held, error: unknown): void => {
  if (!isPassing(error)) return
  client.query('ROLLBACK').catch(() => { /* the session is lost */ }) // else it holds what it was writing
  const ending = extname(__filename)
  const done = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const worker = new Worker(join(__dirname, `postgres-excuse-worker${ending}`), {
    ...ending === '.ts' && { execArgv: ['-r', 'ts-node/register'] },
    workerData: { url, holder: Reflect.get(client, 'processID'), done } satisfies Excusing
  })
  worker.on('error', () => { /* then it counts as a crash */ })
  Atomics.wait(done, 0, 0, EXCUSE_MS)
  void worker.terminate()
}
