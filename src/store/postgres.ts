/**
 * The store in PostgreSQL. One session does everything, and holds the lock (postgres-lock.ts): whoever loses it can commit nothing any more.
 * A job costs as many round trips as it asks questions (postgres-session.ts) whose answers were not had ahead (ahead.ts), and a commit one. store.ts
 * says what is promised.
 */
import type { Clock } from '../lib/clock'
import { makeAhead } from './ahead'
import { makeJobs } from './jobs'
import { connect, LOOKS, takeLock, type Wait, watch } from './postgres-lock'
import { makeSession } from './postgres-session'
import type { About, Store } from './store'
import { makeTally } from './tally-tx'
import { makeTx } from './tx'

/** `sealKey`: seals the logbook. `wait`: until this process is the active one; without it, another active one is an error. */
export interface PostgresOptions { sealKey?: string; wait?: Wait }

/** `failed`: see Store; the process must stop, also when the session is lost. */
export const openPostgres = async (
  url: string, clock: Clock, failed: (error: unknown) => void, { sealKey = '', wait }: PostgresOptions = {}
): Promise<Store> => {
  const held = await takeLock(url, clock, wait)
  const { asks, fence, stop } = watch(held, clock, error => { jobs.fail(error) })
  const { sql, ask: _, ...session } = makeSession(held.client, asks)
  const tally = makeTally(sql)
  const ahead = makeAhead(sql)
  const begin = async (about: About[]): Promise<void> => {
    await session.begin()
    await ahead.look(about)
  }
  const jobs = makeJobs({ tx: makeTx(sql, sealKey, tally, ahead), tally, ...session, begin }, clock, error => {
    held.socket.destroy()
    failed(error)
  })

  return {
    run: jobs.run,
    fence,
    commits: jobs.commits,
    async compact () {
      const beside = await connect(url, LOOKS) // it may take longer than an answer of the session may
      try {
        await beside.client.query('VACUUM')
        return 'What was deleted may be in the log of PostgreSQL, and in copies of the database, until they are gone.'
      } finally { beside.socket.destroy() }
    },
    copyTo: () => Promise.reject(new Error('a store in PostgreSQL is copied by pg_dump')),
    async close () {
      await jobs.close()
      await held.client.end().catch(() => { /* it is gone already */ })
      stop()
    }
  }
}
