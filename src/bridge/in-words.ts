/**
 * Arrivals as they are meant: what people say in words because their app has nothing else for it. Some apps say that somebody reacts, and quote
 * the message: if exactly one message lately begins so, it is a reaction. A number alone, soon after a poll, answers that poll; and a number
 * below a quotation of it. What comes in the clear where all is encrypted has a sign; as a correction it changes nothing, but is said beside it.
 */
import { bareEmojis } from '../lib/emoji'
import type { Arrival, EditArrival, MessageArrival } from '../model/message'
import { inFront, type Text, toPlain } from '../model/text'
import type { Directory } from '../plan/directory'
import { mayChange } from '../plan/plan'
import { ANSWERED_MS, answersPoll, belowQuotation, numbersIn, quotesPoll } from '../plan/vote'
import type { Answered, Tx } from '../store/store'

const LATELY = 50 // messages of each side

const folded = (text: string): string => text.replace(/\s+/gu, ' ').trim()

const asReaction = async (tx: Tx, arrival: Arrival): Promise<Arrival> => {
  if (arrival.kind !== 'message' || arrival.reacts === undefined) return arrival
  const { reacts: { to, emojis }, ...message } = arrival
  const found = (await tx.saidLately(arrival.place, LATELY)).filter(({ text }) => folded(toPlain(text)).startsWith(folded(to)))
  const [only] = found
  if (only === undefined || found.length > 1 || await tx.answered(arrival.place, [only.id]) === undefined) return message
  const { key, place, at, sender } = arrival
  return { kind: 'reaction', key, place, at, sender, of: [only.id], emojis: bareEmojis(emojis), whole: true }
}

/** Whether these words are numbers and nothing else, but perhaps a quotation of the poll. */
const isVote = (asked: Answered, text: Text): boolean => {
  const { quotation, own } = belowQuotation({ style: 'text', text })
  return numbersIn(own).length > 0 && (quotation.length === 0 || quotesPoll(asked, quotation))
}

/**
 * What a number alone is, where people could also reply to the poll. It is a vote while nobody has said anything else since; later it is words.
 * Whoever says the first such number may believe that they vote.
 */
const numberAlone = async (tx: Tx, arrival: MessageArrival, asked: Answered, poll: string): Promise<Arrival> => {
  const since = (await tx.saidLately(arrival.place, LATELY)).filter(({ journal }) => journal > asked.seq).sort((a, b) => a.journal - b.journal)
  const talk = since.findIndex(({ text }) => !isVote(asked, text))
  if (talk < 0) return { ...arrival, replyTo: [poll] }
  return since.slice(talk).some(({ text }) => isVote(asked, text)) ? arrival : { ...arrival, lateVote: true }
}

const asAnswer = async (tx: Tx, arrival: Arrival, now: number, { can, mirrorAt }: Directory): Promise<Arrival> => {
  if (arrival.kind !== 'message' || arrival.replyTo !== undefined || mirrorAt(arrival.place) === undefined) return arrival
  const { polls, replies } = can(arrival.place.network)
  const { quotation, own } = belowQuotation(arrival.content)
  const numbers = polls === true ? [] : numbersIn(own)
  const poll = numbers.length === 0 ? undefined : await tx.pollLately(arrival.place, now - ANSWERED_MS)
  const asked = poll === undefined ? undefined : await tx.answered(arrival.place, [poll])
  if (poll === undefined || asked === undefined || !answersPoll(asked, numbers)) return arrival
  const quoted = arrival.content.text.length - own.text.length
  if (quoted > 0) return quotesPoll(asked, quotation) ? { ...arrival, replyTo: [poll], quoted } : arrival
  return replies ? await numberAlone(tx, arrival, asked, poll) : { ...arrival, replyTo: [poll] }
}

const OPENLY = '🔓 '

const openly = <One extends MessageArrival | EditArrival>(arrival: One): One =>
  ({ ...arrival, openly: true, content: { ...arrival.content, text: inFront(OPENLY, arrival.content.text) } })

/** What may be somebody else's words is marked. The desk has words of its own for such messages of a team. */
const asCarried = async (tx: Tx, arrival: Arrival, { mirrorAt }: Directory): Promise<Arrival> => {
  if (arrival.kind === 'message' && arrival.openly === true && mirrorAt(arrival.place) !== undefined) return openly(arrival)
  if (arrival.kind !== 'edit' || arrival.encrypted === true) return arrival
  const original = await tx.recorded(arrival.place.network, arrival.of)
  if (original?.arrival.kind !== 'message' || original.arrival.encrypted !== true) return arrival
  if (!mayChange(arrival, original) || original.removed === true || original.takenBack !== undefined) return arrival
  return openly(arrival)
}

/** The arrival as it is meant; else it stays what it is. `now`: by the clock that does not jump. */
export const asMeant = async (tx: Tx, arrival: Arrival, now: number, directory: Directory): Promise<Arrival> =>
  await asAnswer(tx, await asReaction(tx, await asCarried(tx, arrival, directory)), now, directory)
