/**
 * Turns at a shared resource: at most `all` at once, and at most `each` of them for one key, so that no key takes all. One key may fill
 * at most half of the queue. Waiters get their turns in order, as soon as one is free for their key.
 */

const WAITING_MAX = 1000

export interface Slots {
  /** Resolves with a function that gives the turn back. Rejects with the signal's reason, or when too many wait. */
  take (key: string, signal: AbortSignal): Promise<() => void>
}

interface Waiter { order: number; start (): void; abort (): void }

/** The server that an address names, however it is spelled; '' if it names none. */
export const serverOf = (address: string): string => URL.canParse(address) ? new URL(address).hostname.toLowerCase().replace(/\.$/, '') : ''

/** `waitingMax`: Infinity only where something else bounds the waiters. */
export const makeSlots = (all: number, each: number, waitingMax = WAITING_MAX): Slots => {
  const used = new Map<string, number>() // only keys with a turn
  const waiting = new Map<string, Set<Waiter>>() // by key, because those of a key without a free turn may be thousands
  const bySignal = new Map<AbortSignal, Set<Waiter>>() // a signal walks through all its listeners for each new one, so it gets one for all of them
  let [total, waiters, order] = [0, 0, 0]

  const isFree = (key: string): boolean => total < all && (used.get(key) ?? 0) < each

  /** Of those whose key has a free turn, the one that has waited longest. */
  const first = (): Waiter | undefined => {
    let found: Waiter | undefined
    for (const [key, [earliest]] of waiting) {
      if (earliest !== undefined && isFree(key) && (found === undefined || earliest.order < found.order)) found = earliest
    }
    return found
  }

  const next = (): void => {
    for (let waiter = first(); waiter !== undefined; waiter = first()) waiter.start()
  }

  const aborted = ({ target }: Event): void => {
    for (const waiter of bySignal.get(target as AbortSignal) ?? []) waiter.abort()
  }

  const add = (key: string, signal: AbortSignal, waiter: Waiter): void => {
    waiting.set(key, (waiting.get(key) ?? new Set()).add(waiter))
    if (!bySignal.has(signal)) signal.addEventListener('abort', aborted)
    bySignal.set(signal, (bySignal.get(signal) ?? new Set()).add(waiter))
    waiters++
  }

  const remove = (key: string, signal: AbortSignal, waiter: Waiter): void => {
    const [same, alike] = [waiting.get(key), bySignal.get(signal)]
    if (same?.delete(waiter) !== true) return
    waiters--
    if (same.size === 0) waiting.delete(key)
    if (alike?.delete(waiter) !== true || alike.size > 0) return
    bySignal.delete(signal)
    signal.removeEventListener('abort', aborted)
  }

  const begin = (key: string): (() => void) => {
    let isOver = false
    total++
    used.set(key, (used.get(key) ?? 0) + 1)
    return () => {
      if (isOver) return
      isOver = true
      total--
      const left = used.get(key)! - 1
      if (left === 0) used.delete(key)
      else used.set(key, left)
      next()
    }
  }

  return {
    take: (key, signal) => new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error)
      if (isFree(key)) return resolve(begin(key))
      if (waiters >= waitingMax || (waiting.get(key)?.size ?? 0) >= waitingMax / 2) return reject(new Error('too many are waiting already'))
      const over = (): void => remove(key, signal, waiter)
      const waiter: Waiter = {
        order: order++,
        start () { over(); resolve(begin(key)) },
        abort () { over(); reject(signal.reason as Error) }
      }
      add(key, signal, waiter)
    })
  }
}
