/**
 * The test of the auditor. The bridge is broken on purpose, one line at a time and in memory only. Each break must be found: by one of the seeds
 * that are kept for it, or within 200 others. If a line no longer exists, the test says so: then find the line that does its work now. If
 * the test takes long, stories have changed: `npm run simulate -- --keep` keeps other seeds.
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
