/** Started by postgres-excuse.ts. Tries until it is said that the store is to blame, or somebody else has taken over and has counted already. */
import { workerData } from 'node:worker_threads'
import { sleep, systemClock } from '../lib/clock'
import { EXCUSE } from './outbox-rows'
import type { Excusing } from './postgres-excuse'
import { connect, isPassing, LOCK, LOOKS } from './postgres-lock'

const AGAIN_MS = 100

/** The lock is still ours, or nobody has it. */
const IS_OURS = `SELECT EXISTS (SELECT FROM pg_locks
  WHERE locktype = 'advisory' AND classid = 0 AND objid = CAST($1 AS oid) AND objsubid = 1 AND granted AND pid = $2)
  OR pg_try_advisory_lock(CAST($1 AS BIGINT)) AS ours`

const say = async ({ url, holder }: Excusing): Promise<void> => {
  const { client, socket } = await connect(url, LOOKS)
  try {
    const { rows: [found] } = await client.query<{ ours: number }>(IS_OURS, [LOCK, holder])
    if (found?.ours === 1) await client.query(EXCUSE)
  } finally { socket.destroy() }
}

const excuse = async (given: Excusing): Promise<void> => {
  for (;;) {
    try { return await say(given) } catch (error) {
      if (!isPassing(error)) throw error
      await sleep(systemClock, AGAIN_MS) // until our time is over
    }
  }
}

const given = workerData as Excusing
void excuse(given).finally(() => {
  Atomics.store(given.done, 0, 1)
  Atomics.notify(given.done, 0)
})
