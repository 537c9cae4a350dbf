/**
 * Simulated time. Future events wait here and happen one after the other. Between two events, everything that was set in motion comes to
 * rest. So nothing depends on the speed of the machine.
 */
import type { Timer } from '../../src/lib/clock'

interface Event { at: number; number: number; run: (() => void) | undefined }

export interface Timeline {
  readonly ms: number // since the beginning; never decreases
  readonly pending: number // events to come
  after (ms: number, run: () => void): Timer
  /** Lets the next event happen. False if there is none. */
  next (): Promise<boolean>
}

const sooner = (one: Event, other: Event): boolean => one.at < other.at || (one.at === other.at && one.number < other.number)

/** A binary heap, soonest first. */
const push = (heap: Event[], event: Event): void => {
  let at = heap.push(event) - 1
  while (at > 0) {
    const above = (at - 1) >> 1
    if (!sooner(event, heap[above]!)) break
    heap[at] = heap[above]!
    at = above
  }
  heap[at] = event
}

const pop = (heap: Event[]): Event | undefined => {
  const [first] = heap
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return first
  let at = 0
  for (let below = 1; below < heap.length; below = 2 * at + 1) {
    if (below + 1 < heap.length && sooner(heap[below + 1]!, heap[below]!)) below++
    if (!sooner(heap[below]!, last)) break
    heap[at] = heap[below]!
    at = below
  }
  heap[at] = last
  return first
}

/** Promises come to rest within one turn of the event loop, if nothing waits for the machine. */
export const nextTurn = (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })

/** `atRest`: resolves when nothing moves any more. */
export const makeTimeline = (atRest: () => Promise<void>): Timeline => {
  const heap: Event[] = []
  let ms = 0
  let numbers = 0
  let pending = 0
  return {
    get ms () { return ms },
    get pending () { return pending },
    after (wait, run) {
      const event: Event = { at: ms + Math.max(wait, 0), number: ++numbers, run }
      push(heap, event)
      pending++
      return {
        cancel () {
          if (event.run === undefined) return
          event.run = undefined
          pending--
        }
      }
    },
    async next () {
      let event = pop(heap)
      while (event !== undefined && event.run === undefined) event = pop(heap)
      if (event?.run === undefined) return false
      const { run } = event
      event.run = undefined
      pending--
      ms = event.at
      run()
      await atRest()
      return true
    }
  }
}
