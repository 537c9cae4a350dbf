/** What goes out, until it has ended. */
import { counts, deliveryOf, OUTBOX, type OutboxRow, queuedOf, rowAt } from './outbox-rows'
import { NUMBERS, type Sql } from './sql'
import type { Delivery } from '../model/message'
import type { Tx } from './store'

type OutboxTx = Pick<Tx,
  'queue' | 'reword' | 'lanes' | 'waiting' | 'open' | 'trying' | 'rewrite' | 'recall' | 'waitAgain' | 'done' | 'ended' | 'interrupted' |
  'cancel' | 'remoteIds'>

export const makeOutboxTx = (sql: Sql): OutboxTx => {
  const { all, run, insert } = sql
  return {
    async queue ({ journal, from }, { delivery, notice, conversation, afterMs }, now, tried = false) {
      const { key, place, ...rest } = delivery
      const attempt = tried ? 1 : 0
      const notBefore = afterMs === undefined ? undefined : now + afterMs
      const id = await insert(
        `INSERT INTO outbox (key, journal, network, place, delivery, notice, conversation, state, attempt, queued_at, not_before)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        key, journal, place.network, place.id, JSON.stringify(rest), notice ? 1 : 0, conversation ?? null,
        tried ? 'sending' : 'waiting', attempt, now, notBefore ?? null)
      return { id, journal, from, delivery: { ...delivery, attempt }, notice, queuedAt: now, ...notBefore === undefined ? {} : { notBefore } }
    },
    async reword (id, action) {
      await run("UPDATE outbox SET delivery = json_set(delivery, '$.action', json_extract(?, '$')) WHERE id = ?", JSON.stringify(action), id)
    },
    async lanes () {
      return (await all<{ network: string, place: string }>(
        "SELECT DISTINCT network, place FROM outbox WHERE state <> 'done' AND state = 'waiting'"))
        .map(({ network, place }) => ({ network, id: place }))
    },
    async waiting (lane, afterId, limit) {
      return (await all<OutboxRow>(OUTBOX + `
        WHERE state <> 'done' AND state = 'waiting' AND outbox.network = ? AND outbox.place = ? AND id > ? ORDER BY id LIMIT ?`,
      lane.network, lane.id, afterId, limit)).map(queuedOf)
    },
    async open () {
      return await counts(sql, "state IN ('waiting', 'sending')")
    },
    async trying (ids) {
      const rows = await all<{ id: number, held: number }>(`UPDATE outbox SET state = 'sending', attempt = attempt + 1
        WHERE state = 'waiting' AND id IN ` + NUMBERS + ' RETURNING id, not_before IS NOT NULL AS held', JSON.stringify(ids))
      const changed = new Map<number, Delivery | undefined>()
      for (const { id, held } of rows) changed.set(id, held === 1 ? deliveryOf((await rowAt(sql, id))!) : undefined)
      return changed
    },
    async rewrite (id, { key: _, place: __, ...rest }) {
      await run("UPDATE outbox SET delivery = ? WHERE id = ? AND state = 'waiting'", JSON.stringify(rest), id)
    },
    async recall (ids) {
      const recalled = await counts(sql, "state = 'waiting' AND id IN " + NUMBERS, JSON.stringify(ids))
      await run("DELETE FROM outbox WHERE state = 'waiting' AND id IN " + NUMBERS, JSON.stringify(ids))
      return recalled
    },
    async waitAgain (ids) {
      await run("UPDATE outbox SET state = 'waiting' WHERE state = 'sending' AND id IN " + NUMBERS, JSON.stringify(ids))
    },
    async done (row, remoteIds, now) {
      await run("UPDATE outbox SET state = 'done', reason = NULL, settled_at = ? WHERE id = ?", now, row.id)
      const { network, id: place } = row.delivery.place
      for (const [part, id] of remoteIds.entries()) {
        await run(`INSERT INTO remote (network, place, id, outbox, part) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT (network, place, id) DO UPDATE SET outbox = excluded.outbox, part = excluded.part, outcome = NULL`,
        network, place, id, row.id, part)
      }
    },
    async ended (id, state, reason, now) {
      await run('UPDATE outbox SET state = ?, reason = ?, settled_at = ? WHERE id = ?', state, reason, now, id)
    },
    async interrupted () {
      await run("UPDATE outbox SET crashes = crashes + 1 WHERE state <> 'done' AND state = 'sending'")
      return (await all<OutboxRow>(OUTBOX + "WHERE state <> 'done' AND state = 'sending' ORDER BY id"))
        .map(row => ({ ...queuedOf(row), crashes: row.crashes }))
    },
    async cancel (lane, reason, now) {
      const cancelled = await counts(sql, "state = 'waiting' AND outbox.network = ? AND outbox.place = ?", lane.network, lane.id)
      await run(`UPDATE outbox SET state = 'failed', reason = ?, settled_at = ?
        WHERE state <> 'done' AND state = 'waiting' AND network = ? AND place = ?`, reason, now, lane.network, lane.id)
      return cancelled
    },
    async remoteIds (key) {
      return (await all<{ id: string }>(`SELECT remote.id FROM outbox JOIN remote ON remote.outbox = outbox.id
        WHERE outbox.key = ? ORDER BY remote.part`, key)).map(row => row.id)
    }
  }
}
