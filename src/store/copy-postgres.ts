/** A database that is copied from or to: copy.ts. */
import type { Client } from 'pg'
import type { Clock } from '../lib/clock'
import { type End, listOf, type Row, ROWS_AT_ONCE, type Table } from './copy-end'
import { MOVED, MOVED_TO } from './moved'
import { nameOf, takeLock, watch } from './postgres-lock'
import { POSTGRES_MIGRATIONS } from './postgres-schema'

/** The tables that give their rows numbers, and the column. */
const NUMBERED = `SELECT table_name AS name, column_name AS key FROM information_schema.columns
  WHERE table_schema = 'zentrale' AND is_identity = 'YES'`
const LAST = 'SELECT pg_sequence_last_value(CAST(pg_get_serial_sequence($1, $2) AS regclass)) AS last'
/** Those whose numbers are asked for by the name that SQLite has for that. */
const KEPT_BY_NAME: ReadonlySet<string> = new Set(['conversation', 'logbook'])

/** In a transaction, so that the rows are found as they are fetched, and not all at first. */
const rowsOf = async function * (client: Client, { name, columns }: Table): AsyncGenerator<Row[]> {
  await client.query(['DECLARE found NO SCROLL CURSOR FOR SELECT', listOf(columns), 'FROM', name].join(' '))
  try {
    for (;;) {
      const { rows } = await client.query<Row>({ text: ['FETCH', String(ROWS_AT_ONCE), 'FROM found'].join(' '), rowMode: 'array' })
      yield rows
      if (rows.length < ROWS_AT_ONCE) break
    }
  } finally {
    await client.query('CLOSE found').catch(() => { /* nor does anything else work then */ })
  }
}

export const postgresEnd = async (url: string, clock: Clock): Promise<{ end: End, version: number }> => {
  const held = await takeLock(url, clock, undefined, true)
  const { client, socket, version } = held
  const { stop } = watch(held, clock, () => { /* whatever is asked then rejects */ })
  let isWriting = false
  const numbered = async (): Promise<{ name: string, key: string }[]> => (await client.query<{ name: string, key: string }>(NUMBERED)).rows
  const end: End = {
    name: nameOf(url),
    state: version,
    emptying: 'give its owner\'s command there: DROP SCHEMA zentrale CASCADE',
    movedTo: async () => (await client.query<{ value: string }>(MOVED_TO)).rows[0]?.value,
    async * rows (table) {
      if (!isWriting) await client.query('BEGIN')
      yield* rowsOf(client, table)
      if (!isWriting) await client.query('COMMIT')
    },
    async begin () {
      isWriting = true
      await client.query('BEGIN')
    },
    async insert ({ name, columns }, rows) {
      if (rows.length === 0) return
      const places = rows.map((_, row) => `(${columns.map((_, column) => `$${row * columns.length + column + 1}`).join()})`).join()
      await client.query(['INSERT INTO', name, '(', listOf(columns), ') VALUES', places].join(' '), rows.flat())
    },
    async empty ({ name }) { await client.query(['DELETE FROM', name].join(' ')) },
    async numbers () {
      const numbers = new Map<string, number>()
      const higher = (name: string, seq: number): void => { numbers.set(name, Math.max(numbers.get(name) ?? 0, seq)) }
      for (const { name, key } of await numbered()) {
        const { rows: [found] } = await client.query<{ last: number | null }>(LAST, [name, key])
        if (found?.last) higher(name, found.last)
      }
      const { rows } = await client.query<{ name: string, seq: number }>('SELECT name, seq FROM sqlite_sequence')
      for (const { name, seq } of rows) higher(name, seq)
      return numbers
    },
    async giveNumbers (numbers) {
      for (const { name, key } of await numbered()) {
        const highest = ['SELECT coalesce(max(', key, '), 0) AS last FROM', name].join(' ')
        const { rows } = await client.query<{ last: number }>(highest)
        const last = Math.max(numbers.get(name) ?? 0, rows[0]?.last ?? 0)
        if (last > 0) await client.query('SELECT setval(pg_get_serial_sequence($1, $2), $3)', [name, key, last])
      }
      await client.query('DELETE FROM sqlite_sequence')
      for (const [name, seq] of numbers) {
        if (KEPT_BY_NAME.has(name)) await client.query('INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)', [name, seq])
      }
    },
    async mark (state, movedTo) {
      await client.query('UPDATE zentrale.version SET version = $1', [state])
      if (state !== MOVED) return
      await client.query(`INSERT INTO memory (owner, key, value) VALUES ('store', 'moved to', $1)
        ON CONFLICT (owner, key) DO UPDATE SET value = excluded.value`, [movedTo ?? ''])
    },
    async commit () {
      await client.query('COMMIT')
      isWriting = false
    },
    async close () {
      stop()
      await client.end().catch(() => { /* it is gone already */ })
      socket.destroy()
    }
  }
  return { end, version: POSTGRES_MIGRATIONS.length }
}
