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
  const { all, one, run, change } = sql

  /** In what others said, and in what was sent of it. */
  const clean = async ({ ids }: Subject, { after, upTo }: Stretch): Promise<void> => {
    const spelt = ids.map(inJson)
    const arrivals = await all<{ seq: number, arrival: string }>('SELECT seq, arrival FROM journal WHERE seq > ? AND seq <= ?', after, upTo)
    for (const { seq, arrival } of arrivals) {
      if (holdsOne(arrival, spelt)) await run('UPDATE journal SET arrival = ? WHERE seq = ?', cleaned(arrival, ids), seq)
    }
    const deliveries = await all<{ id: number, delivery: string }>('SELECT id, delivery FROM outbox WHERE journal > ? AND journal <= ?', after, upTo)
    for (const { id, delivery } of deliveries) {
      if (holdsOne(delivery, spelt)) await run('UPDATE outbox SET delivery = ? WHERE id = ?', cleaned(delivery, ids), id)
    }
  }

  return {
    async lastArrival () { return (await one<{ seq: number }>('SELECT seq FROM journal ORDER BY seq DESC LIMIT 1'))?.seq ?? 0 },
    async isQueued (key) { return await one('SELECT 1 FROM outbox WHERE key = ?', key) !== undefined },
    async endings (journal) {
      return await all(`SELECT network, state, coalesce(reason, '') AS reason, count(*) AS count FROM outbox WHERE journal = ?
        GROUP BY network, state, reason`, journal)
    },
    async waitingOf (journal) {
      return (await all<{ id: number }>("SELECT id FROM outbox WHERE journal = ? AND state = 'waiting'", journal)).map(row => row.id)
    },
    async forgetArrival (journal) { await run('DELETE FROM journal WHERE seq = ?', journal) },
    async eraseWithin (subject, stretch, now) {
      const theirs = theirsOf(await arrivalsAbout(sql, subject, stretch))
      const naming = await namingOf(sql, subject, stretch)
      const others = [...await deliveriesOf(sql, subject, [], stretch), ...naming].map(({ id }) => id)
      await run('DELETE FROM outbox WHERE id IN ' + NUMBERS + " AND state NOT IN ('waiting', 'sending')",
        JSON.stringify(others))
      const ended = await all<Ended>('SELECT seq, network, key FROM journal WHERE seq IN ' + NUMBERS + `
        AND NOT EXISTS (SELECT 1 FROM outbox WHERE journal = seq AND state IN ('waiting', 'sending'))
        UNION SELECT seq, network, key FROM journal WHERE seq IN ` + NUMBERS + `
        AND NOT EXISTS (SELECT 1 FROM outbox WHERE journal = seq) AND NOT EXISTS (SELECT 1 FROM entry WHERE journal = seq)`,
      JSON.stringify(theirs), JSON.stringify(naming.map(({ journal }) => journal)))
      const seqs = JSON.stringify(ended.map(({ seq }) => seq))
      await run('DELETE FROM entry WHERE journal IN ' + NUMBERS, seqs)
      const messages = await change('DELETE FROM journal WHERE seq IN ' + NUMBERS, seqs)
      for (const { network, key } of ended) {
        await run('INSERT INTO erased (mark, at) VALUES (?, ?) ON CONFLICT (mark) DO UPDATE SET at = excluded.at', markOf(network, key), now)
      }
      await clean(subject, stretch)
      return { messages }
    },
    async eraseRest ({ person, ids }) {
      const { id } = person
      const addresses = await all<{ address: string }>('SELECT address FROM conversation WHERE network = ? AND contact = ?', person.network, id)
      for (const { address } of addresses) await tally.forgetRare(address, Number.MAX_SAFE_INTEGER)
      const conversations = await change('DELETE FROM conversation WHERE network = ? AND contact = ?', person.network, id)
      const unread = await unreadOf(sql, ids)
      for (const { id: row } of unread) await run('DELETE FROM quarantine WHERE id = ?', row)
      await run('DELETE FROM consent WHERE person = ?', addressKey(person))
      await run('DELETE FROM off_duty WHERE agent = ?', addressKey(person))
      await run('DELETE FROM team_change WHERE network = ? AND person = ?', person.network, id)
      for (const { place } of await all<{ place: string }>('SELECT DISTINCT place FROM early_receipt WHERE network = ?', person.network)) {
        if (isTheirChat({ network: person.network, id: place }, person)) {
          await run('DELETE FROM early_receipt WHERE network = ? AND place = ?', person.network, place)
        }
      }
      return { conversations, quarantine: unread.length }
    },
    async eraseFacts (ids, but) {
      let facts = 0
      const found = (await all<Fact>('SELECT owner, key, value FROM memory')).filter(one => !but.includes(one.owner) && isHeld(one, ids))
      for (const fact of found) {
        const left = holdsOne(fact.key, ids) ? undefined : factWithout(fact.value, ids)
        if (left === undefined) await run('DELETE FROM memory WHERE owner = ? AND key = ?', fact.owner, fact.key)
        else await run('UPDATE memory SET value = ? WHERE owner = ? AND key = ?', left, fact.owner, fact.key)
        facts++
      }
      const keys = (await all<Omit<Fact, 'value'>>('SELECT owner, key FROM vault')).filter(one => !but.includes(one.owner) && holdsOne(one.key, ids))
      for (const { owner, key } of keys) {
        await run('DELETE FROM vault WHERE owner = ? AND key = ?', owner, key)
        facts++
      }
      return { facts }
    }
  }
}
