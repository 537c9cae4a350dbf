/**
 * What people say in words because their app has nothing else for it. Some apps say that somebody reacts, and quote the message: if exactly
 * one message lately begins so, it is a reaction. A number alone, soon after a poll, answers that poll; and a number below a quotation of it.
 */
import { bareEmojis } from '../lib/emoji'
import type { Arrival, MessageArrival } from '../model/message'
import { type Text, toPlain } from '../model/text'
import type { Directory } from '../plan/directory'
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

/** The arrival as it is meant; else it stays what it is. `now`: by the clock that does not jump. */
export const asMeant = async (tx: Tx, arrival: Arrival, now: number, directory: Directory): Promise<Arrival> =>
  await asAnswer(tx, await asReaction(tx, arrival), now, directory)
