/** The team's commands about a case: who has it, what goes out by a command, and what it is filed under. */
import type { Attachment, Content } from '../model/message'
import { plain, toPlain } from '../model/text'
import type { Conversation, Entry } from '../store/desk'
import { OURS, type StandardTextFile } from './address'
import { claimed, forbidden, freed, logClaim, mayOverride, ownerOf, send, sinceOpened } from './answer'
import { timeout } from './contact'
import type { CaseWord } from './commands'
import type { CommandFacts, Context } from './facts'
import { DAY_MS, MINUTE_MS, nextOpening, openMsBetween, showTime } from './hours'
import { wordsHere } from './secret'
import { excerptOf, ownerName, personaOfSpeaker, textsOf } from './shown'
import { answer, answerOpenly, desk, is, log, set, show, tellTeam, type Step } from './steps'
import { fill } from './templates'
import { timeMeant } from './when'

const LABELS_MAX = 20
/** How long after the end of a case those who have not come stay invited to its rooms. */
const WITHDRAWN_AFTER_MS = DAY_MS

/** A command, with the case that it is about. */
export type OnCase<W extends CaseWord = CaseWord> = CommandFacts & { word: W, conversation: Conversation }

/** Whether anybody may take it: nobody has it, or whoever has it is off duty or has let the contact wait too long. */
const isFree = ({ address, now }: OnCase, one: Conversation, { memory }: Context): boolean => {
  const owner = ownerOf(one)
  const waitsFor = (): number => openMsBetween(address.hours, Math.max(one.heardAt ?? 0, one.claimedAt ?? 0), now)
  return owner === undefined || memory.isOff(address.name, owner) || (one.awaits && waitsFor() > address.claimTimeoutMinutes * MINUTE_MS)
}

const mayNot = ({ address }: OnCase, owner: string | undefined): Step[] => [answer(textsOf(address).mayNot(ownerName(address, owner)))]

/** For commands that take a case from whoever has it: only they may do so, or everybody if it is free. */
export const onOwn = <F extends OnCase>(facts: F, context: Context, act: (facts: F, context: Context) => Step[]): Step[] => {
  const { who, conversation } = facts
  const owner = ownerOf(conversation)
  if (owner === who.key || isFree(facts, conversation, context)) return act(facts, context)
  return mayNot(facts, owner)
}

// ---- who has it

export const take = (facts: OnCase, context: Context): Step[] => {
  const { who, address, now, conversation: one } = facts
  const owner = ownerOf(one)
  const told = textsOf(address).taken(who.agent.name, one.id)
  if (owner === who.key) return [answer(told)]
  if (!isFree(facts, one, context)) return mayNot(facts, owner)
  const mine = { ...claimed(one, who, now), ...one.awaits ? { dueAt: timeout(address, now) } : {} }
  return [logClaim(one, address), is(mine), show, tellTeam(told)]
}

/** Frees a case, and announces it anew in the inbox room, where it is seen. */
export const free = (one: Conversation, text: string): Step[] =>
  [is(freed(one)), log('released'), show, { do: 'announce', excerpt: one.excerpt ?? '' }, tellTeam(text, 'alert')]

export const release = ({ who, address, conversation: one }: OnCase): Step[] => {
  const texts = textsOf(address)
  return ownerOf(one) === undefined ? [answer(texts.nobodyHas)] : free(one, texts.released(who.agent.name))
}

export const done = (facts: OnCase): Step[] => {
  const { who, address, shown, now, conversation } = facts
  const texts = textsOf(address)
  if (conversation.state === 'done') return [answer(texts.isDone)]
  const over = { ...conversation, state: 'done', closedAt: now, dueAt: now + WITHDRAWN_AFTER_MS, awaits: false } as const
  const counted = { what: 'count', address: shown.name, network: over.contact.network } as const
  return [
    is(over), log('done'), desk({ ...counted, event: 'closed', ...sinceOpened(facts, over) }), show, tellTeam(texts.done(who.agent.name))
  ]
}

/** Whoever puts off a case that is not theirs has it from then on. */
const waits = ({ conversation, who, now, address }: OnCase, until: number | undefined): Step[] => {
  const isMine = ownerOf(conversation) === who.key
  const { dueAt: _, ...one } = isMine ? conversation : claimed(conversation, who, now)
  const shown = until === undefined ? '' : showTime(until, address.zone, address.language, now)
  return [
    is({ ...one, state: until === undefined ? 'waiting' : 'snoozed', ...until === undefined ? {} : { dueAt: until } }),
    log('waits', shown), show, tellTeam(textsOf(address).waiting(who.agent.name, shown))
  ]
}

export const wait = (facts: OnCase): Step[] => {
  const { rest, conversation, who, now, address } = facts
  const claim = ownerOf(conversation) === who.key ? [] : [logClaim(conversation, address)]
  const until = rest === '' ? undefined : timeMeant(rest.replace(/^(bis|until)\s+/i, ''), address.zone, now)
  return [...claim, ...rest !== '' && until === undefined ? [answer(textsOf(address).badTime)] : waits(facts, until)]
}

// ---- what goes out by a command

const excerpts = (facts: OnCase, held: Entry[]): { id: number, excerpt: string }[] =>
  held.map(entry => ({ id: entry.id, excerpt: wordsHere(facts, entry, excerptOf(entry.content)) }))

/** Without a number, only if the held answer is the last thing they said: one from before that is not what they mean. */
export const sendHeld = (facts: OnCase<'send'>, context: Context): Step[] => {
  const { held, last, rest, who, address, conversation } = facts
  const texts = textsOf(address)
  const own = held.filter(entry => entry.who === who.agent.name)
  const wanted = own.find(({ id }) => rest === '' ? id === last : String(id) === rest)
  if (wanted === undefined) return [answer(texts.nothingSent(excerpts(facts, own)))]
  const why = forbidden(facts, conversation, context)
  if (why !== undefined) return [answer(why)]
  const owner = ownerOf(conversation)
  if (owner !== undefined && owner !== who.key && !mayOverride(address)) return mayNot(facts, owner)
  const { content, network, key } = wanted
  const left = excerpts(facts, own.filter(entry => entry !== wanted))
  return [
    desk({ what: 'release', entry: wanted.id, sent: true }),
    log('sent all the same'),
    { do: 'to team', content, as: personaOfSpeaker(facts, context) },
    ...send(facts, conversation, content, { network, key }),
    answerOpenly(texts.sentNow(who.agent.name, wordsHere(facts, wanted, toPlain(content.text) || excerptOf(content)), left))
  ]
}

const KINDS = ['image', 'audio', 'video'] as const

const attachmentOf = ({ path, name, mime }: StandardTextFile): Attachment =>
  ({ kind: KINDS.find(kind => mime.startsWith(`${kind}/`)) ?? 'file', name, mime, at: { network: OURS, ref: path } })

/** A standard text with its variables filled in, and its file. */
const standardContent = ({ address, shown, now, who, rest, conversation }: OnCase): Content | undefined => {
  const key = rest.toLowerCase()
  const found = Object.hasOwn(address.texts, key) ? address.texts[key] : undefined
  const opening = nextOpening(shown.hours, now)
  return found && { style: 'text', text: plain(fill(found.text, {
    contact: conversation.name ?? '', agent: who.agent.name, address: shown.profile.name,
    opening: opening === undefined ? '' : showTime(opening, shown.zone, shown.language, now)
  })), ...found.file === undefined ? {} : { file: attachmentOf(found.file) } }
}

export const standardText = (facts: OnCase<'text'>, context: Context): Step[] => {
  const { address, who, rest, conversation } = facts
  const texts = textsOf(address)
  const content = standardContent(facts)
  if (content === undefined) return [answer(texts.noText(rest, Object.keys(address.texts)))]
  const why = forbidden(facts, conversation, context)
  if (why !== undefined) return [answer(why)]
  const owner = ownerOf(conversation)
  if (owner !== undefined && owner !== who.key && address.claim !== 'open') return mayNot(facts, owner)
  const { text, file } = content
  return [
    { do: 'to team', content, as: personaOfSpeaker(facts, context) },
    ...send(facts, conversation, content),
    answerOpenly(texts.sentNow(who.agent.name, `${toPlain(text)}${file === undefined ? '' : ` [${file.name}]`}`, []))
  ]
}

// ---- what it is filed under

export const label = ({ rest, address, shown, conversation: { labels: before, contact: { network } } }: OnCase): Step[] => {
  const wanted = rest.replace(/^[-+]/, '').trim()
  const others = before.filter(one => one !== wanted)
  const labels = wanted === '' ? before : others.length < before.length ? others : [...others, wanted].slice(-LABELS_MAX)
  const isNew = wanted !== '' && others.length === before.length
  return [
    ...isNew ? [desk({ what: 'count', address: shown.name, network, event: 'label', which: wanted })] : [],
    ...wanted === '' ? [] : [set({ labels }), log('labels', labels.join(', '))], answer(textsOf(address).labels(labels))
  ]
}

/** Files under the project all entries that are not filed yet, and those that follow. */
export const project = ({ rest, address, entries, conversation }: OnCase<'project'>): Step[] => {
  const texts = textsOf(address)
  if (rest === '') return [answer(texts.project(conversation.project ?? '–'))]
  return [
    set({ project: rest }),
    ...entries.filter(entry => entry.project === undefined).map(entry => desk({ what: 'assign', entry: entry.id, project: rest })),
    log('project', rest),
    answer(texts.project(rest))
  ]
}

// ---- who is there

type DutyFacts = CommandFacts & { word: 'duty' }

/** Whoever goes off duty gives up their cases. */
const goOffDuty = ({ who, all, address }: DutyFacts): Step[] => [
  ...all.filter(({ owner, state }) => owner === who.key && state === 'claimed').flatMap((one): Step[] =>
    [...free(one, textsOf(address).released(who.agent.name)), { do: 'keep', claim: one.claim }]),
  is(undefined),
  desk({ what: 'duty', address: address.name, agent: who.key, on: false })
]

export const duty = (facts: DutyFacts): Step[] => {
  const { rest, who, address } = facts
  const texts = textsOf(address)
  if (/^(aus|off)$/i.test(rest)) return [...goOffDuty(facts), log('off duty'), answer(texts.dutyOff)]
  if (!/^(an|on)$/i.test(rest)) return [answer(texts.help)]
  return [desk({ what: 'duty', address: address.name, agent: who.key, on: true }), log('on duty'), answer(texts.dutyOn)]
}
