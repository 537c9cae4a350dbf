/** How statements are run: each is prepared once; values are always bound. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

export interface Sql {
  all<Row>(sql: string, ...values: SQLInputValue[]): Row[]
  one<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined
  run (sql: string, ...values: SQLInputValue[]): { changes: number, id: number }
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
    run (sql, ...values) {
      const { changes, lastInsertRowid } = statement(sql).run(...values)
      return { changes: Number(changes), id: Number(lastInsertRowid) }
    }
  }
}
