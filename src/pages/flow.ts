/** How much flows: by network for each minute of the last hour and since the start, counted as /metrics counts. */
import type { Observer } from '../bridge/observer'
import type { Clock } from '../lib/clock'
import type { NetworkName } from '../model/address'

export const MINUTES = 60
const MINUTE_MS = 60_000

/** `minutes`: of the last hour, the present one last. */
export interface Way { total: number; minutes: number[] }
export interface NetworkFlow { in: Way; out: Way }

export interface Flow {
  of (network: NetworkName): NetworkFlow
  /** Grows with all that the pages show and the store does not know. */
  seen (): number
}

interface Counter { total: number; byMinute: Map<number, number> }

/** Tells `observer` everything, and counts it. */
export const watched = (observer: Observer, clock: Clock): { flow: Flow, observer: Observer } => {
  const counters = new Map<string, Counter>() // two for each network
  let seen = 0
  const minuteNow = (): number => Math.floor(clock.now() / MINUTE_MS)
  const counterOf = (key: string): Counter => {
    const found = counters.get(key) ?? { total: 0, byMinute: new Map<number, number>() }
    counters.set(key, found)
    return found
  }

  const count = (key: string): void => {
    const { byMinute, ...counter } = counterOf(key)
    const now = minuteNow()
    if (!byMinute.has(now)) for (const minute of byMinute.keys()) if (Math.abs(now - minute) >= MINUTES) byMinute.delete(minute)
    byMinute.set(now, (byMinute.get(now) ?? 0) + 1)
    counters.set(key, { total: counter.total + 1, byMinute })
    seen++
  }

  const wayOf = (key: string): Way => {
    const { total, byMinute } = counterOf(key)
    const now = minuteNow()
    return { total, minutes: Array.from({ length: MINUTES }, (_, index) => byMinute.get(now - MINUTES + 1 + index) ?? 0) }
  }

  return {
    flow: {
      of: network => ({ in: wayOf(`${network} in`), out: wayOf(`${network} out`) }),
      seen: () => seen
    },
    observer: {
      ...observer,
      accepted (network, outcome) {
        if (outcome === 'stored') count(`${network} in`)
        observer.accepted(network, outcome)
      },
      settled (network, outcome, latencyMs, parts) {
        if (outcome === 'done') count(`${network} out`)
        observer.settled(network, outcome, latencyMs, parts)
      },
      connection (network, name, up, detail, ready) {
        seen++
        observer.connection(network, name, up, detail, ready)
      }
    }
  }
}
