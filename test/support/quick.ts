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
