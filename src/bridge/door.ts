/**
 * Who may come in now. What came from one place may fill as much of the queue as is left for all others, and so may all places together in
 * which anybody may write to us, so that however many do, mirrors and teams have room. Beyond that it is refused, and so is everything that
 * is under way behind it from there, so that its order holds when it comes again.
 */
import { addressKey } from '../model/address'
import { Unavailable } from '../model/errors'
import type { Arrival } from '../model/message'
import type { Deliver } from './deliver'

/** What an arrival's job says of itself, before it is on disk. */
export interface Passing {
  /** It is new. Throws Unavailable if its place is crowded. */
  enter (): void
  /** It causes so many deliveries. */
  causes (count: number): void
}

export interface Door { pass<T>(arrival: Arrival, job: (passing: Passing) => Promise<T>): Promise<T> }

/** There are no more receipts than of what we sent. What waits for a place that we are not in waits until it is stored that we are. */
const isLetIn = (arrival: Arrival): boolean => arrival.kind === 'receipt' || (arrival.kind === 'standing' && arrival.standing === 'in')

export const makeDoor = (deliver: Pick<Deliver, 'open' | 'openBeside' | 'expect'>, queueMax: number): Door => {
  const passing = new Map<string, { count: number, refusing: boolean }>() // as many as places from which something is under way

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
            if (isLetIn(arrival)) return
            here.refusing ||= queueMax - deliver.open() <= Math.max(deliver.open(place), deliver.openBeside(place))
            if (here.refusing) throw new Unavailable('enough is waiting that came from there', { crowded: true })
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
