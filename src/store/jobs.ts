/**
 * Jobs, one after the other, and those that wait at the same time in one commit; so each engine has only its statements to add. store.ts says
 * what is promised.
 */
import type { Clock, Timer } from '../lib/clock'
import { Unavailable, messageOf } from '../model/errors'
import type { About, Store, Tx } from './store'
import type { ToCount } from './tally'
import type { Tally } from './tally-tx'

/** At most so many jobs share one commit, so that the first does not wait long for the last. */
const COMMIT_JOBS_MAX = 512

/** The parts of a commit. An engine need not wait for the server in any but `end`. */
export interface Engine {
  tx: Tx
  tally: Tally
  /** `about`: what the jobs will ask about, as far as that is known. */
  begin (about: About[]): Promise<void>
  /** `failed`: called when it turns out that the job has failed, also after its end; it is rolled back then. */
  savepoint (failed: (error: unknown) => void): Promise<void>
  rollback (): Promise<void> // of the job under way
  release (): Promise<void>
  /** Commits. `last`: what to write with it; called again if a job has failed meanwhile. */
  end (last: () => Promise<void>): Promise<void>
  /** No job caused this, and no rollback of one job undoes it. */
  isFault (error: unknown): boolean
}

interface Waiting { job: (tx: Tx) => Promise<unknown>; about: About[]; resolve: (value: unknown) => void; reject: (error: unknown) => void }

/** A job that has run, and may still turn out to have failed until the commit is on disk. `counted`: nothing, if it has. */
interface Ended { counted (): ToCount[]; answer (): void }

export interface Jobs extends Pick<Store, 'run' | 'commits'> {
  /** Does it between two commits, because it is no part of any. */
  between<T>(what: () => Promise<T>): Promise<T>
  /** Nothing runs any more; `failed` is called. */
  fail (error: unknown): void
  /** Undefined while jobs are taken. */
  closed (): Error | undefined
  /** Waits for the jobs under way; later ones reject. False: they were closed already. */
  close (): Promise<boolean>
}

export const makeJobs = (engine: Engine, clock: Clock, failed: (error: unknown) => void): Jobs => {
  let waiting: Waiting[] = []
  let firsts = 0 // how many jobs at the front were called with `first`
  let patienceMs = Infinity // the shortest patience of the waiting jobs
  let timer: Timer | undefined
  let running: Promise<void> | undefined
  let committedAt = -Infinity // by clock.tick
  let commits = 0
  let closed: Error | undefined
  const asides: (() => Promise<void>)[] = []

  const runOne = async ({ job, resolve, reject }: Waiting): Promise<Ended> => {
    let failure: { error: unknown } | undefined
    let value: unknown
    await engine.savepoint(error => { failure ??= { error } })
    try {
      value = await job(engine.tx)
    } catch (error) {
      if (engine.isFault(error)) throw error
      await engine.rollback()
      failure = { error }
    }
    const counted = engine.tally.taken()
    await engine.release()
    return {
      counted: () => failure === undefined ? counted : [],
      answer: () => failure === undefined ? resolve(value) : reject(failure.error)
    }
  }

  const commit = async (batch: Waiting[]): Promise<void> => {
    const ended: Ended[] = []
    await engine.begin(batch.flatMap(({ about }) => about))
    for (const one of batch) ended.push(await runOne(one))
    await engine.end(() => engine.tally.write(clock.now(), ended.flatMap(({ counted }) => counted())))
    committedAt = clock.tick()
    commits++
    for (const { answer } of ended) answer()
  }

  const fail = (error: unknown, batch: Waiting[] = []): void => {
    const isFirst = closed === undefined
    closed ??= new Unavailable(`the store failed: ${messageOf(error)}`)
    for (const { reject } of [...batch, ...waiting]) reject(closed)
    waiting = []
    if (isFirst) failed(error)
  }

  const work = async (): Promise<void> => {
    for (const aside of asides.splice(0)) await aside()
    const batch = waiting.splice(0, COMMIT_JOBS_MAX)
    firsts = Math.max(firsts - batch.length, 0)
    if (batch.length === 0) return
    patienceMs = waiting.length > 0 ? 0 : Infinity
    try { await commit(batch) } catch (error) { fail(error, batch) }
  }

  /** One commit per turn of the event loop: jobs that come during it share the next one. */
  const begin = (): void => {
    timer?.cancel()
    timer = undefined
    running ??= new Promise<void>(resolve => clock.soon(() => {
      void work().finally(() => { running = undefined; resolve(); wake() })
    }))
  }

  const wake = (): void => {
    if (closed !== undefined) return
    if (asides.length > 0) return begin() // asked for while jobs ran
    if (waiting.length === 0) return
    const ms = patienceMs === 0 ? 0 : committedAt + patienceMs - clock.tick()
    if (ms <= 0) return begin()
    timer?.cancel()
    timer = clock.after(ms, begin)
  }

  return {
    run: (job, patience = 0, first = false, what) => new Promise((resolve, reject) => {
      if (closed !== undefined) return reject(closed)
      const about = what === undefined ? [] : [what]
      waiting.splice(first ? firsts++ : waiting.length, 0, { job, about, resolve: resolve as (value: unknown) => void, reject })
      if (patience >= patienceMs) return
      patienceMs = patience
      wake()
    }),
    commits: () => commits,
    between: what => new Promise((resolve, reject) => {
      if (closed !== undefined) return reject(closed)
      asides.push(() => what().then(resolve, reject))
      begin()
    }),
    fail,
    closed: () => closed,
    async close () {
      while (running !== undefined || (waiting.length > 0 && closed === undefined)) {
        begin()
        await running
      }
      if (closed !== undefined) return false
      closed = new Unavailable('the store is closed')
      return true
    }
  }
}
