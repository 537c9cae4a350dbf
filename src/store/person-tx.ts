/** Finds what is kept about a person. Their address may stand anywhere, so rows are read, not looked up. */
import { hash } from 'node:crypto'
import { addressKey, type Person } from '../model/address'
import type { Arrival } from '../model/message'
import type { AutomaticSent, Consent, Conversation, LogLine } from './desk'
import { type ConversationRow, conversationOf, ENTRY, type EntryRow, entryOf } from './desk-tx'
import { arrivalOf, queueRowOf, OUTBOX, type OutboxRow } from './outbox-rows'
import { holdsOne, isTheirChat, ORDER_PLACE } from './person'
import type { About, ArrivalAbout, DeliveryAbout, Fact, PersonTx, Stretch, Subject, Unread } from './person'
import { NUMBERS, type Sql } from './sql'

interface JournalRow { seq: number; at: number; network: string; place: string; sender: string | null; arrival: string }

/** By which an erased arrival is recognised when its network brings it again. It does not say what it was, or from whom. */
export const markOf = (network: string, key: string): string => hash('sha256', `${network} ${key}`, 'base64')

/** An id as it stands in JSON. */
export const inJson = (id: string): string => JSON.stringify(id).slice(1, -1)

const HOLDING = `SELECT seq, accepted_at AS at, network, place, sender, arrival FROM journal WHERE seq > ? AND seq <= ?
  AND (EXISTS (SELECT 1 FROM json_each(?) WHERE instr(arrival, value) > 0)
  OR network || ' ' || place IN (SELECT value FROM json_each(?)) OR seq IN ` + NUMBERS + ') ORDER BY seq'
const OF_CONVERSATION = ' WHERE conversation IN ' + NUMBERS + ' ORDER BY id'

/** A third one may have come into their chat. */
const isFrom = (person: Person, { network, place, sender }: JournalRow, arrival: Arrival): boolean => network === person.network &&
  (sender === person.id || ('sender' in arrival
    ? arrival.sender.address === person.id || arrival.sender.account === person.id
    : isTheirChat({ network, id: place }, person)))

const ALL: Stretch = { after: 0, upTo: Number.MAX_SAFE_INTEGER }

const keysOf = ({ rooms }: Subject): string => JSON.stringify(rooms.map(addressKey))

export const arrivalsAbout = async (sql: Sql, subject: Subject, { after, upTo } = ALL): Promise<ArrivalAbout[]> => {
  const { all } = sql
  const conversations = await numbersOf(sql, subject.person)
  const rooms = new Set(subject.rooms.map(addressKey))
  const ofTheirs = new Set((await all<{ journal: number }>('SELECT journal FROM entry WHERE conversation IN ' + NUMBERS + `
    UNION SELECT journal FROM outbox WHERE conversation IN ` + NUMBERS, conversations, conversations)).map(row => row.journal))
  const ids = subject.ids.map(inJson)
  const rows = await all<JournalRow>(HOLDING, after, upTo, JSON.stringify(ids), keysOf(subject), JSON.stringify([...ofTheirs]))
  return rows.flatMap((row): ArrivalAbout[] => {
    const arrival = arrivalOf(row)
    if (arrival === undefined) return []
    const about = (how: ArrivalAbout['how']): ArrivalAbout[] => [{ seq: row.seq, at: row.at, how, arrival }]
    if (isFrom(subject.person, row, arrival)) return about('said')
    const isAbout = rooms.has(addressKey(arrival.place)) || isTheirChat(arrival.place, subject.person)
    if (ofTheirs.has(row.seq) || isAbout) return about('about')
    return holdsOne(row.arrival, ids) ? about('named') : []
  })
}

const conversationsOf = async ({ all }: Sql, { network, id }: Person): Promise<Conversation[]> =>
  (await all<ConversationRow>('SELECT id, data FROM conversation WHERE network = ? AND contact = ? ORDER BY id', network, id))
    .flatMap(row => conversationOf(row) ?? [])

const numbersOf = async (sql: Sql, person: Person): Promise<string> => JSON.stringify((await conversationsOf(sql, person)).map(({ id }) => id))

export const theirsOf = (arrivals: ArrivalAbout[]): number[] => arrivals.filter(({ how }) => how !== 'named').map(({ seq }) => seq)

const aboutOf = (row: OutboxRow): DeliveryAbout => ({ ...queueRowOf(row), journal: row.journal })

const WITHIN = 'WHERE journal > ? AND journal <= ? AND '

/** In a stretch, only those that its arrivals have caused. */
export const deliveriesOf = async (
  { all }: Sql, { person, ...subject }: Subject, theirs: number[], { after, upTo } = ALL
): Promise<About['deliveries']> => {
  const seqs = new Set(theirs)
  const rooms = new Set(subject.rooms.map(addressKey))
  const isAbout = ({ network, place }: OutboxRow): boolean => isTheirChat({ network, id: place }, person) || rooms.has(`${network} ${place}`)
  return (await all<OutboxRow>(OUTBOX + WITHIN + '(journal IN ' + NUMBERS + `
    OR outbox.network || ' ' || outbox.place IN (SELECT value FROM json_each(?)) OR (outbox.network = ? AND instr(outbox.place, ?) > 0)) ORDER BY id`,
  after, upTo, JSON.stringify(theirs), keysOf({ person, ...subject }), person.network, person.id))
    .filter(row => !row.from_place.startsWith(ORDER_PLACE) && (seqs.has(row.journal) || isAbout(row))).map(aboutOf)
}

const TO_TEAM = `notice = 1
  AND NOT EXISTS (SELECT 1 FROM conversation WHERE conversation.network = outbox.network AND conversation.place = outbox.place)`
const NOT_SAID_BY_CONTACT = `
  AND NOT EXISTS (SELECT 1 FROM conversation WHERE conversation.network = journal.network AND conversation.place = journal.place)`

/**
 * What was sent in their name, and our own words to a team that are about one of their cases, or name them or it, as lists do; whoever caused them.
 * A line about the case of somebody else who wrote of them is not theirs. Nor is one that only holds how they are called, which may be any word.
 */
export const namingOf = async (sql: Sql, { person, ids }: Subject, { after, upTo }: Stretch): Promise<About['deliveries']> => {
  const conversations = await conversationsOf(sql, person)
  const names = [...ids, ...conversations.map(({ id }) => `#${id}`)].map(inJson)
  const theirs = await sql.all<OutboxRow>(OUTBOX + WITHIN + "(json_extract(delivery, '$.as.person.id') IN (SELECT value FROM json_each(?)) OR " +
    TO_TEAM + ' AND outbox.conversation IN ' + NUMBERS + ') ORDER BY id',
  after, upTo, JSON.stringify(ids), JSON.stringify(conversations.map(({ id }) => id)))
  const others = (await sql.all<OutboxRow>(OUTBOX + WITHIN + TO_TEAM + NOT_SAID_BY_CONTACT + ' ORDER BY id', after, upTo))
    .filter(({ delivery }) => holdsOne(delivery, names))
  return [...theirs, ...others].filter(row => !row.from_place.startsWith(ORDER_PLACE)).map(aboutOf)
}

export const isHeld = ({ key, value }: Fact, ids: string[]): boolean => holdsOne(key, ids) || holdsOne(value, [...ids, ...ids.map(inJson)])

export const unreadOf = async ({ all }: Sql, ids: string[]): Promise<Unread[]> =>
  (await all<Unread>('SELECT id, network, raw, why, at FROM quarantine WHERE dropped = 0 ORDER BY id')).filter(({ raw }) =>
    holdsOne(raw, [...ids, ...ids.map(inJson)]))

export const makePersonTx = (sql: Sql): Pick<PersonTx, 'about' | 'occupants' | 'aboutWithin'> => {
  const { all, one } = sql
  return {
    async about (person) {
      const { id } = person
      const conversations = await conversationsOf(sql, person)
      const numbers = await numbersOf(sql, person)
      const subject: Subject = { person, ids: [id], rooms: [] }
      const arrivals = await arrivalsAbout(sql, subject)
      const rows = JSON.stringify(theirsOf(arrivals))
      const deliveries = await deliveriesOf(sql, subject, theirsOf(arrivals))
      const stopped = await one<{ since: number }>('SELECT since FROM blocked WHERE person = ?', addressKey(person))
      const found: About = {
        person, conversations, arrivals, deliveries,
        entries: (await all<EntryRow>('SELECT ' + ENTRY + ' FROM entry' + OF_CONVERSATION, numbers)).map(entryOf),
        automatic: await all<AutomaticSent & { conversation: number }>('SELECT conversation, kind, at, text FROM automatic' + OF_CONVERSATION,
          numbers),
        links: await all('SELECT journal, expires_at AS "expiresAt" FROM link WHERE journal IN ' + NUMBERS, rows),
        quarantine: await unreadOf(sql, [id]),
        logbook: await all<LogLine>('SELECT at, address, conversation, who, what, detail, hash FROM logbook' + OF_CONVERSATION, numbers),
        consents: await all<Consent>('SELECT person, address, kind, how, at FROM consent WHERE person = ? ORDER BY id', addressKey(person)),
        ...stopped && { stoppedAt: stopped.since },
        facts: [
          ...await all<Fact>('SELECT owner, key, value FROM memory'),
          ...await all<Fact>("SELECT owner, key, length(value) || ' bytes of keys' AS value FROM vault")
        ].filter(fact => isHeld(fact, [id]))
      }
      return found
    },
    async occupants ({ network, id }) {
      return (await all<{ sender: string }>(`SELECT DISTINCT sender FROM journal WHERE network = ? AND sender <> ?
        AND (json_extract(arrival, '$.sender.address') = ? OR json_extract(arrival, '$.sender.account') = ?)`, network, id, id, id))
        .map(({ sender }) => ({ network, id: sender }))
    },
    async aboutWithin (subject, stretch) {
      const arrivals = await arrivalsAbout(sql, subject, stretch)
      const deliveries = [...await deliveriesOf(sql, subject, theirsOf(arrivals), stretch), ...await namingOf(sql, subject, stretch)]
      return { arrivals, deliveries: [...new Map(deliveries.map(one => [one.id, one])).values()] }
    }
  }
}
