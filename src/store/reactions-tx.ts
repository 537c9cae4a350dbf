/** Who has which reactions to which message. A reaction is deleted with its message, and with its own arrival. */
import type { Sql } from './sql'
import type { Reaction, Tx } from './store'

interface Row { emoji: string; by: string; key: string | null; network: string; place: string }

/** A person's reactions to a message, with the deliveries where each reaction was delivered by itself. */
const REACTIONS = `SELECT emoji, journal.network || ' ' || journal.sender AS by, outbox.key, outbox.network, outbox.place
  FROM reaction JOIN journal ON journal.seq = reaction.arrival
  LEFT JOIN outbox ON outbox.journal = reaction.arrival AND notice = 0 AND json_extract(delivery, '$.action.kind') = 'reaction'
    AND json_extract(delivery, '$.action.emojis[0]') = emoji
  WHERE message = ? AND person = ? ORDER BY reaction.id, outbox.id`

export const makeReactionsTx = ({ all, run }: Sql): Pick<Tx, 'reactions' | 'react'> => ({
  async reactions (message, person) {
    const found = new Map<string, Reaction>()
    for (const { emoji, by, key, network, place } of all<Row>(REACTIONS, message, person)) {
      const { deliveries } = found.get(emoji) ?? { deliveries: [] }
      found.set(emoji, { emoji, by, deliveries: key === null ? deliveries : [...deliveries, { key, place: { network, id: place } }] })
    }
    return [...found.values()]
  },
  async react (message, person, emojis, arrival) {
    const now = JSON.stringify(emojis)
    run('DELETE FROM reaction WHERE message = ? AND person = ? AND emoji NOT IN (SELECT value FROM json_each(?))', message, person, now)
    run('INSERT OR IGNORE INTO reaction (message, person, emoji, arrival) SELECT ?, ?, value, ? FROM json_each(?)', message, person, arrival, now)
  }
})
