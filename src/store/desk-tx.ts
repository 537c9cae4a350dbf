/** The desk's statements. Values are always bound. */
import { createHash, createHmac } from 'node:crypto'
import type { CaseState, Consent, Conversation, DeskTx, Entry, EntryKind, Head, LogLine, Verified } from './desk'
import { NUMBERS, type Sql } from './sql'

export interface ConversationRow { id: number; data: string }
export interface EntryRow {
  id: number; conversation: number; at: number; kind: Entry['kind']; who: string; text: string; content: string
  network: string; key: string; held: number; project: string | null; sent_by: number | null; signature: string | null
  gone?: number; corrected?: string | null; encrypted: number
}

export const conversationOf = (row: ConversationRow | undefined): Conversation | undefined =>
  row && { ...JSON.parse(row.data) as Conversation, id: row.id }

export const entryOf = ({ project, held, content, sent_by: sentBy, signature, gone, corrected, encrypted, ...row }: EntryRow): Entry => ({
  ...row, ...typeof corrected === 'string' && { text: corrected }, content: JSON.parse(content) as Entry['content'], held: held === 1,
  ...project === null ? {} : { project }, ...sentBy === null ? {} : { sentBy }, ...signature === null ? {} : { signature },
  ...gone === 1 && { gone: true }, ...encrypted === 1 && { encrypted: true }
})

const ENCRYPTED = `EXISTS (SELECT 1 FROM journal AS came LEFT JOIN journal AS fix ON fix.network = came.network AND fix.corrects = came.key
  WHERE came.seq = entry.journal AND coalesce(json_extract(came.arrival, '$.encrypted'), json_extract(fix.arrival, '$.encrypted')) IS NOT NULL)`
export const ENTRY = 'entry.id, entry.conversation, at, kind, who, text, content, entry.network, key, held, project, sent_by, signature, ' +
  ENCRYPTED + ' AS encrypted'
/**
 * Its writer has taken back the message with which it came, or which it corrects, or which went out after all with it. Notes stay, because an
 * answer that was taken back in time is one.
 */
const GONE = `kind <> 'note' AND EXISTS (SELECT 1 FROM journal AS came CROSS JOIN journal AS back ON back.network = came.network
  AND back.corrects = coalesce(came.corrects, came.key) AND back.sender = came.sender AND json_extract(back.arrival, '$.kind') = 'deletion'
  WHERE came.seq = entry.journal OR came.seq IN (SELECT held.journal FROM entry AS held WHERE held.sent_by = entry.journal))`
/** The first words of what these entries say. A correction of what was held and went out after all stands for itself: so does what went out. */
const FIRST = `SELECT coalesce(root.id, entry.id) FROM entry JOIN journal AS came ON came.seq = entry.journal
  LEFT JOIN entry AS root ON root.network = came.network AND root.key = came.corrects AND root.conversation = entry.conversation
  AND root.sent_by IS NULL WHERE entry.id IN ` + NUMBERS
const LAST_WORDS = `SELECT later.text FROM journal AS fix CROSS JOIN entry AS later ON later.journal = fix.seq
  WHERE fix.network = entry.network AND fix.corrects = entry.key AND later.conversation = entry.conversation ORDER BY later.id DESC LIMIT 1`
const STANDING = 'SELECT ' + ENTRY + ', (' + LAST_WORDS + ') AS corrected FROM entry WHERE id IN (' + FIRST + ') AND NOT (' + GONE +
  ') ORDER BY id DESC'
/** A held answer that went out after all counts as an answer. */
const SAID = "conversation, CASE WHEN sent_by IS NULL THEN kind ELSE 'team' END AS kind"
const LOG = 'at, address, conversation, who, what, detail'

/** Each line's hash covers the line before it, so nobody can change or leave out a line unnoticed. */
const chained = (before: string, line: Omit<LogLine, 'hash'>): string => createHash('sha256')
  .update(JSON.stringify([before, line.at, line.address, line.conversation ?? null, line.who, line.what, line.detail])).digest('hex')

const lineOf = ({ conversation, ...row }: Omit<LogLine, 'conversation'> & { conversation: number | null }): LogLine =>
  ({ ...row, ...conversation === null ? {} : { conversation } })

/** A LIKE pattern: these exact words, anywhere in a text in small letters. Only those of ASCII have them, for every engine. */
const anywhere = (words: string): string => `%${words.replace(/[A-Z]/g, letter => letter.toLowerCase()).replace(/[\\%_]/g, '\\$&')}%`

type LogRow = Parameters<typeof lineOf>[0] & { id: number, seal: string | null }

const sealOf = (hash: string, key: string): string => createHmac('sha256', key).update(hash).digest('hex')

/** What is wrong with a line, given the hash of the one before it. `sealed`: an earlier line has a seal. */
const wrongWith = (row: LogRow, before: string, sealed: boolean): string | undefined => chained(before, lineOf(row)) !== row.hash
  ? 'does not follow from the lines before' : row.seal === null && sealed ? 'has no seal' : undefined

/** Those that this key has not sealed. */
const foreignIn = (rows: LogRow[], key: string): Pick<Verified, 'foreign'> => {
  const ids = rows.filter(({ hash, seal }) => seal !== null && seal !== sealOf(hash, key)).map(({ id }) => id)
  const [first, last] = [ids[0], ids.at(-1)]
  return first === undefined || last === undefined ? {} : { foreign: { first, last, lines: ids.length } }
}

/** `sealKey` is kept outside the database, so that somebody who can write the file cannot rewrite the logbook. */
export const makeDeskTx = ({ one, all, run, change }: Sql, sealKey: string): DeskTx => ({
  async conversation (id) { return conversationOf(await one('SELECT id, data FROM conversation WHERE id = ?', id)) },
  async conversationAt (place) {
    return conversationOf(await one('SELECT id, data FROM conversation WHERE network = ? AND place = ?', place.network, place.id))
  },
  async conversationOf (address, contact) {
    return conversationOf(await one('SELECT id, data FROM conversation WHERE address = ? AND network = ? AND contact = ?',
      address, contact.network, contact.id))
  },
  async conversationsWith (contact) {
    return (await all<ConversationRow>('SELECT id, data FROM conversation WHERE network = ? AND contact = ?', contact.network, contact.id))
      .flatMap(row => conversationOf(row) ?? [])
  },
  async conversations (handledBy, states, limit) {
    return (await all<ConversationRow>(`SELECT id, data FROM conversation
      WHERE desk = ? AND state IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT ?`, handledBy, JSON.stringify(states), limit))
      .flatMap(row => conversationOf(row) ?? [])
  },
  async ofAddress (address, limit) {
    return (await all<ConversationRow>(`SELECT id, data FROM conversation WHERE desk = ? OR address = ?
      ORDER BY state = 'done', id LIMIT ?`, address, address, limit)).flatMap(row => conversationOf(row) ?? [])
  },
  async allConversations (limit) {
    return (await all<ConversationRow>('SELECT id, data FROM conversation ORDER BY id LIMIT ?', limit)).flatMap(row => conversationOf(row) ?? [])
  },
  async nextConversation () {
    return ((await one<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'conversation'"))?.seq ?? 0) + 1
  },
  async due (now, limit) {
    return (await all<ConversationRow>('SELECT id, data FROM conversation WHERE due_at <= ? ORDER BY due_at LIMIT ?', now, limit))
      .flatMap(row => conversationOf(row) ?? [])
  },
  async nextDue () { return (await one<{ at: number | null }>('SELECT min(due_at) AS at FROM conversation'))?.at ?? undefined },
  async save (conversation, expected, now) {
    const { id, address, handledBy, contact, place, state, owner, claim, dueAt } = conversation
    const data = JSON.stringify(conversation)
    const values = [address, handledBy, place.id, state, owner ?? null, claim, dueAt ?? null, data, now] as const
    if (await one('SELECT 1 FROM conversation WHERE id = ?', id) === undefined) {
      await run(`INSERT INTO conversation (id, network, contact, address, desk, place, state, owner, claim, due_at, data, touched_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, id, contact.network, contact.id, ...values)
      return true
    }
    return await change(`UPDATE conversation SET address = ?, desk = ?, place = ?, state = ?, owner = ?, claim = ?, due_at = ?, data = ?,
      touched_at = ? WHERE id = ? AND claim = ?`, ...values, id, expected) === 1
  },

  async entry ({ conversation, at, kind, who, text, content, network, key, held, project, signature }, journal) {
    await run(`INSERT INTO entry (conversation, at, kind, who, text, content, network, key, held, project, signature, journal)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    conversation, at, kind, who, text, JSON.stringify(content), network, key, held ? 1 : 0, project ?? null, signature ?? null, journal)
  },
  async known (conversation, limit) {
    return (await all<{ text: string }>("SELECT text FROM entry WHERE conversation = ? AND kind <> 'note' ORDER BY id DESC LIMIT ?",
      conversation, limit)).map(({ text }) => text)
  },
  async entries (conversation, limit) {
    return (await all<EntryRow>('SELECT ' + ENTRY + ', (' + GONE + `) AS gone FROM entry
      WHERE conversation = ? AND sent_by IS NULL ORDER BY id DESC LIMIT ?`, conversation, limit)).map(entryOf)
  },
  async standing (entries) {
    return (await all<EntryRow>(STANDING, JSON.stringify(entries))).map(entryOf)
  },
  async entryOf (network, key) {
    const row = await one<EntryRow>('SELECT ' + ENTRY + ' FROM entry WHERE network = ? AND key = ? ORDER BY id LIMIT 1', network, key)
    return row && entryOf(row)
  },
  async sentBy (journal) {
    const row = await one<EntryRow>('SELECT ' + ENTRY + " FROM entry WHERE journal = ? AND kind <> 'contact' ORDER BY id LIMIT 1", journal)
    return row && entryOf(row)
  },
  async lineOf ({ network, id: place }, ids) {
    for (const id of ids) {
      const shown = await one<{ key: string, journal: number, notice: number, conversation: number | null }>(`
        SELECT outbox.key, journal, notice, conversation FROM remote JOIN outbox ON outbox.id = remote.outbox
        WHERE remote.network = ? AND remote.place = ? AND remote.id = ?`, network, place, id)
      const said = shown === undefined
        ? await one<{ conversation: number, kind: EntryKind }>('SELECT ' + SAID + ' FROM entry WHERE network = ? AND key = ?', network, id)
        : await one<{ conversation: number, kind: EntryKind }>('SELECT ' + SAID + ' FROM entry WHERE journal = ?', shown.journal)
      const conversation = shown === undefined ? said?.conversation : shown.conversation ?? undefined
      if (conversation === undefined) continue
      const kind = shown?.notice !== 1 && said?.conversation === conversation ? said.kind : undefined
      return { conversation, ...shown === undefined ? {} : { key: shown.key }, ...kind === undefined ? {} : { kind } }
    }
    return undefined
  },
  async held (conversation) {
    return (await all<EntryRow>('SELECT ' + ENTRY + ' FROM entry WHERE conversation = ? AND held = 1 ORDER BY id', conversation)).map(entryOf)
  },
  async released (entry, sentBy) { await run('UPDATE entry SET held = 0, sent_by = ? WHERE id = ?', sentBy ?? null, entry) },
  async unsaid (entry) { await run("UPDATE entry SET kind = 'note' WHERE id = ?", entry) },
  async reworded (entry, content, text) { await run('UPDATE entry SET content = ?, text = ? WHERE id = ?', JSON.stringify(content), text, entry) },
  async search (address, words, limit) {
    return (await all<EntryRow>('SELECT ' + ENTRY + ` FROM entry JOIN conversation ON conversation.id = entry.conversation
      WHERE desk = ? AND sent_by IS NULL AND lower(text) LIKE ? ESCAPE '\\' AND NOT (` + GONE + ') ORDER BY entry.id DESC LIMIT ?',
    address, anywhere(words), limit)).map(entryOf)
  },
  async ofProject (address, project, limit) {
    return (await all<EntryRow>('SELECT ' + ENTRY + ` FROM entry JOIN conversation ON conversation.id = entry.conversation
      WHERE desk = ? AND sent_by IS NULL AND project = ? AND NOT (` + GONE + ') ORDER BY entry.id LIMIT ?', address, project, limit)).map(entryOf)
  },
  async assign (entry, project) { await run('UPDATE entry SET project = ? WHERE id = ?', project, entry) },

  async automatic (conversation, { kind, at, text }, address) {
    await run('INSERT INTO automatic (conversation, address, kind, at, text) VALUES (?, ?, ?, ?, ?)', conversation, address, kind, at, text)
  },
  async automatics (conversation, since) {
    return await all('SELECT kind, at, text FROM automatic WHERE conversation = ? AND at >= ? ORDER BY id', conversation, since)
  },
  async automaticCount (address, since) {
    return (await one<{ count: number }>('SELECT count(*) AS count FROM automatic WHERE address = ? AND at >= ?', address, since))!.count
  },

  async log (line) {
    const before = (await one<{ hash: string }>('SELECT hash FROM logbook ORDER BY id DESC LIMIT 1'))?.hash ?? ''
    const hash = chained(before, line)
    await run('INSERT INTO logbook (' + LOG + ', hash, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      line.at, line.address, line.conversation ?? null, line.who, line.what, line.detail, hash, sealOf(hash, sealKey))
  },
  async logbook (address, conversation, limit) {
    return (await all<Parameters<typeof lineOf>[0]>('SELECT ' + LOG + `, hash FROM logbook
      WHERE address = ? AND (CAST(? AS BIGINT) IS NULL OR conversation = ?) ORDER BY id DESC LIMIT ?`,
    address, conversation ?? null, conversation ?? null, limit)).map(lineOf)
  },
  async verify () {
    const rows = await all<LogRow>('SELECT id, ' + LOG + ', hash, seal FROM logbook ORDER BY id')
    const [sealedFrom, last] = [rows.find(({ seal }) => seal !== null)?.id, rows.at(-1)]
    const found: Verified = {
      lines: rows.length, ...sealedFrom === undefined ? {} : { sealedFrom }, ...last?.seal ? { head: { line: last.id, seal: last.seal } } : {}
    }
    let before = ''
    for (const row of rows) {
      const why = wrongWith(row, before, sealedFrom !== undefined && row.id > sealedFrom)
      if (why !== undefined) return { ...found, wrong: { line: row.id, why } }
      before = row.hash
    }
    const written = (await one<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'logbook'"))?.seq ?? 0
    if (written > (last?.id ?? 0)) return { ...found, wrong: { line: (last?.id ?? 0) + 1, why: 'is missing, like all after it' } }
    return { ...found, ...foreignIn(rows, sealKey) }
  },
  async head () { return await one<Head>('SELECT id AS line, seal FROM logbook WHERE seal IS NOT NULL ORDER BY id DESC LIMIT 1') },
  async sealed (seal) {
    return (await one<{ id: number }>('SELECT id FROM logbook WHERE substr(seal, 1, ?) = ? ORDER BY id DESC LIMIT 1', seal.length, seal))?.id
  },

  async consent ({ person, address, kind, how, at }) {
    await run('INSERT INTO consent (person, address, kind, how, at) VALUES (?, ?, ?, ?, ?)', person, address, kind, how, at)
  },
  async consents (person, address) {
    return await all<Consent>('SELECT person, address, kind, how, at FROM consent WHERE person = ? AND address = ? ORDER BY id DESC', person, address)
  },

  async duty (address, agent, on, now) {
    if (on) await run('DELETE FROM off_duty WHERE address = ? AND agent = ?', address, agent)
    else await run('INSERT INTO off_duty (address, agent, since) VALUES (?, ?, ?) ON CONFLICT (address, agent) DO NOTHING', address, agent, now)
  },
  async offDuty () { return await all('SELECT address, agent FROM off_duty') },
  async changeTeam ({ address, person, name, added }) {
    await run(`INSERT INTO team_change (address, network, person, name, added) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (address, network, person) DO UPDATE SET name = excluded.name, added = excluded.added`,
    address, person.network, person.id, name, added ? 1 : 0)
  },
  async teamChanges () {
    return (await all<{ address: string, network: string, person: string, name: string, added: number }>('SELECT * FROM team_change'))
      .map(({ address, network, person, name, added }) => ({ address, person: { network, id: person }, name, added: added === 1 }))
  },

  async addresses () { return (await all<{ address: string }>('SELECT DISTINCT address FROM conversation')).map(row => row.address) },
  async forget (address, before, limit) {
    const values = [address, before, limit] as const
    const entries = await change(`DELETE FROM entry WHERE id IN (SELECT entry.id FROM entry JOIN conversation ON conversation.id = entry.conversation
      JOIN journal ON journal.seq = entry.journal WHERE conversation.address = ? AND accepted_at < ? ORDER BY entry.id LIMIT ?)`, ...values)
    const texts = await change(`DELETE FROM automatic WHERE id IN (SELECT automatic.id FROM automatic
      JOIN conversation ON conversation.id = automatic.conversation WHERE conversation.address = ? AND at < ?
      ORDER BY automatic.id LIMIT ?)`, ...values)
    const arrivals = await change(`DELETE FROM journal WHERE seq IN (SELECT seq FROM journal WHERE desk = ? AND accepted_at < ?
      AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.journal = journal.seq)
      AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.journal = journal.seq AND state IN ('waiting', 'sending')) LIMIT ?)`, ...values)
    await run(`UPDATE conversation SET data = json_remove(data, '$.excerpt', '$.opener')
      WHERE address = ? AND CAST(json_extract(data, '$.openedAt') AS BIGINT) < ? AND json_extract(data, '$.excerpt') IS NOT NULL`, address, before)
    const conversations = (await all<ConversationRow>(`DELETE FROM conversation WHERE id IN (SELECT id FROM conversation
      WHERE address = ? AND touched_at < ? AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.conversation = conversation.id) LIMIT ?)
      RETURNING id, data`, ...values)).flatMap(row => conversationOf(row) ?? [])
    return { most: Math.max(entries, texts, arrivals, conversations.length), conversations }
  },
  async open () {
    return await all<{ address: string, state: CaseState, count: number, oldestAt: number | null }>(`SELECT desk AS address, state, count(*) AS count,
      min(CASE WHEN CAST(json_extract(data, '$.awaits') AS BIGINT) = 1 THEN CAST(json_extract(data, '$.heardAt') AS BIGINT) END) AS "oldestAt"
      FROM conversation WHERE state <> 'done' GROUP BY desk, state`)
  }
})
