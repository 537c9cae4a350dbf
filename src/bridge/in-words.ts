/** Some apps say in words that somebody reacts, and quote the message. If exactly one message lately begins so, it is a reaction. */
import { bareEmojis } from '../lib/emoji'
import type { Arrival } from '../model/message'
import { toPlain } from '../model/text'
import type { Tx } from '../store/store'

const LATELY = 50 // messages of each side

const folded = (text: string): string => text.replace(/\s+/gu, ' ').trim()

/** Else it stays the message that it is. */
export const asReaction = async (tx: Tx, arrival: Arrival): Promise<Arrival> => {
  if (arrival.kind !== 'message' || arrival.reacts === undefined) return arrival
  const { reacts: { to, emojis }, ...message } = arrival
  const found = (await tx.saidLately(arrival.place, LATELY)).filter(({ text }) => folded(toPlain(text)).startsWith(folded(to)))
  const [only] = found
  if (only === undefined || found.length > 1 || await tx.answered(arrival.place, [only.id]) === undefined) return message
  const { key, place, at, sender } = arrival
  return { kind: 'reaction', key, place, at, sender, of: [only.id], emojis: bareEmojis(emojis), whole: true }
}
