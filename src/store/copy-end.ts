/** One of the two stores of a move: copy.ts. */
import type { SQLOutputValue } from 'node:sqlite'

export type Row = SQLOutputValue[]
export interface Table { name: string; columns: string[] }

/** So many are read, and written, with one statement. */
export const ROWS_AT_ONCE = 500

/** Columns, as a statement names them. */
export const listOf = (columns: string[]): string => columns.map(name => `"${name}"`).join()

/** One store of the two. Nobody else can write to it. */
export interface End {
  name: string
  /** Or MOVED, or ARRIVING. */
  state: number
  movedTo (): Promise<string | undefined>
  /** What a person does to have this place empty. */
  emptying: string
  rows (table: Table): AsyncIterable<Row[]> // some at a time
  begin (): Promise<void>
  insert (table: Table, rows: Row[]): Promise<void>
  empty (table: Table): Promise<void>
  /** The highest number that rows of these tables ever had. */
  numbers (): Promise<Map<string, number>>
  giveNumbers (numbers: Map<string, number>): Promise<void>
  mark (state: number, movedTo?: string): Promise<void>
  commit (): Promise<void>
  /** What is not committed is gone. */
  close (): Promise<void>
}
