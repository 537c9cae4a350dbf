/**
 * Statements that go to PostgreSQL together and are answered together: one write, and one answer to wake up for. Each is prepared once, and described
 * once. The server leaves out what comes behind one that goes wrong.
 */
import type { Client, Connection, Submittable } from 'pg'
import type { SQLInputValue } from 'node:sqlite'
import { parserOf } from './postgres-lock'

export interface Statement { text: string; values: SQLInputValue[] }

export type Row = Record<string, unknown>

/** `command`: as the server calls it. `count`: how many rows it was about. */
export interface Answer { rows: Row[]; command: string; count: number }

interface Column { name: string; parse (text: string): unknown }

/** What the server knows by a name. */
interface Prepared { name: string; columns: Column[] }

/** PostgreSQL keeps no U+0000 in a text. */
const bindable = (value: SQLInputValue): string | Buffer | null => {
  if (typeof value === 'string') return value.includes('\0') ? value.replaceAll('\0', '\u{fffd}') : value
  if (value === null) return null
  return typeof value === 'object' ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : String(value)
}

/** The words of the protocol as pg reads them. */
interface Description { fields: { name: string, dataTypeID: number }[] }
interface Data { fields: (string | null)[] }
interface Complete { text: string }

/** pg calls these. It looks for a name, which several statements do not have, and wants to be called back when all is over. */
interface Bundle extends Submittable {
  name: ''
  callback? (): void
  handleRowDescription (description: Description): void
  handleDataRow (data: Data): void
  handleCommandComplete (complete: Complete): void
  handleReadyForQuery (): void
  handleError (error: unknown): void
}

/** `answers`: of those before the one that went wrong, if one did. */
export interface Outcome { answers: Answer[]; error?: unknown }

const makeBundles = (): ((statements: Statement[], ended: (outcome: Outcome) => void) => Bundle) => {
  const prepared = new Map<string, Prepared>() // by text, as many as there are in this folder
  let names = 0

  return (statements, ended) => {
    const answers: Answer[] = []
    const used: Prepared[] = []
    const fresh = new Set<string>() // texts that are prepared with this bundle
    let rows: Row[] = []

    const put = (connection: Connection, { text, values }: Statement): void => {
      const known = prepared.get(text)
      const one = known ?? { name: `z${names++}`, columns: [] }
      const { name } = one
      used.push(one)
      if (known === undefined) {
        prepared.set(text, one)
        fresh.add(text)
        connection.parse({ name, text, types: [] }, true)
      }
      connection.bind({ statement: name, values: values.map(bindable) }, true)
      if (known === undefined) connection.describe({ type: 'P', name: '' }, true)
      connection.execute(null, true)
    }
    const current = (): Prepared => used[answers.length]!

    const bundle: Bundle = {
      name: '',
      submit (connection) {
        connection.stream.cork()
        for (const statement of statements) put(connection, statement)
        connection.sync()
        connection.stream.uncork()
      },
      handleRowDescription ({ fields }) {
        current().columns = fields.map(({ name, dataTypeID }) => ({ name, parse: parserOf(dataTypeID) }))
      },
      handleDataRow ({ fields }) {
        const row: Row = {}
        for (const [index, { name, parse }] of current().columns.entries()) {
          const field = fields[index] ?? null
          row[name] = field === null ? null : parse(field)
        }
        rows.push(row)
      },
      handleCommandComplete ({ text }) {
        const [command = '', ...numbers] = text.split(' ')
        answers.push({ rows, command, count: Number(numbers.at(-1) ?? 0) })
        rows = []
      },
      handleReadyForQuery () {
        bundle.callback?.()
        ended({ answers })
      },
      handleError (error) {
        for (const { text } of statements.slice(answers.length)) if (fresh.has(text)) prepared.delete(text) // perhaps the server never saw it
        bundle.callback?.()
        ended({ answers, error })
      }
    }
    return bundle
  }
}

/** Sends statements together. Rejects never: what went wrong is in the outcome. */
export const makeSending = (client: Client): ((statements: Statement[]) => Promise<Outcome>) => {
  const bundle = makeBundles()
  return statements => new Promise(resolve => client.query(bundle(statements, resolve)))
}
