/** Finds what is kept about a person. Their address may stand anywhere, so rows are read, not looked up. */
import { addressKey, type Person } from '../model/address'
import type { Arrival } from '../model/message'
import type { AutomaticSent, Consent, LogLine } from './desk'
import { type ConversationRow, conversationOf, ENTRY, type EntryRow, entryOf } from './desk-tx'
import { arrivalOf, queueRowOf, OUTBOX, type OutboxRow } from './outbox-rows'
import { type About, type ArrivalAbout, type Fact, holds, isTheirChat, type PersonTx, type Unread } from './person'
import type { Sql } from './sql'

interface JournalRow { seq: number; at: number; network: string; place: string; sender: string | null; arrival: string }

/** An id as it stands in JSON. */
const inJson = (id: string): string => JSON.stringify(id).slice(1, -1)

const HOLDING = `SELECT seq, accepted_at AS at, network, place, sender, arrival FROM journal WHERE instr(arrival, ?) > 0
  OR seq IN (SELECT journal FROM entry WHERE conversation IN (SELECT value FROM json_each(?)))
  OR seq IN (SELECT journal FROM outbox WHERE conversation IN (SELECT value FROM json_each(?))) ORDER BY seq`
const OF_CONVERSATION = ' WHERE conversation IN (SELECT value FROM json_each(?)) ORDER BY id'

const isFrom = (person: Person, { network, place, sender }: JournalRow, arrival: Arrival): boolean => network === person.network &&
  (sender === person.id || isTheirChat({ network, id: place }, person) ||
    ('sender' in arrival && (arrival.sender.address === person.id || arrival.sender.account === person.id)))

const arrivalsAbout = ({ all }: Sql, person: Person, conversations: string): ArrivalAbout[] => {
  const ofTheirs = new Set(all<{ journal: number }>('SELECT journal FROM entry' + OF_CONVERSATION.replace('ORDER BY id', `UNION
    SELECT journal FROM outbox WHERE conversation IN (SELECT value FROM json_each(?))`), conversations, conversations).map(row => row.journal))
  return all<JournalRow>(HOLDING, inJson(person.id), conversations, conversations).flatMap((row): ArrivalAbout[] => {
    const arrival = arrivalOf(row)
    if (arrival === undefined) return []
    const about = (how: ArrivalAbout['how']): ArrivalAbout[] => [{ seq: row.seq, at: row.at, how, arrival }]
    if (isFrom(person, row, arrival)) return about('said')
    if (ofTheirs.has(row.seq)) return about('about')
    return holds(row.arrival, inJson(person.id)) ? about('named') : []
  })
}

export const makePersonTx = (sql: Sql): PersonTx => {
  const { all, one } = sql
  return {
    async about (person) {
      const { network, id } = person
      const conversations = all<ConversationRow>('SELECT id, data FROM conversation WHERE network = ? AND contact = ? ORDER BY id', network, id)
        .flatMap(row => conversationOf(row) ?? [])
      const numbers = JSON.stringify(conversations.map(conversation => conversation.id))
      const arrivals = arrivalsAbout(sql, person, numbers)
      const theirs = new Set(arrivals.filter(({ how }) => how !== 'named').map(({ seq }) => seq))
      const rows = JSON.stringify([...theirs])
      const deliveries = all<OutboxRow>(OUTBOX + `WHERE journal IN (SELECT value FROM json_each(?))
        OR (outbox.network = ? AND instr(outbox.place, ?) > 0) ORDER BY id`, rows, network, id)
        .filter(row => theirs.has(row.journal) || isTheirChat({ network: row.network, id: row.place }, person)).map(queueRowOf)
      const stopped = one<{ since: number }>('SELECT since FROM blocked WHERE person = ?', addressKey(person))
      const found: About = {
        person, conversations, arrivals, deliveries,
        entries: all<EntryRow>('SELECT ' + ENTRY + ' FROM entry' + OF_CONVERSATION, numbers).map(entryOf),
        automatic: all<AutomaticSent & { conversation: number }>('SELECT conversation, kind, at, text FROM automatic' + OF_CONVERSATION, numbers),
        links: all('SELECT journal, expires_at AS expiresAt FROM link WHERE journal IN (SELECT value FROM json_each(?))', rows),
        quarantine: all<Unread>('SELECT id, network, raw, why, at FROM quarantine WHERE dropped = 0 ORDER BY id')
          .filter(({ raw }) => holds(raw, id) || holds(raw, inJson(id))),
        logbook: all<LogLine>('SELECT at, address, conversation, who, what, detail, hash FROM logbook' + OF_CONVERSATION, numbers),
        consents: all<Consent>('SELECT person, address, kind, how, at FROM consent WHERE person = ? ORDER BY id', addressKey(person)),
        ...stopped && { stoppedAt: stopped.since },
        facts: [
          ...all<Fact>('SELECT owner, key, value FROM memory'),
          ...all<Fact>("SELECT owner, key, length(value) || ' bytes of keys' AS value FROM vault")
        ].filter(({ key, value }) => holds(key, id) || holds(value, id) || holds(value, inJson(id)))
      }
      return found
    },
    async occupants ({ network, id }) {
      return all<{ sender: string }>(`SELECT DISTINCT sender FROM journal WHERE network = ? AND sender <> ?
        AND (json_extract(arrival, '$.sender.address') = ? OR json_extract(arrival, '$.sender.account') = ?)`, network, id, id, id)
        .map(({ sender }) => ({ network, id: sender }))
    }
  }
}
