/** The statements of counts. What the jobs of a commit count is added up, and written by one statement. */
import type { Sql } from './sql'
import { type ToCount, DETAIL_CHARACTERS_MAX, HOUR_MS, LABELS_KEPT_FROM, type Tallied, type TallyTx } from './tally'

/** The sum of all hours, which stays when those are forgotten. */
const ALL_TIME = 0
/** Names would never be forgotten in it. */
const NOT_FOR_EVER: readonly string[] = ['label', 'agent']

const ROWS = 'SELECT hour, whose, name, what, network, detail, count FROM tally '

export interface Tally {
  tx: TallyTx
  /** What the job under way has counted. If it is rolled back, nothing happened that could be. */
  taken (): ToCount[]
  /** Writes what the jobs of a commit have counted. */
  write (now: number, counted: ToCount[]): Promise<void>
}

export const makeTally = ({ all, run }: Sql): Tally => {
  let mine: ToCount[] = [] // of the job under way

  return {
    taken () {
      const counted = mine
      mine = []
      return counted
    },
    async write (now, counted) {
      if (counted.length === 0) return
      const counts = new Map<string, Required<ToCount>>() // by what is counted
      for (const { detail: given = '', count = 1, ...one } of counted) {
        const detail = given.slice(0, DETAIL_CHARACTERS_MAX)
        const key = JSON.stringify([one.whose, one.name, one.what, one.network, detail])
        counts.set(key, { ...one, detail, count: (counts.get(key)?.count ?? 0) + count })
      }
      const hour = Math.floor(now / HOUR_MS)
      await run(`INSERT INTO tally (hour, whose, name, what, network, detail, count)
        SELECT CAST(hours.value AS BIGINT), json_extract(one.value, '$.whose'), json_extract(one.value, '$.name'), json_extract(one.value, '$.what'),
          json_extract(one.value, '$.network'), json_extract(one.value, '$.detail'), CAST(json_extract(one.value, '$.count') AS BIGINT)
        FROM json_each(?) AS one CROSS JOIN json_each(?) AS hours ON true
        WHERE CAST(hours.value AS BIGINT) > 0 OR json_extract(one.value, '$.what') NOT IN (SELECT value FROM json_each(?))
        ON CONFLICT (hour, whose, name, what, network, detail) DO UPDATE SET count = tally.count + excluded.count`,
      JSON.stringify([...counts.values()]), JSON.stringify([ALL_TIME, hour]), JSON.stringify(NOT_FOR_EVER))
    },
    tx: {
      count (one) { mine.push(one) },
      async totals () { return await all<Tallied>(ROWS + "WHERE hour = ? AND whose = 'address'", ALL_TIME) },
      async tallied (whose, name, from, to) {
        return await all<Tallied>(ROWS + 'WHERE hour >= ? AND hour < ? AND whose = ? AND name = ?', Math.max(from, ALL_TIME + 1), to, whose, name)
      },
      async forgetHours (before) { await run('DELETE FROM tally WHERE hour > ? AND hour < ?', ALL_TIME, Math.floor(before / HOUR_MS)) },
      async forgetRare (address, before) {
        await run(`DELETE FROM tally WHERE what = 'label' AND whose = 'address' AND name = ? AND hour < ? AND detail IN
          (SELECT detail FROM tally WHERE what = 'label' AND whose = 'address' AND name = ? GROUP BY detail HAVING sum(count) < ?)`,
        address, Math.floor(before / HOUR_MS), address, LABELS_KEPT_FROM)
      }
    }
  }
}
