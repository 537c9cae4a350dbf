/**
 * Limits how fast we submit: at most `window` unanswered at once, at most `perSecond` per second, and slower for a while after the gateway
 * throttled us. First come, first served.
 */
import type { Clock, Timer } from '../../../lib/clock'
import { Unavailable } from '../../../model/errors'

const WAITING_MAX = 10_000 // submits waiting for their turn
const BURST_MS = 20 // a timer may be so late, and the lost time is caught up
const THROTTLE_GAP_FIRST_MS = 100
const THROTTLE_GAP_MAX_MS = 30_000
const RECOVERY = 0.7 // the gap shrinks by this with each success

export interface Pace {
  /** Resolves when it is our turn; then `leave` must follow. Rejects with Unavailable if the signal fires first, or too many wait. */
  enter (signal: AbortSignal): Promise<void>
  leave (): void
  /** The gateway throttled us. Returns how long nothing will be sent, in ms. */
  slower (): number
  faster (): void
}

export const makePace = (clock: Clock, window: number, perSecond?: number): Pace => {
  const baseGapMs = perSecond === undefined ? 0 : 1000 / perSecond
  const waiting = new Set<() => void>()
  let gapMs = baseGapMs
  let nextAt = 0
  let inside = 0
  let timer: Timer | undefined

  const pump = (): void => {
    for (const go of waiting) {
      if (inside >= window || timer) return
      const now = clock.tick()
      if (nextAt > now) {
        timer = clock.after(nextAt - now, () => { timer = undefined; pump() })
        return
      }
      nextAt = Math.max(nextAt, now - BURST_MS) + gapMs
      inside++
      waiting.delete(go)
      go()
    }
  }

  return {
    enter: signal => new Promise((resolve, reject) => {
      if (signal.aborted) return reject(new Unavailable('gave up before it was sent'))
      if (waiting.size >= WAITING_MAX) return reject(new Unavailable('too many SMS wait for this gateway'))
      const go = (): void => { signal.removeEventListener('abort', abort); resolve() }
      const abort = (): void => { waiting.delete(go); reject(new Unavailable('gave up before it was sent')) }
      signal.addEventListener('abort', abort, { once: true })
      waiting.add(go)
      pump()
    }),
    leave: () => { inside--; pump() },
    slower: () => {
      gapMs = Math.min(Math.max(gapMs * 2, THROTTLE_GAP_FIRST_MS), THROTTLE_GAP_MAX_MS)
      nextAt = clock.tick() + gapMs
      return Math.ceil(gapMs)
    },
    faster: () => { gapMs = gapMs * RECOVERY > Math.max(baseGapMs, 1) ? gapMs * RECOVERY : baseGapMs }
  }
}
