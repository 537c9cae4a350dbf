/** Checks I7 and I8 on disk: looks at what the process left behind, without touching it. */
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Delivery } from '../../src/model/message'
import { directEnds } from '../../src/networks/xmpp/direct/place'
import type { Auditor } from './auditor'
import { writeFiles, type Disk } from './disk'
import { textOfDelivery } from './notices'

interface Row { key: string; network: string; place: string; delivery: string; notice: number; state: string }
interface Reported { id: string; outcome: 'delivered' | 'failed' }

/** The state table of src/store/schema.ts, as queries that must find nothing. */
const STATES: Record<string, string> = {
  'a delivery that waits is not settled': "SELECT key FROM outbox WHERE state IN ('waiting', 'sending') AND settled_at IS NOT NULL",
  'a delivery that ended is settled': "SELECT key FROM outbox WHERE state IN ('done', 'failed', 'unknown') AND settled_at IS NULL",
  'a try is counted before it is made': "SELECT key FROM outbox WHERE state IN ('sending', 'done', 'unknown') AND attempt = 0",
  'what failed says why': "SELECT key FROM outbox WHERE state IN ('failed', 'unknown') AND reason IS NULL",
  'remote ids belong to what is done': "SELECT key FROM remote JOIN outbox ON outbox.id = remote.outbox WHERE outbox.state <> 'done'"
}

/**
 * Failures that a person must be told: not if the reader sent STOP, if moderators have put the writer out (see H), if the delivery changes a
 * message that never arrived, or if it is an automatic text. Messages to a function address or by its team, and their edits, that fail in a room
 * of the team are only for the operator: the contact does not know such rooms.
 */
const UNTOLD = `SELECT key, reason FROM outbox AS lost WHERE state IN ('failed', 'unknown') AND notice = 0
  AND json_extract(delivery, '$.action.kind') IN ('message', 'edit')
  AND reason NOT IN ('the person sent STOP', 'the message that it changes was never delivered', 'a moderator has put its writer out of the place',
    'the room has banned this ghost', 'the room has taken its membership') AND reason NOT LIKE 'the room does not let us in: forbidden%'
  AND json_extract(delivery, '$.action.content.style') <> 'quiet'
  AND NOT EXISTS (SELECT 1 FROM outbox WHERE journal = lost.journal AND notice = 1)
  AND NOT EXISTS (SELECT 1 FROM journal WHERE seq = lost.journal AND desk IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM conversation WHERE network = lost.network AND place = lost.place))`

const inspectRows = (db: DatabaseSync, auditor: Auditor, final: boolean): void => {
  for (const row of db.prepare('SELECT * FROM outbox').all() as unknown as Row[]) {
    const delivery = { ...JSON.parse(row.delivery), key: row.key, place: { network: row.network, id: row.place } } as Delivery
    const text = textOfDelivery(delivery)
    if (row.state === 'done' && !auditor.has(row.key)) {
      auditor.violation('I7', `${row.key} (${text}) counts as delivered at ${row.place}, which has not got it`)
    }
    const cutOff = row.state === 'sending' && row.network === 'xmpp' && directEnds(row.place) !== undefined && auditor.has(row.key)
    if (cutOff && !final) auditor.ambiguous(delivery)
    if (!final) continue
    if (row.state === 'waiting' || row.state === 'sending') auditor.violation('I5', `${row.key} (${text}) is ${row.state} for ever`)
    if (row.notice === 1 && row.state !== 'done') auditor.noticeHeld(delivery.place, text)
  }
  for (const { id, outcome } of db.prepare('SELECT id, outcome FROM remote WHERE outcome IS NOT NULL').all() as unknown as Reported[]) {
    const truth = auditor.outcome(id)
    if (truth !== outcome) auditor.violation('I7', `the part ${id} counts as ${outcome}; it is ${truth ?? 'nothing of the sort'}`)
  }
}

/** Opens a copy of the disk. `look` must be done with it when it returns, or when the promise that it gives has ended. */
export const looking = <T>(disk: Disk, look: (db: DatabaseSync) => T): T => {
  const path = `${disk.path}-look`
  writeFiles(path, disk.files())
  const db = new DatabaseSync(path)
  const close = (): void => {
    db.close()
    for (const ending of ['', '-wal', '-shm']) rmSync(path + ending, { force: true })
  }
  let seen: T | undefined
  try {
    return seen = look(db)
  } finally {
    if (seen instanceof Promise) void seen.finally(close)
    else close()
  }
}

/** `final`: nothing may be under way any more. */
export const inspect = (disk: Disk, auditor: Auditor, final: boolean): void => looking(disk, db => {
  const all = (sql: string): Record<string, unknown>[] => db.prepare(sql).all()
  try {
    const sound = all('PRAGMA integrity_check').map(row => String(row['integrity_check'])).join('; ')
    if (sound !== 'ok') auditor.violation('I8', `integrity_check: ${sound}`)
    if (all('PRAGMA foreign_key_check').length > 0) auditor.violation('I8', 'foreign_key_check finds rows without their own')
    if (all("SELECT 1 FROM sqlite_schema WHERE name = 'entry'").length === 0) return // a crash came between migrations
    for (const [rule, sql] of Object.entries(STATES)) {
      for (const { key } of all(sql)) auditor.violation('I8', `${rule}: not ${String(key)}`)
    }
    for (const { key, reason } of all(UNTOLD)) auditor.violation('I8', `nobody is told of ${String(key)}: ${String(reason)}`)
    inspectRows(db, auditor, final)
  } catch (error) {
    auditor.violation('I8', `the file cannot be read: ${String(error)}`)
  }
})
