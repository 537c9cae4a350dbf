/** How statements are run: each is prepared once; values are always bound. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

/** The numbers of a JSON array, which is bound as one value. */
export const NUMBERS = '(SELECT CAST(value AS BIGINT) FROM json_each(?))'

export interface Sql {
  all<Row>(sql: string, ...values: SQLInputValue[]): Row[]
  one<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined
  run (sql: string, ...values: SQLInputValue[]): { changes: number }
  insert (sql: string, ...values: SQLInputValue[]): number // gives the number of the new row
}

export const makeSql = (db: DatabaseSync): Sql => {
  const prepared = new Map<string, StatementSync>() // as many as there are statements in this folder
  const statement = (sql: string): StatementSync => {
    let found = prepared.get(sql)
    if (found === undefined) prepared.set(sql, found = db.prepare(sql))
    return found
  }
  return {
    all: <Row>(sql: string, ...values: SQLInputValue[]) => statement(sql).all(...values) as Row[],
    one: <Row>(sql: string, ...values: SQLInputValue[]) => statement(sql).get(...values) as Row | undefined,
    run: (sql, ...values) => ({ changes: Number(statement(sql).run(...values).changes) }),
    insert: (sql, ...values) => Number(statement(sql).run(...values).lastInsertRowid)
  }
}
