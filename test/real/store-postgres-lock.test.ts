/**
 * Who is active on a store in a real PostgreSQL: processes that die or freeze, wires that are cut, a server that is restarted. What takes its time
 * runs at the same time.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { type Postgres, startPostgres } from '../../sandbox/servers/postgres'
import { systemClock } from '../../src/lib/clock'
import { messageOf } from '../../src/model/errors'
import { openPostgres } from '../../src/store/postgres'
import { lookAt } from '../../src/store/postgres-look'
import type { Store } from '../../src/store/store'
import { temporaryFolder } from '../support/folder'
import { until } from '../support/practice'
import { startProxy } from '../support/proxy'
import { needs } from '../support/real'

const LIMIT_MS = 60_000

/** An active process that writes again and again, and says what it has been told yes to. */
const SCRIPT = `
  require('ts-node/register')
  const { writeSync } = require('node:fs')
  const { openPostgres } = require('./src/store/postgres')
  const { systemClock } = require('./src/lib/clock')
  openPostgres(process.argv[1], systemClock, () => { writeSync(1, 'failed\\n'); process.exit(1) }).then(store => {
    const next = n => store.run(tx => tx.remember('child', String(n), 'x')).then(() => { writeSync(1, n + '\\n'); setTimeout(next, 20, n + 1) })
    next(0)
  })`

interface Child { process: ChildProcess; said: string[]; ended: Promise<unknown> }

const startChild = async (url: string): Promise<Child> => {
  const child = spawn(process.execPath, ['-e', SCRIPT, url], { cwd: join(__dirname, '../..'), stdio: ['ignore', 'pipe', 'inherit'] })
  const said: string[] = []
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    said.push(...lines)
  })
  await until(() => said.length > 3, 'the first process writes', LIMIT_MS)
  return { process: child, said, ended: once(child, 'close') }
}

/** What is told once the store is ours, and when that was. */
interface Standby { taken: Promise<{ store: Store, at: number }>; told: string[]; control: AbortController }

const standBy = (url: string, failed: (error: unknown) => void = error => { throw error }): Standby => {
  const control = new AbortController()
  const told: string[] = []
  const taken = openPostgres(url, systemClock, failed, { wait: { signal: control.signal, told: why => told.push(why) } })
    .then(store => ({ store, at: performance.now() }))
  taken.catch(() => { /* whoever awaits it is told */ })
  return { taken, told, control }
}

const waits = (standby: Standby): Promise<void> => until(() => standby.told.length > 0, 'it waits', LIMIT_MS)

const written = async (store: Store): Promise<string[]> => (await store.run(tx => tx.remembered('child'))).map(([key]) => key)

const ask = async <Row extends object>(url: string, text: string): Promise<Row[]> => {
  const other = new Client({ connectionString: url })
  await other.connect()
  try { return (await other.query<Row>(text)).rows } finally { await other.end() }
}

/** The server's process for the session that holds the lock. */
const backendOf = async (url: string): Promise<number> => {
  const [row] = await ask<{ pid: number }>(url, `SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database
    WHERE locktype = 'advisory' AND granted AND datname = current_database()`)
  return row!.pid
}

interface Outcome { tookMs: number; stoppedMs?: number; before?: string[]; after: string[]; said: string[] }

/** Another one takes over from a process that gets this signal, and goes on later. */
const takeOver = async (url: string, signal: 'SIGSTOP' | 'SIGKILL'): Promise<Outcome> => {
  const child = await startChild(url)
  const standby = standBy(url)
  await waits(standby)
  const begin = performance.now()
  child.process.kill(signal)
  const { store, at } = await standby.taken
  const before = await written(store)
  if (signal === 'SIGSTOP') child.process.kill('SIGCONT')
  await child.ended
  const after = await written(store)
  await store.close()
  return { tookMs: at - begin, before, after, said: child.said }
}

/** The active one's wire is a black hole, and somebody else is there. */
const cutWire = async (url: string): Promise<Outcome> => {
  const { port } = new URL(url)
  const proxy = await startProxy(Number(port))
  const failed = Promise.withResolvers<number>()
  const store = await openPostgres(url.replace(port, String(proxy.port)), systemClock, () => failed.resolve(performance.now()))
  const said = ['before']
  await store.run(tx => tx.remember('child', 'before', 'x'))
  const standby = standBy(url)
  await waits(standby)
  const begin = performance.now()
  proxy.toServer.hold = proxy.fromServer.hold = true
  const late = store.run(tx => tx.remember('child', 'late', 'x')).then(() => said.push('late'), () => {})
  const [stopped, { store: second, at }] = await Promise.all([failed.promise, standby.taken])
  proxy.toServer.hold = proxy.fromServer.hold = false
  await late
  await store.close()
  const after = await written(second)
  await second.close()
  await proxy.stop()
  return { tookMs: at - begin, stoppedMs: stopped - begin, after, said }
}

/** The server does not answer the active one. */
const freezeServer = async (url: string): Promise<Outcome> => {
  const failed = Promise.withResolvers<number>()
  const store = await openPostgres(url, systemClock, () => failed.resolve(performance.now()))
  const said = ['before']
  await store.run(tx => tx.remember('child', 'before', 'x'))
  const backend = await backendOf(url)
  const begin = performance.now()
  process.kill(backend, 'SIGSTOP')
  const late = store.run(tx => tx.remember('child', 'late', 'x')).then(() => said.push('late'), () => {})
  const stopped = await failed.promise
  await late
  await store.close()
  process.kill(backend, 'SIGCONT')
  const second = await openPostgres(url, systemClock, () => {})
  const after = await written(second)
  await second.close()
  return { tookMs: performance.now() - begin, stoppedMs: stopped - begin, after, said }
}

/** The standby server that commits wait for is away: the active one has no answer, and its session would keep the lock for as long. */
const awaitNobody = async (server: Postgres): Promise<Outcome> => {
  const url = await server.createDatabase('alone')
  const failed = Promise.withResolvers<number>()
  const store = await openPostgres(url, systemClock, () => failed.resolve(performance.now()))
  const said = ['before']
  await store.run(tx => tx.remember('child', 'before', 'x'))
  const standby = standBy(url)
  await waits(standby)
  await ask(url, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
  await ask(url, 'SELECT pg_reload_conf()')
  await until(async () => JSON.stringify(await ask(url, 'SHOW synchronous_standby_names')).includes('nobody'), 'it is in force', LIMIT_MS)
  const begin = performance.now()
  const late = store.run(tx => tx.remember('child', 'late', 'x')).then(() => said.push('late'), () => {})
  const [stopped, { store: second, at }] = await Promise.all([failed.promise, standby.taken])
  await late
  await store.close()
  await ask(url, 'ALTER SYSTEM RESET synchronous_standby_names')
  await ask(url, 'SELECT pg_reload_conf()')
  const after = await written(second)
  await second.close()
  return { tookMs: at - begin, stoppedMs: stopped - begin, after, said }
}

/** A look at a server that takes us in, and freezes then. */
const lookAtFrozen = async (url: string): Promise<Outcome> => {
  const { port } = new URL(url)
  const proxy = await startProxy(Number(port))
  proxy.overhear = octets => { if (octets.includes('pg_is_in_recovery')) proxy.toServer.hold = true }
  const begin = performance.now()
  const said = await lookAt(url.replace(port, String(proxy.port))).then(() => [], (error: unknown) => [messageOf(error)])
  await proxy.stop()
  return { tookMs: performance.now() - begin, after: [], said }
}

/** Nobody says anything for longer than a frozen one may. */
const keepQuiet = async (url: string): Promise<Outcome> => {
  const store = await openPostgres(url, systemClock, error => { throw error })
  const standby = standBy(url)
  await waits(standby)
  const begin = performance.now()
  await Promise.race([standby.taken, pause(20_000)])
  await store.run(tx => tx.remember('child', 'still', 'x'))
  standby.control.abort(new Error('enough'))
  await assert.rejects(standby.taken, /enough/)
  const after = await written(store)
  await store.close()
  return { tookMs: performance.now() - begin, after, said: ['still'] }
}

describe('who is active on a store in PostgreSQL', () => {
  needs('postgres')
  let server: Postgres, alone: Postgres
  let databases = 0
  const fresh = (): Promise<string> => server.createDatabase(`lock${++databases}`)
  const plays: Record<string, Promise<Outcome>> = {}
  before(async () => {
    ;[server, alone] = await Promise.all([startPostgres({ dir: temporaryFolder() }), startPostgres({ dir: temporaryFolder() })])
    plays['alone'] = awaitNobody(alone)
    plays['killed'] = takeOver(await fresh(), 'SIGKILL')
    plays['frozen'] = takeOver(await fresh(), 'SIGSTOP')
    plays['cut'] = cutWire(await fresh())
    plays['quiet'] = keepQuiet(await fresh())
    plays['server'] = freezeServer(await fresh())
    plays['looked'] = lookAtFrozen(await fresh())
    for (const play of Object.values(plays)) play.catch(() => { /* its test tells */ })
  })
  after(async () => {
    await server.stop()
    await alone.stop()
  })

  it('another process takes over at once from one that is killed, and has all that it was told yes to', async () => {
    const { tookMs, after: there, said } = await plays['killed']!
    assert.ok(tookMs < 2_000, `${tookMs} ms`)
    assert.deepEqual(said.filter(n => !there.includes(n)), [])
  })

  it('another process takes over from one that is frozen, which writes nothing any more and stops when it goes on', async () => {
    const { tookMs, before: then, after: there, said } = await plays['frozen']!
    assert.ok(tookMs > 10_000 && tookMs < 30_000, `${tookMs} ms`)
    assert.deepEqual(there, then)
    assert.equal(said.at(-1), 'failed')
    assert.deepEqual(said.slice(0, -1).filter(n => !there.includes(n)), [])
  })

  it('whoever is cut off stops before another one takes over, and writes nothing any more', async () => {
    const { tookMs, stoppedMs = Infinity, after: there, said } = await plays['cut']!
    assert.ok(stoppedMs < tookMs && tookMs < 30_000, `stopped after ${stoppedMs} ms, the other took over after ${tookMs} ms`)
    assert.deepEqual(said, ['before'])
    assert.deepEqual(there, ['before'])
  })

  it('whoever has no answer from the server stops, and ends although that never comes', async () => {
    const { stoppedMs = Infinity, after: there, said } = await plays['server']!
    assert.ok(stoppedMs > 8_000 && stoppedMs < 20_000, `${stoppedMs} ms`)
    assert.deepEqual(said, ['before'])
    assert.ok(there.includes('before'))
  })

  it('another process takes over from one whose commit waits for a standby server that is away', async () => {
    const { tookMs, stoppedMs = Infinity, after: there, said } = await plays['alone']!
    assert.ok(stoppedMs < tookMs && tookMs < 40_000, `stopped after ${stoppedMs} ms, the other took over after ${tookMs} ms`)
    assert.deepEqual(said, ['before'])
    assert.ok(there.includes('before'))
  })

  it('whoever only looks does not wait for ever for a server that is frozen', async () => {
    const { tookMs, said } = await plays['looked']!
    assert.ok(tookMs > 10_000 && tookMs < 25_000, `${tookMs} ms`)
    assert.match(said.join(), /timeout/)
  })

  it('does not end whoever is only quiet', async () => {
    const { after: there, said } = await plays['quiet']!
    assert.deepEqual(there, said)
  })

  it('stands by while the server is away, and takes over when it is back', async () => {
    const url = await fresh()
    const { port } = new URL(url)
    const proxy = await startProxy(Number(port))
    const store = await openPostgres(url, systemClock, () => {})
    await store.run(tx => tx.remember('child', 'said', 'x'))
    const standby = standBy(url.replace(port, String(proxy.port)))
    await waits(standby)
    proxy.refuse = true
    proxy.reset()
    await until(() => standby.told.some(why => /is away/.test(why)), 'it is told', LIMIT_MS)
    await store.close()
    proxy.refuse = false
    const { store: second } = await standby.taken
    assert.deepEqual(await written(second), ['said'])
    await second.close()
    await proxy.stop()
    assert.match(standby.told[0]!, /another process is active/)
  })

  it('stands by while somebody has locked tables, and says who', async () => {
    const url = await fresh()
    const store = await openPostgres(url, systemClock, () => {})
    await store.run(tx => tx.remember('child', 'said', 'x'))
    const standby = standBy(url)
    await waits(standby)
    const other = new Client({ connectionString: url, application_name: 'somebody' })
    await other.connect()
    await other.query('BEGIN; LOCK TABLE zentrale.memory, zentrale.version')
    const later = store.run(tx => tx.remember('child', 'later', 'x'))
    await until(() => standby.told.some(why => /waits for a table .*: pid \d+, role postgres, "somebody"/.test(why)), 'it is told', LIMIT_MS)
    await other.query('ROLLBACK')
    await other.end()
    await later
    await until(() => standby.told.at(-1) === 'another process is active', 'it is told again', LIMIT_MS)
    await store.close()
    await (await standby.taken).store.close()
  })

  it('does not stand by where a newer one has changed the schema', async () => {
    const url = await fresh()
    const store = await openPostgres(url, systemClock, () => {})
    const standby = standBy(url)
    await waits(standby)
    const newer = new Client({ connectionString: url })
    await newer.connect()
    await newer.query('UPDATE zentrale.version SET version = version + 1')
    await newer.end()
    await assert.rejects(standby.taken, /its schema is version 2, made by a newer Zentrale; this one knows 1\. Start the newer one/)
    await store.close()
  })

  it('works where old words of the server\'s own config are in force', async () => {
    const url = await fresh()
    const admin = new Client({ connectionString: url })
    await admin.connect()
    await admin.query(`ALTER DATABASE "${url.split('/').at(-1)}" SET standard_conforming_strings = off`)
    await admin.end()
    for (const key of ['first', 'second']) {
      const store = await openPostgres(url, systemClock, error => { throw error })
      await store.run(tx => tx.remember('child', key, 'a\\b'))
      assert.equal((await store.run(tx => tx.remembered('child'))).find(([one]) => one === key)?.[1], 'a\\b')
      await store.close()
    }
  })

  it('lets nobody speak who has had no answer for so long that another one may be active', async () => {
    let frozenMs = 0
    const failed: unknown[] = []
    const store = await openPostgres(await fresh(), { ...systemClock, tick: () => systemClock.tick() + frozenMs }, error => failed.push(error))
    await store.run(tx => tx.remember('child', 'before', 'x'))
    store.fence()
    frozenMs = 13_000
    assert.throws(() => store.fence(), /has not answered for 12 seconds/)
    assert.equal(failed.length, 1)
    await store.close()
  })

  it('leaves without a trace when it is told to stop', async () => {
    const url = await fresh()
    const store = await openPostgres(url, systemClock, () => {})
    const standby = standBy(url)
    await waits(standby)
    standby.control.abort(new Error('stop'))
    await assert.rejects(standby.taken, /stop/)
    await store.close()
    await (await openPostgres(url, systemClock, () => {})).close()
    await assert.rejects(standBy(url.replace(/\/\w+$/, '/nothing')).taken, /cannot open the store in PostgreSQL at .*\/nothing: /)
  })
})
