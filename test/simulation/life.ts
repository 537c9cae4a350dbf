/**
 * One life of the process, from a start to a crash or a stop. Everything between the process and the world passes a crossing. The life may
 * end at any crossing; then nothing that the old code still does has an effect. What happens between two crossings cannot be seen from
 * outside, so this equals a crash at any await.
 */
import type { Clock } from '../../src/lib/clock'
import type { Random } from './random'
import type { Timeline } from './timeline'

export interface Life {
  readonly alive: boolean
  readonly clock: Clock
  readonly timers: number // timers that it has set and that have not fired
  damaged: boolean // the disk has failed: the process may contradict itself, and must end
  /** False if the process is gone, perhaps just now. */
  cross (): boolean
  /** A call across the border. Its answer comes only if the process is still alive. */
  through<T>(work: () => Promise<T>): Promise<T>
  /** Ends the life after so many crossings. */
  doom (crossings: number): void
  end (): void
}

/** Thrown into synchronous calls of a process that is gone. */
export class Gone extends Error { override name = 'Gone' }

/** The answer that never comes. */
export const never = <T>(): Promise<T> => new Promise<T>(() => {})

/** No answer until whoever asks gives up. */
export const cutOff = <T>(signal: AbortSignal): Promise<T> => new Promise<T>((_resolve, reject) => {
  const give = (): void => { reject(signal.reason as Error) }
  if (signal.aborted) give()
  signal.addEventListener('abort', give)
})

const SOON_MS_MAX = 2

/** `wall`: how far the machine's clock is off, in ms. `fallen`: called when the doom comes. */
export const makeLife = (timeline: Timeline, random: Random, wall: { offset: number, epoch: number }, fallen: () => void): Life => {
  let alive = true
  let timers = 0
  let left: number | undefined
  const bornAt = timeline.ms

  const cross = (): boolean => {
    if (alive && left !== undefined && --left <= 0) {
      alive = false
      fallen()
    }
    return alive
  }

  const clock: Clock = {
    now: () => Math.round(wall.epoch + timeline.ms + wall.offset),
    tick: () => timeline.ms - bornAt + 1000,
    after (ms, run) {
      let waiting = true
      timers++
      const over = (): void => { if (waiting) { waiting = false; timers-- } }
      const timer = timeline.after(Math.max(1, Math.trunc(ms)), () => { over(); if (cross()) run() }) // as setTimeout does
      return { cancel: () => { over(); timer.cancel() } }
    },
    soon: run => { timeline.after(random.between(0, SOON_MS_MAX), () => { if (cross()) run() }) }
  }

  return {
    clock, cross, damaged: false,
    get alive () { return alive },
    get timers () { return timers },
    through: work => new Promise((resolve, reject) => {
      if (!cross()) return
      work().then(value => { if (cross()) resolve(value) }, (error: unknown) => { if (cross()) reject(error) })
    }),
    doom: crossings => { left = crossings },
    end: () => { alive = false }
  }
}
