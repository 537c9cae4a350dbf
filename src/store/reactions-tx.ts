/** Who has which reactions to which message. A reaction is deleted with its message, and with its own arrival. */
import { arrivalOf, deliveryOf, OUTBOX, type OutboxRow } from './outbox-rows'
import type { Sql } from './sql'
import type { Reaction, Tx } from './store'

interface Row {
  emoji: string; pieces: string; by: string; made: string; made_on: string; made_at: string; key: string | null; network: string; place: string
}

/** A person's reactions to a message, with the deliveries where each reaction was delivered by itself. */
const REACTIONS = `SELECT emoji, pieces, journal.network || ' ' || journal.sender AS by, journal.key AS made, journal.network AS made_on,
  journal.place AS made_at, outbox.key, outbox.network, outbox.place
  FROM reaction JOIN journal ON journal.seq = reaction.arrival
  LEFT JOIN outbox ON outbox.journal = reaction.arrival AND notice = 0 AND json_extract(delivery, '$.action.kind') = 'reaction'
    AND json_extract(delivery, '$.action.emojis[0]') = emoji
  WHERE message = ? AND person = ? ORDER BY reaction.id, outbox.id`

/** Who else has this piece of it, by the arrival with which one of their reactions came. */
const BEFORE = `SELECT person, journal.arrival AS arrival FROM reaction JOIN journal ON journal.seq = reaction.arrival
  WHERE message = ? AND person <> ? AND EXISTS (SELECT 1 FROM json_each(pieces) WHERE value = ?) LIMIT 1`

const SHOWN = OUTBOX + `WHERE outbox.id IN (SELECT outbox FROM remote WHERE remote.network = ? AND remote.place = ?
  AND remote.id IN (SELECT value FROM json_each(?))) AND notice = 0`

export const makeReactionsTx = ({ all, one, run }: Sql): Pick<Tx, 'reactions' | 'reactionsBefore' | 'reactionShown' | 'react'> => {
  const reactions: Tx['reactions'] = async (message, person) => {
    const found = new Map<string, Reaction>()
    for (const { emoji, pieces, by, made, made_on: on, made_at: at, key, network, place } of await all<Row>(REACTIONS, message, person)) {
      const { deliveries } = found.get(emoji) ?? { deliveries: [] }
      const arrival = { key: made, place: { network: on, id: at } }
      found.set(emoji, {
        emoji, pieces: (await all<{ value: string }>('SELECT value FROM json_each(?)', pieces)).map(({ value }) => value), by, made: arrival,
        deliveries: key === null ? deliveries : [...deliveries, { key, place: { network, id: place } }]
      })
    }
    return [...found.values()]
  }

  return {
    reactions,
    async reactionsBefore (message, person, piece) {
      const row = await one<{ person: string, arrival: string }>(BEFORE, message, person, piece)
      const arrival = arrivalOf(row)
      if (row === undefined || arrival?.kind !== 'reaction') return undefined
      return { sender: arrival.sender, reactions: await reactions(message, row.person) }
    },
    async reactionShown ({ network, id: place }, ids) {
      const row = await one<OutboxRow>(SHOWN, network, place, JSON.stringify(ids))
      const { as, action } = row === undefined ? {} : deliveryOf(row)
      const cause = arrivalOf(await one('SELECT arrival FROM journal WHERE seq = ?', row?.journal ?? null))
      return as === undefined || action?.kind !== 'reaction' || cause === undefined ? undefined : { cause, as, emojis: action.emojis }
    },
    async react (message, person, now, arrival) {
      await run('DELETE FROM reaction WHERE message = ? AND person = ? AND emoji NOT IN (SELECT value FROM json_each(?))',
        message, person, JSON.stringify(now.map(({ emoji }) => emoji)))
      await run(`INSERT INTO reaction (message, person, emoji, pieces, arrival)
        SELECT ?, ?, json_extract(value, '$.emoji'), json_extract(value, '$.pieces'), ? FROM json_each(?) WHERE true
        ON CONFLICT (message, person, emoji) DO UPDATE SET pieces = excluded.pieces`, message, person, arrival, JSON.stringify(now))
    }
  }
}
