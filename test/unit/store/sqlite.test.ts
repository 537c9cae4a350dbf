import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { systemClock } from '../../../src/lib/clock'
import type { Arrival } from '../../../src/model/message'
import { MIGRATIONS } from '../../../src/store/schema'
import { openSqlite } from '../../../src/store/sqlite'
import { EARLY_RECEIPT_MS, EARLY_RECEIPT_ROWS_MAX, type NewDelivery, type Store } from '../../../src/store/store'
import { temporaryFolder } from '../../support/folder'
import { slowness } from '../../support/linear'

const place = { network: 'red', id: 'room' }
const arrival = (key: string): Arrival =>
  ({ kind: 'message', key, place, at: 1, sender: { id: 'anna', name: 'Anna' }, content: { style: 'text', text: [] } })
const delivery = (key: string): NewDelivery => ({
  delivery: { key, place: { network: 'blue', id: 'hall' }, at: 1, action: { kind: 'message', content: { style: 'text', text: [] } } }, notice: false
})

describe('the store on SQLite', () => {
  let path: string
  let store: Store
  const failures: unknown[] = []
  const open = (): Store => openSqlite(path, systemClock, error => failures.push(error))
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

  it('lets one job take back its own work only', async () => {
    const results = await Promise.allSettled([
      store.run(tx => tx.remember('me', 'a', '1')),
      store.run(async tx => { await tx.remember('me', 'b', '2'); throw new Error('no') }),
      store.run(tx => tx.remember('me', 'c', '3'))
    ])
    assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
    assert.deepEqual(await store.run(tx => tx.remembered('me')), [['a', '1'], ['c', '3']])
  })

  it('takes linear time for receipts that come early, and keeps few', async () => {
    const early = async (count: number): Promise<number> => {
      const path = join(temporaryFolder(), 'receipts.db')
      const receipts = openSqlite(path, systemClock, error => failures.push(error))
      await receipts.run(async tx => {
        for (let n = 0; n < count; n++) await tx.earlyReceipt(place, [`a${n}`, `b${n}`], { outcome: 'delivered' }, n)
      })
      await receipts.close()
      return Number(new DatabaseSync(path).prepare('SELECT count(*) AS rows FROM early_receipt').get()?.['rows'])
    }
    assert.equal(await slowness(times => early(500 * times)), undefined)
    assert.ok(await early(EARLY_RECEIPT_ROWS_MAX) <= EARLY_RECEIPT_ROWS_MAX * 1.1)
  })

  it('limits quarantine for each reason, so that there is room for others', async () => {
    await store.run(tx => tx.quarantine('red', 'rare', 'rare', 1))
    for (let n = 0; n < 12; n++) {
      await store.run(async tx => { for (let m = 0; m < 1000; m++) await tx.quarantine('red', `flood ${n} ${m}`, 'flood', 1) })
    }
    const rows = await store.run(tx => tx.quarantined(20_000))
    const count = (which: string): number => rows.filter(({ why }) => why === which).length
    assert.equal(count('rare'), 1)
    assert.ok(count('flood') <= 2_100, String(count('flood')))
  })

  it('limits early receipts for each place, so that there is room for those of others', async () => {
    await store.run(tx => tx.earlyReceipt({ ...place, id: 'other' }, ['x'], { outcome: 'failed' }, 1))
    await store.run(async tx => {
      for (let n = 0; n < EARLY_RECEIPT_ROWS_MAX + 500; n++) await tx.earlyReceipt(place, [`a${n}`], { outcome: 'delivered' }, 2 + n)
    })
    const take = (where: string, id: string): Promise<{ id: string }[]> => store.run(tx => tx.takeEarlyReceipts({ ...place, id: where }, [id], 3))
    assert.equal((await take('other', 'x')).length, 1)
    assert.equal((await take(place.id, `a${EARLY_RECEIPT_ROWS_MAX + 499}`)).length, 1)
    assert.equal((await take(place.id, 'a0')).length, 0)
  })

  it('blames no delivery by a receipt that may be of several', async () => {
    const made = await store.run(async tx => {
      const cause = { journal: await tx.journal(arrival('j'), 'routed', 1), from: place }
      return [await tx.queue(cause, delivery('d1'), 1), await tx.queue(cause, delivery('d2'), 1)]
    })
    await store.run(async tx => {
      await tx.done(made[0]!, ['10'], 1)
      await tx.done(made[1]!, ['a', 'aa'], 1)
    })
    const found = (ids: string[]) => store.run(tx => tx.confirmable(made[0]!.delivery.place, ids))
    assert.equal(await found(['10', 'a']), undefined)
    assert.equal((await found(['10', '16']))?.outbox, made[0]!.id)
    assert.equal((await found(['aa', 'a']))?.outbox, made[1]!.id)
  })

  it('does not take an old receipt, whose id was given out anew since, for an early one, and forgets it', async () => {
    const ids = ['1a2b', '6699']
    const take = (id: string, now: number): Promise<{ id: string }[]> => store.run(tx => tx.takeEarlyReceipts(place, [id], now))
    await store.run(tx => tx.earlyReceipt(place, ids, { outcome: 'delivered' }, 1))
    assert.deepEqual((await take('1a2b', 1000)).map(({ id }) => id), ['1a2b'])
    assert.deepEqual(await take('6699', EARLY_RECEIPT_MS + 2), [])
    await store.run(tx => tx.earlyReceipt(place, ids, { outcome: 'delivered' }, 1))
    await store.run(tx => tx.prune(2, 10))
    assert.deepEqual(await take('1a2b', 1000), [])
  })

  it('runs jobs in the order of the calls', async () => {
    const order: number[] = []
    await Promise.all(Array.from({ length: 1500 }, (_, index) => store.run(async () => { order.push(index) })))
    assert.deepEqual(order, Array.from({ length: 1500 }, (_, index) => index))
  })

  it('runs urgent jobs before the others that wait, and these in order too', async () => {
    const order: string[] = []
    const job = (name: string, patienceMs: number, first: boolean): Promise<void> => store.run(async () => { order.push(name) }, patienceMs, first)
    await Promise.all([job('arrival', 0, false), job('done', 20, true), job('later', 0, false), job('also done', 20, true)])
    await Promise.all([job('next', 0, false), job('done again', 20, true)])
    assert.deepEqual(order, ['done', 'also done', 'arrival', 'later', 'done again', 'next'])
  })

  it('lets patient jobs wait to share a commit, and keeps the order', async () => {
    const order: string[] = []
    const job = (name: string, patienceMs: number): Promise<void> => store.run(async () => { order.push(name) }, patienceMs)
    const LONG_MS = 3_600_000
    await job('alone', LONG_MS) // long after the last commit, so at once
    await Promise.all([job('first', LONG_MS), job('second', 0), job('third', LONG_MS)])
    assert.deepEqual(order, ['alone', 'first', 'second', 'third'])
    assert.equal(store.commits(), 2)
    await Promise.all([job('fourth', LONG_MS), job('fifth', 1)]) // as long as the least patient
    assert.deepEqual(order.slice(4), ['fourth', 'fifth'])
    assert.equal(store.commits(), 3)
  })

  it('has done everything that waits before it closes', async () => {
    const jobs = Array.from({ length: 1500 }, (_, index) => store.run(tx => tx.remember('me', String(index), 'x'), index % 2 * 20))
    await Promise.all(jobs.slice(0, 2)) // the rest waits its turn
    await store.close()
    assert.deepEqual(new Set((await Promise.allSettled(jobs)).map(({ status }) => status)), new Set(['fulfilled']))
    store = open()
    assert.equal((await store.run(tx => tx.remembered('me'))).length, 1500)
  })

  it('is refused to a second process, with a text that says what to do', () => {
    assert.throws(open, /is in use by another process.*stop the other one first/)
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
    const worn = openSqlite(join(temporaryFolder(), 'worn.db'), systemClock, error => failed.push(error), Worn)
    const results = await Promise.allSettled([worn.run(tx => tx.remember('me', 'a', '1')), worn.run(tx => tx.remembered('me'))])
    assert.deepEqual(results.map(({ status }) => status), ['rejected', 'rejected'])
    assert.deepEqual(failed, [unread])
    await assert.rejects(worn.run(async () => {}), /the store failed/)
    await worn.close()
  })

  it('closes also when the disk takes no more: everything is in the log', async () => {
    class Full extends DatabaseSync {
      override exec (sql: string): void {
        if (sql.includes('wal_checkpoint')) throw Object.assign(new Error('disk I/O error'), { errcode: 10 })
        super.exec(sql)
      }
    }
    const full = join(temporaryFolder(), 'full.db')
    const first = openSqlite(full, systemClock, error => failures.push(error), Full)
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

  it('forgets what ended long ago, and nothing that has not ended', async () => {
    await store.run(async tx => {
      for (const key of ['old', 'open', 'new']) {
        const seq = await tx.journal(arrival(key), 'routed', key === 'new' ? 1000 : 1)
        const row = await tx.queue({ journal: seq, from: { network: 'red', id: 'room' } }, delivery(`d-${key}`), 1)
        await tx.link(`t-${key}`, seq, 9999)
        if (key !== 'open') { await tx.trying([row.id]); await tx.done(row, [`r-${key}`], key === 'new' ? 1000 : 2) }
      }
    })
    assert.equal(await store.run(tx => tx.prune(500, 10)), 1)
    assert.equal(await store.run(tx => tx.seen('red', 'old')), false)
    assert.equal(await store.run(tx => tx.linked('t-old', 1)), undefined)
    assert.equal(await store.run(tx => tx.seen('red', 'open')), true)
    assert.deepEqual(await store.run(tx => tx.remoteIds('d-new')), ['r-new'])
  })
})
