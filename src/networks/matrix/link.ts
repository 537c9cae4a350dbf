/**
 * Whether the homeserver is there and knows us. Only one question proves it: who are we (CS API §Current account information)? Another call
 * that succeeds proves nothing, because many need no token. Any call may report that the homeserver is lost. Then we ask, at growing
 * intervals, until it answers. Each time it does, `found` runs.
 */
import { backoffMs } from '../../lib/backoff'
import type { Chance } from '../../lib/chance'
import type { Clock, Timer } from '../../lib/clock'
import { messageOf, Unavailable } from '../../model/errors'

const FIRST_MS = 1000
const MOST_MS = 30_000
/** A homeserver that is lost sooner was not really there: the intervals keep growing. */
const STEADY_MS = 10_000

export interface Link {
  lost (why: string): void
  /** Asks now, unless the homeserver is known to be up. Called at the start, and at every sign of life. */
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
      if (!(error instanceof Unavailable && error.disconnected)) lost(messageOf(error)) // else the call itself has reported it
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
