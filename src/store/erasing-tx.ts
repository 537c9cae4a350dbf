/** Deletes what is kept about a person, and takes their address out of what others said. */
import { addressKey } from '../model/address'
import { arrivalsAbout, deliveriesOf, inJson, isHeld, markOf, namingOf, theirsOf, unreadOf } from './person-tx'
import { factWithout, holdsOne, isTheirChat, withoutAddress } from './person'
import type { Fact, PersonTx, Stretch, Subject } from './person'
import { NUMBERS, type Sql } from './sql'
import type { TallyTx } from './tally'

/** Takes the mentions of somebody and the quotations of what they said out of JSON that is somebody else's. */
const cleaned = (json: string, ids: string[]): string => JSON.stringify(JSON.parse(json), (key, value: unknown) =>
  (key === 'reply' || key === 'mentions' || key === 'addressee') && typeof value === 'object' && value !== null
    ? key === 'mentions' ? withoutAddress(value, ids) : holdsOne(JSON.stringify(value), ids) ? undefined : value
    : value)

interface Ended { seq: number; network: string; key: string }

type ErasingTx = Omit<PersonTx, 'about' | 'occupants' | 'aboutWithin'>

export const makeErasingTx = (sql: Sql, tally: Pick<TallyTx, 'forgetRare'>): ErasingTx => {
  const { all, one, run } = sql

  /** In what others said, and in what was sent of it. */
  const clean = ({ ids }: Subject, { after, upTo }: Stretch): void => {
    const spelt = ids.map(inJson)
    const arrivals = all<{ seq: number, arrival: string }>('SELECT seq, arrival FROM journal WHERE seq > ? AND seq <= ?', after, upTo)
    for (const { seq, arrival } of arrivals) {
      if (holdsOne(arrival, spelt)) run('UPDATE journal SET arrival = ? WHERE seq = ?', cleaned(arrival, ids), seq)
    }
    const deliveries = all<{ id: number, delivery: string }>('SELECT id, delivery FROM outbox WHERE journal > ? AND journal <= ?', after, upTo)
    for (const { id, delivery } of deliveries) {
      if (holdsOne(delivery, spelt)) run('UPDATE outbox SET delivery = ? WHERE id = ?', cleaned(delivery, ids), id)
    }
  }

  return {
    async lastArrival () { return one<{ seq: number }>('SELECT seq FROM journal ORDER BY seq DESC LIMIT 1')?.seq ?? 0 },
    async isQueued (key) { return one('SELECT 1 FROM outbox WHERE key = ?', key) !== undefined },
    async endings (journal) {
      return all(`SELECT network, state, coalesce(reason, '') AS reason, count(*) AS count FROM outbox WHERE journal = ?
        GROUP BY network, state, reason`, journal)
    },
    async waitingOf (journal) {
      return all<{ id: number }>("SELECT id FROM outbox WHERE journal = ? AND state = 'waiting'", journal).map(row => row.id)
    },
    async forgetArrival (journal) { run('DELETE FROM journal WHERE seq = ?', journal) },
    async eraseWithin (subject, stretch, now) {
      const theirs = theirsOf(arrivalsAbout(sql, subject, stretch))
      const naming = namingOf(sql, subject, stretch)
      const others = [...deliveriesOf(sql, subject, [], stretch), ...naming].map(({ id }) => id)
      run('DELETE FROM outbox WHERE id IN ' + NUMBERS + " AND state NOT IN ('waiting', 'sending')",
        JSON.stringify(others))
      const ended = all<Ended>('SELECT seq, network, key FROM journal WHERE seq IN ' + NUMBERS + `
        AND NOT EXISTS (SELECT 1 FROM outbox WHERE journal = seq AND state IN ('waiting', 'sending'))
        UNION SELECT seq, network, key FROM journal WHERE seq IN ` + NUMBERS + `
        AND NOT EXISTS (SELECT 1 FROM outbox WHERE journal = seq) AND NOT EXISTS (SELECT 1 FROM entry WHERE journal = seq)`,
      JSON.stringify(theirs), JSON.stringify(naming.map(({ journal }) => journal)))
      const seqs = JSON.stringify(ended.map(({ seq }) => seq))
      run('DELETE FROM entry WHERE journal IN ' + NUMBERS, seqs)
      const { changes: messages } = run('DELETE FROM journal WHERE seq IN ' + NUMBERS, seqs)
      for (const { network, key } of ended) {
        run('INSERT INTO erased (mark, at) VALUES (?, ?) ON CONFLICT (mark) DO UPDATE SET at = excluded.at', markOf(network, key), now)
      }
      clean(subject, stretch)
      return { messages }
    },
    async eraseRest ({ person, ids }) {
      const { id } = person
      const addresses = all<{ address: string }>('SELECT address FROM conversation WHERE network = ? AND contact = ?', person.network, id)
      for (const { address } of addresses) await tally.forgetRare(address, Number.MAX_SAFE_INTEGER)
      const conversations = run('DELETE FROM conversation WHERE network = ? AND contact = ?', person.network, id).changes
      const unread = unreadOf(sql, ids)
      for (const { id: row } of unread) run('DELETE FROM quarantine WHERE id = ?', row)
      run('DELETE FROM consent WHERE person = ?', addressKey(person))
      run('DELETE FROM off_duty WHERE agent = ?', addressKey(person))
      run('DELETE FROM team_change WHERE network = ? AND person = ?', person.network, id)
      for (const { place } of all<{ place: string }>('SELECT DISTINCT place FROM early_receipt WHERE network = ?', person.network)) {
        if (isTheirChat({ network: person.network, id: place }, person)) {
          run('DELETE FROM early_receipt WHERE network = ? AND place = ?', person.network, place)
        }
      }
      return { conversations, quarantine: unread.length }
    },
    async eraseFacts (ids, but) {
      let facts = 0
      const found = all<Fact>('SELECT owner, key, value FROM memory').filter(one => !but.includes(one.owner) && isHeld(one, ids))
      for (const fact of found) {
        const left = holdsOne(fact.key, ids) ? undefined : factWithout(fact.value, ids)
        if (left === undefined) run('DELETE FROM memory WHERE owner = ? AND key = ?', fact.owner, fact.key)
        else run('UPDATE memory SET value = ? WHERE owner = ? AND key = ?', left, fact.owner, fact.key)
        facts++
      }
      const keys = all<Omit<Fact, 'value'>>('SELECT owner, key FROM vault').filter(one => !but.includes(one.owner) && holdsOne(one.key, ids))
      for (const { owner, key } of keys) {
        run('DELETE FROM vault WHERE owner = ? AND key = ?', owner, key)
        facts++
      }
      return { facts }
    }
  }
}
