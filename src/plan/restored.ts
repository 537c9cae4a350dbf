/**
 * A store that was put back from a copy does not know what Zentrale has done since the copy was made. So nothing of that time is done by itself:
 * what waited is set aside for the operator, and what was said before Zentrale stopped is carried already.
 */
import type { Tx } from '../store/store'

/** The memory that holds it. */
export const RESTORED = 'restored'
const CARRIED_BEFORE = 'carried before'
const REASON = 'it waited when the copy of the store was made, and may have gone out since'

/** `stoppedAt` (ms since 1970): when Zentrale stopped that had the store. `sends`: what waited is sent. */
export interface PutBack { stoppedAt: number; sends: boolean }

/** Returns how many deliveries were set aside. */
export const putBack = async (tx: Tx, { stoppedAt, sends }: PutBack, now: number): Promise<number> => {
  await tx.remember(RESTORED, CARRIED_BEFORE, String(stoppedAt))
  await tx.skipConversations() // their numbers name rooms that are there
  return sends ? 0 : await tx.setAside(REASON, now)
}

export const carriedBefore = (remembered: [string, string][]): number => Number(new Map(remembered).get(CARRIED_BEFORE) ?? -Infinity)
