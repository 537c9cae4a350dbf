/**
 * Whether the homeserver may have lost events that we never saw: from the start, after it could not be reached, and when its
 * transaction ids begin anew (Synapse drops what waits in its memory when it stops, synapse#11637). While we are behind nothing
 * new is taken, so that the newest stored event stays the point to catch up from; what is refused comes again.
 */
import { sleep, type Clock } from '../../lib/clock'
import { Unavailable } from '../../model/errors'

export interface Behind {
  /** Something may have been missed. */
  suspect (): void
  caughtUp (): void
  /** True if this id shows that the homeserver was started anew since the last one. */
  restarted (transactionId: string): boolean
  /** Resolves at once if nothing was missed, else when it has been caught up. Throws Unavailable if that takes long. */
  wait (): Promise<void>
}

const WAIT_MS = 10_000 // the homeserver gives up after 60 s, and tries again in any case

/** When `stopping` fires nobody waits any longer. */
export const makeBehind = (clock: Clock, stopping: AbortSignal): Behind => {
  let gate: PromiseWithResolvers<void> | undefined = Promise.withResolvers<void>()
  let lastId = 0
  return {
    suspect () { gate ??= Promise.withResolvers<void>() },
    caughtUp () { gate?.resolve(); gate = undefined },
    restarted (transactionId) {
      const id = /^\d{1,15}$/.test(transactionId) ? Number(transactionId) : lastId
      const anew = id < lastId
      lastId = id
      return anew
    },
    async wait () {
      const over = new AbortController()
      if (gate !== undefined) await Promise.race([gate.promise, sleep(clock, WAIT_MS, AbortSignal.any([over.signal, stopping]))])
      over.abort()
      if (gate !== undefined) throw new Unavailable('catching up first with what was missed')
    }
  }
}
