/** Receipts, including those that come before we know the remote id of what was sent. */
import type { RemoteId } from '../model/address'
import type { Forbidden } from '../model/errors'
import type { Arrival } from '../model/message'
import type { Ahead } from './ahead'
import type { Sql } from './sql'
import { type Confirmable, type EarlyReceipt, EARLY_RECEIPT_MS, EARLY_RECEIPT_PLACE_ROWS_MAX, EARLY_RECEIPT_ROWS_MAX, type Tx } from './store'

/**
 * A trim sorts all rows to find the oldest: with 10 000 rows, 5 ms measured. In PostgreSQL it also walks what its own transaction has deleted. So
 * there are up to so many rows more than are kept.
 */
const EARLY_RECEIPTS_BETWEEN_TRIMS = 100

const TRIM_PLACES = `DELETE FROM early_receipt WHERE (network, place, id) IN (SELECT network, place, id FROM
  (SELECT network, place, id, row_number() OVER (PARTITION BY network, place ORDER BY at DESC) AS nth FROM early_receipt) AS ranked WHERE nth > ?)`
const TRIM_ALL = 'DELETE FROM early_receipt WHERE at < (SELECT min(at) FROM (SELECT at FROM early_receipt ORDER BY at DESC LIMIT ?) AS kept)'

type ReceiptsTx = Pick<Tx, 'confirmable' | 'confirm' | 'earlyReceipt' | 'takeEarlyReceipts'>

interface Found { id: RemoteId; outbox: number; part: number; journal: number; notice: number; arrival: string }
type Early = Pick<EarlyReceipt, 'id' | 'outcome'> & { because: Forbidden | null, detail: string | null, at: number }

export const makeReceiptsTx = (sql: Sql, ahead: Ahead): ReceiptsTx => {
  const { all, run } = sql
  let untrimmed = EARLY_RECEIPTS_BETWEEN_TRIMS // rows since the last trim; those of before the start are not known
  return {
    async confirmable (place, ids) {
      const found: Found[] = []
      for (const id of ids) {
        const rows = await all<Omit<Found, 'id'>>(`
          SELECT outbox, part, outbox.journal, outbox.notice, arrival FROM remote
          JOIN outbox ON outbox.id = remote.outbox JOIN journal ON journal.seq = outbox.journal
          WHERE remote.network = ? AND remote.place = ? AND remote.id = ?`, place.network, place.id, id)
        found.push(...rows.map(row => ({ ...row, id })))
      }
      const [first] = found
      if (first === undefined || found.some(({ outbox }) => outbox !== first.outbox)) return undefined // several fit: it says nothing about any
      const { outbox, id, part, journal, notice, arrival } = first
      const outcomes = (await all<{ outcome: string | null }>('SELECT outcome FROM remote WHERE outbox = ? ORDER BY part', outbox))
        .map(row => (row.outcome ?? undefined) as Confirmable['outcomes'][number])
      return { outbox, id, part, parts: outcomes.length, outcomes, origin: JSON.parse(arrival) as Arrival, journal, place, notice: notice === 1 }
    },
    async confirm (place, id, outcome) {
      await run('UPDATE remote SET outcome = ? WHERE network = ? AND place = ? AND id = ?', outcome, place.network, place.id, id)
    },
    async earlyReceipt (place, ids, { outcome, because, detail }, now) {
      for (const id of ids) {
        ahead.came(id, place.network, place.id)
        await run(`INSERT INTO early_receipt (network, place, id, outcome, because, detail, at) VALUES (?, ?, ?, ?, ?, ?, ?)
          ON CONFLICT (network, place, id) DO UPDATE
          SET outcome = excluded.outcome, because = excluded.because, detail = excluded.detail, at = excluded.at`,
        place.network, place.id, id, outcome, because ?? null, detail ?? null, now)
      }
      untrimmed += ids.length
      if (untrimmed < EARLY_RECEIPTS_BETWEEN_TRIMS) return
      untrimmed = 0
      await run(TRIM_PLACES, EARLY_RECEIPT_PLACE_ROWS_MAX)
      await run(TRIM_ALL, EARLY_RECEIPT_ROWS_MAX)
    },
    async takeEarlyReceipts (place, ids, now) {
      const taken: Early[] = []
      for (const id of ids) {
        if (await ahead.noReceipt(place.network, place.id, id)) continue
        taken.push(...await all<Early>(
          'DELETE FROM early_receipt WHERE network = ? AND place = ? AND id = ? RETURNING id, outcome, because, detail, at',
          place.network, place.id, id))
      }
      return taken.filter(({ at }) => at >= now - EARLY_RECEIPT_MS)
        .map(({ id, outcome, because, detail }) => ({ id, outcome, ...because !== null && { because }, ...detail !== null && { detail } }))
    }
  }
}
