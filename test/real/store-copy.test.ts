/** A store moves from a file to a real PostgreSQL and back: with everything, and wherever the move is cut off. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { type Postgres, startPostgres } from '../../sandbox/servers/postgres'
import { systemClock as clock } from '../../src/lib/clock'
import { copyStore } from '../../src/store/copy'
import type { StoreAt } from '../../src/store/open'
import { openPostgres } from '../../src/store/postgres'
import { BEAT } from '../../src/store/postgres-lock'
import { openSqlite } from '../../src/store/sqlite'
import type { Store } from '../../src/store/store'
import { temporaryFolder } from '../support/folder'
import { needs } from '../support/real'
import { askAll } from '../support/store-questions'

const failed = (error: unknown): void => { throw error }
const open = async ({ path, postgres }: StoreAt): Promise<Store> => postgres === undefined
  ? openSqlite(path, clock, failed, 'a key') : await openPostgres(postgres, clock, failed, { sealKey: 'a key' })

const ROWS = 1_234
const place = { network: 'red', id: 'room' }
const hall = { network: 'blue', id: 'hall' }
const content = (text: string) => ({ style: 'text' as const, text: [{ kind: 'paragraph' as const, of: [{ kind: 'text' as const, text }] }] })

/** Something in each table, and more than goes at once in some. */
const fill = async (store: Store): Promise<void> => {
  await askAll(store)
  await store.run(async tx => {
    for (let n = 0; n < ROWS; n++) {
      const journal = await tx.journal({ kind: 'message', key: `m${n}`, place, at: n, sender: { id: 'anna', name: 'Ännä \u2028' },
        content: content(`text ${n} \0 \ud800 😀`) }, 'routed', n)
      const row = await tx.queue({ journal, from: place }, { delivery: { key: `d${n}`, place: hall, at: n, action: { kind: 'message',
        content: content('x') } }, notice: false }, n)
      if (n % 3 === 0) await tx.done(row, [`r${n}`], n)
      if (n % 3 === 1) await tx.ended(row.id, 'failed', 'why', n)
    }
    await tx.vault('me', 'bytes', new Uint8Array([0, 255, 92, 120]))
    await tx.remember('me', 'b', 'w')
    await tx.desk.log({ at: 1, address: 'info', who: 'Anna', what: 'x', detail: 'y' })
    await tx.desk.consent({ person: 'p', address: 'info', kind: 'granted', how: 'h', at: 1 })
    await tx.desk.save({ id: 7, address: 'info', handledBy: 'info', contact: { network: 'red', id: 'eva' }, place: { network: 'red', id: 'eva' },
      state: 'new', claim: 0, cases: 1, openedAt: 1, heardAt: 2, awaits: true, labels: [], announced: [], excerpt: 'x' } as never, 0, 1)
  })
}

/** All that a file holds. */
const dump = (path: string): Record<string, string[]> => {
  const db = new DatabaseSync(path)
  const names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'sqlite_sequence' ORDER BY name").all()
  const plain = (_: string, value: unknown): unknown => value instanceof Uint8Array ? [...value] : value
  const rowsOf = (name: string): string[] => db.prepare(['SELECT * FROM', name].join(' ')).all().map(row => JSON.stringify(row, plain))
  const tables = names.map(({ name }) => [String(name), rowsOf(String(name)).filter(row => !row.includes('moved to')).sort()] as const)
  db.close()
  return Object.fromEntries(tables)
}

const whatIs = async (store: Store): Promise<unknown> => store.run(async tx => ({
  waiting: (await tx.waiting(hall, 0, ROWS)).length, depth: await tx.depth(), seen: await tx.seen('red', 'm7'),
  early: await tx.confirmable(hall, ['r3']),
  bytes: [...await tx.vaulted('me', 'bytes') ?? []], sound: await tx.desk.verify(), cases: await tx.desk.allConversations(9),
  found: await tx.answered(hall, ['r9']), remembered: await tx.remembered('me')
}))

describe('a store that moves', () => {
  needs('postgres')
  let server: Postgres
  let databases = 0
  before(async () => { server = await startPostgres({ dir: temporaryFolder() }) })
  after(async () => { await server.stop() })
  const database = async (): Promise<StoreAt> => ({ postgres: await server.createDatabase(`copy${++databases}`) })
  const file = (): { path: string } => ({ path: join(temporaryFolder(), 'store.db') })
  const filled = async (): Promise<{ path: string }> => {
    const at = file()
    const store = await open(at)
    await fill(store)
    await store.close()
    return at
  }

  it('has everything in PostgreSQL, and everything in a file again, and gives no number anew', async () => {
    const [first, middle, last] = [await filled(), await database(), file()]
    const before = dump(first.path)
    const copied = await copyStore(first, middle, clock)
    assert.equal(copied.get('journal'), before['journal']?.length)
    await assert.rejects(open(first), /it was moved to PostgreSQL at 127\.0\.0\.1:\d+\/copy\d+ by zentrale store copy/)
    const there = await open(middle)
    const isThere = await whatIs(there)
    await there.close()
    await copyStore(middle, last, clock)
    await assert.rejects(open(middle), /it was moved to .*store\.db by zentrale store copy/)
    assert.deepEqual(dump(last.path), before)
    const again = await open(last)
    assert.deepEqual(JSON.stringify(isThere), JSON.stringify(await whatIs(again)))
    const number = await again.run(tx => tx.journal({ kind: 'message', key: 'next', place, at: 1, sender: { id: 'anna', name: 'A' },
      content: content('x') }, 'routed', 1))
    assert.ok(number > Math.max(...before['journal']!.map(row => (JSON.parse(row) as { seq: number }).seq)))
    await again.close()
  })

  it('goes on in PostgreSQL after the numbers that were given, also to what is deleted', async () => {
    const from = file()
    const store = await open(from)
    const journal = (store: Store, key: string): Promise<number> => store.run(tx => tx.journal({ kind: 'message', key, place, at: 1,
      sender: { id: 'anna', name: 'A' }, content: content('x') }, 'routed', 1))
    for (let n = 1; n <= 5; n++) await journal(store, `k${n}`)
    await store.run(tx => tx.prune(100, 9))
    await store.close()
    const to = await database()
    await copyStore(from, to, clock)
    const there = await open(to)
    assert.equal(await journal(there, 'new'), 6)
    await there.close()
  })

  it('stays where it is if somebody uses one of the two, or something is there already', async () => {
    const [from, to] = [await filled(), await database()]
    const before = dump(from.path)
    const source = await open(from)
    await assert.rejects(copyStore(from, to, clock), /in use by another process/)
    await source.close()
    const target = await open(to)
    await assert.rejects(copyStore(from, to, clock), /in use by another process/)
    await target.run(tx => tx.remember('me', 'b', 'w'))
    await target.close()
    await assert.rejects(copyStore(from, to, clock), /There is a store at PostgreSQL at .* already/)
    assert.deepEqual(dump(from.path), before)
  })

  it('is heard of while it works, so that whoever waits for the database does not take it for dead', async () => {
    const { query } = Client.prototype
    let beats = 0
    Client.prototype.query = function (this: Client, ...given: unknown[]) {
      if (given[0] === BEAT) beats++
      return (query as (...given: unknown[]) => unknown).apply(this, given)
    } as typeof query
    const hasty = { ...clock, after: (ms: number, run: () => void) => clock.after(ms / 1000, run) }
    try {
      const [from, there, back] = [await filled(), await database(), file()]
      await copyStore(from, there, hasty)
      assert.ok(beats > 3, `to it: ${beats}`)
      beats = 0
      await copyStore(there, back, hasty)
      assert.ok(beats > 3, `from it: ${beats}`)
    } finally { Client.prototype.query = query }
  })

  it('is in one place wherever the move is cut off, and the same command ends it', async () => {
    const { query } = Client.prototype
    /** Moves it until the statement with this number; gives how many there were. */
    const cutAt = async (statement: number, from: StoreAt, to: StoreAt): Promise<number> => {
      let count = 0
      Client.prototype.query = function (this: Client, ...given: unknown[]) {
        if (given[0] !== BEAT && ++count === statement) {
          (this as unknown as { connection: { stream: { destroy (): void } } }).connection.stream.destroy()
        }
        return (query as (...given: unknown[]) => unknown).apply(this, given)
      } as typeof query
      await copyStore(from, to, clock).catch(() => { /* cut off */ }).finally(() => { Client.prototype.query = query })
      return count
    }
    const isOpen = async (at: StoreAt): Promise<boolean> => {
      const store = await open(at).catch(() => undefined)
      if (store === undefined) return false
      const found = await store.run(tx => tx.seen('red', 'm7'))
      await store.close()
      return found
    }
    for (const isBack of [false, true]) {
      const begin = async (): Promise<[StoreAt, StoreAt]> => {
        const [from, to]: StoreAt[] = [await filled(), await database()]
        if (!isBack) return [from!, to!]
        await copyStore(from!, to!, clock)
        return [to!, file()]
      }
      const statements = await cutAt(Infinity, ...await begin())
      for (const statement of [9, Math.round(statements / 2), statements - 3, statements - 2, statements - 1, statements]) {
        const [from, to] = await begin()
        await cutAt(statement, from, to)
        const ready = [await isOpen(from), await isOpen(to)]
        assert.ok(ready.filter(Boolean).length <= 1, `statement ${statement}: ${ready.join()}`)
        if (!ready[1]) await copyStore(from, to, clock)
        assert.deepEqual([await isOpen(from), await isOpen(to)], [false, true], `statement ${statement}, after ${ready.join()}`)
      }
    }
  })
})
