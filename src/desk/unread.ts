/**
 * A contact's messages that are encrypted so that they cannot be read. The team sees a line for each of the first few. If many come one after
 * another, one more line counts the others, instead of hiding what was said before.
 */
import type { Content } from '../model/message'
import { plain } from '../model/text'
import type { Conversation, UnreadRow } from '../store/desk'
import type { Recorded, Tx } from '../store/store'
import type { ContactSays } from './facts'
import { MINUTE_MS } from './hours'
import { textsOf } from './shown'

const LINES_MAX = 3
const ROW_MS = 10 * MINUTE_MS // after that, phones ring again

/** What the line says that counts. Undefined if the message has a line of its own, with the usual words. `original`: what it is to change. */
export interface Counted { content: Content; original?: Recorded }

/** Those before it, without anything in between. */
const rowBefore = ({ conversation, lately: [last], now }: ContactSays): UnreadRow | undefined => {
  const row = conversation?.state === 'done' ? undefined : conversation?.unread
  return row !== undefined && row.last === last?.key && now - row.since < ROW_MS ? row : undefined
}

/** With this one. */
export const rowWith = (facts: ContactSays): UnreadRow => {
  const { arrival: { key }, now } = facts
  const { count, since, counts } = rowBefore(facts) ?? { count: 0, since: now }
  return { last: key, since, count: count + 1, ...count >= LINES_MAX && { counts: counts ?? key } }
}

export const countedLine = (facts: ContactSays): Counted | undefined => {
  const { address, arrival: { key }, counting } = facts
  const { count, counts } = rowWith(facts)
  if (counts === undefined) return undefined
  const content: Content = { style: 'text', text: plain(textsOf(address).unreadMore(count - LINES_MAX)) }
  return { content, ...counts !== key && counting && { original: counting } }
}

/** The message whose line counts the others. */
export const countingPart = async (tx: Tx, conversation: Conversation | undefined): Promise<{ counting?: Recorded }> => {
  const { unread, place } = conversation ?? {}
  const found = unread?.counts === undefined || place === undefined ? undefined : await tx.recorded(place.network, unread.counts)
  return found === undefined ? {} : { counting: found }
}
