/**
 * The test of the auditor: the bridge is broken on purpose, one line at a time and in memory only, and each break must be found
 * within 200 seeds. Where a line to break is no longer there, the test says so: then find the place that took over its duty.
 * `npm run simulate -- --mutation NAME --search 200` looks for seeds that find one.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { broken } from './mutate'
import { MUTATIONS } from './mutations'

const SEEDS = 200

/** Tried first, because some of them find what others rarely do. */
const quick = [1, 3, ...(JSON.parse(readFileSync(join(__dirname, 'seeds.json'), 'utf8')) as { seed: number }[]).map(({ seed }) => seed)]

describe('the auditor finds it when the bridge', () => {
  for (const mutation of MUTATIONS) {
    const [what, , , , breaks, first = 1] = mutation
    it(what, async () => {
      const { simulate } = broken(mutation)
      for (const seed of [first, ...quick, ...Array.from({ length: SEEDS }, (_, index) => index + 1)]) {
        const { violations } = await simulate(seed)
        if (violations.some(({ invariant }) => breaks.includes(invariant))) return
      }
      assert.fail(`not found within ${SEEDS} seeds`)
    })
  }
})
