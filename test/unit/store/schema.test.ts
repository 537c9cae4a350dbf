/** Databases of earlier versions, written as those versions wrote them, are read in today's words. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { systemClock } from '../../../src/lib/clock'
import type { Arrival, Delivery, EditArrival } from '../../../src/model/message'
import { MIGRATIONS } from '../../../src/store/schema'
import { openSqlite } from '../../../src/store/sqlite'
import type { Recorded, Tx } from '../../../src/store/store'
import { temporaryFolder } from '../../support/folder'

const RED = { network: 'red', id: 'room' }
const BLUE = { network: 'blue', id: 'hall' }

/** A database of the version with the first `migrations`, with one arrival and one waiting delivery, read by today's store. */
const opened = async <T>(
  migrations: number, arrival: object, delivery: object, job: (tx: Tx) => Promise<T>, more: (db: DatabaseSync) => void = () => {}
): Promise<T> => {
  const path = join(temporaryFolder(), 'older.db')
  const older = new DatabaseSync(path)
  for (const migration of MIGRATIONS.slice(0, migrations)) older.exec(migration)
  older.exec(`PRAGMA user_version = ${migrations}`)
  older.prepare(`INSERT INTO journal (network, key, place, sender, arrival, outcome, accepted_at)
    VALUES ('red', 'one', 'room', 'anna', ?, 'routed', 1)`).run(JSON.stringify({ key: 'one', place: RED, at: 1, ...arrival }))
  older.prepare(`INSERT INTO outbox (key, journal, network, place, delivery, notice, state, queued_at)
    VALUES ('two', 1, 'blue', 'hall', ?, 0, 'waiting', 1)`).run(JSON.stringify({ at: 1, ...delivery }))
  more(older)
  older.close()
  const store = openSqlite(path, systemClock, () => {})
  try {
    return await store.run(job)
  } finally {
    await store.close()
  }
}

const arrivalOf = async (tx: Tx): Promise<Arrival | undefined> => (await tx.recorded('red', 'one') as Recorded).arrival
const waitingOf = async (tx: Tx): Promise<Delivery | undefined> => (await tx.waiting(BLUE, 0, 1))[0]?.delivery

describe('a database of an earlier version', () => {
  const anna = { id: 'anna', name: 'Anna' }
  const words = { style: 'text', text: [{ kind: 'paragraph', of: [{ kind: 'text', text: 'Hällo “\u2028” \\u' }] }] }

  it('keeps messages in threads and messages to one person as what they are', async () => {
    const about = { of: 'one', person: '@anna:red', open: true }
    const read = await opened(8,
      { kind: 'message', sender: anna, content: words, aside: true }, { action: { kind: 'message', content: words, aside: about } },
      async tx => ({ arrival: await arrivalOf(tx), waiting: await waitingOf(tx) }))
    assert.deepEqual(read, {
      arrival: { kind: 'message', key: 'one', place: RED, at: 1, sender: anna, content: words, inThread: true },
      waiting: { key: 'two', place: BLUE, at: 1, attempt: 0, action: { kind: 'message', content: words, addressee: about } }
    })
  })

  it('keeps the quiet style of messages, in an edit and in a case too', async () => {
    const quiet = { ...words, style: 'quiet' }
    const notice = { ...words, style: 'notice' }
    const read = await opened(9, { kind: 'edit', of: 'zero', sender: anna, content: notice }, { action: { kind: 'edit', of: 'x', content: notice } },
      async tx => ({ arrival: await arrivalOf(tx), waiting: await waitingOf(tx), entries: await tx.desk.entries(1, 9) }),
      db => db.exec(`INSERT INTO conversation (address, network, contact, desk, place, state, claim, data)
          VALUES ('info', 'red', 'anna', 'info', 'room', 'new', 0, '{}');
        INSERT INTO entry (conversation, journal, at, kind, who, text, content, network, key, held)
          VALUES (1, 1, 1, 'contact', 'anna', 'x', '${JSON.stringify(notice)}', 'red', 'one', 0)`))
    assert.deepEqual((read.arrival as EditArrival).content, quiet)
    assert.deepEqual(read.waiting?.action, { kind: 'edit', of: 'x', content: quiet })
    assert.deepEqual(read.entries.map(({ content }) => content), [quiet])
  })

  it('keeps the address that handles a conversation', async () => {
    const said = await opened(10, { kind: 'message', sender: anna, content: words }, { action: { kind: 'message', content: words } },
      async tx => await tx.desk.conversation(1),
      db => db.exec(`INSERT INTO conversation (address, network, contact, desk, place, state, claim, data)
        VALUES ('info', 'red', 'anna', 'garage', 'room', 'new', 0, '{"address":"info","desk":"garage","cases":1}')`))
    assert.deepEqual(said, { id: 1, address: 'info', handledBy: 'garage', cases: 1 })
  })

  it('keeps reactions, as standing at whichever piece of their message', async () => {
    const had = await opened(20, { kind: 'message', sender: anna, content: words }, { action: { kind: 'message', content: words } },
      async tx => (await tx.reactions(1, 'blue ben')).map(({ emoji, pieces }) => [emoji, pieces]),
      db => db.exec("INSERT INTO reaction (message, person, emoji, arrival) VALUES (1, 'blue ben', '👍', 1)"))
    assert.deepEqual(had, [['👍', []]])
  })

  it('changes nothing about messages to everybody', async () => {
    const read = await opened(8, { kind: 'message', sender: anna, content: words }, { action: { kind: 'message', content: words } },
      async tx => ({ arrival: await arrivalOf(tx), waiting: await waitingOf(tx) }))
    assert.deepEqual(read, {
      arrival: { kind: 'message', key: 'one', place: RED, at: 1, sender: anna, content: words },
      waiting: { key: 'two', place: BLUE, at: 1, attempt: 0, action: { kind: 'message', content: words } }
    })
  })

  it('keeps the counts of what has ended, whatever becomes of it', () => {
    const db = new DatabaseSync(':memory:')
    db.exec('PRAGMA foreign_keys = ON')
    const counting = MIGRATIONS.findIndex(migration => migration.includes('CREATE TABLE ended'))
    for (const migration of MIGRATIONS.slice(0, counting)) db.exec(migration)
    const insert = (from: number, states: string[]): void => states.forEach((state, index) => {
      db.prepare(`INSERT INTO journal (seq, network, key, place, arrival, outcome, accepted_at) VALUES (?, 'red', ?, 'room', '{}', 'routed', 1)`)
        .run(from + index, String(from + index))
      db.prepare(`INSERT INTO outbox (id, key, journal, network, place, delivery, notice, state, queued_at)
        VALUES (?, ?, ?, 'blue', 'hall', '{}', 0, ?, 1)`)
        .run(from + index, String(from + index), from + index, state)
    })
    const isTrue = (when: string): void => {
      const counts = (table: string): unknown => db.prepare(table).all().map(row => ({ ...row }))
      assert.deepEqual(counts('SELECT network, state, count FROM ended WHERE count <> 0 ORDER BY state'),
        counts("SELECT network, state, count(*) AS count FROM outbox WHERE state IN ('failed', 'unknown') GROUP BY state ORDER BY state"), when)
    }
    insert(1, ['failed', 'failed', 'unknown', 'done', 'waiting', 'sending'])
    for (const migration of MIGRATIONS.slice(counting)) db.exec(migration)
    isTrue('as it was found')
    insert(11, ['failed', 'waiting', 'unknown', 'sending'])
    isTrue('queued')
    const states = ['waiting', 'sending', 'failed', 'unknown', 'done']
    for (const from of states) {
      for (const to of states) {
        db.prepare('UPDATE outbox SET state = ? WHERE state = ?').run(to, from)
        isTrue(`${from} → ${to}`)
        insert(100 * (1 + states.indexOf(from)) + 10 * states.indexOf(to) + 20, states)
      }
    }
    db.exec('DELETE FROM outbox WHERE id % 3 = 0')
    isTrue('deleted')
    db.exec('DELETE FROM journal WHERE seq % 2 = 0')
    isTrue('forgotten with what caused it')
    db.close()
  })
})
