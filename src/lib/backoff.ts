import type { Chance } from './chance'

/** How long to wait before try `attempt` + 1: doubles from `firstMs` up to `mostMs`, spread by ±20 % so that tries do not coincide. */
export const backoffMs = (chance: Chance, attempt: number, firstMs: number, mostMs: number): number => {
  const base = Math.min(firstMs * 2 ** Math.min(Math.max(attempt - 1, 0), 30), mostMs)
  return Math.min(Math.round(base * (0.8 + 0.4 * chance.fraction())), mostMs)
}
