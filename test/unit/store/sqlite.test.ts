import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { systemClock } from '../../../src/lib/clock'
import { MIGRATIONS } from '../../../src/store/schema'
import { openSqlite } from '../../../src/store/sqlite'
import { EARLY_RECEIPT_ROWS_MAX, type Store } from '../../../src/store/store'
import { temporaryFolder } from '../../support/folder'
import { slowness } from '../../support/linear'
import { PLACE, storeSuite } from '../../support/store-suite'

describe('the store on SQLite', () => {
  const failures: unknown[] = []
  const openAt = (path: string): Store => openSqlite(path, systemClock, error => failures.push(error))
  let last: string
  storeSuite({
    fresh: () => openAt(last = join(temporaryFolder(), 'store.db')),
    again: () => openAt(last)
  })

  let path: string
  let store: Store
  const open = (): Store => openAt(path)
  beforeEach(() => { path = join(temporaryFolder(), 'store.db'); store = open() })
  afterEach(async () => { await store.close() })

  it('has what a job wrote after it resolved, even if the process is gone then', () => {
    const script = `
      require('ts-node/register')
      const { openSqlite } = require('./src/store/sqlite')
      const { systemClock } = require('./src/lib/clock')
      const store = openSqlite(process.argv[1], systemClock, () => {})
      store.run(tx => tx.remember('me', 'a', '1')).then(() => process.kill(process.pid, 'SIGKILL'))`
    const other = join(temporaryFolder(), 'killed.db')
    assert.equal(spawnSync(process.execPath, ['-e', script, other], { cwd: join(__dirname, '../../..') }).signal, 'SIGKILL')
    const db = new DatabaseSync(other)
    assert.deepEqual(db.prepare('SELECT value FROM memory').all().map(row => row['value']), ['1'])
    db.close()
  })

  it('takes linear time for receipts that come early, and keeps few', async () => {
    const early = async (count: number): Promise<number> => {
      const path = join(temporaryFolder(), 'receipts.db')
      const receipts = openSqlite(path, systemClock, error => failures.push(error))
      await receipts.run(async tx => {
        for (let n = 0; n < count; n++) await tx.earlyReceipt(PLACE, [`a${n}`, `b${n}`], { outcome: 'delivered' }, n)
      })
      await receipts.close()
      return Number(new DatabaseSync(path).prepare('SELECT count(*) AS rows FROM early_receipt').get()?.['rows'])
    }
    assert.equal(await slowness(times => early(500 * times)), undefined)
    assert.ok(await early(EARLY_RECEIPT_ROWS_MAX) <= EARLY_RECEIPT_ROWS_MAX * 1.1)
  })

  it('is refused to a second process, with a text that says what to do', () => {
    assert.throws(open, /is in use by another process.*stop the other one first/)
  })

  it('is not in use any more if its log cannot be opened', async () => {
    await store.close()
    const fails = (): never => { throw new Error('no more files') }
    assert.throws(() => openSqlite(path, systemClock, error => { throw error }, '', { openLog: fails }), /no more files/)
    store = open()
  })

  it('is refused where there are tables without a version', async () => {
    await store.close()
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 0')
    db.close()
    assert.throws(open, /there are tables in it but no version of its schema.* Put a whole backup back, into an empty place$/)
    const again = new DatabaseSync(path)
    again.exec('PRAGMA user_version = ' + String(MIGRATIONS.length))
    again.close()
    store = open()
  })

  it('is refused when a newer Zentrale made it', async () => {
    await store.close()
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 999')
    db.close()
    assert.throws(open, /made by a newer Zentrale/)
    const older = new DatabaseSync(path)
    older.exec('PRAGMA user_version = ' + String(MIGRATIONS.length))
    older.close()
    store = open()
  })

  it('stops when the disk cannot be read in the middle of a job, and says yes to none that shares the commit', async () => {
    const unread = Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 266 }) // SQLITE_IOERR_READ
    class Worn extends DatabaseSync {
      override prepare (sql: string): StatementSync {
        const statement = super.prepare(sql)
        if (sql.includes('FROM memory')) statement.all = () => { throw unread }
        return statement
      }
    }
    const failed: unknown[] = []
    const worn = openSqlite(join(temporaryFolder(), 'worn.db'), systemClock, error => failed.push(error), '', { Engine: Worn })
    const results = await Promise.allSettled([worn.run(tx => tx.remember('me', 'a', '1')), worn.run(tx => tx.remembered('me'))])
    assert.deepEqual(results.map(({ status }) => status), ['rejected', 'rejected'])
    assert.deepEqual(failed, [unread])
    await assert.rejects(worn.run(async () => {}), /the store failed/)
    await worn.close()
  })

  it('tells nobody anything and begins no job before the log is on disk, and lets all else go on meanwhile', async () => {
    const failed: unknown[] = []
    const syncs: PromiseWithResolvers<void>[] = []
    const log = { sync: () => { syncs.push(Promise.withResolvers()); return syncs.at(-1)!.promise }, close () {} }
    const slow = openSqlite(join(temporaryFolder(), 'slow.db'), systemClock, error => failed.push(error), '', { openLog: () => log })
    const happened: string[] = []
    const asked = (name: string): Promise<unknown> =>
      slow.run(async () => { happened.push(`${name} runs`) }).then(() => happened.push(`${name} is told`), () => happened.push(`${name} is refused`))
    const told = [asked('one')]
    const turns = async (): Promise<void> => { for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve)) }
    await turns()
    told.push(asked('two'))
    await turns()
    assert.deepEqual(happened, ['one runs'])
    syncs[0]!.resolve()
    await turns()
    assert.deepEqual(happened, ['one runs', 'one is told', 'two runs'])
    const broken = new Error('the disk cannot keep what was written')
    syncs[1]!.reject(broken)
    told.push(asked('three'))
    await Promise.all(told)
    assert.deepEqual(happened.slice(3), ['two is refused', 'three is refused'])
    assert.deepEqual(failed, [broken])
    await slow.close()
  })

  it('closes also when the disk takes no more: everything is in the log', async () => {
    class Full extends DatabaseSync {
      override exec (sql: string): void {
        if (sql.includes('wal_checkpoint')) throw Object.assign(new Error('disk I/O error'), { errcode: 10 })
        super.exec(sql)
      }
    }
    const full = join(temporaryFolder(), 'full.db')
    const first = openSqlite(full, systemClock, error => failures.push(error), '', { Engine: Full })
    await first.run(tx => tx.remember('me', 'a', '1'))
    await first.close()
    const second = openSqlite(full, systemClock, error => failures.push(error))
    assert.deepEqual(await second.run(tx => tx.remembered('me')), [['a', '1']])
    await second.close()
  })

  it('stops and says so when the disk refuses, and has said yes only to what is stored', () => {
    const script = `
      require('ts-node/register')
      const { openSqlite } = require('./src/store/sqlite')
      const { systemClock } = require('./src/lib/clock')
      let failed = 0
      const store = openSqlite(process.argv[1], systemClock, () => { failed++ })
      const main = async () => {
        for (let n = 0; ; n++) {
          try { await store.run(tx => tx.remember('me', String(n), 'x'.repeat(5000))) } catch {
            const after = await store.run(async () => {}).then(() => 'runs', () => 'refuses')
            return console.log(JSON.stringify({ acknowledged: n, failed, after }))
          }
        }
      }
      main()`
    const other = join(temporaryFolder(), 'full.db')
    const limited = `trap '' XFSZ; ulimit -f 1500; exec "$0" -e "$1" "$2"` // no file over 1.5 MB: writes beyond fail with EFBIG
    const child = spawnSync('bash', ['-c', limited, process.execPath, script, other], { cwd: join(__dirname, '../../..'), encoding: 'utf8' })
    const { acknowledged, failed, after } = JSON.parse(child.stdout) as { acknowledged: number, failed: number, after: string }
    assert.ok(acknowledged > 10)
    assert.deepEqual([failed, after], [1, 'refuses'])
    const db = new DatabaseSync(other)
    assert.equal(db.prepare('SELECT count(*) AS count FROM memory').get()?.['count'], acknowledged)
    assert.equal(db.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok')
    db.close()
  })

  it('uses an index for everything that lanes ask', async () => {
    await store.close()
    const db = new DatabaseSync(path)
    const plan = (sql: string): string => db.prepare('EXPLAIN QUERY PLAN ' + sql).all().map(row => String(row['detail'])).join('; ')
    const outbox = 'FROM outbox CROSS JOIN journal ON journal.seq = outbox.journal WHERE '
    const lane = "state <> 'done' AND state = 'waiting' AND outbox.network = 'a' AND outbox.place = 'b'"
    assert.match(plan(`SELECT * ${outbox}${lane} AND id > 1 ORDER BY id LIMIT 9`),
      /^SEARCH outbox USING INDEX outbox_open \(state=\? AND network=\? AND place=\? AND .*>\?\); SEARCH journal USING INTEGER PRIMARY KEY/)
    for (const which of [lane, "state <> 'done' AND state IN ('waiting', 'sending')"]) {
      assert.match(plan(`SELECT count(*) ${outbox}${which} GROUP BY journal.network, journal.place`),
        /^SEARCH outbox USING INDEX outbox_open .*; SEARCH journal USING INTEGER PRIMARY KEY/)
    }
    assert.match(plan("SELECT key FROM journal WHERE network = 'a' AND place = 'b' ORDER BY seq DESC LIMIT 1"), /USING INDEX journal_place/)
    db.close()
    store = open()
  })
})
