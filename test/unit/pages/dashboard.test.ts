import assert from 'node:assert/strict'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { join } from 'node:path'
import { request } from 'undici'
import { MIGRATIONS } from '../../../src/store/schema'
import { temporaryFolder } from '../../support/folder'
import { startPages, type PagesStarted } from '../../support/pages'
import { until } from '../../support/practice'

const CASES = 10_000
const QUEUED = 100_000
/** For one page, or one beat of a live page, however much there is. */
const ROWS_MAX = 130
const BYTES_MAX = 64 * 1024

/** What the desk's clock asks, which may come at any time. */
const OF_THE_CLOCK = 'SELECT min(due_at)'

/** What the store was asked for, and how many rows it gave. */
const watch = async (work: () => Promise<unknown>): Promise<{ statements: Set<string>, rows: number }> => {
  const { all, get } = StatementSync.prototype
  const statements = new Set<string>()
  let rows = 0
  const counting = (run: (...values: never[]) => unknown) => function (this: StatementSync, ...values: never[]): unknown {
    const found = run.apply(this, values)
    if (this.sourceSQL.startsWith(OF_THE_CLOCK)) return found
    statements.add(this.sourceSQL)
    rows += Array.isArray(found) ? found.length : 1
    return found
  }
  Object.assign(StatementSync.prototype, { all: counting(all), get: counting(get) })
  try {
    await work()
  } finally {
    Object.assign(StatementSync.prototype, { all, get })
  }
  return { statements, rows }
}

/** No statement reads a whole table, or sorts what it has read. Of `ended` there is a row for each network and state; lanes are counted. */
const followIndexes = (statements: Set<string>, what: string): void => {
  const db = new DatabaseSync(':memory:')
  for (const migration of MIGRATIONS) db.exec(migration)
  for (const statement of statements) {
    const values = Array<number>(statement.includes('?1') ? 2 : statement.split('?').length - 1).fill(1)
    const plan = db.prepare(`EXPLAIN QUERY PLAN ${statement}`).all(...values).map(row => String(row['detail']))
    const followed = plan.filter(step => !/^SCAN (\(subquery|few$|json_each|lane|ended$)/.test(step) && !statement.includes('FROM lane'))
    for (const step of followed) assert.doesNotMatch(step, /^SCAN|TEMP B-TREE/, `${what}: ${statement}`)
  }
  db.close()
}

/** A store with many cases, and many deliveries that wait for a decision. */
const fill = (path: string): void => {
  const db = new DatabaseSync(path)
  for (const migration of MIGRATIONS) db.exec(migration)
  db.exec(`PRAGMA user_version = ${MIGRATIONS.length}; BEGIN;
    INSERT INTO journal (network, key, place, arrival, outcome, accepted_at) VALUES ('red', 'one', 'hall', '{}', 'routed', 1)`)
  const numbers = (most: number): string => `WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${most})`
  db.exec(`${numbers(QUEUED)} INSERT INTO outbox (key, journal, network, place, delivery, notice, state, queued_at)
    SELECT 'many ' || n, 1, CASE n % 2 WHEN 0 THEN 'red' ELSE 'blue' END, 'room ' || (n % 100),
      '{"at":1,"action":{"kind":"message","content":{"style":"text","text":[]}}}', 0, CASE n % 3 WHEN 0 THEN 'failed' ELSE 'unknown' END, n
    FROM number`)
  db.exec(`${numbers(CASES)} INSERT INTO conversation (id, address, network, contact, desk, place, state, claim, data)
    SELECT n, 'werkstatt', 'red', 'red:' || n, 'werkstatt', 'werkstatt/red:' || n, 'new', 0, json_object('id', n, 'address', 'werkstatt', 'handledBy',
      'werkstatt', 'contact', json('{"network":"red","id":"red:' || n || '"}'), 'place',
      json('{"network":"red","id":"werkstatt/red:' || n || '"}'), 'state', 'new', 'claim', 0,
      'cases', 1, 'openedAt', n, 'heardAt', n, 'awaits', json(CASE n % 3 WHEN 0 THEN 'false' ELSE 'true' END), 'labels',
      json('[]'), 'announced', json('[]'), 'name', 'Contact ' || n) FROM number`)
  db.exec('COMMIT')
  db.close()
}

describe('the overview and the queue', () => {
  let all: PagesStarted
  before(async () => {
    const path = join(temporaryFolder(), 'long.db')
    fill(path)
    all = await startPages({ path, can: { ghosts: false } }) // without rooms, which would all be put in order first
    await until(async () => (await all.started.store.run(tx => tx.depth())).every(({ state }) => state === 'failed' || state === 'unknown'), 'quiet')
  })
  after(async () => { await all.stop() })

  it('read and send as much with 10 000 cases and 100 000 messages in the queue as with few', async () => {
    const cookie = await all.logIn()
    const queue = ['/queue?state=failed', '/queue?state=unknown&behind=50000.red.room%2050']
    for (const page of ['/', ...queue, '/inbox/werkstatt', '/inbox/werkstatt?behind=0.1.1']) {
      let bytes = 0
      const { statements, rows } = await watch(async () => { bytes = Buffer.byteLength((await all.visit(page, { cookie })).text) })
      assert.ok(rows > 0 && rows <= ROWS_MAX, `${page}: ${rows} rows`)
      assert.ok(bytes <= BYTES_MAX, `${page}: ${bytes} bytes`)
      followIndexes(statements, page)
      for (const statement of statements) {
        assert.match(statement, /LIMIT \?|LIMIT 1|WHERE (id = \?$|hour IN)/, `${page} ends after its limit: ${statement}`)
      }
    }
  })

  it('are for a team as much work too, its inbox and a case of it', async () => {
    const cookie = await all.enter('Anna')
    for (const page of ['/inbox/werkstatt', '/inbox/werkstatt?behind=0.5000.5000', '/case/1']) {
      let bytes = 0
      const { statements, rows } = await watch(async () => { bytes = Buffer.byteLength((await all.visit(page, { cookie })).text) })
      assert.ok(rows > 0 && rows <= ROWS_MAX, `${page}: ${rows} rows`)
      assert.ok(bytes <= BYTES_MAX, `${page}: ${bytes} bytes`)
      followIndexes(statements, page)
    }
  })

  it('leave the list of what has failed and the metrics as little to read', async () => {
    const list = await watch(() => all.started.bridge.queue.list('failed'))
    assert.deepEqual([list.rows, list.statements.size], [500, 1])
    followIndexes(list.statements, 'the list')
    let text = ''
    const metrics = await watch(async () => { text = await all.metrics.text() })
    assert.match(text, /zentrale_queue_messages\{network="red",state="failed"\} 16666\n/)
    assert.ok(metrics.rows <= ROWS_MAX, `${metrics.rows} rows`)
    followIndexes(metrics.statements, 'the metrics')
  })

  it('send in a beat no more than a page, and nothing that has not changed', async () => {
    const cookie = await all.logIn()
    const { body } = await request(`${all.url}/events?view=/`, { headers: { cookie } })
    let read = ''
    body.on('data', (chunk: Buffer) => { read += chunk.toString() }).on('error', () => {})
    await until(() => read.includes('data: '), 'the first state')
    assert.ok(Buffer.byteLength(read) <= BYTES_MAX)
    read = ''
    const { rows } = await watch(async () => {
      all.observer.connection('red', 'server', false, 'thunder')
      await until(() => read.includes('thunder'), 'the change')
    })
    assert.ok(rows <= 2 * ROWS_MAX, `${rows} rows`)
    const told = Object.keys(JSON.parse(/data: (.*)\n/.exec(read)![1]!))
    assert.deepEqual(told.filter(id => !['wellness', 'links', 'flow', 'addresses'].includes(id)), [])
    body.destroy()
  })
})
