/** How much may be done for others in a minute: for all, and first for each of the names under which somebody is known. */
import type { Clock } from './clock'

const MINUTE_MS = 60_000

export interface Allowance {
  /** True, and counted, if it is still allowed. `names`: from the narrowest, as many as there are bounds. */
  take (names: string[], amount?: number): boolean
}

/** `each`: for one, in the order of their names. Remembers as many names as something was allowed to in this minute. */
export const makeAllowance = (clock: Clock, all: number, ...each: number[]): Allowance => {
  const used = new Map<string, number>()
  let since = -Infinity

  return {
    take (names, amount = 1) {
      if (clock.tick() - since > MINUTE_MS) { since = clock.tick(); used.clear() }
      const bounds = [...each.map((most, i): [string, number] => [`${i} ${names[i] ?? ''}`, most]), ['all', all] as [string, number]]
      if (bounds.some(([name, most]) => (used.get(name) ?? 0) + amount > most)) return false
      for (const [name] of bounds) used.set(name, (used.get(name) ?? 0) + amount)
      return true
    }
  }
}
