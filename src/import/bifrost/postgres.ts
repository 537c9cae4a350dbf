/** Reads matrix-bifrost's tables in PostgreSQL, versions 1 and 2 of its schema, page by page in one read-only transaction. */
import type { Client } from 'pg'
import { z } from 'zod'
import { pg } from '../../lib/packages'
import { messageOf } from '../../model/errors'
import { type FormerPerson, type FormerRoom, type FormerStore, kindOf, RECORDS_MAX, remoteOf, unreadable } from './former'

const PAGE_ROWS = 1000
const CONNECT_MS = 10_000
const STATEMENT_MS = 60_000
const VERSIONS: readonly number[] = [1, 2]

const text = z.string().nullable()
const groupRow = z.object({
  key: z.string(), protocol_id: text, room_name: text, gateway: z.boolean().nullable(), properties: z.record(z.string(), z.unknown()).nullable()
})
const directRow = z.object({ key: z.string(), user_id: z.string(), remote_id: z.string(), protocol_id: z.string() })
const adminRow = z.object({ key: z.string(), user_id: text })
const personRow = z.object({ key: z.string(), mxid: z.string(), protocol_id: text, id: text, name: text })

/** Each query gives $2 rows with keys after $1. The parts of an account's key are separated by a character that none of them contains. */
const GROUPS = `SELECT room_id AS key, protocol_id, room_name, gateway, properties FROM group_rooms
  WHERE room_id COLLATE "C" > $1 ORDER BY room_id COLLATE "C" LIMIT $2`
const DIRECTS = `SELECT room_id AS key, user_id, remote_id, protocol_id FROM im_rooms
  WHERE room_id COLLATE "C" > $1 ORDER BY room_id COLLATE "C" LIMIT $2`
const ADMINS = `SELECT room_id AS key, user_id FROM admin_rooms
  WHERE room_id COLLATE "C" > $1 ORDER BY room_id COLLATE "C" LIMIT $2`
const GHOSTS = `SELECT remote_users.user_id AS key, remote_users.user_id AS mxid, protocol_id, sender_name AS id, displayname AS name
  FROM remote_users LEFT JOIN ghost_cache USING (user_id)
  WHERE remote_users.user_id COLLATE "C" > $1 ORDER BY remote_users.user_id COLLATE "C" LIMIT $2`
const ACCOUNTS = `SELECT key, user_id AS mxid, protocol_id, username AS id, NULL AS name
  FROM (SELECT user_id || E'\\n' || protocol_id || E'\\n' || username AS key, * FROM accounts) AS keyed
  WHERE key COLLATE "C" > $1 ORDER BY key COLLATE "C" LIMIT $2`
const OTHERS = 'SELECT count(*)::integer AS others FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() ' +
  "AND backend_type = 'client backend'"

/** Reads all rows of a table, in pages. Throws with all rows that bifrost would not write so. */
const readRows = async <Row extends { key: string }>(client: Client, table: string, query: string, schema: z.ZodType<Row>): Promise<Row[]> => {
  const found: Row[] = []
  const problems: string[] = []
  for (let after = '', more = true; more;) {
    const { rows } = await client.query<{ key: string }>(query, [after, PAGE_ROWS])
    for (const row of rows) {
      const read = schema.safeParse(row)
      if (read.success) found.push(read.data)
      else problems.push(`${table}, ${row.key}: ${read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`)
    }
    if (found.length > RECORDS_MAX) throw unreadable([`${table}: more than ${RECORDS_MAX} rows are not read`])
    more = rows.length === PAGE_ROWS
    after = rows.at(-1)?.key ?? ''
  }
  if (problems.length > 0) throw unreadable([...problems, 'Nothing was taken over'])
  return found
}

const personOf = (isAccount: boolean) => ({ mxid, protocol_id: protocol, id, name }: z.infer<typeof personRow>): FormerPerson =>
  ({ mxid, protocol: protocol ?? '', id: id ?? '', isAccount, ...name ? { name } : {} })

const readTables = async (client: Client): Promise<FormerStore> => {
  const groups = await readRows(client, 'group_rooms', GROUPS, groupRow)
  const directs = await readRows(client, 'im_rooms', DIRECTS, directRow)
  const admins = await readRows(client, 'admin_rooms', ADMINS, adminRow)
  const rooms: FormerRoom[] = [
    ...groups.map(({ key: room, protocol_id: protocol, ...group }): FormerRoom =>
      ({ at: 'group_rooms', room, protocol: protocol ?? '', kind: kindOf(group), remote: remoteOf(group) })),
    ...directs.map(({ key: room, user_id: user, remote_id: remote, protocol_id: protocol }): FormerRoom =>
      ({ at: 'im_rooms', room, protocol, kind: 'direct', remote: `${user} ↔ ${remote}` })),
    ...admins.map(({ key: room, user_id: user }): FormerRoom => ({ at: 'admin_rooms', room, protocol: '', kind: 'admin', remote: user ?? '' }))
  ]
  const people = [
    ...(await readRows(client, 'accounts', ACCOUNTS, personRow)).map(personOf(true)),
    ...(await readRows(client, 'remote_users', GHOSTS, personRow)).map(personOf(false))
  ]
  const { rows: [counted] } = await client.query<{ others: number }>(OTHERS)
  return { rooms, people, empty: 0, others: counted?.others ?? 0 }
}

const IS_THERE = "SELECT to_regclass('group_rooms') IS NOT NULL AND to_regclass('schema') IS NOT NULL AS there"

const versionOf = async (client: Client): Promise<number | undefined> => {
  const { rows: [there] } = await client.query<{ there: boolean }>(IS_THERE)
  if (there?.there !== true) return undefined
  return (await client.query<{ version: number }>('SELECT version FROM schema')).rows[0]?.version
}

/** The server for error messages, without the password in its URL. */
const named = (url: string): string => {
  try {
    const { host, pathname } = new URL(url)
    return `PostgreSQL at ${host}${pathname}`
  } catch {
    return 'PostgreSQL'
  }
}

export const readPostgres = async (url: string): Promise<FormerStore> => {
  const client = new (pg().Client)({
    connectionString: url, connectionTimeoutMillis: CONNECT_MS, statement_timeout: STATEMENT_MS, application_name: 'zentrale import',
    options: '-c default_transaction_read_only=on'
  })
  client.on('error', () => {}) // a connection that breaks fails the query under way
  try {
    await client.connect()
    await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    const version = await versionOf(client)
    if (version === undefined) throw new Error('there are no tables of matrix-bifrost in this database')
    if (!VERSIONS.includes(version)) throw new Error(`its schema has version ${version}; known are ${VERSIONS.join(' and ')}`)
    return await readTables(client)
  } catch (error) {
    throw new Error(`${named(url)}: ${messageOf(error)}`)
  } finally {
    await client.end().catch(() => {})
  }
}
