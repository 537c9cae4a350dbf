/**
 * Polls, and votes in them. A place that asks polls asks those of other places too, and what is chosen in one of them is chosen in all. People
 * of other networks vote in words: a reply that is nothing but a number, or a reaction that is one; because not every app can reply, a
 * number alone too, soon after the poll, or below a quotation of it. Where the poll is, it becomes their vote; everywhere else it stays what it is.
 */
import { type Place, samePlace } from '../model/address'
import type { Action, Content, MessageArrival, Persona, Poll, Stands } from '../model/message'
import { plain, type Text, toPlain } from '../model/text'
import type { Answered } from '../store/store'
import type { Directory } from './directory'
import { standsAt } from './reply'

const NUMBERS = /^\s*(?:\d{1,2}[.)]?(?:[\s,;+&]+|$)){1,20}$/u
const KEYCAP = /^([1-9])\uFE0F?\u20E3$/u
const TEN = '🔟'

/** The answers with these numbers. Undefined if one of them has no answer, or there are too many. */
const chosen = (numbers: number[], { answers, most }: Poll): string[] | undefined => {
  const ids = [...new Set(numbers)].map(number => answers[number - 1]?.id)
  return ids.length > 0 && ids.length <= most && ids.every(id => id !== undefined) ? ids : undefined
}

/** A poll as it is asked at a place. */
interface Asked { poll: Poll; to: Stands }

/** The poll, if it is asked at this place. */
const askedAt = (answered: Answered | undefined, place: Place, { can }: Directory): Asked | undefined => {
  const poll = can(place.network).polls === true ? answered?.latest.content.poll : undefined
  const to = answered && poll && standsAt(answered, place)
  return poll && to && { poll, to }
}

/**
 * The same, for what may be a vote in words. Where a place counts votes itself, and after the end, words are words. `seq`: of the words in the
 * journal; absent: they come now.
 */
const inWordsAt = (answered: Answered | undefined, from: Place, place: Place, directory: Directory, seq = Infinity): Asked | undefined =>
  directory.can(from.network).polls === true || seq > (answered?.ended ?? Infinity) ? undefined : askedAt(answered, place, directory)

const voting = ({ poll: { form }, to }: Asked, answers: string[]): Action => ({ kind: 'vote', to, form, answers })

/** The vote that somebody gave in one place of a mirror, at another one. An answer that the poll does not have spoils the vote. */
export const votedAt = (answered: Answered, answers: string[], place: Place, directory: Directory): Action | undefined => {
  const asked = askedAt(answered, place, directory)
  const isValid = answers.every(id => asked?.poll.answers.some(answer => answer.id === id))
  return asked && voting(asked, isValid ? answers.slice(0, asked.poll.most) : [])
}

/** How long after a poll was told a number alone answers it, where nobody can say to which message they reply. */
export const ANSWERED_MS = 24 * 3600_000

/** What is said below the quotations with which it begins. */
export const belowQuotation = (content: Content): { quotation: Text, own: Content } => {
  const words = content.text.findIndex(({ kind }) => kind !== 'quote')
  return { quotation: content.text.slice(0, words), own: { ...content, text: content.text.slice(Math.max(words, 0)) } }
}

/** Whether a quotation repeats the poll, as apps without replies quote it. */
export const quotesPoll = ({ latest: { content: { poll } } }: Answered, quotation: Text): boolean =>
  poll !== undefined && toPlain(quotation).replace(/\s+/gu, ' ').includes(poll.question.trim().replace(/\s+/gu, ' '))

/** The numbers of answers, if the words are nothing else. */
export const numbersIn = ({ text, file }: Pick<Content, 'text' | 'file'>): number[] => {
  const words = file === undefined ? toPlain(text) : ''
  return NUMBERS.test(words) ? (words.match(/\d+/g) ?? []).map(Number) : []
}

/** Whether these numbers answer the poll, which may have been corrected. */
export const answersPoll = ({ latest: { content: { poll } } }: Answered, numbers: number[]): boolean =>
  poll !== undefined && chosen(numbers, poll) !== undefined

/** The vote that these words from another place are at this place, as an answer to a poll there. `seq`: as above. */
export const votedInWords = (answered: Answered | undefined,
  { place: from, content, seq }: Pick<MessageArrival, 'place' | 'content'> & { seq?: number }, place: Place, directory: Directory
): Action | undefined => {
  const asked = inWordsAt(answered, from, place, directory, seq)
  const ids = asked && chosen(numbersIn(content), asked.poll)
  return asked && ids && voting(asked, ids)
}

const numberOf = (emoji: string): number | undefined => {
  const [, digit] = KEYCAP.exec(emoji) ?? []
  return emoji === TEN ? 10 : digit === undefined ? undefined : Number(digit)
}

/**
 * The reactions of somebody at `from` that are no votes at this place, and the vote, if it is another than before. Without any it takes the vote
 * back.
 */
export const votedInReactions = (answered: Answered, { before, now, from }: { before: string[], now: string[], from: Place }, place: Place,
  directory: Directory): { others (emojis: string[]): string[], vote?: Action } => {
  const asked = inWordsAt(answered, from, place, directory)
  if (asked === undefined) return { others: emojis => emojis }
  const { poll } = asked
  const idsOf = (emojis: string[]): string[] => emojis.flatMap(emoji => poll.answers[(numberOf(emoji) ?? 0) - 1]?.id ?? []).slice(-poll.most)
  const [had, has] = [idsOf(before), idsOf(now)]
  return {
    others: emojis => emojis.filter(emoji => numberOf(emoji) === undefined),
    ...had.join('\n') !== has.join('\n') && { vote: voting(asked, has) }
  }
}

/** A poll as it is asked at this place: in words where nobody can vote with a tap. */
export const asAsked = (content: Content, place: Place, { can, textsAt }: Directory): Content => {
  const { polls, replies } = can(place.network)
  if (content.poll === undefined || polls === true) return content
  const { howToVote, howToVoteAlone } = textsAt(place)
  return { ...content, text: [...content.text, ...plain(replies ? howToVote : howToVoteAlone)] }
}

/** Whether somebody may end this poll: whoever asked it, and in their own place whoever may remove messages of others there. */
export const mayEnd = ({ arrival: asked }: Answered, { place, sender, mayEnd: vouched }: MessageArrival): boolean =>
  vouched === true || ('sender' in asked && samePlace(asked.place, place) && asked.sender.id === sender.id)

/**
 * As whom a poll itself is ended at another place that asks it: where a ghost asked it, as its asker; where its asker is there, as ourselves, by
 * the power that we have there. Undefined: its end is told in words there. `own`: moderators have a say in their own place only.
 */
export const endsAs = ({ place: from, content: { ends } }: Pick<MessageArrival, 'place' | 'content'>, answered: Answered | undefined,
  { place, own, asker, directory }: { place: Place, own: boolean, asker: Persona | undefined, directory: Directory }
): { as: Persona | undefined } | undefined => {
  const asked = ends === undefined ? undefined : askedAt(answered, place, directory)
  if (asked === undefined || (own && answered !== undefined && !samePlace(answered.arrival.place, from))) return undefined
  return { as: 'delivery' in asked.to ? asker : undefined }
}
