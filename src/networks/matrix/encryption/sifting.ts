/**
 * Anybody may send to a device, as often and as long as they like. What the library is given of it is bounded, because it keeps something of each
 * message, for good. What is over is dropped: if it was a key, what it would have opened is a line for the team.
 */
import type { Clock } from '../../../lib/clock'
import { type Json, stringOf } from '../events/json'

interface SiftingParts {
  clock: Pick<Clock, 'tick'>
  /** Those of these people of whom something was read before. */
  known (people: string[]): Promise<string[]>
}

const DAY_MS = 24 * 3600_000
const EVENT_BYTES_MAX = 2 ** 16 // CS API §Size limits, of events
const OF_ONE_MAX = 10_000 // a day, of somebody of whom something was read
const OF_STRANGER_MAX = 300 // the same, of anybody else: as many keys may come while we are away
const OF_SERVER_MAX = 1_000 // the same, of all strangers of one server
const OF_STRANGERS_MAX = 3_000 // the same, of all strangers

/** Takes from what came for a device what the library may have of it. */
export const makeSift = ({ clock, known }: SiftingParts) => {
  const taken = new Map<string, number>() // since then, by who that is: not many more than messages were taken
  let since = -Infinity

  const take = (bounds: [who: string, most: number][]): boolean => {
    if (bounds.some(([who, most]) => (taken.get(who) ?? 0) >= most)) return false
    for (const [who] of bounds) taken.set(who, (taken.get(who) ?? 0) + 1)
    return true
  }

  return async (came: Json[]): Promise<Json[]> => {
    if (clock.tick() - since > DAY_MS) {
      since = clock.tick()
      taken.clear()
    }
    const short = came.filter(one => JSON.stringify(one).length <= EVENT_BYTES_MAX)
    const met = new Set(await known([...new Set(short.map(({ sender }) => stringOf(sender) ?? ''))]))
    return short.filter(({ sender }) => {
      const who = stringOf(sender)
      if (who === undefined) return false
      if (met.has(who)) return take([[who, OF_ONE_MAX]])
      return take([[who, OF_STRANGER_MAX], [who.slice(who.indexOf(':')), OF_SERVER_MAX], ['all', OF_STRANGERS_MAX]])
    })
  }
}
