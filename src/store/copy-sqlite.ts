/** A file that is copied from or to: copy.ts. */
import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../lib/clock'
import { type End, listOf, type Row, ROWS_AT_ONCE, type Table } from './copy-end'
import { MOVED } from './moved'
import { MIGRATIONS } from './schema'
import { movedTo, openFile } from './sqlite'

/** Lets others come to their turn between them: the session to a database must be heard of. */
const rowsOf = async function * (db: DatabaseSync, clock: Clock, { name, columns }: Table): AsyncGenerator<Row[]> {
  let some: Row[] = []
  for (const row of db.prepare(['SELECT', listOf(columns), 'FROM', name].join(' ')).iterate()) {
    if (some.push(columns.map(column => row[column] ?? null)) < ROWS_AT_ONCE) continue
    yield some
    some = []
    await new Promise<void>(resolve => clock.soon(resolve))
  }
  yield some
}

export const sqliteEnd = async (path: string, clock: Clock): Promise<{ end: End, version: number }> => {
  const { db, version } = openFile(path, undefined, true)
  const end: End = {
    name: path,
    state: version,
    movedTo: async () => movedTo(db),
    emptying: `remove the files ${path}*`,
    rows: table => rowsOf(db, clock, table),
    async begin () { db.exec('BEGIN IMMEDIATE') },
    async insert ({ name, columns }, rows) {
      const statement = db.prepare(['INSERT INTO', name, '(', listOf(columns), ') VALUES (', columns.map(() => '?').join(), ')'].join(' '))
      for (const row of rows) statement.run(...row)
    },
    async empty ({ name }) { db.exec(['DELETE FROM', name].join(' ')) },
    numbers: async () => new Map(db.prepare('SELECT name, seq FROM sqlite_sequence').all().map(({ name, seq }) => [String(name), Number(seq)])),
    async giveNumbers (numbers) {
      db.exec('DELETE FROM sqlite_sequence')
      for (const [name, seq] of numbers) db.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(name, seq)
    },
    async mark (state, to) {
      db.exec('PRAGMA user_version = ' + String(state))
      if (state === MOVED) db.prepare("INSERT OR REPLACE INTO memory (owner, key, value) VALUES ('store', 'moved to', ?)").run(to ?? '')
    },
    async commit () { db.exec('COMMIT') },
    async close () { db.close() }
  }
  return { end, version: MIGRATIONS.length }
}
