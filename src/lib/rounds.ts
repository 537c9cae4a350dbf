/**
 * Rounds of work on many things, such as rooms. A round is made whenever it is asked for: one at a time for each thing, `atOnce` over all, and
 * again with backoff if it fails. A round that is asked for while one is under way makes that one outdated, and follows it.
 */
import { backoffMs } from './backoff'
import type { Chance } from './chance'
import type { Clock, Timer } from './clock'

export interface Rounds {
  ask (key: string): void
  stop (): void
}

export interface RoundsParts {
  clock: Clock; chance: Chance; atOnce: number; firstMs: number; mostMs: number
  failed (key: string, error: unknown, attempt: number): void
}

interface Asked { attempt: number; timer?: Timer; busy: boolean; again: boolean }

/** `isOutdated`: the round may end early, because another one follows or we stop. */
export const makeRounds = ({ clock, chance, atOnce, firstMs, mostMs, failed }: RoundsParts,
  round: (key: string, isOutdated: () => boolean) => Promise<void>): Rounds => {
  const all = new Map<string, Asked>()
  const waiting = new Map<string, Asked>()
  let busy = 0
  let stopped = false

  const run = async (key: string, asked: Asked): Promise<void> => {
    try {
      await round(key, () => stopped || asked.again)
      asked.attempt = 0
      if (!asked.again) all.delete(key)
    } catch (error) {
      failed(key, error, ++asked.attempt)
    }
    asked.busy = false
    busy--
    if (stopped) return
    if (asked.attempt > 0) asked.timer = clock.after(backoffMs(chance, asked.attempt, firstMs, mostMs), () => ready(key, asked))
    else if (asked.again) ready(key, asked)
    next()
  }

  const next = (): void => {
    for (const [key, asked] of waiting) {
      if (stopped || busy >= atOnce) return
      waiting.delete(key)
      asked.busy = true
      asked.again = false
      busy++
      void run(key, asked)
    }
  }

  const ready = (key: string, asked: Asked): void => {
    waiting.set(key, asked)
    next()
  }

  return {
    ask (key) {
      const asked = all.get(key) ?? { attempt: 0, busy: false, again: false }
      all.set(key, asked)
      asked.timer?.cancel()
      asked.attempt = 0
      if (asked.busy) asked.again = true
      else ready(key, asked)
    },
    stop () {
      stopped = true
      for (const { timer } of all.values()) timer?.cancel()
    }
  }
}
