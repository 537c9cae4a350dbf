/** Polls, votes and ends as events (CS API §Polls, MSC3381). */
import { Refused } from '../../model/errors'
import type { Action, Delivery } from '../../model/message'
import { toPlain } from '../../model/text'
import { saidEvent } from './contents'
import { endContent, type Sendable, pollContent, voteContent } from './events/extensible'
import type { Homeserver } from './homeserver'
import { mayRedact } from './rooms/power'

export const voteEvent = ({ to, form, answers }: Action & { kind: 'vote' }, delivery: Delivery): Sendable => {
  const event = saidEvent(to, delivery)
  if (event === undefined) throw new Refused('the poll is not known here')
  return voteContent(form, event, answers)
}

/** As whom it is sent, and where. */
interface Here { homeserver: Homeserver; room: string; bot: string }

/**
 * A poll or its end. Undefined if the delivery is neither, or must be said in words, because a poll of somebody else is ours to end only where
 * we have the power.
 */
export const pollEvent = async (delivery: Delivery, { homeserver, room, bot }: Here, signal: AbortSignal): Promise<Sendable | undefined> => {
  const { action, as } = delivery
  if (action.kind !== 'message' && action.kind !== 'edit') return undefined
  const { content: { poll, ends, text }, reply } = action
  if (poll !== undefined) return pollContent(poll, toPlain(text))
  const event = ends === undefined || reply?.said === undefined ? undefined : saidEvent(reply.said, delivery)
  if (ends === undefined || event === undefined) return undefined
  return as !== undefined || await mayRedact(homeserver, room, bot, { signal }) ? endContent(ends, event, toPlain(text)) : undefined
}
