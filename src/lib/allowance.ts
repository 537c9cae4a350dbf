/** Limits what is done for others in a minute: for each of the names by which somebody is known, and for all together. */
import type { Clock } from './clock'

const MINUTE_MS = 60_000

export interface Allowance {
  /** Whether `amount` is still allowed; if so, it is counted. `names`: one for each bound, narrowest first. */
  take (names: string[], amount?: number): boolean
}

/** `each`: the bounds for one name, in the order of `names`. Only names that were allowed something in this minute are remembered. */
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
