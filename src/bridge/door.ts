/**
 * Which arrivals may come in now. One place may fill the queue only until as much is free for all others. The same holds for all places
 * together where anybody may write to us, so mirrors and teams always have room. Beyond that an arrival is refused, and so is everything
 * under way behind it from the same place, so that the order holds when it comes again.
 */
import { addressKey } from '../model/address'
import { Unavailable } from '../model/errors'
import type { Arrival } from '../model/message'
import type { Deliver } from './deliver'

/** What an arrival's job reports before it is on disk. */
export interface Passing {
  /** The arrival is new. Throws Unavailable if its place is crowded. */
  enter (): void
  /** The arrival causes so many deliveries. */
  causes (count: number): void
}

export interface Door { pass<T>(arrival: Arrival, job: (passing: Passing) => Promise<T>): Promise<T> }

/** Always let in: receipts, because what we sent bounds them; and `in`, because deliveries to that place wait for it. */
const isAlwaysLetIn = (arrival: Arrival): boolean => arrival.kind === 'receipt' || (arrival.kind === 'standing' && arrival.standing === 'in')

export const makeDoor = (deliver: Pick<Deliver, 'open' | 'openBeside' | 'expect'>, queueMax: number): Door => {
  const passing = new Map<string, { count: number, refusing: boolean }>() // only places with an arrival under way

  return {
    async pass (arrival, job) {
      const { place } = arrival
      const key = addressKey(place)
      const here = passing.get(key) ?? { count: 0, refusing: false }
      passing.set(key, here)
      here.count++
      let expected = 0
      try {
        return await job({
          enter () {
            if (isAlwaysLetIn(arrival)) return
            here.refusing ||= queueMax - deliver.open() <= Math.max(deliver.open(place), deliver.openBeside(place))
            if (here.refusing) throw new Unavailable('too much from this place is waiting', { crowded: true })
          },
          causes (count) {
            expected = count
            deliver.expect(place, count)
          }
        })
      } finally {
        deliver.expect(place, -expected)
        if (--here.count === 0) passing.delete(key)
      }
    }
  }
}
