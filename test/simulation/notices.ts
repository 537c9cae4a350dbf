/** What texts say, as the auditor reads them. */
import type { Delivery } from '../../src/model/message'
import { toPlain } from '../../src/model/text'
import { wordsIn } from './town'

/** In place of the words of a message that was taken back, so nobody is told which one it was. */
export const WORDLESS = '…'

/** The writer at `place` is told that this message was not shown at `where`. `tag`: WORDLESS if the notice does not repeat it. */
export interface Notice { place: string; where: string; tag: string }

export const textOfDelivery = ({ action }: Delivery): string => 'content' in action ? toPlain(action.content.text) : ''

/** A person's words, which a server may refuse. Zentrale's own words always pass. */
export const isSpeech = (delivery: Delivery): boolean => delivery.as !== undefined || /^(?:reply|direct)-/.test(textOfDelivery(delivery))

/** To somebody whom moderators have put out, about anything that they sent. */
export const IS_OUT = /^Not delivered to ([^:]+): .* \(the moderators there [^()]*\)$/s

/** To a writer, or to a moderator. */
export const STAYS = /^(?:Deleted here, but not everywhere: the message|What moderators remove here) is still there for ([^.:]*)[.:]/

export const noticeIn = (text: string): Omit<Notice, 'place'> | undefined => {
  const found = /^(?:Not|Perhaps not)(?: fully)? delivered to ([^:]+): “([^”]*)”/.exec(text)
  const [first] = found?.[2] === WORDLESS ? [{ tag: WORDLESS }] : wordsIn(found?.[2] ?? '')
  return found === null || first === undefined ? undefined : { where: found[1]!, tag: first.tag }
}

/** What the writer of a message was told of it. What was taken back is not named. `withdrawals`: of messages. */
export const noticesOf = (
  { tag, of = tag, place }: { tag: string, of?: string | undefined, place: string }, withdrawals: ReadonlySet<string>, notices: Notice[]
): Notice[] => notices.filter(one => one.tag === tag || (one.tag === WORDLESS && one.place === place && withdrawals.has(of)))
