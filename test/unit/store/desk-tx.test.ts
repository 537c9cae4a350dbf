import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { systemClock } from '../../../src/lib/clock'
import type { Verified } from '../../../src/store/desk'
import { openSqlite } from '../../../src/store/sqlite'
import { makeSql } from '../../../src/store/sql'
import { makeTx } from '../../../src/store/tx'
import { temporaryFolder } from '../../support/folder'

const KEY = 'the key, which is not in the file'
const WORDS = ['opened', 'claimed', 'passed on', 'done']

interface Row { id: number; at: number; address: string; conversation: number | null; who: string; what: string; detail: string; hash: string }

/** What is found after somebody who may write the file has changed a logbook of four lines. */
const verified = async (change: (db: DatabaseSync) => void, key = KEY): Promise<Verified> => {
  const path = join(temporaryFolder(), 'zentrale.db')
  const store = openSqlite(path, systemClock, () => {}, KEY)
  await store.run(async tx => {
    for (const [at, what] of WORDS.entries()) await tx.desk.log({ at, address: 'info', conversation: 1, who: 'Anna', what, detail: '' })
  })
  await store.close()
  const db = new DatabaseSync(path)
  db.exec('DROP TRIGGER logbook_stays; DROP TRIGGER logbook_keeps')
  change(db)
  const found = await makeTx(makeSql(db), key).desk.verify()
  db.close()
  return found
}

/** Makes the chain anew, with seals by `sealOf`. */
const chainAnew = (db: DatabaseSync, sealOf: (hash: string) => string | null): void => {
  let before = ''
  for (const row of db.prepare('SELECT * FROM logbook ORDER BY id').all() as unknown as Row[]) {
    const { id, at, address, conversation, who, what, detail } = row
    const hash = createHash('sha256').update(JSON.stringify([before, at, address, conversation, who, what, detail])).digest('hex')
    db.prepare('UPDATE logbook SET hash = ?, seal = ? WHERE id = ?').run(hash, sealOf(hash), id)
    before = hash
  }
}

describe('the logbook', () => {
  it('is whole as it was written', async () => {
    const found = await verified(() => {})
    assert.deepEqual([found.lines, found.sealedFrom, found.wrong], [4, 1, undefined])
    assert.equal(found.head?.line, 4)
  })

  it('shows that somebody without the key has changed a line and made the chain anew', async () => {
    const lie = "UPDATE logbook SET who = 'Bernd' WHERE id = 2"
    assert.equal((await verified(db => db.exec(lie))).wrong?.line, 2)
    const anew = await verified(db => { db.exec(lie); chainAnew(db, hash => createHmac('sha256', 'a guess').update(hash).digest('hex')) })
    assert.deepEqual(anew.foreign, { first: 1, last: 4, lines: 4 })
    const kept = await verified(db => { db.exec(lie); chainAnew(db, hash => hash) })
    assert.deepEqual(kept.foreign, { first: 1, last: 4, lines: 4 })
  })

  it('shows a line that is gone, in the middle or at the end, and seals that are gone', async () => {
    assert.equal((await verified(db => db.exec('DELETE FROM logbook WHERE id = 2'))).wrong?.line, 3)
    assert.deepEqual((await verified(db => db.exec('DELETE FROM logbook WHERE id = 4'))).wrong, { line: 4, why: 'is missing, like all after it' })
    assert.deepEqual((await verified(db => db.exec('UPDATE logbook SET seal = NULL WHERE id > 2'))).wrong, { line: 3, why: 'has no seal' })
    assert.equal((await verified(db => db.exec('UPDATE logbook SET seal = NULL'))).sealedFrom, undefined, 'and the log knows the seal')
  })

  it('accuses nobody because another key has sealed it, and still finds what was changed', async () => {
    const { wrong, foreign } = await verified(() => {}, 'another')
    assert.deepEqual([wrong, foreign], [undefined, { first: 1, last: 4, lines: 4 }])
    assert.equal((await verified(db => db.exec('DELETE FROM logbook WHERE id = 2'), 'another')).wrong?.line, 3)
  })

  it('names the lines that another key has sealed, among those of this one', async () => {
    const found = await verified(db => db.prepare('UPDATE logbook SET seal = ? WHERE id IN (2, 3)').run('0'.repeat(64)))
    assert.deepEqual([found.wrong, found.foreign], [undefined, { first: 2, last: 3, lines: 2 }])
  })
})
