/**
 * Decides what an arrival causes. Pure: the same arrival, facts and directory give the same plan, and nothing is changed here.
 * The rules are asked in order; the first that knows the arrival decides.
 */
import type { Context, DeskFacts } from '../desk/facts'
import { deskRule } from '../desk/rule'
import type { Arrival } from '../model/message'
import type { DirectChat } from '../plan/directs'
import { ignored, type Plan } from '../plan/plan'
import type { Reacted } from '../plan/react'
import type { Answered, Confirmable, Recorded } from '../store/store'
import { consentRule } from './consent'
import type { Removed } from './copied'
import { directRule } from './direct'
import { expulsionRule } from './expulsion'
import { joinedRule } from './joined'
import { mirrorRule } from './mirror'
import { moderationRule } from './moderation'
import { profileRule } from './profile'
import { reactionRule } from './reactions'
import { receiptRule } from './receipt'
import { restoredRule } from './restored'
import { standingRule } from './standing'
import { takenBackRule, unknownRule } from './taken-back'
import { voteRule } from './votes'

/** What the store knows about the messages that the arrival refers to. `now`: ms since 1970, by the clock that does not jump. */
export interface Facts {
  now: number
  original?: Recorded | undefined; answered?: Answered | undefined; confirmable?: Confirmable | undefined; desk?: DeskFacts | undefined
  thread?: Answered | undefined // the first message of the thread that it is said in
  reacted?: Reacted | undefined; removed?: Removed | undefined // by a moderator of a place where a copy stood
  opening?: DirectChat | undefined // the direct chat that it may begin
}

type Rule = (arrival: Arrival, facts: Facts, context: Context) => Plan | undefined

const RULES: Rule[] = [
  (arrival, _facts, { directory }) => restoredRule(arrival, directory.carriedBefore),
  (arrival, { now }, { directory }) => joinedRule(arrival, now, directory),
  (arrival, facts, { directory }) => receiptRule(arrival, facts.confirmable, directory),
  (arrival, _facts, { directory }) => standingRule(arrival, directory),
  (arrival, _facts, { directory }) => profileRule(arrival, directory),
  (arrival, { now }, { directory }) => expulsionRule(arrival, now, directory),
  (arrival, facts, context) => consentRule(arrival, facts.desk, facts.original, context),
  (arrival, facts, { directory }) => takenBackRule(arrival, facts.original, directory),
  (arrival, { desk }, { directory }) => unknownRule(arrival, desk, directory),
  (arrival, facts, context) => deskRule(arrival, facts.desk, context),
  (arrival, facts, { directory }) => directRule(arrival, facts.opening, directory),
  (arrival, facts, { directory }) => reactionRule(arrival, facts.original, facts.reacted, directory),
  (arrival, facts, { directory }) => voteRule(arrival, facts.answered, directory),
  (arrival, facts, { directory }) => moderationRule(arrival, facts.removed, directory),
  (arrival, facts, { directory }) => mirrorRule(arrival, facts, directory),
  arrival => arrival.kind === 'message' && arrival.direct === true
    ? { outcome: 'unrouted', deliveries: [], changes: [], why: 'nobody answers here' }
    : undefined
]

export const route = (arrival: Arrival, facts: Facts, context: Context): Plan => {
  for (const rule of RULES) {
    const plan = rule(arrival, facts, context)
    if (plan !== undefined) return plan
  }
  return ignored('in no mirror and at no address')
}
