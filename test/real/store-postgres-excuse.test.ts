/** What was being sent when a store in a real PostgreSQL failed counts as cut off by a crash only if that may have been its fault. */
import assert from 'node:assert/strict'
import { Client } from 'pg'
import { type Postgres, startPostgres } from '../../sandbox/servers/postgres'
import { systemClock } from '../../src/lib/clock'
import type { Action, Arrival } from '../../src/model/message'
import { openPostgres } from '../../src/store/postgres'
import type { Queued, Store } from '../../src/store/store'
import { temporaryFolder } from '../support/folder'
import { needs } from '../support/real'

const PLACE = { network: 'red', id: 'room' }
const SAID: Arrival = { kind: 'message', key: 'm', place: PLACE, at: 1, sender: { id: 'anna', name: 'Anna' }, content: { style: 'text', text: [] } }

const TRIGGER = (code: string): string => `CREATE FUNCTION zentrale.fail() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN RAISE EXCEPTION 'it fails' USING ERRCODE = '${code}'; END $$;
  CREATE TRIGGER fail BEFORE INSERT ON zentrale.remote FOR EACH ROW EXECUTE FUNCTION zentrale.fail()`
const DISK_FULL = '53100'
const INTERNAL = 'XX000'

describe('a store in PostgreSQL that fails', () => {
  needs('postgres')
  let server: Postgres
  let databases = 0
  let url = ''
  before(async () => { server = await startPostgres({ dir: temporaryFolder() }) })
  after(async () => { await server.stop() })
  beforeEach(async () => { url = await server.createDatabase(`excuse${++databases}`) })

  const ask = async (text: string): Promise<void> => {
    const other = new Client({ connectionString: url })
    await other.connect()
    try { await other.query(text) } finally { await other.end() }
  }

  /** A store with one delivery that is being sent, and what to call when it has failed. */
  const sending = async (): Promise<{ store: Store, row: Queued, failed: Promise<() => void> }> => {
    const { promise, resolve } = Promise.withResolvers<() => void>()
    const store = await openPostgres(url, systemClock, (_, excuse) => {
      if (isExcused) excuse()
      resolve(excuse)
    })
    const row = await store.run(async tx => {
      const cause = { journal: await tx.journal(SAID, 'routed', 1), from: PLACE }
      const action: Action = { kind: 'message', content: { style: 'text', text: [] } }
      return await tx.queue(cause, { delivery: { key: 'd', place: PLACE, at: 1, action }, notice: false }, 1, true)
    })
    return { store, row, failed: promise }
  }
  let isExcused = true
  beforeEach(() => { isExcused = true })

  const crashes = async (): Promise<number[]> => {
    const next = await openPostgres(url, systemClock, error => { throw error })
    const rows = await next.run(tx => tx.interrupted())
    await next.close()
    return rows.map(({ crashes }) => crashes)
  }

  const failsWith = async (code: string): Promise<number[]> => {
    const { store, row, failed } = await sending()
    await ask(TRIGGER(code))
    await assert.rejects(store.run(tx => tx.done(row, ['id'], 2)), /the store failed/)
    await failed
    await store.close()
    return await crashes()
  }

  it('is to blame when its disk is full, although another process waits to take over', async () => {
    const { store, row, failed } = await sending()
    const told: string[] = []
    const signal = new AbortController().signal
    const standby = openPostgres(url, systemClock, error => { throw error }, { wait: { signal, told: why => told.push(why) } })
    await ask(TRIGGER(DISK_FULL))
    await assert.rejects(store.run(tx => tx.done(row, ['id'], 2)), /the store failed/)
    await failed
    await store.close()
    const next = await standby
    assert.deepEqual((await next.run(tx => tx.interrupted())).map(({ crashes }) => crashes), [0])
    await next.close()
  })

  it('is to blame when the session is lost', async () => {
    const { store, failed } = await sending()
    await ask("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
    await failed
    await store.close()
    assert.deepEqual(await crashes(), [0])
  })

  it('is not to blame for what a statement may have caused', async () => {
    assert.deepEqual(await failsWith(INTERNAL), [1])
  })

  it('writes nothing more once another process has taken over', async () => {
    isExcused = false
    const { store, failed } = await sending()
    await ask("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
    const excuse = await failed
    await store.close()
    const next = await openPostgres(url, systemClock, error => { throw error })
    const before = await next.run(tx => tx.interrupted())
    excuse()
    const after = await next.run(tx => tx.interrupted())
    await next.close()
    assert.deepEqual([before, after].map(rows => rows.map(({ crashes }) => crashes)), [[1], [2]])
  })
})
