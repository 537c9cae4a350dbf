/** What need not happen again for a while, such as telling somebody the same. Of at most KEPT_MAX things is known when they happened. */
import type { Clock } from './clock'

const KEPT_MAX = 10_000

/** Whether this has not happened for so long; then it counts as happening now. */
export type Sometimes = (what: string, forMs: number) => boolean

export const makeSometimes = (clock: Pick<Clock, 'tick'>): Sometimes => {
  const last = new Map<string, number>()
  return (what, forMs) => {
    const isTime = clock.tick() - (last.get(what) ?? -Infinity) > forMs
    if (isTime && last.size >= KEPT_MAX) last.clear()
    if (isTime) last.set(what, clock.tick())
    return isTime
  }
}
