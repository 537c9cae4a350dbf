/**
 * Whether the homeserver may have lost events that we never saw: from the start, after it could not be reached, and when its
 * transaction ids begin anew or it brings one again, because it may have stopped in between (Synapse then drops what waits in its
 * memory, synapse#11637). While there is such a gap nothing new is taken, so that all keeps its order; what is refused comes again.
 */
import { sleep, type Clock } from '../../../lib/clock'
import { Unavailable } from '../../../model/errors'

export interface Gap {
  /** Something may have been missed. */
  suspect (): void
  /** Whether that is so now. */
  now (): boolean
  caughtUp (): void
  /** What this id shows: that the homeserver was started anew since the last one, or that it brings the last one again. */
  turn (transactionId: string): 'next' | 'again' | 'anew'
  /** Resolves at once if nothing was missed, else when it has been caught up. Throws Unavailable if that takes long. */
  wait (): Promise<void>
}

export const WAIT_MS = 10_000 // the homeserver gives up after 60 s, and tries again in any case

/** When `stopping` fires nobody waits any longer. */
export const makeGap = (clock: Clock, stopping: AbortSignal): Gap => {
  let gate: PromiseWithResolvers<void> | undefined = Promise.withResolvers<void>()
  let lastId = 0
  return {
    now: () => gate !== undefined,
    suspect () { gate ??= Promise.withResolvers<void>() },
    caughtUp () { gate?.resolve(); gate = undefined },
    turn (transactionId) {
      if (!/^\d{1,15}$/.test(transactionId)) return 'next'
      const before = lastId
      lastId = Number(transactionId)
      return lastId < before ? 'anew' : lastId === before ? 'again' : 'next'
    },
    async wait () {
      if (gate === undefined) return
      const over = new AbortController()
      await Promise.race([gate.promise, sleep(clock, WAIT_MS, over.signal, stopping)])
      over.abort()
      if (gate !== undefined) throw new Unavailable('catching up first with what was missed')
    }
  }
}
