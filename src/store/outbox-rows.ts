/** Rows of the outbox, and the deliveries that they hold. */
import type { SQLInputValue } from 'node:sqlite'
import type { Place } from '../model/address'
import type { Arrival, Delivery } from '../model/message'
import type { Sql } from './sql'
import type { Count, OutboxState, Queued, QueueRow } from './store'

export interface OutboxRow {
  id: number; key: string; journal: number; network: string; place: string; delivery: string; notice: number
  state: OutboxState; attempt: number; crashes: number; reason: string | null; queued_at: number; not_before: number | null
  from_network: string; from_place: string
}

/** CROSS makes SQLite read the outbox first. */
export const OUTBOX = `SELECT outbox.id, outbox.key, journal, outbox.network, outbox.place, delivery, notice, state, attempt, crashes, reason,
  queued_at, not_before, journal.network AS from_network, journal.place AS from_place FROM outbox CROSS JOIN journal ON journal.seq = outbox.journal `

/** No crash counts for what is being sent now: the next start adds one. */
export const EXCUSE = "UPDATE outbox SET crashes = crashes - 1 WHERE state <> 'done' AND state = 'sending'"

export const arrivalOf = (row: { arrival: string } | undefined): Arrival | undefined => row && JSON.parse(row.arrival) as Arrival

export const deliveryOf = (row: OutboxRow): Delivery => ({
  ...JSON.parse(row.delivery) as Pick<Delivery, 'as' | 'at' | 'action'>,
  key: row.key, place: { network: row.network, id: row.place }, attempt: row.attempt
})

export const fromOf = (row: { from_network: string, from_place: string }): Place => ({ network: row.from_network, id: row.from_place })

export const queuedOf = (row: OutboxRow): Queued =>
  ({
    id: row.id, journal: row.journal, from: fromOf(row), delivery: deliveryOf(row), notice: row.notice === 1, queuedAt: row.queued_at,
    ...row.crashes > 0 ? { crashes: row.crashes } : {}, ...row.not_before === null ? {} : { notBefore: row.not_before }
  })

export const queueRowOf = (row: OutboxRow): QueueRow => ({
  id: row.id, state: row.state, network: row.network, place: row.place, from: { network: row.from_network, place: row.from_place },
  attempt: row.attempt, ...row.reason === null ? {} : { reason: row.reason }, queuedAt: row.queued_at, delivery: deliveryOf(row)
})

export const rowAt = (sql: Sql, id: number): Promise<OutboxRow | undefined> => sql.one(OUTBOX + 'WHERE id = ?', id)

/** How many rows that are not done came from each place. */
export const counts = async (sql: Sql, which: string, ...values: SQLInputValue[]): Promise<Count[]> =>
  (await sql.all<{ from_network: string, from_place: string, count: number }>(`SELECT journal.network AS from_network, journal.place AS from_place,
    count(*) AS count FROM outbox CROSS JOIN journal ON journal.seq = outbox.journal
    WHERE state <> 'done' AND ${which} GROUP BY journal.network, journal.place`, ...values))
    .map(row => ({ from: fromOf(row), count: row.count }))
