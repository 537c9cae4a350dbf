/**
 * Turns at a shared resource: at most `all` at once, and at most `each` of them for one key, so that no key takes all. One key may fill
 * at most half of the queue. Waiters get their turns in order, as soon as one is free for their key.
 */

const WAITING_MAX = 1000

export interface Slots {
  /** Resolves with a function that gives the turn back. Rejects with the signal's reason, or when too many wait. */
  take (key: string, signal: AbortSignal): Promise<() => void>
}

interface Waiter { key: string; start (): void }

/** The server that an address names, however it is spelled; '' if it names none. */
export const serverOf = (address: string): string => URL.canParse(address) ? new URL(address).hostname.toLowerCase().replace(/\.$/, '') : ''

/** `waitingMax`: Infinity only where something else bounds the waiters. */
export const makeSlots = (all: number, each: number, waitingMax = WAITING_MAX): Slots => {
  const used = new Map<string, number>() // only keys with a turn
  const waiting = new Set<Waiter>()
  let total = 0

  const isFree = (key: string): boolean => total < all && (used.get(key) ?? 0) < each

  const ofKey = (key: string): number => waitingMax === Infinity ? 0 : [...waiting].filter(waiter => waiter.key === key).length

  const next = (): void => {
    for (const waiter of waiting) {
      if (total >= all) return
      if (isFree(waiter.key)) waiter.start()
    }
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
      if (waiting.size >= waitingMax || ofKey(key) >= waitingMax / 2) return reject(new Error('too many are waiting already'))
      const over = (): void => { waiting.delete(waiter); signal.removeEventListener('abort', abort) }
      const abort = (): void => { over(); reject(signal.reason as Error) }
      const waiter: Waiter = { key, start: () => { over(); resolve(begin(key)) } }
      waiting.add(waiter)
      signal.addEventListener('abort', abort)
    })
  }
}
