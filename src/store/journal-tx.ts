/** What came in, and the links to its files. */
import type { ArrivalKey, NetworkName, Place, RemoteId } from '../model/address'
import type { Arrival, Attachment, MessageArrival } from '../model/message'
import type { Text } from '../model/text'
import type { Ahead } from './ahead'
import { arrivalOf, OUTBOX, type OutboxRow } from './outbox-rows'
import { markOf } from './person-tx'
import type { Sql } from './sql'
import { type Answered, COPIES_MAX, type Recorded, type Tx } from './store'

type JournalTx = Pick<Tx,
  'seen' | 'takenBack' | 'journal' | 'recorded' | 'answered' | 'threadRoot' | 'corrections' | 'remove' | 'lastKey' | 'saidLately' | 'pollLately' |
  'origin' | 'link' | 'linked' | 'revokeLinks'>

/** What its corrections have deleted, because there was nothing left to say. */
const GONE = `SELECT json_extract(delivery, '$.action.of') AS of FROM journal CROSS JOIN outbox ON outbox.journal = journal.seq
  WHERE journal.network = ? AND corrects = ? AND json_extract(arrival, '$.kind') = 'edit' AND state <> 'failed'
  AND json_extract(delivery, '$.action.kind') = 'deletion'`

/** Said by this sender, by the same person under another name, or by somebody whom its place lets. */
const BY_RIGHT = "(sender = ? OR json_extract(arrival, '$.theirs') IS NOT NULL OR CAST(json_extract(arrival, '$.moderated') AS BIGINT) = 1)"

const TAKEN_BACK = `SELECT EXISTS (SELECT 1 FROM journal AS later WHERE later.network = journal.network AND later.corrects = journal.corrects
  AND later.seq > journal.seq AND json_extract(later.arrival, '$.kind') = 'edit') AS changed FROM journal
  WHERE network = ? AND corrects = ? AND json_extract(arrival, '$.kind') = 'deletion'
  AND ` + BY_RIGHT + ' ORDER BY seq LIMIT 1'

const TAKEN_BACK_THERE = `SELECT 1 FROM journal WHERE network = ? AND corrects = ? AND place = ?
  AND json_extract(arrival, '$.kind') = 'deletion' AND ` + BY_RIGHT

const takenBackPart = async ({ one }: Pick<Sql, 'one'>, arrival: Arrival): Promise<Pick<Recorded, 'takenBack'>> => {
  const found = 'sender' in arrival
    ? await one<{ changed: number }>(TAKEN_BACK, arrival.place.network, arrival.key, arrival.sender.id) : undefined
  return found === undefined ? {} : { takenBack: { changed: found.changed === 1 } }
}

const recordedOf = async ({ all, one }: Pick<Sql, 'all' | 'one'>, network: NetworkName, key: ArrivalKey): Promise<Recorded | undefined> => {
  const row = await one<{ seq: number, arrival: string, removed: number }>('SELECT seq, arrival, removed FROM journal WHERE network = ? AND key = ?',
    network, key)
  const arrival = arrivalOf(row)
  if (row === undefined || arrival === undefined) return undefined
  const gone = new Set((await all<{ of: string }>(GONE, network, key)).map(({ of }) => of))
  const deliveries = (await all<OutboxRow>(OUTBOX + 'WHERE journal = ? ORDER BY id', row.seq)).map(delivery => ({
    id: delivery.id, key: delivery.key, place: { network: delivery.network, id: delivery.place },
    state: delivery.state, notice: delivery.notice === 1, ...gone.has(delivery.key) && { gone: true as const },
    ...delivery.state === 'waiting' && delivery.attempt === 0 && delivery.not_before !== null ? { held: true } : {}
  }))
  const copies = (await all<{ key: string, network: string, place: string, kind: string }>(`SELECT outbox.key, outbox.network, outbox.place,
    json_extract(delivery, '$.action.kind') AS kind
    FROM journal CROSS JOIN outbox ON outbox.journal = journal.seq WHERE journal.network = ? AND corrects = ? AND notice = 0
    AND json_extract(arrival, '$.kind') = 'edit'
    AND json_extract(delivery, '$.action.kind') IN ('message', 'vote') ORDER BY outbox.id DESC LIMIT ?`, network, key, COPIES_MAX))
    .filter(({ key }) => !gone.has(key)).reverse()
    .map(copy => ({ key: copy.key, place: { network: copy.network, id: copy.place }, ...copy.kind === 'vote' && { vote: true as const } }))
  return { seq: row.seq, arrival, deliveries, copies, ...row.removed === 1 && { removed: true }, ...await takenBackPart({ one }, arrival) }
}

const PIECE = "coalesce(json_extract(delivery, '$.action.of'), outbox.key)"

/**
 * The arrival that has this id at the place, or that we delivered there under it. For a correction: the message that it corrects, and which piece
 * of it. What is on its way has only its key yet, which is its id where we give the ids: somebody may answer before we know that it is there.
 */
const WITH_ID = `SELECT network, coalesce(CASE WHEN kind = 'edit' THEN corrects END, key) AS key, piece FROM
  (SELECT network, key, corrects, json_extract(arrival, '$.kind') AS kind, '' AS piece FROM journal WHERE network = ? AND key = ? AND place = ?
  UNION ALL SELECT journal.network, journal.key, corrects, json_extract(arrival, '$.kind'), ` + PIECE + ` FROM remote
  JOIN outbox ON outbox.id = remote.outbox JOIN journal ON journal.seq = outbox.journal
  WHERE notice = 0 AND remote.network = ? AND remote.place = ? AND remote.id = ?
  AND (journal.network <> remote.network OR journal.place <> remote.place)
  UNION ALL SELECT journal.network, journal.key, corrects, json_extract(arrival, '$.kind'), ` + PIECE + ` FROM outbox
  JOIN journal ON journal.seq = outbox.journal
  WHERE notice = 0 AND outbox.network = ? AND outbox.place = ? AND outbox.key = ?
  AND (journal.network <> outbox.network OR journal.place <> outbox.place)) AS found`

/** The deletion of a message, if there is one, else its last correction. */
const LAST_CHANGE = `SELECT arrival FROM journal WHERE network = ? AND corrects = ?
  AND ` + BY_RIGHT + " ORDER BY json_extract(arrival, '$.kind') = 'edit', seq DESC LIMIT 1"

interface Said { id: string; text: string; journal: number }

const SAID_THERE = `SELECT key AS id, seq AS journal, json_extract(arrival, '$.content.text') AS text FROM journal
  WHERE network = ? AND place = ? AND json_extract(arrival, '$.kind') = 'message' ORDER BY seq DESC LIMIT ?`
const SAID_BY_US = `SELECT remote.id, journal, json_extract(delivery, '$.action.content.text') AS text
  FROM remote JOIN outbox ON outbox.id = remote.outbox
  WHERE remote.network = ? AND remote.place = ? AND part = 0 AND notice = 0 AND json_extract(delivery, '$.action.kind') = 'message'
  ORDER BY outbox.id DESC LIMIT ?`

const POLL_LATELY = `SELECT CASE WHEN json_extract(arrival, '$.content.ends') IS NULL THEN id END AS id FROM (
  SELECT remote.id, remote.outbox, arrival FROM remote JOIN outbox ON outbox.id = remote.outbox
  JOIN journal ON journal.seq = outbox.journal WHERE remote.network = ? AND remote.place = ? AND part = 0 AND notice = 0 AND accepted_at >= ?
  ORDER BY outbox.id DESC LIMIT ?) AS lately WHERE json_extract(arrival, '$.content.poll') IS NOT NULL
  OR json_extract(arrival, '$.content.ends') IS NOT NULL ORDER BY outbox DESC LIMIT 1`
const POLL_WITHIN_MESSAGES = 500

/** The first end that answers the poll by one of its ids: its own at its place, or those that it has where we told it. */
const ENDED = `SELECT seq FROM journal WHERE json_extract(arrival, '$.content.ends') IS NOT NULL AND seq > ? AND EXISTS (
  SELECT 1 FROM json_each(arrival, '$.replyTo') AS named WHERE (journal.network = ? AND journal.place = ? AND named.value = ?) OR EXISTS (
    SELECT 1 FROM remote JOIN outbox ON outbox.id = remote.outbox WHERE outbox.journal = ? AND remote.network = journal.network
    AND remote.place = journal.place AND remote.id = named.value)) ORDER BY seq LIMIT 1`

const endOf = async ({ one }: Pick<Sql, 'one'>, { seq, arrival: { place, key } }: Recorded): Promise<{ ended?: number }> => {
  const end = await one<{ seq: number }>(ENDED, seq, place.network, place.id, key, seq)
  return end === undefined ? {} : { ended: end.seq }
}

/** The first message of a thread, if two people at least speak in it. */
const THREAD_BEGINS = `SELECT key FROM journal WHERE network = ?1 AND place = ?2 AND json_extract(arrival, '$.thread[0]') = ?3
  AND json_extract(arrival, '$.inThread') IS NULL AND EXISTS (SELECT 1 FROM journal AS other WHERE other.network = ?1 AND other.place = ?2
  AND json_extract(other.arrival, '$.thread[0]') = ?3 AND other.sender <> ?4) ORDER BY seq LIMIT 1`
const THREADS_DEEP_MAX = 3

/** The message that is known there by one of these ids, also one that was taken back. */
const namedBy = async (
  sql: Pick<Sql, 'all' | 'one'>, { network, id: place }: Place, ids: (ArrivalKey | RemoteId)[]
): Promise<Answered | undefined> => {
  const { one } = sql
  for (const id of ids) {
    const named = await one<{ network: string, key: string, piece: string }>(WITH_ID, network, id, place, network, place, id, network, place, id)
    const found = named && await recordedOf(sql, named.network, named.key)
    if (named === undefined || found?.arrival.kind !== 'message') continue
    const { arrival } = found
    const last = arrivalOf(await one(LAST_CHANGE, arrival.place.network, arrival.key, arrival.sender.id))
    const end = arrival.content.poll === undefined ? {} : await endOf({ one }, found)
    const isOver = found.removed === true || last?.kind === 'deletion'
    return { ...found, latest: last?.kind === 'edit' ? last : arrival, piece: named.piece, ...end, ...isOver && { over: true } }
  }
  return undefined
}

/** Threads lie in no other ones, so of a message in a thread it is that thread's first one. A thread goes on when that is taken back. */
const rootOf = async (
  sql: Pick<Sql, 'all' | 'one'>, { key, place, sender, thread = [] }: MessageArrival, deep = 0
): Promise<Answered | undefined> => {
  for (const id of thread) {
    const begins = (await sql.one<{ key: string }>(THREAD_BEGINS, place.network, place.id, id, sender.id))?.key
    const found = await namedBy(sql, place, [id]) ?? (begins === undefined ? undefined : await namedBy(sql, place, [begins]))
    if (found?.arrival.kind !== 'message' || found.arrival.key === key) continue
    return (deep < THREADS_DEEP_MAX ? await rootOf(sql, found.arrival, deep + 1) : undefined) ?? found
  }
  return undefined
}

export const makeJournalTx = ({ all, one, run, insert }: Sql, ahead: Ahead): JournalTx => ({
  async seen (network, key) {
    if (await ahead.noArrival(network, key)) return false
    return await one('SELECT 1 FROM journal WHERE network = ? AND key = ? UNION ALL SELECT 1 FROM erased WHERE mark = ?',
      network, key, markOf(network, key)) !== undefined
  },
  async takenBack ({ place: { network, id }, sender, ...arrival }) {
    const key = arrival.kind === 'edit' ? arrival.of : arrival.key
    if (await ahead.noArrival(network, key)) return false
    return await one(TAKEN_BACK_THERE, network, key, id, sender.id) !== undefined
  },
  async journal (arrival, outcome, now, json = JSON.stringify(arrival), desk) {
    const { place: { network } } = arrival
    const corrects = arrival.kind === 'edit' || arrival.kind === 'deletion' ? arrival.of : undefined
    ahead.came(arrival.key, network)
    if (corrects !== undefined) ahead.came(corrects, network)
    return await insert(`INSERT INTO journal (network, key, place, sender, arrival, outcome, accepted_at, desk, corrects)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    network, arrival.key, arrival.place.id, 'sender' in arrival ? arrival.sender.id : null,
    json, outcome, now, desk ?? null, corrects ?? null)
  },
  async recorded (network, key) { return await recordedOf({ all, one }, network, key) },
  async answered (place, ids) {
    const found = await namedBy({ all, one }, place, ids)
    return found?.over === true ? undefined : found
  },
  async threadRoot (arrival) { return await rootOf({ all, one }, arrival) },
  async corrections (network, key) {
    return (await all<{ key: string }>(`SELECT edit.key FROM journal CROSS JOIN journal AS edit ON edit.network = journal.network
      AND edit.corrects = journal.key AND edit.sender = journal.sender WHERE journal.network = ? AND journal.key = ?
      AND json_extract(edit.arrival, '$.kind') = 'edit' ORDER BY edit.seq DESC LIMIT ?`, network, key, COPIES_MAX)).map(row => row.key)
  },
  async remove (journal) { await run('UPDATE journal SET removed = 1 WHERE seq = ?', journal) },
  async lastKey (place) {
    return (await one<{ key: string }>('SELECT key FROM journal WHERE network = ? AND place = ? AND sender IS NOT NULL ORDER BY seq DESC LIMIT 1',
      place.network, place.id))?.key
  },
  async saidLately ({ network, id }, limit) {
    return [...await all<Said>(SAID_THERE, network, id, limit), ...await all<Said>(SAID_BY_US, network, id, limit)]
      .map(row => ({ ...row, text: JSON.parse(row.text) as Text }))
  },
  async pollLately ({ network, id }, since) {
    return (await one<{ id: string | null }>(POLL_LATELY, network, id, since, POLL_WITHIN_MESSAGES))?.id ?? undefined
  },
  async origin (journal) {
    return arrivalOf(await one('SELECT arrival FROM journal WHERE seq = ?', journal))
  },
  async link (token, journal, expiresAt, file) {
    await run('INSERT INTO link (token, journal, expires_at, file) VALUES (?, ?, ?, ?) ON CONFLICT (token) DO NOTHING', token, journal, expiresAt,
      file === undefined ? null : JSON.stringify(file))
  },
  async linked (token, now) {
    const row = await one<{ arrival: string, file: string | null }>(
      'SELECT arrival, file FROM link JOIN journal ON journal.seq = link.journal WHERE token = ? AND expires_at > ?', token, now)
    const arrival = arrivalOf(row)
    return row?.file ? JSON.parse(row.file) as Attachment : arrival && 'content' in arrival ? arrival.content.file : undefined
  },
  async revokeLinks (journal) {
    await run(`DELETE FROM link WHERE journal IN (SELECT CAST(? AS BIGINT) UNION SELECT other.seq FROM journal
      CROSS JOIN journal AS other ON other.network = journal.network AND other.corrects = journal.key WHERE journal.seq = ?)`, journal, journal)
  }
})
