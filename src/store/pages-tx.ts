/**
 * What pages ask. It gives no more rows than its limit, and follows an index, so that a long queue costs no more than a short one: the queue is
 * read place by place, as far as it is shown, and the open cases of an address in the order in which it is their turn.
 */
import { conversationOf } from './desk-tx'
import { OUTBOX, type OutboxRow, queueRowOf } from './outbox-rows'
import { NUMBERS, type Sql } from './sql'
import type { Login, PagesTx } from './store'

const LANES_MAX = 500 // in which the oldest message is looked for

const counted = (row: { count: number } | undefined): number => row?.count ?? 0

export const makePagesTx = ({ all, one, run }: Sql): PagesTx => ({
  async count (state, network, most) {
    return counted(await one(`SELECT count(*) AS count FROM
      (SELECT 1 FROM outbox WHERE state <> 'done' AND state = ? AND network = ? LIMIT ?) AS few`, state, network, most))
  },
  async oldest (state) {
    const first = await one<{ id: number | null }>(`WITH RECURSIVE lane (network, place, number) AS (
        SELECT * FROM (SELECT network, place, 1 FROM outbox WHERE state <> 'done' AND state = ?1 ORDER BY network, place LIMIT 1) AS head
        UNION ALL SELECT next.network, next.place, number + 1 FROM lane CROSS JOIN outbox AS next ON next.id = (SELECT id FROM outbox
          WHERE state <> 'done' AND state = ?1 AND (network, place) > (lane.network, lane.place) ORDER BY network, place, id LIMIT 1)
        WHERE number < ?2)
      SELECT (SELECT id FROM outbox WHERE state <> 'done' AND state = ?1 AND network = lane.network AND place = lane.place ORDER BY id LIMIT 1) AS id
      FROM lane ORDER BY (SELECT queued_at FROM outbox WHERE state <> 'done' AND state = ?1 AND network = lane.network AND place = lane.place
        ORDER BY id LIMIT 1) LIMIT 1`, state, LANES_MAX)
    const row = await one<OutboxRow>(OUTBOX + 'WHERE id = ?', first?.id ?? 0)
    return row && queueRowOf(row)
  },
  async rows (state, limit, { network, place, id } = { network: '', place: '', id: 0 }) {
    return (await all<OutboxRow>(OUTBOX + `WHERE state <> 'done' AND state = ? AND (outbox.network, outbox.place, outbox.id) > (?, ?, ?)
      ORDER BY outbox.network, outbox.place, outbox.id LIMIT ?`, state, network, place, id, limit)).map(queueRowOf)
  },
  async cases (handledBy, limit, { answered, at, id } = { answered: false, at: -1, id: 0 }) {
    return (await all<{ id: number, data: string }>(`SELECT id, data FROM conversation
      WHERE desk = ? AND state <> 'done' AND (answered, heard_at, id) > (?, ?, ?) ORDER BY answered, heard_at, id LIMIT ?`,
    handledBy, answered ? 1 : 0, at, id, limit)).flatMap(row => conversationOf(row) ?? [])
  },
  async countCases (handledBy, answered, most) {
    return counted(await one(`SELECT count(*) AS count FROM
      (SELECT 1 FROM conversation WHERE desk = ? AND state <> 'done' AND answered = ? LIMIT ?) AS few`, handledBy, answered ? 1 : 0, most))
  },
  async counted (address, hours, what) {
    return counted(await one(`SELECT coalesce(sum(count), 0) AS count FROM tally
      WHERE hour IN ` + NUMBERS + ` AND whose = 'address' AND name = ? AND what = ?`, JSON.stringify(hours), address, what))
  },
  async login ({ address, agent, digest, until }, now) {
    await run('DELETE FROM login WHERE until <= ?', now)
    await run(`INSERT INTO login (address, agent, digest, until) VALUES (?, ?, ?, ?)
      ON CONFLICT (address, agent) DO UPDATE SET digest = excluded.digest, until = excluded.until`, address, agent, digest, until)
  },
  async takeLogin (digest, now) {
    const found = await one<Login>('SELECT address, agent, digest, until FROM login WHERE digest = ?', digest)
    await run('DELETE FROM login WHERE digest = ?', digest)
    return found !== undefined && found.until > now ? found : undefined
  }
})
