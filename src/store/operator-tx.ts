/** The operator's questions and changes, and the deletion of what is old. */
import type { Arrival } from '../model/message'
import { fromOf, OUTBOX, type OutboxRow, queueRowOf, rowAt } from './outbox-rows'
import type { Sql } from './sql'
import type { Changed, Depth, Tx, UnroutedRow } from './store'

type Unrouted = Omit<UnroutedRow, 'arrival'> & { arrival: string }

const UNROUTED = "SELECT seq, network, place, accepted_at AS at, arrival FROM journal WHERE outcome = 'unrouted' "

const unroutedOf = (row: Unrouted): UnroutedRow => ({ ...row, arrival: JSON.parse(row.arrival) as Arrival })

const changedOf = (row: OutboxRow): Changed => ({ lane: { network: row.network, id: row.place }, from: fromOf(row) })

/** A copy can be so many conversations behind, or as many as there are. */
const SKIPPED_MIN = 1_000

type OperatorTx = Pick<Tx,
  'depth' | 'list' | 'show' | 'retry' | 'drop' | 'unrouted' | 'unroutedAt' | 'skipConversations' | 'setAside' | 'prune' | 'pruneAt'>

export const makeOperatorTx = (sql: Sql): OperatorTx => {
  const { all, one, run, change } = sql
  return {
    async depth () {
      return [
        ...await all<Depth>(`SELECT network, state, count(*) AS count, min(queued_at) AS "oldestAt" FROM outbox
          WHERE state <> 'done' AND state IN ('waiting', 'sending') GROUP BY state, network`), // the door bounds how many there are
        ...await all<Depth>(`SELECT network, state, count, (SELECT queued_at FROM outbox WHERE outbox.state IN ('failed', 'unknown')
          AND outbox.state = ended.state AND outbox.network = ended.network ORDER BY queued_at LIMIT 1) AS "oldestAt" FROM ended WHERE count > 0`)
      ]
    },
    async list (state, limit) {
      const newest = state === 'failed' || state === 'unknown'
        ? "(SELECT id FROM outbox WHERE state IN ('failed', 'unknown') AND state = ? ORDER BY id DESC LIMIT ?)"
        : "(SELECT id FROM outbox WHERE state <> 'done' AND state = ? ORDER BY id DESC LIMIT ?)"
      return (await all<OutboxRow>(OUTBOX + 'WHERE outbox.id IN ' + newest + ' ORDER BY outbox.id DESC', state, limit)).map(queueRowOf)
    },
    async show (id) {
      const row = await rowAt(sql, id)
      return row && queueRowOf(row)
    },
    async retry (id, now) {
      const row = await rowAt(sql, id)
      if (row?.state !== 'failed' && row?.state !== 'unknown') return undefined
      await run("UPDATE outbox SET state = 'waiting', reason = NULL, settled_at = NULL, crashes = 0, queued_at = ? WHERE id = ?", now, id)
      return changedOf(row)
    },
    async drop (id, now) {
      const row = await rowAt(sql, id)
      if (row?.state !== 'waiting' && row?.state !== 'failed' && row?.state !== 'unknown') return undefined
      await run("UPDATE outbox SET state = 'failed', reason = 'dropped by the operator', settled_at = ? WHERE id = ?", now, id)
      return { ...changedOf(row), waited: row.state === 'waiting' }
    },
    async unrouted (limit) {
      return (await all<Unrouted>(UNROUTED + 'ORDER BY seq DESC LIMIT ?', limit)).map(unroutedOf)
    },
    async unroutedAt (seq) {
      const row = await one<Unrouted>(UNROUTED + 'AND seq = ?', seq)
      return row && unroutedOf(row)
    },
    async skipConversations () {
      await run(`INSERT INTO sqlite_sequence (name, seq) SELECT 'conversation', 0
        WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'conversation')`)
      await run("UPDATE sqlite_sequence SET seq = seq + CASE WHEN seq > ? THEN seq ELSE ? END WHERE name = 'conversation'", SKIPPED_MIN, SKIPPED_MIN)
    },
    async setAside (reason, now) {
      return await change(`UPDATE outbox SET state = 'unknown', reason = ?, settled_at = ? WHERE state IN ('waiting', 'sending')
        AND json_extract(delivery, '$.action.kind') NOT IN ('room', 'deletion', 'removal')`, reason, now)
    },
    async prune (before, limit) {
      await run('DELETE FROM early_receipt WHERE at < ?', before)
      await run('DELETE FROM erased WHERE at < ?', before)
      await run('DELETE FROM quarantine WHERE at < ?', before)
      return await change(`DELETE FROM journal WHERE seq IN (SELECT seq FROM journal WHERE accepted_at < ?
        AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.journal = journal.seq)
        AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.journal = journal.seq AND (state IN ('waiting', 'sending') OR settled_at >= ?))
        ORDER BY seq LIMIT ?)`, before, before, limit)
    },
    async pruneAt ({ network, id }, before, limit) {
      return await change(`DELETE FROM journal WHERE seq IN (SELECT seq FROM journal WHERE network = ? AND place = ? AND accepted_at < ?
        AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.journal = journal.seq)
        AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.journal = journal.seq AND state IN ('waiting', 'sending'))
        ORDER BY seq LIMIT ?)`, network, id, before, limit)
    }
  }
}
