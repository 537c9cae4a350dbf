/** Every SQL statement. Each is prepared once; values are always bound. */
import { createHash } from 'node:crypto'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { Place } from '../model/address'
import type { Arrival, Attachment, Delivery } from '../model/message'
import { makeDeskTx } from './desk-tx'
import {
  COPIES_MAX, EARLY_RECEIPT_MS, EARLY_RECEIPT_PLACE_ROWS_MAX, EARLY_RECEIPT_ROWS_MAX, QUARANTINE_BYTES_MAX, QUARANTINE_KIND_ROWS_MAX,
  QUARANTINE_ROWS_MAX
} from './store'
import type { Changed, Confirmable, Count, Depth, OutboxState, QuarantineRow, Queued, QueueRow, Tx, UnroutedRow } from './store'

interface OutboxRow {
  id: number; key: string; journal: number; network: string; place: string; delivery: string; notice: number
  state: OutboxState; attempt: number; crashes: number; reason: string | null; queued_at: number; not_before: number | null
  from_network: string; from_place: string
}

/** CROSS: the outbox first, whatever SQLite thinks of it. */
const OUTBOX = `SELECT outbox.id, outbox.key, journal, outbox.network, outbox.place, delivery, notice, state, attempt, crashes, reason,
  queued_at, not_before, journal.network AS from_network, journal.place AS from_place FROM outbox CROSS JOIN journal ON journal.seq = outbox.journal `

const arrivalOf = (row: { arrival: string } | undefined): Arrival | undefined => row && JSON.parse(row.arrival) as Arrival

const deliveryOf = (row: OutboxRow): Delivery => ({
  ...JSON.parse(row.delivery) as Pick<Delivery, 'as' | 'at' | 'action'>,
  key: row.key, place: { network: row.network, id: row.place }, attempt: row.attempt
})

const fromOf = (row: { from_network: string, from_place: string }): Place => ({ network: row.from_network, id: row.from_place })

const queuedOf = (row: OutboxRow): Queued =>
  ({
    id: row.id, journal: row.journal, from: fromOf(row), delivery: deliveryOf(row), notice: row.notice === 1, queuedAt: row.queued_at,
    ...row.crashes > 0 ? { crashes: row.crashes } : {}, ...row.not_before === null ? {} : { notBefore: row.not_before }
  })

const rowOf = (row: OutboxRow): QueueRow => ({
  id: row.id, state: row.state, network: row.network, place: row.place, from: { network: row.from_network, place: row.from_place },
  attempt: row.attempt, ...row.reason === null ? {} : { reason: row.reason }, queuedAt: row.queued_at, delivery: deliveryOf(row)
})

type Unrouted = Omit<UnroutedRow, 'arrival'> & { arrival: string }

const UNROUTED = "SELECT seq, network, place, accepted_at AS at, arrival FROM journal WHERE outcome = 'unrouted' "
const QUARANTINE = 'SELECT id, network, raw, why, at FROM quarantine WHERE dropped = 0 '

const unroutedOf = (row: Unrouted): UnroutedRow => ({ ...row, arrival: JSON.parse(row.arrival) as Arrival })

const changedOf = (row: OutboxRow): Changed => ({ lane: { network: row.network, id: row.place }, from: fromOf(row) })

/** Finding the oldest sorts them all. Measured: with 10 000 kept, 5 ms. */
const EARLY_RECEIPTS_BETWEEN_TRIMS = 100
const QUARANTINED_BETWEEN_TRIMS = 100

export const makeTx = (db: DatabaseSync, sealKey: string): Tx => {
  const prepared = new Map<string, StatementSync>() // as many as there are statements below
  const statement = (sql: string): StatementSync => {
    let found = prepared.get(sql)
    if (found === undefined) prepared.set(sql, found = db.prepare(sql))
    return found
  }
  const all = <Row>(sql: string, ...values: SQLInputValue[]): Row[] => statement(sql).all(...values) as Row[]
  const one = <Row>(sql: string, ...values: SQLInputValue[]): Row | undefined => statement(sql).get(...values) as Row | undefined
  const run = (sql: string, ...values: SQLInputValue[]): { changes: number, id: number } => {
    const { changes, lastInsertRowid } = statement(sql).run(...values)
    return { changes: Number(changes), id: Number(lastInsertRowid) }
  }
  const list = (ids: number[]): string => JSON.stringify(ids)
  let early = 0 // receipts
  let kept = 0 // in quarantine
  const rowAt = (id: number): OutboxRow | undefined => one(OUTBOX + 'WHERE id = ?', id)
  const counts = (which: string, ...values: SQLInputValue[]): Count[] =>
    all<{ from_network: string, from_place: string, count: number }>(`SELECT journal.network AS from_network, journal.place AS from_place,
      count(*) AS count FROM outbox CROSS JOIN journal ON journal.seq = outbox.journal
      WHERE state <> 'done' AND ${which} GROUP BY journal.network, journal.place`, ...values)
      .map(row => ({ from: fromOf(row), count: row.count }))

  return {
    desk: makeDeskTx({ all, one, run }, sealKey),
    async seen (network, key) {
      return one('SELECT 1 FROM journal WHERE network = ? AND key = ?', network, key) !== undefined
    },
    async takenBack ({ key, place: { network, id }, sender }) {
      return one(`SELECT 1 FROM journal WHERE network = ? AND corrects = ? AND place = ? AND json_extract(arrival, '$.kind') = 'deletion'
        AND (sender = ? OR json_extract(arrival, '$.moderated'))`, network, key, id, sender.id) !== undefined
    },
    async journal (arrival, outcome, now, json = JSON.stringify(arrival), desk) {
      return run(`INSERT INTO journal (network, key, place, sender, arrival, outcome, accepted_at, desk, corrects)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      arrival.place.network, arrival.key, arrival.place.id, 'sender' in arrival ? arrival.sender.id : null,
      json, outcome, now, desk ?? null, arrival.kind === 'edit' || arrival.kind === 'deletion' ? arrival.of : null).id
    },
    async recorded (network, key) {
      const row = one<{ seq: number, arrival: string }>('SELECT seq, arrival FROM journal WHERE network = ? AND key = ?', network, key)
      if (row === undefined) return undefined
      const deliveries = all<OutboxRow>(OUTBOX + 'WHERE journal = ? ORDER BY id', row.seq).map(delivery => ({
        id: delivery.id, key: delivery.key, place: { network: delivery.network, id: delivery.place },
        state: delivery.state, notice: delivery.notice === 1,
        ...delivery.state === 'waiting' && delivery.attempt === 0 && delivery.not_before !== null ? { held: true } : {}
      }))
      const copies = all<{ key: string, network: string, place: string }>(`SELECT outbox.key, outbox.network, outbox.place
        FROM journal CROSS JOIN outbox ON outbox.journal = journal.seq WHERE journal.network = ? AND corrects = ? AND notice = 0
        AND json_extract(arrival, '$.kind') = 'edit'
        AND json_extract(delivery, '$.action.kind') = 'message' ORDER BY outbox.id DESC LIMIT ?`, network, key, COPIES_MAX)
        .map(copy => ({ key: copy.key, place: { network: copy.network, id: copy.place } })).reverse()
      return { seq: row.seq, arrival: JSON.parse(row.arrival) as Arrival, deliveries, copies }
    },
    async lastKey (place) {
      return one<{ key: string }>('SELECT key FROM journal WHERE network = ? AND place = ? AND sender IS NOT NULL ORDER BY seq DESC LIMIT 1',
        place.network, place.id)?.key
    },

    async queue ({ journal, from }, { delivery, notice, conversation, afterMs }, now, tried = false) {
      const { key, place, ...rest } = delivery
      const attempt = tried ? 1 : 0
      const notBefore = afterMs === undefined ? undefined : now + afterMs
      const { id } = run(
        `INSERT INTO outbox (key, journal, network, place, delivery, notice, conversation, state, attempt, queued_at, not_before)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        key, journal, place.network, place.id, JSON.stringify(rest), notice ? 1 : 0, conversation ?? null,
        tried ? 'sending' : 'waiting', attempt, now, notBefore ?? null)
      return { id, journal, from, delivery: { ...delivery, attempt }, notice, queuedAt: now, ...notBefore === undefined ? {} : { notBefore } }
    },
    async reword (id, action) {
      run("UPDATE outbox SET delivery = json_set(delivery, '$.action', json(?)) WHERE id = ?", JSON.stringify(action), id)
    },
    async origin (journal) {
      return arrivalOf(one('SELECT arrival FROM journal WHERE seq = ?', journal))
    },
    async lanes () {
      return all<{ network: string, place: string }>(
        "SELECT DISTINCT network, place FROM outbox WHERE state <> 'done' AND state = 'waiting'")
        .map(({ network, place }) => ({ network, id: place }))
    },
    async waiting (lane, afterId, limit) {
      return all<OutboxRow>(OUTBOX + `
        WHERE state <> 'done' AND state = 'waiting' AND outbox.network = ? AND outbox.place = ? AND id > ? ORDER BY id LIMIT ?`,
      lane.network, lane.id, afterId, limit).map(queuedOf)
    },
    async open () {
      return counts("state IN ('waiting', 'sending')")
    },
    async trying (ids) {
      const rows = all<{ id: number, held: number }>(`UPDATE outbox SET state = 'sending', attempt = attempt + 1
        WHERE state = 'waiting' AND id IN (SELECT value FROM json_each(?)) RETURNING id, not_before IS NOT NULL AS held`, list(ids))
      return new Map(rows.map(({ id, held }) => [id, held === 1 ? deliveryOf(rowAt(id)!) : undefined]))
    },
    async rewrite (id, { key: _, place: __, ...rest }) {
      run("UPDATE outbox SET delivery = ? WHERE id = ? AND state = 'waiting'", JSON.stringify(rest), id)
    },
    async recall (ids) {
      const recalled = counts("state = 'waiting' AND id IN (SELECT value FROM json_each(?))", list(ids))
      run("DELETE FROM outbox WHERE state = 'waiting' AND id IN (SELECT value FROM json_each(?))", list(ids))
      return recalled
    },
    async waitAgain (ids) {
      run("UPDATE outbox SET state = 'waiting' WHERE state = 'sending' AND id IN (SELECT value FROM json_each(?))", list(ids))
    },
    async done (row, remoteIds, now) {
      run("UPDATE outbox SET state = 'done', reason = NULL, settled_at = ? WHERE id = ?", now, row.id)
      const { network, id: place } = row.delivery.place
      remoteIds.forEach((id, part) => {
        run('INSERT OR REPLACE INTO remote (network, place, id, outbox, part) VALUES (?, ?, ?, ?, ?)', network, place, id, row.id, part)
      })
    },
    async ended (id, state, reason, now) {
      run('UPDATE outbox SET state = ?, reason = ?, settled_at = ? WHERE id = ?', state, reason, now, id)
    },
    async interrupted () {
      run("UPDATE outbox SET crashes = crashes + 1 WHERE state <> 'done' AND state = 'sending'")
      return all<OutboxRow>(OUTBOX + "WHERE state <> 'done' AND state = 'sending' ORDER BY id")
        .map(row => ({ ...queuedOf(row), crashes: row.crashes }))
    },
    async cancel (lane, reason, now) {
      const cancelled = counts("state = 'waiting' AND outbox.network = ? AND outbox.place = ?", lane.network, lane.id)
      run(`UPDATE outbox SET state = 'failed', reason = ?, settled_at = ?
        WHERE state <> 'done' AND state = 'waiting' AND network = ? AND place = ?`, reason, now, lane.network, lane.id)
      return cancelled
    },
    async remoteIds (key) {
      return all<{ id: string }>(`SELECT remote.id FROM outbox JOIN remote ON remote.outbox = outbox.id
        WHERE outbox.key = ? ORDER BY remote.part`, key).map(row => row.id)
    },

    async confirmable (place, ids) {
      const found = ids.flatMap(id => all<{ outbox: number, part: number, journal: number, notice: number, arrival: string }>(`
        SELECT outbox, part, outbox.journal, outbox.notice, arrival FROM remote
        JOIN outbox ON outbox.id = remote.outbox JOIN journal ON journal.seq = outbox.journal
        WHERE remote.network = ? AND remote.place = ? AND remote.id = ?`, place.network, place.id, id).map(row => ({ ...row, id })))
      const [first] = found
      if (first === undefined || found.some(({ outbox }) => outbox !== first.outbox)) return undefined // of several, it blames none
      const { outbox, id, part, journal, notice, arrival } = first
      const outcomes = all<{ outcome: string | null }>('SELECT outcome FROM remote WHERE outbox = ? ORDER BY part', outbox)
        .map(row => (row.outcome ?? undefined) as Confirmable['outcomes'][number])
      return { outbox, id, part, parts: outcomes.length, outcomes, origin: JSON.parse(arrival) as Arrival, journal, place, notice: notice === 1 }
    },
    async confirm (place, id, outcome) {
      run('UPDATE remote SET outcome = ? WHERE network = ? AND place = ? AND id = ?', outcome, place.network, place.id, id)
    },
    async earlyReceipt (place, ids, outcome, detail, now) {
      for (const id of ids) {
        run('INSERT OR REPLACE INTO early_receipt (network, place, id, outcome, detail, at) VALUES (?, ?, ?, ?, ?, ?)',
          place.network, place.id, id, outcome, detail ?? null, now)
      }
      run(`DELETE FROM early_receipt WHERE network = ? AND place = ? AND id NOT IN
        (SELECT id FROM early_receipt WHERE network = ? AND place = ? ORDER BY at DESC LIMIT ?)`,
      place.network, place.id, place.network, place.id, EARLY_RECEIPT_PLACE_ROWS_MAX)
      if (early++ % EARLY_RECEIPTS_BETWEEN_TRIMS > 0) return
      run('DELETE FROM early_receipt WHERE at < (SELECT min(at) FROM (SELECT at FROM early_receipt ORDER BY at DESC LIMIT ?))',
        EARLY_RECEIPT_ROWS_MAX)
    },
    async takeEarlyReceipts (place, ids, now) {
      return ids.flatMap(id => all<{ id: string, outcome: 'delivered' | 'failed', detail: string | null, at: number }>(
        'DELETE FROM early_receipt WHERE network = ? AND place = ? AND id = ? RETURNING id, outcome, detail, at', place.network, place.id, id))
        .filter(({ at }) => at >= now - EARLY_RECEIPT_MS)
        .map(({ id, outcome, detail }) => ({ id, outcome, ...detail === null ? {} : { detail } }))
    },

    async link (token, journal, expiresAt, file) {
      run('INSERT OR IGNORE INTO link (token, journal, expires_at, file) VALUES (?, ?, ?, ?)', token, journal, expiresAt,
        file === undefined ? null : JSON.stringify(file))
    },
    async linked (token, now) {
      const row = one<{ arrival: string, file: string | null }>(
        'SELECT arrival, file FROM link JOIN journal ON journal.seq = link.journal WHERE token = ? AND expires_at > ?', token, now)
      const arrival = arrivalOf(row)
      return row?.file ? JSON.parse(row.file) as Attachment : arrival && 'content' in arrival ? arrival.content.file : undefined
    },
    async revokeLinks (journal) {
      run(`DELETE FROM link WHERE journal IN (SELECT ? UNION SELECT other.seq FROM journal
        CROSS JOIN journal AS other ON other.network = journal.network AND other.corrects = journal.key WHERE journal.seq = ?)`, journal, journal)
    },
    async block (person, now) { run('INSERT OR IGNORE INTO blocked (person, since) VALUES (?, ?)', person, now) },
    async unblock (person) { run('DELETE FROM blocked WHERE person = ?', person) },
    async blocked () { return all<{ person: string }>('SELECT person FROM blocked').map(row => row.person) },
    async quarantine (network, raw, why, now, key) {
      const mark = key === undefined ? `bytes ${createHash('sha256').update(raw).digest('hex')}` : `key ${key}`
      const { changes } = run('INSERT INTO quarantine (network, raw, why, at, mark) VALUES (?, ?, ?, ?, ?) ON CONFLICT (network, mark) DO NOTHING',
        network, Buffer.from(raw).subarray(0, QUARANTINE_BYTES_MAX).toString(), why, now, mark)
      if (changes === 0) return false
      if (kept++ % QUARANTINED_BETWEEN_TRIMS > 0) return true
      run(`DELETE FROM quarantine WHERE network = ? AND why = ? AND id NOT IN
        (SELECT id FROM quarantine WHERE network = ? AND why = ? ORDER BY id DESC LIMIT ?)`, network, why, network, why, QUARANTINE_KIND_ROWS_MAX)
      run('DELETE FROM quarantine WHERE id NOT IN (SELECT id FROM quarantine ORDER BY id DESC LIMIT ?)', QUARANTINE_ROWS_MAX)
      return true
    },
    async remembered (owner) {
      return all<{ key: string, value: string }>('SELECT key, value FROM memory WHERE owner = ?', owner).map(row => [row.key, row.value])
    },
    async remember (owner, key, value) { run('INSERT OR REPLACE INTO memory (owner, key, value) VALUES (?, ?, ?)', owner, key, value) },
    async forget (owner, key) { run('DELETE FROM memory WHERE owner = ? AND key = ?', owner, key) },

    async depth () {
      return all<Depth>(`SELECT network, state, count(*) AS count, min(queued_at) AS oldestAt FROM outbox
        WHERE state <> 'done' GROUP BY network, state`)
    },
    async list (state, limit) {
      return all<OutboxRow>(OUTBOX + "WHERE state <> 'done' AND state = ? ORDER BY id DESC LIMIT ?", state, limit).map(rowOf)
    },
    async show (id) {
      const row = rowAt(id)
      return row && rowOf(row)
    },
    async retry (id, now) {
      const row = rowAt(id)
      if (row?.state !== 'failed' && row?.state !== 'unknown') return undefined
      run("UPDATE outbox SET state = 'waiting', reason = NULL, settled_at = NULL, crashes = 0, queued_at = ? WHERE id = ?", now, id)
      return changedOf(row)
    },
    async drop (id, now) {
      const row = rowAt(id)
      if (row?.state !== 'waiting' && row?.state !== 'failed' && row?.state !== 'unknown') return undefined
      run("UPDATE outbox SET state = 'failed', reason = 'dropped by the operator', settled_at = ? WHERE id = ?", now, id)
      return { ...changedOf(row), waited: row.state === 'waiting' }
    },
    async unrouted (limit) {
      return all<Unrouted>(UNROUTED + 'ORDER BY seq DESC LIMIT ?', limit).map(unroutedOf)
    },
    async unroutedAt (seq) {
      const row = one<Unrouted>(UNROUTED + 'AND seq = ?', seq)
      return row && unroutedOf(row)
    },
    async quarantined (limit) { return all<QuarantineRow>(QUARANTINE + 'ORDER BY id DESC LIMIT ?', limit) },
    async quarantinedAt (id) { return one<QuarantineRow>(QUARANTINE + 'AND id = ?', id) },
    async dropQuarantined (id) {
      return run("UPDATE quarantine SET raw = '', dropped = 1 WHERE dropped = 0 AND id = ?", id).changes === 1
    },
    async prune (before, limit) {
      run('DELETE FROM early_receipt WHERE at < ?', before)
      return run(`DELETE FROM journal WHERE seq IN (SELECT seq FROM journal WHERE accepted_at < ?
        AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.journal = journal.seq)
        AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.journal = journal.seq AND (state <> 'done' AND state <> 'failed' OR settled_at >= ?))
        ORDER BY seq LIMIT ?)`, before, before, limit).changes
    }
  }
}
