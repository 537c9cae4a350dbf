/**
 * Whether the homeserver is there. Every call that gets through says yes; the first that does not says no and starts asking
 * who it is (CS API §Current account information, so that a token that is not known also counts as down) until it answers again.
 * Each time it is found, `found` runs.
 */
import { backoffMs } from '../../lib/backoff'
import type { Chance } from '../../lib/chance'
import type { Clock, Timer } from '../../lib/clock'

const FIRST_MS = 1000
const MOST_MS = 30_000

export interface Link {
  reached (): void
  lost (why: string): void
  /** Asks now unless it is known to be up; once at start, and whenever there is a sign of life. */
  ask (): void
  stop (): void
}

export interface LinkOptions {
  clock: Clock
  chance: Chance
  probe: () => Promise<unknown>
  changed: (up: boolean, detail?: string) => void
  found: () => void
}

export const makeLink = ({ clock, chance, probe, changed, found }: LinkOptions): Link => {
  let state: 'unknown' | 'up' | 'down' = 'unknown'
  let attempt = 0
  let asking = false
  let timer: Timer | undefined
  let stopped = false

  const reached = (): void => {
    if (state === 'up' || stopped) return
    state = 'up'
    attempt = 0
    timer?.cancel()
    changed(true)
    found()
  }

  const again = (): void => {
    timer?.cancel()
    if (!stopped && state !== 'up') timer = clock.after(backoffMs(chance, ++attempt, FIRST_MS, MOST_MS), ask)
  }

  const ask = (): void => {
    if (asking || stopped || state === 'up') return
    asking = true
    timer?.cancel()
    probe().then(reached, again).finally(() => { asking = false })
  }

  return {
    reached,
    lost (why) {
      if (stopped || state === 'down') return
      state = 'down'
      changed(false, why)
      if (!asking) again()
    },
    ask,
    stop () { stopped = true; timer?.cancel() }
  }
}
