/**
 * The door to the inbox. Promises: arrivals are offered in the order in which they were read; one that cannot be stored now is
 * kept, with those behind it, and offered again with backoff until it is stored. Meanwhile reading goes on, because only by it
 * are deliveries confirmed and a full queue drained; at ACCEPTS_OPEN_MAX kept or under way (and the rest of one read) it pauses.
 */
import { backoffMs } from '../../lib/backoff'
import type { Timer } from '../../lib/clock'
import { messageOf } from '../../model/errors'
import type { Arrival } from '../../model/message'
import type { World } from '../../model/network'

export const ACCEPTS_OPEN_MAX = 1_024
const RETRY_FIRST_MS = 100
const RETRY_MOST_MS = 30_000

interface Entry { arrival: Arrival, number: number, stored: (() => void) | undefined }

export interface Intake {
  /** Calls `stored` when it is on disk. Never throws. */
  offer (arrival: Arrival, stored?: () => void): void
  stop (): void
}

export const makeIntake = (
  accept: (arrival: Arrival) => Promise<unknown>, reading: { pause (): void, resume (): void }, { clock, chance, log }: World
): Intake => {
  let open = 0
  let offered = 0
  let paused = false
  let kept: Entry[] = [] // what could not be stored, and what was read after that
  let failing = false
  let probe: Entry | undefined
  let attempt = 0
  let timer: Timer | undefined
  let stopped = false

  const setPaused = (now: boolean): void => {
    if (now === paused) return
    paused = now
    if (now) reading.pause()
    else reading.resume()
  }

  const settled = (): void => {
    open--
    if (failing) {
      if (open === 0 && !stopped) timer = clock.after(backoffMs(chance, ++attempt, RETRY_FIRST_MS, RETRY_MOST_MS), retry)
    } else if (open <= ACCEPTS_OPEN_MAX / 2) setPaused(false)
  }

  const keep = (entry: Entry): void => {
    if (kept.push(entry) >= ACCEPTS_OPEN_MAX) setPaused(true)
  }

  /** While failing, only one is under way, so that the order holds when storing works again. */
  const give = (entry: Entry): void => {
    if (++open >= ACCEPTS_OPEN_MAX) setPaused(true)
    accept(entry.arrival).then(() => {
      if (entry === probe) recovered()
      settled()
      entry.stored?.()
    }, error => {
      if (!failing) log.error({ why: messageOf(error), open }, 'arrival cannot be stored yet')
      failing = true
      keep(entry)
      settled()
    })
  }

  const recovered = (): void => {
    const rest = kept
    kept = []
    failing = false
    attempt = 0
    probe = undefined
    rest.forEach(give)
  }

  const retry = (): void => {
    probe = kept.sort((a, b) => a.number - b.number).shift()
    if (probe !== undefined) give(probe)
  }

  return {
    offer (arrival, stored) {
      if (stopped) return
      const entry = { arrival, number: ++offered, stored }
      if (failing) keep(entry)
      else give(entry)
    },
    stop () { stopped = true; timer?.cancel() }
  }
}
