/**
 * A store whose jobs take time, as those of a database do: things happen between two jobs of one commit, and before whoever asked hears of it.
 * Other stores do all their jobs in one turn of the event loop.
 */
import { type Clock, sleep } from '../../src/lib/clock'
import type { Store } from '../../src/store/store'
import type { Random } from './random'

const SLOW = 0.3
const SLOW_MS_MAX = 50

export const slowed = (store: Store, clock: Clock, random: Random): Store => ({
  ...store,
  run: (job, ...how) => store.run(async tx => {
    const value = await job(tx)
    if (random.happens(SLOW)) await sleep(clock, random.between(1, SLOW_MS_MAX))
    return value
  }, ...how)
})
