/**
 * V8 keeps the memory that it took for loading modules, for a start and for bursts: the young generation alone 32 MiB. Once little happens, it is
 * asked to give it back. That takes a pause, of a fifth of a second where there are few mirrors, so it must be worth it.
 */
import type { Clock } from './clock'

const LOOK_MS = 10_000
const BUSY_SHARE = 0.05 // of one processor
const WORTH_BYTES = 16 * 2 ** 20

/** `collect`: frees what nobody uses, and the room for more. */
export interface Heap { bytes (): number; collect (): void }

/** `processorMs`: used by this process so far. Goes on for as long as the process lives. */
export const giveBack = (clock: Clock, processorMs: () => number, heap: Heap): void => {
  let kept = 0 // after the last time
  let before = processorMs()

  const look = (): void => {
    const isBusy = processorMs() - before > BUSY_SHARE * LOOK_MS
    if (!isBusy && heap.bytes() > kept + WORTH_BYTES) {
      heap.collect()
      kept = heap.bytes()
    }
    before = processorMs()
    clock.after(LOOK_MS, look)
  }
  clock.after(LOOK_MS, look)
}

/** Undefined unless Node was started with `--expose-gc`. */
export const ownHeap = (): Heap | undefined => {
  const { gc } = globalThis
  return gc && { bytes: () => process.memoryUsage().heapTotal, collect () { gc({ type: 'major', execution: 'sync', flavor: 'last-resort' }) } }
}

export const ownProcessorMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
