/** What can be seen of a database without taking part: nothing is locked or written, and nothing waits for whoever works on it. */
import { MARK } from './mark'
import { MOVED, MOVED_TO } from './moved'
import { ANSWER_MS, connect, LOCK, LOOKS, nameOf, TRIES, VERSION } from './postgres-lock'
import { POSTGRES_MIGRATIONS } from './postgres-schema'
import { makeSession, type Session } from './postgres-session'
import type { Tx } from './store'
import { makeTally } from './tally-tx'
import { makeTx } from './tx'

/** Which version of the schema this program makes there. */
export const POSTGRES_SCHEMA = POSTGRES_MIGRATIONS.length

/**
 * `server`: its version, and `major` its first number. `syncs`: what it says is on disk is there. `readsOnly`: it takes no writes, as a standby
 * server. `mayCreate`: so may we. `foreign`: how many tables of ours belong to somebody else. `schema`: the version of ours; absent if there is no
 * store; 0 if there are only `tables`. `holder`: the Zentrale at work on it. `mark`: of the config of the last active one.
 */
export interface Seen {
  server: string; major: number; encoding: string; syncs: boolean; readsOnly: boolean; mayCreate: boolean; foreign: number
  schema?: number; holder?: Holder; mark?: string; movedTo?: string; tables: number
}

/**
 * `since`: null if we are another role, to which PostgreSQL shows neither this nor the address. `isOfUs`: we may end its session. `tries`: it is no
 * Zentrale, but a `zentrale check`.
 */
export interface Holder { from: string; role: string; since: string | null; isOfUs: number; tries: number }

const SERVER = `SELECT current_setting('server_version') AS server, CAST(current_setting('server_version_num') AS INTEGER) / 10000 AS major,
    current_setting('server_encoding') AS encoding,
    current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on' AS syncs,
    pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS "readsOnly",
    has_database_privilege(current_database(), 'CREATE') AS "mayCreate",
    (SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = 'zentrale' AND relkind = 'r'
      AND NOT pg_has_role(relowner, 'USAGE')) AS foreign,
    (SELECT count(*) FROM pg_tables WHERE schemaname = 'zentrale' AND tablename <> 'version') AS tables,
    to_regclass('zentrale.version') IS NOT NULL AS "isThere"`

/** The key of the lock is one number of 64 bits, in two halves. */
const HOLDER = `SELECT CASE WHEN activity.backend_start IS NULL THEN 'an address that this role may not see'
      ELSE coalesce(host(activity.client_addr), 'this machine') END AS "from", coalesce(activity.usename, 'unknown') AS role,
    to_char(activity.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since,
    activity.usename IS NOT DISTINCT FROM current_user AS "isOfUs", activity.application_name IS NOT DISTINCT FROM '${TRIES}' AS tries
  FROM pg_locks AS lock LEFT JOIN pg_stat_activity AS activity ON activity.pid = lock.pid
  WHERE lock.locktype = 'advisory' AND lock.classid = 0 AND lock.objid = CAST(CAST(? AS BIGINT) AS oid) AND lock.objsubid = 1 AND lock.granted
    AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())`

/** Hands out a session that ends with `use`. */
const visiting = async <T>(url: string, use: (session: Session) => Promise<T>, answerMs?: number): Promise<T> => {
  const { client, socket } = await connect(url, LOOKS, answerMs)
  try {
    return await use(makeSession(client))
  } finally { socket.destroy() }
}

type Found = Record<'server' | 'encoding', string> & Record<'major' | 'foreign' | 'tables' | 'syncs' | 'readsOnly' | 'mayCreate' | 'isThere', number>

/** Rejects if it cannot be reached, lets us not in, or does not answer for ANSWER_MS. */
export const lookAt = (url: string): Promise<Seen> => visiting(url, async ({ sql }) => {
  const found = await sql.one<Found>(SERVER)
  if (found === undefined) throw new Error('the database says nothing of itself')
  const holder = await sql.one<Holder>(HOLDER, LOCK)
  const ours = found.isThere === 1 ? await sql.one<{ version: number }>(VERSION) : undefined
  const marked = ours === undefined || ours.version === 0 ? undefined : await sql.one<{ value: string }>(MARK)
  const moved = ours?.version === MOVED ? await sql.one<{ value: string }>(MOVED_TO) : undefined
  const { server, major, encoding } = found
  return {
    server, major, encoding, syncs: found.syncs === 1, readsOnly: found.readsOnly === 1, mayCreate: found.mayCreate === 1,
    foreign: found.foreign, tables: found.tables,
    ...ours !== undefined && { schema: ours.version }, ...holder !== undefined && { holder },
    ...marked !== undefined && { mark: marked.value }, ...moved !== undefined && { movedTo: moved.value }
  }
}, ANSWER_MS)

/** Reads the store as it is at one moment, whoever works on it meanwhile. */
export const readPostgres = <T>(url: string, use: (tx: Tx) => Promise<T>): Promise<T> => visiting(url, async ({ sql, ask }) => {
  await ask('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  const ours = await sql.one<{ version: number }>(VERSION)
  if (ours?.version !== POSTGRES_SCHEMA) {
    throw new Error(`the store in ${nameOf(url)} has version ${ours?.version ?? 0} of the schema; this Zentrale reads ${POSTGRES_SCHEMA}`)
  }
  return await use(makeTx(sql, '', makeTally(sql)))
})
