/** Passing a case on: to a colleague, or to another address with its team. */
import { agentKey, leftRooms, type Agent, type FunctionAddress } from './address'
import { freed } from './answer'
import type { OnCase } from './case-commands'
import { timeout } from './contact'
import type { Context } from './facts'
import { type Passing, passingTo } from './passing'
import { inTheClear } from './secret'
import { textsOf } from './shown'
import { answer, handOver, is, log, set, show, tellTeam, type Step } from './steps'
import { unannounced } from './team-rooms'

/** Behind the name: what was said encrypted may stand there in the clear. */
const OPENLY = /\s+(?:offen|clear)$/i

const passToAddress = ({ who, address, conversation, lately }: OnCase<'assign'>, to: FunctionAddress, { memory }: Context): Step[] => {
  const texts = textsOf(address)
  const one = freed(conversation)
  const told = texts.passed(who.agent.name, to.name)
  const nobodyIsThere = to.team.every(agent => memory.isOff(to.name, agentKey(agent)))
  return [
    is(one),
    log('passed on', to.name),
    tellTeam(told),
    ...memory.roomsOf(address, one.id).map(({ place }): Step => ({ do: 'close', place, topic: told })),
    is({ ...unannounced(one), handledBy: to.name, ...leftRooms(one.leftRooms, address) }),
    ...handOver(to, { excerpt: one.excerpt ?? '', lately, kept: 0 }),
    ...nobodyIsThere ? [answer(texts.offDuty(to.profile.name))] : []
  ]
}

const passToAgent = ({ who, address, now, conversation: one }: OnCase, agent: Agent, { memory }: Context): Step[] => {
  const texts = textsOf(address)
  return [
    set({
      owner: agentKey(agent), state: 'claimed', claim: one.claim + 1, claimedAt: now, ...one.awaits ? { dueAt: timeout(address, now) } : {}
    }),
    log('assigned', agent.name),
    show,
    tellTeam(texts.passed(who.agent.name, agent.name), 'alert'),
    ...memory.isOff(address.name, agentKey(agent)) ? [answer(texts.offDuty(agent.name))] : []
  ]
}

export const assign = (facts: OnCase<'assign'>, context: Context): Step[] => {
  const { address, rest } = facts
  const texts = textsOf(address)
  const named = (words: string): Passing | undefined => passingTo(words, address, context.memory.roster)
  const whole = named(rest)
  const to = whole ?? named(rest.replace(OPENLY, ''))
  if (to === undefined) return [answer(texts.noSuch(rest))]
  switch (to.kind) {
    case 'several': return [answer(texts.several(to.names))]
    case 'agent': return passToAgent(facts, to.agent, context)
    case 'address': {
      if (to.address.redirectOnly) return [answer(texts.redirectsOnly(to.address.profile.name))]
      const handed = { one: facts.conversation, from: address, to: to.address, lately: facts.lately }
      if (whole !== undefined && inTheClear(handed, context) > 0) return [answer(texts.wouldBeClear(to.address.profile.name, rest))]
      return passToAddress(facts, to.address, context)
    }
  }
}
