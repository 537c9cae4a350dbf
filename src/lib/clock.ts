/** The only source of time and timers, so that tests can run the whole bridge on another clock. */

export interface Timer { cancel (): void }

export interface Clock {
  now (): number // ms since 1970: for display, and for times that must survive a restart
  tick (): number // ms, monotonic: for durations
  after (ms: number, run: () => void): Timer
  soon (run: () => void): void // after all input that is already there
}

/** The same clock, but `now` ignores jumps of the machine's clock: for ages, not for the time of day. */
export const steady = (clock: Clock): Clock => {
  const began = clock.now() - clock.tick()
  return { ...clock, now: () => Math.round(began + clock.tick()) }
}

const TIMER_MS_MAX = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  tick: () => performance.now(),
  after (ms, run) {
    const timer = setTimeout(run, Math.min(Math.max(ms, 0), TIMER_MS_MAX))
    return { cancel: () => clearTimeout(timer) }
  },
  soon: run => { setImmediate(run) }
}

export const sleep = (clock: Clock, ms: number, ...signals: (AbortSignal | undefined)[]): Promise<void> => new Promise(resolve => {
  if (signals.some(signal => signal?.aborted)) return resolve()
  const done = (): void => {
    timer.cancel()
    for (const signal of signals) signal?.removeEventListener('abort', done)
    resolve()
  }
  const timer = clock.after(ms, done)
  for (const signal of signals) signal?.addEventListener('abort', done)
})

/** A signal that fires after `ms`, or when `parent` fires. Call `done` when it is no longer needed. */
export const deadline = (clock: Clock, ms: number, parent?: AbortSignal): { signal: AbortSignal, done: () => void } => {
  const control = new AbortController()
  const timer = clock.after(ms, () => control.abort(new Error(`no answer within ${ms} ms`)))
  const follow = (): void => { timer.cancel(); control.abort(parent?.reason) }
  if (parent?.aborted) follow()
  parent?.addEventListener('abort', follow)
  return { signal: control.signal, done: () => { timer.cancel(); parent?.removeEventListener('abort', follow) } }
}

/** What the job resolves with; undefined if it takes longer. Then it goes on, and nobody waits for it. */
export const within = <T>(clock: Pick<Clock, 'after'>, job: Promise<T>, ms: number): Promise<T | undefined> => {
  const late = Promise.withResolvers<undefined>()
  const timer = clock.after(ms, () => late.resolve(undefined))
  return Promise.race([job, late.promise]).finally(() => timer.cancel())
}
