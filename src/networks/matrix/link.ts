/**
 * Whether the homeserver is there and knows us. Only one question can say yes: who are we (CS API §Current account information)?
 * That another call got through proves nothing, because many need no token. Any call may say no, and then it is asked until it
 * answers again, each time later. Each time it is found, `found` runs.
 */
import { backoffMs } from '../../lib/backoff'
import type { Chance } from '../../lib/chance'
import type { Clock, Timer } from '../../lib/clock'
import { messageOf, Unavailable } from '../../model/errors'

const FIRST_MS = 1000
const MOST_MS = 30_000
/** Who is lost sooner than that was not really there: the next question comes as late as if it had not answered. */
const STEADY_MS = 10_000

export interface Link {
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
  let upAt = 0 // of clock.tick
  let asking = false
  let timer: Timer | undefined
  let stopped = false

  const reached = (): void => {
    if (state === 'up' || stopped) return
    state = 'up'
    upAt = clock.tick()
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
    probe().then(reached, (error: unknown) => {
      if (!(error instanceof Unavailable && error.disconnected)) lost(messageOf(error)) // else whoever made the call has said so
      again()
    }).finally(() => { asking = false })
  }

  const lost = (why: string): void => {
    if (stopped) return
    const was = state
    state = 'down'
    changed(false, why)
    if (was === 'down') return
    if (was === 'up' && clock.tick() - upAt >= STEADY_MS) attempt = 0
    if (!asking) again()
  }

  return {
    lost,
    ask,
    stop () { stopped = true; timer?.cancel() }
  }
}
