/** A clock on which time runs `factor` times as fast, so that limits of minutes can be waited for. */
import { type Clock, systemClock } from '../../src/lib/clock'

export const quickClock = (factor: number): Clock => {
  const began = systemClock.now()
  const tick = systemClock.tick()
  return {
    now: () => began + (systemClock.now() - began) * factor,
    tick: () => (systemClock.tick() - tick) * factor,
    after: (ms, run) => systemClock.after(ms / factor, run),
    soon: systemClock.soon
  }
}

/** A clock that stands still until `advance`, which runs what comes due, in order. */
export const handClock = (): Clock & { advance (ms: number): void } => {
  let time = 0
  const timers = new Set<{ at: number, run: () => void }>()
  return {
    now: () => time, tick: () => time, soon: systemClock.soon,
    after (ms, run) {
      const timer = { at: time + ms, run }
      timers.add(timer)
      return { cancel: () => { timers.delete(timer) } }
    },
    advance (ms) {
      const end = time + ms
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)
        if (next === undefined) break
        timers.delete(next)
        time = Math.max(time, next.at)
        next.run()
      }
      time = end
    }
  }
}

/** A clock on which `skip` lets hours pass at once: what comes due meanwhile runs, in order. */
export const skippingClock = (base: Clock = systemClock): Clock & { skip (ms: number): void, readonly waiting: number } => {
  let skipped = 0
  const timers = new Set<{ at: number, run: () => void }>()
  const tick = (): number => base.tick() + skipped
  return {
    now: () => base.now() + skipped, tick, soon: base.soon,
    get waiting () { return timers.size },
    after (ms, run) {
      const timer = { at: tick() + ms, run: () => { timers.delete(timer); real.cancel(); run() } }
      const real = base.after(ms, () => timer.run())
      timers.add(timer)
      return { cancel: () => { timers.delete(timer); real.cancel() } }
    },
    skip (ms) {
      skipped += ms
      for (const timer of [...timers].filter(({ at }) => at <= tick()).sort((one, other) => one.at - other.at)) if (timers.has(timer)) timer.run()
    }
  }
}
