/**
 * Votes in a poll by people of other networks: a reply that is nothing but a number, or a reaction that is one; where nobody can reply, a
 * number alone, soon after the poll. Where the poll is, it becomes their vote; everywhere else it stays what it is.
 */
import { type Place, samePlace } from '../model/address'
import type { Action, Content, Poll } from '../model/message'
import { plain, toPlain } from '../model/text'
import type { Answered } from '../store/store'
import type { Directory } from './directory'

const NUMBERS = /^\s*(?:\d{1,2}[.)]?(?:[\s,;+&]+|$)){1,20}$/u
const KEYCAP = /^([1-9])\uFE0F?\u20E3$/u
const TEN = '🔟'

/** The answers with these numbers. Undefined if one of them has no answer, or there are too many. */
const chosen = (numbers: number[], { answers, most }: Poll): string[] | undefined => {
  const ids = [...new Set(numbers)].map(number => answers[number - 1])
  return ids.length > 0 && ids.length <= most && ids.every(id => id !== undefined) ? ids : undefined
}

/** The poll that is asked at this place, if votes are counted there. */
const pollAt = (answered: Answered | undefined, place: Place, directory: Directory): Poll | undefined =>
  answered !== undefined && samePlace(answered.arrival.place, place) && directory.can(place.network).polls === true
    ? answered.latest.content.poll : undefined

const voting = (answered: Answered, { form }: Poll, answers: string[]): Action => ({ kind: 'vote', to: answered.arrival.key, form, answers })

/** How long after a poll was told a number alone answers it, where nobody can say to which message they reply. */
export const ANSWERED_MS = 24 * 3600_000

/** The numbers of answers, if the words are nothing else. */
export const numbersIn = ({ text, file }: Content): number[] => {
  const words = file === undefined ? toPlain(text) : ''
  return NUMBERS.test(words) ? (words.match(/\d+/g) ?? []).map(Number) : []
}

/** Whether these numbers answer the poll, which may have been corrected. */
export const answersPoll = ({ latest: { content: { poll } } }: Answered, numbers: number[]): boolean =>
  poll !== undefined && chosen(numbers, poll) !== undefined

/** The vote that these words are at this place, as an answer to a poll there. */
export const votedInWords = (answered: Answered | undefined, content: Content, place: Place, directory: Directory): Action | undefined => {
  const poll = pollAt(answered, place, directory)
  const ids = poll && chosen(numbersIn(content), poll)
  return poll && ids && answered && voting(answered, poll, ids)
}

const numberOf = (emoji: string): number | undefined => {
  const [, digit] = KEYCAP.exec(emoji) ?? []
  return emoji === TEN ? 10 : digit === undefined ? undefined : Number(digit)
}

/** The reactions that are no votes at this place, and the vote, if it is another than before. Without any it takes the vote back. */
export const votedInReactions = (answered: Answered, before: string[], now: string[], place: Place, directory: Directory):
  { others (emojis: string[]): string[], vote?: Action } => {
  const poll = pollAt(answered, place, directory)
  if (poll === undefined) return { others: emojis => emojis }
  const idsOf = (emojis: string[]): string[] => emojis.flatMap(emoji => poll.answers[(numberOf(emoji) ?? 0) - 1] ?? []).slice(-poll.most)
  const [had, has] = [idsOf(before), idsOf(now)]
  return {
    others: emojis => emojis.filter(emoji => numberOf(emoji) === undefined),
    ...had.join('\n') !== has.join('\n') && { vote: voting(answered, poll, has) }
  }
}

/** A poll as it is told where nobody can vote with a tap. */
export const withHowToVote = (content: Content, { network }: Place, { can, texts }: Directory): Content => content.poll === undefined ? content
  : { ...content, text: [...content.text, ...plain(can(network).replies ? texts.howToVote : texts.howToVoteAlone)] }
