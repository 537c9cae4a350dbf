/**
 * The rule for function addresses: who spoke where decides which file answers. Pure, like all rules. This file also says what is ignored. A
 * new kind of arrival, order or command does not compile until it is handled here.
 */
import type { Arrival } from '../model/message'
import { ignored, type Plan } from '../plan/plan'
import { TEXTS } from '../plan/texts'
import { act, actOnPerson, slip } from './act'
import { outsiderSays, saysInCase, talks } from './agent'
import { teamEdits, teamTakesBack, writerTakesBack } from './changed'
import { contactEdits, contactSays, contactTakesBack, somebodyElseSays } from './contact'
import type { ContactFacts, Context, DeskFacts, NobodyFacts, OrderFacts, OutsiderFacts, TeamFacts, TeamMessage } from './facts'
import { MINUTE_MS } from './hours'
import { interpret } from './interpret'
import { changeTeam, due, syncTeam, tellUnsealed } from './orders'
import { reacts } from './reactions'
import { retire } from './retire'
import { textsOf } from './shown'
import { answer, nothing, set, type Step } from './steps'

const orders = (facts: OrderFacts, context: Context): Step[] => {
  switch (facts.what) {
    case 'due': return due(facts)
    case 'open': return [{ do: 'house', of: facts.address }]
    case 'sync': return [...syncTeam(facts, facts.address), ...tellUnsealed(facts, context)]
    case 'retire': return retire(facts, context)
    case 'change team': return changeTeam(facts, context)
    case 'not understood': return nothing('no such order')
  }
}

const contact = (facts: ContactFacts, context: Context): Step[] => {
  switch (facts.kind) {
    case 'message': return contactSays(facts, context)
    case 'edit': return contactEdits(facts, context)
    case 'deletion': return contactTakesBack(facts, context)
  }
}

const outsider = (facts: OutsiderFacts, context: Context): Step[] => {
  const { arrival } = facts
  switch (arrival.kind) {
    case 'message': return arrival.automatic === true ? nothing('a machine in a place of the team') : outsiderSays(facts, arrival, context)
    case 'edit': case 'deletion': return nothing('an outsider changes something in a place of the team')
  }
}

const nobody = (facts: NobodyFacts, context: Context): Step[] => {
  switch (facts.arrival.kind) {
    case 'message': return somebodyElseSays(facts, context)
    case 'edit': case 'deletion': return nothing('a third person changes something in a direct chat')
  }
}

const MACHINE_TOLD_MS = 10 * MINUTE_MS

/** A person may have sent it by a slip, so they are told; seldom, because a machine could answer each time. */
const machineSays = (facts: TeamMessage): Step[] => {
  const { now, address } = facts
  const one = 'conversation' in facts ? facts.conversation : undefined
  if (one === undefined || now - (one.machineAt ?? -Infinity) < MACHINE_TOLD_MS) return nothing('a machine in a place of the team')
  return [set({ machineAt: now }), answer(textsOf(address).machine)]
}

const teamSays = (facts: TeamMessage, context: Context): Step[] => {
  const { automatic, openly, content: { unreadable } } = facts.arrival
  if (automatic === true) return machineSays(facts)
  if (unreadable !== undefined) return [answer(TEXTS[facts.address.language].notCarried(unreadable))]
  if (openly) return [answer(textsOf(facts.address).openly)]
  switch (facts.about) {
    case 'case': return saysInCase(facts, context)
    case 'none': return talks(facts, context)
    case 'command': return act(facts, context)
    case 'person': return actOnPerson(facts, context)
    case 'slip': return slip(facts)
  }
}

const team = (facts: TeamFacts, context: Context): Step[] => {
  switch (facts.kind) {
    case 'message': return teamSays(facts, context)
    case 'edit': return teamEdits(facts, context)
    case 'deletion': return teamTakesBack(facts, context)
    case 'order': return act(facts, context)
  }
}

/** Undefined if it does not concern the desk. */
const stepsOf = (facts: DeskFacts, context: Context): Step[] | undefined => {
  switch (facts.from) {
    case 'contact': return contact(facts, context)
    case 'outsider': return outsider(facts, context)
    case 'nobody': return nobody(facts, context)
    case 'writer': return writerTakesBack(facts, context)
    case 'team': return team(facts, context)
    case 'order': return [...orders(facts, context), ...nothing('nothing is left to do for this order')]
    case 'reaction': return reacts(facts, context)
    case 'elsewhere': return undefined
  }
}

export const deskRule = (arrival: Arrival, facts: DeskFacts | undefined, context: Context): Plan | undefined => {
  const steps = facts && stepsOf(facts, context)
  if (facts !== undefined && steps !== undefined) return interpret(steps, facts, context)
  return facts === undefined && arrival.kind === 'order' ? ignored('an order about no address of ours') : undefined
}
