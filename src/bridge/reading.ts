/**
 * Who has read up to where. The store knows what the message is called elsewhere. Promises: of each person at each place only the newest mark
 * waits, at most MARKS_MAX in all, and the oldest is dropped; the store is asked for few at once, and not again at once. What Zentrale or an
 * address shows as itself only ever goes on, so nobody can tell from it how many have read.
 */
import { coalesced } from '../lib/coalesced'
import { addressKey, type Place, samePlace } from '../model/address'
import type { HasRead, Reads, SignalIn } from '../model/signal'
import { standing } from '../plan/plan'
import type { Answered, Store, Tx } from '../store/store'
import type { Target } from './typing'

const MARKS_MAX = 200
const MARKS_AT_ONCE = 16
const PATIENCE_MS = 200
const SHOWN_MAX = 1_000 // places

export type Mark = Pick<SignalIn, 'place' | 'sender'> & { does: Reads }

interface Parts {
  store: Pick<Store, 'run'>
  /** `said`: where the message that was read comes from. */
  targetsOf (mark: Mark, said: Place): Target[]
  show (target: Target, read: HasRead): void
}

export interface Reading { take (mark: Mark): void }

/** The message at this place, as far as it has arrived there. */
const nameAt = async (tx: Tx, message: Answered, place: Place): Promise<HasRead['upTo'] | undefined> => {
  const { arrival } = message
  if (samePlace(arrival.place, place)) return { said: (arrival.kind === 'message' ? arrival.named : undefined) ?? arrival.key }
  const last = standing(message).filter(one => samePlace(one.place, place)).at(-1)
  const delivered = last === undefined ? [] : await tx.remoteIds(last.key)
  return delivered.length === 0 ? undefined : { delivered }
}

export const makeReading = ({ store, targetsOf, show }: Parts): Reading => {
  const waiting = new Map<string, Mark>()
  const shown = new Map<string, number>() // by place: how far we have read there as ourselves

  const isNews = ({ place }: Target, seq: number): boolean => {
    const key = addressKey(place)
    if ((shown.get(key) ?? -1) >= seq) return false
    shown.delete(key)
    shown.set(key, seq)
    if (shown.size > SHOWN_MAX) shown.delete(shown.keys().next().value as string)
    return true
  }

  const lookUp = async (tx: Tx, mark: Mark): Promise<(() => void)[]> => {
    const message = await tx.answered(mark.place, mark.does.upTo)
    if (message === undefined) return []
    const shows: (() => void)[] = []
    for (const target of targetsOf(mark, message.arrival.place)) {
      const upTo = await nameAt(tx, message, target.place)
      if (upTo === undefined) continue
      shows.push(() => { if (target.as !== undefined || isNews(target, message.seq)) show(target, { kind: 'read', upTo }) })
    }
    return shows
  }

  const look = coalesced(async () => {
    while (waiting.size > 0) {
      const marks = [...waiting].slice(0, MARKS_AT_ONCE)
      for (const [key] of marks) waiting.delete(key)
      const shows = await store.run(async tx => {
        const found: (() => void)[] = []
        for (const [, mark] of marks) found.push(...await lookUp(tx, mark))
        return found
      }, PATIENCE_MS)
      for (const one of shows) one()
    }
  }, () => waiting.clear())

  return {
    take (mark) {
      const key = `${addressKey(mark.place)} ${mark.sender.id}`
      waiting.delete(key)
      waiting.set(key, mark)
      if (waiting.size > MARKS_MAX) waiting.delete(waiting.keys().next().value as string)
      look()
    }
  }
}
