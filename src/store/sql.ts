/**
 * How statements are run: values are always bound, and each is prepared once. They are asynchronous, because an engine may be another process.
 * Each statement is said once, in words that SQLite and PostgreSQL both take.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

/** The numbers of a JSON array, which is bound as one value. */
export const NUMBERS = '(SELECT CAST(value AS BIGINT) FROM json_each(?))'

export interface Sql {
  all<Row>(sql: string, ...values: SQLInputValue[]): Promise<Row[]>
  one<Row>(sql: string, ...values: SQLInputValue[]): Promise<Row | undefined>
  run (sql: string, ...values: SQLInputValue[]): Promise<void> // what goes wrong may be thrown by what is asked next
  change (sql: string, ...values: SQLInputValue[]): Promise<number> // gives how many rows were changed
  insert (sql: string, ...values: SQLInputValue[]): Promise<number> // gives the number of the new row
}

/** Why a store cannot be opened. */
export const inUse = (name: string): string =>
  `${name} is in use by another process. Only one Zentrale may run on a database: stop the other one first`

export const makeSql = (db: DatabaseSync): Sql => {
  const prepared = new Map<string, StatementSync>() // as many as there are statements in this folder
  const statement = (sql: string): StatementSync => {
    let found = prepared.get(sql)
    if (found === undefined) prepared.set(sql, found = db.prepare(sql))
    return found
  }
  return {
    all: async <Row>(sql: string, ...values: SQLInputValue[]) => statement(sql).all(...values) as Row[],
    one: async <Row>(sql: string, ...values: SQLInputValue[]) => statement(sql).get(...values) as Row | undefined,
    run: async (sql, ...values) => { statement(sql).run(...values) },
    change: async (sql, ...values) => Number(statement(sql).run(...values).changes),
    insert: async (sql, ...values) => Number(statement(sql).run(...values).lastInsertRowid)
  }
}
