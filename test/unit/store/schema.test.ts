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
})
