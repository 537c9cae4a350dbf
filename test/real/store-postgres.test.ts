/** The store in a real PostgreSQL: what store.ts promises, the same answers as SQLite's, and what is left when the session is cut anywhere. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { Client } from 'pg'
import { type Postgres, startPostgres } from '../../sandbox/servers/postgres'
import { systemClock } from '../../src/lib/clock'
import { Malformed } from '../../src/model/errors'
import type { Arrival } from '../../src/model/message'
import { openPostgres } from '../../src/store/postgres'
import { MIGRATIONS } from '../../src/store/schema'
import { openSqlite } from '../../src/store/sqlite'
import type { Store } from '../../src/store/store'
import { temporaryFolder } from '../support/folder'
import { until } from '../support/practice'
import { needs } from '../support/real'
import { askAll } from '../support/store-questions'
import { storeSuite } from '../support/store-suite'

const ROOT = join(__dirname, '../..')
const JOBS = 24
const JOBS_KILLED = 100
const NOW = 500_000 * 3_600_000
const clock = { ...systemClock, now: () => NOW }

describe('the store in PostgreSQL', () => {
  needs('postgres')
  let server: Postgres
  let databases = 0
  let url = ''
  before(async () => { server = await startPostgres({ dir: temporaryFolder() }) })
  after(async () => { await server.stop() })
  const fresh = async (): Promise<void> => { url = await server.createDatabase(`store${++databases}`) }
  const failures: unknown[] = []
  const open = (): Promise<Store> => openPostgres(url, clock, error => failures.push(error), { sealKey: 'a key' })
  beforeEach(() => { failures.length = 0 })

  storeSuite({ fresh: async () => { await fresh(); return await open() }, again: open })

  it('answers every question as SQLite does', async () => {
    await fresh()
    const postgres = await open()
    const sqlite = openSqlite(join(temporaryFolder(), 'store.db'), clock, error => failures.push(error), 'a key')
    const [theirs, ours] = [await askAll(postgres), await askAll(sqlite)]
    await Promise.all([postgres.close(), sqlite.close()])
    assert.deepEqual(theirs.unasked, [])
    assert.deepEqual(ours.answers.filter(([, answer]) => typeof answer === 'string' && answer.startsWith('!')), [], 'each is asked rightly')
    assert.deepEqual(theirs.answers, ours.answers)
    assert.deepEqual(failures, [])
  })

  it('reads few rows for each receipt that comes early, however many come in one commit', async () => {
    const COUNT = 4_000
    await fresh()
    const store = await open()
    await store.run(async tx => {
      for (let n = 0; n < COUNT; n++) await tx.earlyReceipt({ network: 'red', id: 'room' }, [`a${n}`], { outcome: 'delivered' }, n)
    })
    await store.close()
    const other = new Client({ connectionString: url })
    await other.connect()
    const read = async (): Promise<number> => Number((await other.query<{ read: string }>(`SELECT seq_tup_read +
      (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'early_receipt') AS read
      FROM pg_stat_user_tables WHERE relname = 'early_receipt'`)).rows[0]?.read)
    await until(async () => await read() > 0, 'the server counts what it read')
    const rows = await read()
    await other.end()
    assert.ok(rows < COUNT * 100, `${rows} rows`)
  })

  /** Any words of others: with what PostgreSQL has no character for, and longer than its indexes hold. */
  const words = fc.oneof(
    fc.string({ minLength: 1, maxLength: 12,
      unit: fc.constantFrom('a', 'B', 'ä', '\0', '\ud800', '\udc00', '😀', '\\', '\\u0000', '\\ud800', '"', '%', "'") }),
    fc.integer({ min: 1, max: 6_000 }).map(length => createHash('shake256', { outputLength: length }).update(String(length)).digest('base64url'))
  )

  it('stores and finds whatever others write as SQLite does, or says that it never will, and goes on', async () => {
    await fresh()
    const stores = [await open(), openSqlite(join(temporaryFolder(), 'store.db'), clock, error => failures.push(error), 'a key')] as const
    const sound = (_: string, value: unknown): unknown => typeof value === 'string' ? value.replaceAll('\0', '\u{fffd}').toWellFormed() : value
    let n = 0
    let refused = 0
    await fc.assert(fc.asyncProperty(words, words, words, async (some, id, said) => {
      const key = `${n++} ${some}`
      const there = { network: 'red', id }
      const arrival: Arrival = { kind: 'message', key, place: there, at: 1, sender: { id, name: said }, thread: [said],
        content: { style: 'text', text: [{ kind: 'paragraph', of: [{ kind: 'text', text: said }] }] } }
      const [theirs, ours] = await Promise.all(stores.map(async store => await store.run(async tx => {
        const journal = await tx.journal(arrival, 'unrouted', 1)
        await tx.earlyReceipt(there, [key], { outcome: 'failed' }, 1)
        await tx.remember('me', key, said)
        await tx.quarantine('red', said, said, 1, key)
        const found = { arrival: await tx.origin(journal), seen: await tx.seen('red', key), early: await tx.takeEarlyReceipts(there, [key], 1),
          last: await tx.lastKey(there) }
        return { ...found, remembered: (await tx.remembered('me')).find(([one]) => one.startsWith(`${n - 1} `)) }
      }).catch((error: unknown) => error)))
      if (theirs instanceof Malformed) {
        refused++
        assert.ok(Buffer.byteLength(key + id + said) > 2_500, `${key} ${id} ${said}`)
      } else assert.equal(JSON.stringify(theirs, sound), JSON.stringify(ours, sound))
      const quarantined = await stores[0].run(tx => tx.quarantine('red', `raw ${said}`, 'too long', 1, `other ${key}`))
      assert.equal(quarantined, true)
    }), { numRuns: 150 })
    assert.ok(refused > 0)
    for (const store of stores) await store.close()
    assert.deepEqual(failures, [])
  })

  it('has the tables and columns that SQLite has', async () => {
    await fresh()
    await (await open()).close()
    const db = new DatabaseSync(':memory:')
    for (const migration of MIGRATIONS) db.exec(migration)
    const ours = db.prepare(`SELECT tables.name || ' ' || columns.name AS it FROM sqlite_schema AS tables, pragma_table_xinfo(tables.name) AS columns
      WHERE tables.type = 'table' ORDER BY it`).all().map(({ it }) => it)
    db.close()
    const other = new Client({ connectionString: url })
    await other.connect()
    const { rows } = await other.query<{ it: string }>(`SELECT table_name || ' ' || column_name AS it FROM information_schema.columns
      WHERE table_schema = 'zentrale' AND table_name <> 'version' ORDER BY (table_name || ' ' || column_name) COLLATE "C"`)
    await other.end()
    assert.deepEqual(rows.map(({ it }) => it), ours)
  })

  /** Jobs that each write to three tables, the seventh to none because it fails. Gives the numbers of those to which the store said yes. */
  const work = async (store: Store): Promise<number[]> => {
    const place = { network: 'red', id: 'room' }
    const jobs = Array.from({ length: JOBS }, (_, n) => store.run(async tx => {
      if (await tx.seen('red', String(n))) return
      const journal = await tx.journal({ kind: 'message', key: String(n), place, at: 1, sender: { id: 'anna', name: 'Anna' },
        content: { style: 'text', text: [] } }, 'routed', 1)
      await tx.remember('me', String(n), 'x')
      if (n === 7) throw new Error('no')
      await tx.queue({ journal, from: place }, { delivery: { key: String(n), place, at: 1, action: { kind: 'message',
        content: { style: 'text', text: [] } } }, notice: false }, 1)
      tx.tally.count({ whose: 'address', name: 'info', what: 'in', network: 'red' })
    }, n % 3))
    return (await Promise.allSettled(jobs)).flatMap(({ status }, n) => status === 'fulfilled' ? [n] : [])
  }

  /** Each job is there in all three tables or in none, and so is what it counted. */
  const stored = async (): Promise<number[]> => {
    const store = await open()
    const found = await store.run(async tx => ({
      remembered: await tx.remembered('me'), waiting: await tx.waiting({ network: 'red', id: 'room' }, 0, JOBS),
      seen: (await Promise.all(Array.from({ length: JOBS }, async (_, n) => await tx.seen('red', String(n)) ? [n] : []))).flat(),
      totals: await tx.tally.totals()
    }))
    await store.close()
    const numbers = found.seen.map(String)
    assert.deepEqual(found.remembered.map(([key]) => key).sort(), [...numbers].sort())
    assert.deepEqual(found.waiting.map(({ delivery }) => delivery.key), numbers)
    assert.deepEqual(found.totals.map(({ count }) => count), numbers.length === 0 ? [] : [numbers.length])
    return found.seen
  }

  /** Runs the work with a session that ends when so much was sent, and gives how often something was: a question, with what is written before it. */
  const cutAt = async (statement: number, cut: (client: Client) => void): Promise<number> => {
    const { query } = Client.prototype
    let count = 0
    const isWork = (asked: unknown): boolean => typeof asked === 'object' && asked !== null && 'name' in asked
    Client.prototype.query = function (this: Client, ...given: unknown[]) {
      if (isWork(given[0]) && ++count === statement) cut(this)
      return (query as (...given: unknown[]) => unknown).apply(this, given)
    } as typeof query
    const store = await open()
    try {
      const said = await work(store)
      if (count >= statement) await until(() => failures.length > 0, 'the session is lost') // the server ends it in its own time
      const rest = await store.run(async () => {}).then(() => 'runs', () => 'refuses')
      await store.close()
      Client.prototype.query = query
      const there = await stored()
      for (const n of said) assert.ok(there.includes(n), `statement ${statement}: yes to ${n}, which is not there`)
      assert.deepEqual([rest, failures.length], count < statement ? ['runs', 0] : ['refuses', 1], `statement ${statement}`)
      assert.equal(there.includes(7), false)
      return count
    } finally {
      Client.prototype.query = query
      failures.length = 0
    }
  }

  it('says yes only to what is there, and stops, whatever statement loses its connection', async () => {
    await fresh()
    const statements = await cutAt(Infinity, () => {})
    assert.ok(statements > JOBS)
    for (let n = 1; n <= statements; n++) {
      await fresh()
      await cutAt(n, client => { (client as unknown as { connection: { stream: { destroy (): void } } }).connection.stream.destroy() })
    }
  })

  it('says yes only to what is there, and stops, whatever statement the server ends the session at', async () => {
    for (let n = 1; n <= JOBS; n += 2) {
      await fresh()
      const other = new Client({ connectionString: url })
      await other.connect()
      try {
        await cutAt(n, client => {
          void other.query('SELECT pg_terminate_backend($1)', [(client as unknown as { processID: number }).processID])
        })
      } finally { await other.end() }
    }
  })

  it('has what it said yes to when the process is killed, at any statement', async () => {
    const script = `
      require('ts-node/register')
      const { Client } = require('pg')
      const { openPostgres } = require('./src/store/postgres')
      const { systemClock } = require('./src/lib/clock')
      const { query } = Client.prototype
      let left = Number(process.argv[2])
      Client.prototype.query = function (...given) {
        const asked = query.apply(this, given)
        if (given[0].name !== undefined && --left === 0) process.kill(process.pid, 'SIGKILL')
        return asked
      }
      openPostgres(process.argv[1], systemClock, () => {}).then(store => {
        for (let n = 0; n < ${JOBS_KILLED}; n++) {
          store.run(async tx => {
            if (await tx.seen('red', String(n))) return
            await tx.remember('me', String(n), 'x')
            tx.tally.count({ whose: 'address', name: 'info', what: 'in', network: 'red' })
          }, n % 5).then(() => require('node:fs').writeSync(1, n + '\\n'))
        }
        store.close().then(() => process.exit(0))
      })`
    for (const statement of [1, 7, 20, 60, 99, 100, 101, 102, 103, 104]) {
      await fresh()
      const { signal, stdout } = spawnSync(process.execPath, ['-e', script, url, String(statement)], { cwd: ROOT, encoding: 'utf8' })
      assert.ok(signal === 'SIGKILL' || statement > JOBS_KILLED, `statement ${statement}`)
      const store = await open()
      const { keys, totals } = await store.run(async tx =>
        ({ keys: (await tx.remembered('me')).map(([key]) => key), totals: await tx.tally.totals() }))
      await store.close()
      for (const n of stdout.split('\n').filter(Boolean)) assert.ok(keys.includes(n), `statement ${statement}: yes to ${n}`)
      assert.deepEqual(totals.map(({ count }) => count), keys.length === 0 ? [] : [keys.length], `statement ${statement}`)
    }
  })

  it('stops when the server is killed while it is quiet, and has everything when that is back', async () => {
    await fresh()
    const store = await open()
    const said = await work(store)
    const failed = new Promise<void>(resolve => { failures.push = () => { resolve(); return 1 } })
    await server.kill()
    await failed
    await assert.rejects(store.run(async () => {}), /the store failed/)
    await store.close()
    Reflect.deleteProperty(failures, 'push')
    await server.restart()
    assert.deepEqual(await stored(), said)
  })

  it('is refused to a second process, with a text that says what to do, and open to it when the first has ended', async () => {
    await fresh()
    const first = await open()
    await assert.rejects(open(), /is in use by another process.*stop the other one first/)
    await first.close()
    await (await open()).close()
  })

  it('is refused when a newer Zentrale made it, and where there is none, with no password in the text', async () => {
    await fresh()
    await (await open()).close()
    const other = new Client({ connectionString: url })
    await other.connect()
    await other.query('UPDATE zentrale.version SET version = 999')
    await assert.rejects(open(), /made by a newer Zentrale/)
    await other.query('DELETE FROM zentrale.version')
    await other.end()
    await assert.rejects(open(), /there are tables in it but no version of its schema/)
    url = url.replace('postgres@', 'postgres:secret@').replace(/\/\w+$/, '/nothing')
    await assert.rejects(open(), (error: Error) => /PostgreSQL at 127\.0\.0\.1:\d+\/nothing/.test(error.message) && !error.message.includes('secret'))
  })

  /** The server is told this for all sessions that begin later, or at once. */
  const told = async (...statements: string[]): Promise<void> => {
    const other = new Client({ connectionString: url })
    await other.connect()
    for (const statement of statements) await other.query(statement)
    await other.end()
  }

  it('reads bytes whatever form the server is told to give them in', async () => {
    await fresh()
    await told(`ALTER DATABASE ${url.split('/').at(-1)} SET bytea_output = escape`)
    const store = await open()
    await store.run(tx => tx.vault('me', 'bytes', new Uint8Array([0, 255, 92])))
    assert.deepEqual(await store.run(tx => tx.vaulted('me', 'bytes')), new Uint8Array([0, 255, 92]))
    await store.close()
  })

  it('stops when the database begins to take no writes, rather than hold what it cannot store', async () => {
    await fresh()
    const store = await open()
    await told('ALTER SYSTEM SET default_transaction_read_only = on', 'SELECT pg_reload_conf()')
    await until(async () => store.run(tx => tx.remember('me', 'b', 'w')).then(() => false, () => true), 'it is refused')
    assert.equal(failures.length, 1)
    await store.close()
    await told('SET default_transaction_read_only = off', 'ALTER SYSTEM RESET default_transaction_read_only', 'SELECT pg_reload_conf()')
  })

  it('is refused through a pooler, which lends the session with its lock to others', async () => {
    await fresh()
    const { connect } = Client.prototype
    Client.prototype.connect = function (this: Client) {
      return (connect as () => Promise<Client>).call(this).then(() => Object.assign(this, { processID: 1 }))
    } as typeof connect
    await assert.rejects(open(), /a pooler such as pgbouncer is in between/).finally(() => { Client.prototype.connect = connect })
  })

  it('commits to disk although the server is told otherwise', async () => {
    await fresh()
    await told(`ALTER DATABASE ${url.split('/').at(-1)} SET synchronous_commit = off`)
    const { connect } = Client.prototype
    const sessions: Client[] = []
    Client.prototype.connect = function (this: Client) {
      sessions.push(this)
      return (connect as () => Promise<Client>).call(this)
    } as typeof connect
    const store = await open().finally(() => { Client.prototype.connect = connect })
    const { rows } = await sessions[0]!.query<Record<string, string>>('SHOW synchronous_commit')
    assert.deepEqual(rows.map(row => row['synchronous_commit']), ['on'])
    await store.close()
  })
})
