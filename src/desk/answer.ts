/**
 * An answer of the team: it claims the case if nobody has it; if somebody else has it, it is held. Claim and answer are one plan and so one
 * commit: one never exists without the other.
 */
import { addressKey } from '../model/address'
import type { Content } from '../model/message'
import { plain } from '../model/text'
import type { Conversation } from '../store/desk'
import { identityOn, type FunctionAddress } from './address'
import type { Calls } from './called'
import type { Context, DeskFacts, Speaker, TeamMessage } from './facts'
import { openMsBetween } from './hours'
import { secretIn } from './in-the-clear'
import { excerptOf, ownerName, personaOfSpeaker, textsOf } from './shown'
import { answerOpenly, desk, is, log, show, type Source, type Step } from './steps'

const RACE_MS = 60_000 // this soon after a claim, whoever comes second is told how long ago it was

export const marked = (mark: string, content: Content): Content => {
  const [first, ...others] = content.text
  return first?.kind === 'paragraph'
    ? { ...content, text: [{ kind: 'paragraph', of: [{ kind: 'text', text: mark }, ...first.of] }, ...others] }
    : { ...content, text: [...plain(mark.trimEnd()), ...content.text] }
}

// ---- who has the case

/** Whoever has the case. Nobody has one that is done. */
export const ownerOf = ({ state, owner }: Conversation): string | undefined => state === 'done' ? undefined : owner

export const freed = (one: Conversation): Conversation => {
  const { owner: _, dueAt: __, claimedAt: ___, ...rest } = one
  return { ...rest, state: 'new', claim: one.claim + 1 }
}

/** The case of whoever speaks, from now on. */
export const claimed = (one: Conversation, { key }: Speaker, now: number): Conversation =>
  ({ ...one, state: 'claimed', owner: key, claim: one.claim + 1, claimedAt: now })

export const logClaim = (one: Conversation, address: FunctionAddress): Step => {
  const before = ownerOf(one)
  return log('claimed', before === undefined ? '' : `from ${ownerName(address, before)}`)
}

/** Whether somebody may answer although a colleague has the case, if they say so. */
export const mayOverride = ({ claim }: FunctionAddress): boolean => claim !== 'hard'

// ---- out, or held

/** The name below an answer, unless the contact saw the same name last. */
const signatureOf = ({ shown, who }: TeamMessage, { signed: last }: Conversation): { signature?: string } => {
  if (shown.signature === 'none' || last === who.key) return {}
  const { name } = who.agent
  return { signature: shown.signature === 'full' ? name : name.split(' ', 1).join('') }
}

export const signed = (content: Content, { signature }: { signature?: string }): Content =>
  signature === undefined ? content : { ...content, text: [...content.text, ...plain(`– ${signature}`)] }

/** How long it is since the case was opened, in all and within opening hours. */
export const sinceOpened = ({ now, address }: Pick<TeamMessage, 'now' | 'address'>, { openedAt }: Conversation): { ms: number, openMs: number } =>
  ({ ms: now - openedAt, openMs: openMsBetween(address.hours, openedAt, now) })

/** `one`: the case before the answer. */
const countAnswer = (facts: TeamMessage, one: Conversation): Step[] => {
  const { shown, who: { agent } } = facts
  const counted = { what: 'count', address: shown.name, network: one.contact.network } as const
  return [
    ...one.state === 'done' ? [desk({ ...counted, event: 'reopened' })] : [],
    ...one.answeredAt === undefined ? [desk({ ...counted, event: 'first answer', ...sinceOpened(facts, one) })] : [],
    desk({ ...counted, event: 'out' }),
    ...shown.countsAgents === true ? [desk({ ...counted, event: 'agent', which: agent.name })] : []
  ]
}

/** Sends an answer, as the address. `source`: the arrival that it came with, if not this one. */
export const send = (facts: TeamMessage, before: Conversation, content: Content, source?: Source): Step[] => {
  const { now, who, address } = facts
  const isFree = ownerOf(before) === undefined
  const { dueAt: _, closedAt: __, ...one } = isFree ? claimed(before, who, now) : before
  const signature = signatureOf(facts, before)
  return [
    ...isFree ? [logClaim(before, address)] : [],
    ...countAnswer(facts, before),
    { do: 'entry', kind: 'team', who: who.agent.name, content, ...signature },
    { do: 'to contact', kind: 'answer', content: signed(content, signature), ...source === undefined ? {} : { source } },
    is({ ...one, state: 'claimed', answeredAt: one.answeredAt ?? now, saidAt: now, awaits: false, signed: who.key }),
    ...before.owner !== one.owner || before.state !== 'claimed' ? [show] : []
  ]
}

/** The colleagues whom a text calls are called wherever the team sees it. */
export const calledBy = (facts: DeskFacts): { called?: Calls | undefined } => 'called' in facts ? { called: facts.called } : {}

/** Keeps an answer, and shows it to the team as not sent. */
const kept = (facts: TeamMessage, content: Content, held: boolean, context: Context): Step[] => {
  const { name } = facts.who.agent
  return [
    { do: 'entry', kind: 'note', who: name, content, held },
    { do: 'to team', content: marked(textsOf(facts.address).heldNote(name), content), as: personaOfSpeaker(facts, context), ...calledBy(facts) }
  ]
}

/** Keeps an answer, shows it as not sent, and tells its writer why. `held`: they may send it all the same. */
export const unsent = (facts: TeamMessage, content: Content, why: string, held: boolean, context: Context): Step[] =>
  [...kept(facts, content, held, context), answerOpenly(why)]

const hold = (facts: TeamMessage, { owner, claimedAt = 0, contact: { network } }: Conversation, content: Content, context: Context): Step[] => {
  const { address, now } = facts
  const texts = textsOf(address)
  const name = ownerName(address, owner)
  const { where, arrival: { place } } = facts
  const excerpt = where !== 'chat' && context.directory.can(place.network).quotes === true ? '' : excerptOf(content)
  return [
    ...kept(facts, content, true, context),
    desk({ what: 'count', address: address.name, network, event: 'claim lost' }),
    log('held'),
    answerOpenly(now - claimedAt < RACE_MS
      ? texts.heldInRace(excerpt, name, mayOverride(address))
      : texts.held(excerpt, name, mayOverride(address)))
  ]
}

/** Why nothing may go to this contact; undefined if it may. */
export const forbidden = ({ shown, address }: Pick<TeamMessage, 'shown' | 'address'>, { contact }: Conversation,
  { directory }: Context): string | undefined => {
  const texts = textsOf(address)
  if (directory.isBlocked(addressKey(contact))) return texts.blocked
  if (shown.redirectOnly && shown.retired === undefined) return texts.onlyRedirect
  return identityOn(shown, contact.network) === undefined ? texts.noWay(directory.can(contact.network).label) : undefined
}

/** An answer in this conversation. If it does not go out (`goesOut`), it is kept and its writer told why. */
export const answers = (facts: TeamMessage, one: Conversation, content: Content, context: Context): { goesOut: boolean, steps: Step[] } => {
  const { who, address } = facts
  const why = forbidden(facts, one, context)
  if (why !== undefined) return { goesOut: false, steps: unsent(facts, content, why, false, context) }
  const secret = one.encrypted === true ? undefined : secretIn(content, address.heldInTheClear)
  if (secret !== undefined) return { goesOut: false, steps: unsent(facts, content, textsOf(address).inTheClear(secret), true, context) }
  const owner = ownerOf(one)
  const isAnothers = owner !== undefined && owner !== who.key && address.claim !== 'open'
  if (isAnothers) return { goesOut: false, steps: hold(facts, one, content, context) }
  return { goesOut: true, steps: [
    ...send(facts, one, content), // first, because it makes the rooms of a new conversation
    { do: 'to team', content, as: personaOfSpeaker(facts, context) }
  ] }
}
