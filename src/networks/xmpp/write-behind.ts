/**
 * Memory that is written a moment later, with many facts in one commit. A commit for each message would cost as much as storing the message.
 * Readers can do without what a crash loses.
 */
import type { Timer } from '../../lib/clock'
import { messageOf } from '../../model/errors'
import type { World } from '../../model/network'

const SOON_MS = 1_000

/** Or what makes it, when it is written. */
type Value = string | (() => string)

export const made = (value: Value): string => typeof value === 'function' ? value() : value

export interface WriteBehind {
  get (key: string): string | undefined
  set (key: string, value: Value): void
  delete (key: string): Promise<void>
  /** Resolves when all is on disk. */
  stop (): Promise<void>
}

export const makeWriteBehind = ({ memory, clock, log }: Pick<World, 'memory' | 'clock' | 'log'>): WriteBehind => {
  const unwritten = new Map<string, Value>() // of the last SOON_MS
  let timer: Timer | undefined
  let stopped = false

  const write = async (): Promise<void> => {
    timer = undefined
    const all = [...unwritten]
    unwritten.clear()
    await Promise.all(all.map(([key, value]) => memory.set(key, made(value))))
      .catch((error: unknown) => log.warn({ why: messageOf(error) }, 'notes could not be written'))
  }

  return {
    get (key) {
      const value = unwritten.get(key)
      return value === undefined ? memory.get(key) : made(value)
    },
    set (key, value) {
      unwritten.set(key, value)
      if (!stopped) timer ??= clock.after(SOON_MS, () => { void write() }) // after the stop, arrivals are refused and come again
    },
    async delete (key) {
      unwritten.delete(key)
      await memory.delete(key)
    },
    async stop () {
      stopped = true
      timer?.cancel()
      await write()
    }
  }
}
