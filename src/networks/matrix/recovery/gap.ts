/**
 * The gap between what was said and what was pushed to us. While it is open, nothing new is taken, so that everything keeps its order. What
 * is refused comes again.
 */
import { sleep, type Clock } from '../../../lib/clock'
import { Unavailable } from '../../../model/errors'

export interface Gap {
  /** Something may have been missed. */
  open (): void
  /** All of that was read. */
  close (): void
  /** Resolves once it is closed. Throws Unavailable if that takes longer than WAIT_MS. */
  closed (): Promise<void>
}

export const WAIT_MS = 10_000 // the homeserver gives up after 60 s, and tries again in any case

/** Open at first. When `stopping` fires, nobody waits any longer. */
export const makeGap = (clock: Clock, stopping: AbortSignal): Gap => {
  let gate: PromiseWithResolvers<void> | undefined = Promise.withResolvers<void>()
  return {
    open () { gate ??= Promise.withResolvers<void>() },
    close () { gate?.resolve(); gate = undefined },
    async closed () {
      if (gate === undefined) return
      const over = new AbortController()
      await Promise.race([gate.promise, sleep(clock, WAIT_MS, over.signal, stopping)])
      over.abort()
      if (gate !== undefined) throw new Unavailable('still catching up with what was missed')
    }
  }
}
