/**
 * Moves a store from one engine to the other. Promises: nobody writes to either meanwhile, because both are locked; the target was empty; it holds
 * the same rows in each table, which is counted and summed before its only commit; and there is no moment at which both could be started. If it is
 * cut off, the source is whole, and the target is empty, or is refused until the command is given again.
 */
import { createHash } from 'node:crypto'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import type { Clock } from '../lib/clock'
import { messageOf, Refused } from '../model/errors'
import type { End, Row, Table } from './copy-end'
import { ARRIVING, isStrange, MOVED, strangeness } from './moved'
import { postgresEnd } from './copy-postgres'
import { sqliteEnd } from './copy-sqlite'
import type { StoreAt } from './open'
import { MIGRATIONS } from './schema'

/** A row refers to rows of these. */
const FIRST = ['journal', 'outbox', 'conversation']
/** Triggers have written to it already. */
const KEPT = 'ended'
/** The numbers, which each engine keeps in its own way. */
const NUMBERS = 'sqlite_sequence'

/** All tables, with the columns that are not made of others. */
const tablesOf = (): Table[] => {
  const db = new DatabaseSync(':memory:')
  for (const migration of MIGRATIONS) db.exec(migration)
  const names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all().map(({ name }) => String(name))
  const tables = [...FIRST, ...names.filter(name => !FIRST.includes(name) && name !== KEPT && name !== NUMBERS), KEPT].map(name =>
    ({ name, columns: db.prepare('SELECT name FROM pragma_table_info(?)').all(name).map(column => String(column['name'])) }))
  db.close()
  return tables
}

/** The same in both engines: PostgreSQL has no U+0000, and neither keeps half a surrogate pair. */
const kept = (value: SQLOutputValue): SQLOutputValue => typeof value === 'string' ? value.replaceAll('\0', '\u{fffd}').toWellFormed() : value

export interface Sum { rows: number; sum: bigint }

/** Whatever their order. */
const add = ({ rows, sum }: Sum, found: Row[]): Sum => ({
  rows: rows + found.length,
  sum: found.reduce((before, row) => {
    const plain = row.map(value => value instanceof Uint8Array ? { bytes: Buffer.from(value).toString('base64') } : kept(value))
    return BigInt.asUintN(64, before + createHash('sha256').update(JSON.stringify(plain)).digest().readBigUInt64BE())
  }, sum)
})

const NONE: Sum = { rows: 0, sum: 0n }

const sumOf = async (end: End, table: Table): Promise<Sum> => {
  let sum = NONE
  for await (const rows of end.rows(table)) sum = add(sum, rows)
  return sum
}

const copyTable = async (from: End, to: End, table: Table): Promise<number> => {
  let sum = NONE
  try {
    for await (const rows of from.rows(table)) {
      sum = add(sum, rows)
      await to.insert(table, rows.map(row => row.map(kept)))
    }
  } catch (error) {
    throw new Refused(`a row of ${table.name} cannot be copied: ${messageOf(error)}`)
  }
  const there = await sumOf(to, table)
  if (there.rows !== sum.rows || there.sum !== sum.sum) throw new Refused(`${table.name} is not the same in ${to.name}. Nothing was moved`)
  return sum.rows
}

const mustBeEmpty = async (to: End, tables: Table[]): Promise<void> => {
  for (const table of tables) {
    for await (const rows of to.rows(table)) {
      if (rows.length > 0) throw new Refused(`There is a store at ${to.name} already. Nothing was moved`)
    }
  }
}

/** All was copied before, but the source may have gone on since. */
const mustBeSame = async (from: End, to: End, tables: Table[]): Promise<void> => {
  for (const table of tables) {
    const [one, other] = [await sumOf(from, table), await sumOf(to, table)]
    if (one.rows !== other.rows || one.sum !== other.sum) {
      throw new Refused(`${to.name} holds an earlier copy, which was cut off, and ${from.name} has gone on since. Remove that copy first: ` +
        to.emptying)
    }
  }
}

/** Both are locked. `version`: of the schema, where it goes to. */
const move = async (from: End, to: End, version: number): Promise<Map<string, number>> => {
  const copied = new Map<string, number>()
  const tables = tablesOf()
  const isCutOff = from.state === MOVED && to.state === ARRIVING && await from.movedTo() === to.name
  if (!isCutOff) {
    if (isStrange(from.state)) throw new Refused(`${from.name}: ${strangeness(from.state, await from.movedTo())}`)
    if (to.state === MOVED) {
      throw new Refused(`${to.name} holds what was left when a store was moved from there to ${await to.movedTo() ?? 'another place'}. ` +
        `If the store in ${from.name} is the one to keep, ${to.emptying}. Then give this command again. Nothing was moved`)
    }
    if (to.state === ARRIVING) await mustBeSame(from, to, tables)
    else {
      await to.begin()
      await mustBeEmpty(to, tables)
      for (const table of tables) {
        if (table.name === KEPT) await to.empty(table)
        copied.set(table.name, await copyTable(from, to, table))
      }
      await to.giveNumbers(await from.numbers())
      await to.mark(ARRIVING)
      await to.commit()
    }
    await from.begin()
    await from.mark(MOVED, to.name)
    await from.commit()
  }
  await to.begin()
  await to.mark(version)
  await to.commit()
  return copied
}

const open = async ({ path, postgres }: StoreAt, clock: Clock): Promise<{ end: End, version: number }> =>
  postgres === undefined ? await sqliteEnd(path, clock) : await postgresEnd(postgres, clock)

/** Throws with a text for the operator. Returns how many rows of each table were copied; none, if only the end of an earlier move was missing. */
export const copyStore = async (from: StoreAt, to: StoreAt, clock: Clock): Promise<Map<string, number>> => {
  const { end: source } = await open(from, clock)
  try {
    const { end: target, version } = await open(to, clock)
    try {
      return await move(source, target, version)
    } finally { await target.close() }
  } finally { await source.close() }
}
