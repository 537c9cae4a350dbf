/**
 * The test of the auditor: the bridge is broken on purpose, one line at a time and in memory only, and each break must be found: by the
 * seed that is kept for it, or within 200 others. Where a line to break is no longer there, the test says so: then find the place that
 * took over its duty. Where it takes long, stories have changed: `npm run simulate -- --keep` keeps other seeds.
 */
import assert from 'node:assert/strict'
import { seedThatShows } from './keep'
import { MUTATIONS } from './mutations'

const SEEDS = 200

describe('the auditor finds it when the bridge', () => {
  for (const mutation of MUTATIONS) {
    it(mutation[0], async () => {
      assert.ok(await seedThatShows(mutation, 1, SEEDS), `not found within ${SEEDS} seeds`)
    })
  }
})
