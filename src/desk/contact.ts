/** What a contact's message does: the team sees it, a case begins or goes on, and perhaps an automatic text answers. */
import { addressKey } from '../model/address'
import type { Content, DeletionArrival, EditArrival, MessageArrival } from '../model/message'
import { plain, toPlain } from '../model/text'
import { ownName } from '../plan/people'
import type { Conversation } from '../store/desk'
import type { Recorded } from '../store/store'
import type { FollowUp, FunctionAddress } from './address'
import { automaticTexts, isMachine, type Heard, type History } from './automatic'
import { excerptOf, named, personaOfContact, shownName, type Draft } from './draft'
import type { ContactFacts, NobodyFacts } from './facts'
import { addOpenMs, DAY_MS, MINUTE_MS } from './hours'
import { pointsOnly } from './retired'

const HOUR_MS = 60 * MINUTE_MS

/** When a case goes back to everybody because who has it does not answer the contact. */
export const timeout = ({ hours, claimTimeoutMinutes }: FunctionAddress, now: number): number =>
  addOpenMs(hours, now, claimTimeoutMinutes * MINUTE_MS)

const fresh = ({ arrival, facts: { next, shown, now } }: Draft<ContactFacts>, redirect: boolean): Conversation => {
  const { sender, place } = arrival as MessageArrival
  return named({
    id: next, address: shown.name, handledBy: shown.name, contact: { network: place.network, id: sender.id }, place,
    state: redirect ? 'done' : 'new', claim: 0, cases: 1, openedAt: now, awaits: false, labels: [], announced: []
  }, sender)
}

const goesOn = (followUp: FollowUp, closedAt: number, now: number): boolean =>
  followUp === 'reopen' || (followUp !== 'new' && now - closedAt < followUp.days * DAY_MS)

/** Who had the case keeps it, if on duty; otherwise everybody may take it. */
const keeper = ({ facts: { memory, address } }: Draft<ContactFacts>, owner: string | undefined): { owner?: string, state: 'claimed' | 'new' } =>
  owner !== undefined && !memory.isOff(address.name, owner) ? { owner, state: 'claimed' } : { state: 'new' }

const reopened = (draft: Draft<ContactFacts>, one: Conversation): Conversation => {
  const { facts: { address, now } } = draft
  const { owner: before, closedAt = 0, answeredAt: _, ...rest } = one
  if (goesOn(address.followUp, closedAt, now)) return { ...rest, ...keeper(draft, before), claim: one.claim + 1, openedAt: now }
  return { ...rest, state: 'new', claim: one.claim + 1, cases: one.cases + 1, openedAt: now, announced: [] }
}

const heardOf = ({ arrival, facts: { now, memory } }: Draft<ContactFacts>): Heard => {
  const { content, automatic, sender, place } = arrival as MessageArrival
  return {
    at: now, text: toPlain(content.text), automatic: automatic === true, name: ownName(sender),
    answerable: memory.naming(place.network)?.person(sender.id) !== undefined
  }
}

const historyOf = ({ facts: {
  automatics = [], automaticsLastMinute = 0, lately = [], conversation, known, shown
} }: Draft<ContactFacts>): History => ({
  sent: automatics, sentLastMinute: automaticsLastMinute,
  inbound: lately.filter(({ kind }) => kind === 'contact').map(({ at, text }) => ({ at, text })),
  known: known === true && conversation !== undefined,
  // who writes to a retired address when its team has just closed the case is told at once
  ...conversation?.saidAt === undefined || shown.retired !== undefined ? {} : { teamWroteAt: conversation.saidAt }
})

/** Once, to a person who asks again after STOP. */
const howToReturn = (draft: Draft<ContactFacts>, one: Conversation): void => {
  if (one.hinted === true) return
  draft.toContact({ style: 'quiet', text: plain(draft.directory.texts.ended) })
  draft.conversation = { ...one, hinted: true }
  draft.log('told of START')
}

const answerAutomatically = (draft: Draft<ContactFacts>, machine: boolean): void => {
  const { facts: { shown, now }, texts, directory } = draft
  const one = draft.conversation!
  const redirect = pointsOnly(shown, one)
  if (machine || (shown.retired !== undefined && !redirect)) return
  if (directory.isBlocked(addressKey(one.contact))) return howToReturn(draft, one)
  const { texts: answers, tripped } = automaticTexts(shown, heardOf(draft), historyOf(draft), now)
  if (tripped !== undefined && now - (one.breakerAt ?? -Infinity) > HOUR_MS) {
    draft.conversation = { ...one, breakerAt: now }
    draft.tellTeam(texts.breaker, 'alert')
  }
  for (const { kind, text } of answers) {
    const content: Content = { style: 'quiet', text: plain(text) }
    draft.toContact(content)
    if (!redirect) draft.tellTeam(texts.automatic + text)
    draft.change({ kind: 'desk', change: { what: 'automatic', conversation: one.id, address: shown.name, sent: { kind, at: now, text } } })
    draft.log('automatic', kind)
  }
}

const consented = (draft: Draft<ContactFacts>): void => {
  const { arrival, facts: { shown, now, known } } = draft
  if (known === true) return
  const person = addressKey({ network: arrival.place.network, id: (arrival as MessageArrival).sender.id })
  draft.change({ kind: 'desk', change: { what: 'consent', consent: {
    person, address: shown.name, kind: 'granted', how: 'wrote first', at: now
  } } })
}

/** What the message changes of its conversation: a machine's opens and wakes nothing. */
const moved = (draft: Draft<ContactFacts>, before: Conversation | undefined, machine: boolean): Conversation => {
  const { arrival, facts: { address, shown, now } } = draft
  const { sender, place } = arrival as MessageArrival
  const redirect = pointsOnly(shown, before)
  const known = before === undefined ? fresh(draft, redirect) : named({ ...before, place }, sender)
  if (machine || redirect) return known
  const { dueAt: _, ...open } = known.state === 'done' ? reopened(draft, known) : known
  return {
    ...open, state: open.owner === undefined ? 'new' : 'claimed', heardAt: now, awaits: true,
    ...open.owner === undefined ? {} : { dueAt: timeout(address, now) }
  }
}

export const contactSays = (draft: Draft<ContactFacts>): void => {
  const { facts: { shown, conversation: before }, texts, directory } = draft
  const { content: { unreadable }, content: given } = draft.arrival as MessageArrival
  const content: Content = unreadable === undefined ? given : { style: 'text', text: plain(directory.texts.unreadable[unreadable]) }
  const machine = isMachine(heardOf(draft), historyOf(draft))
  const now = draft.conversation = moved(draft, before, machine)
  const redirect = pointsOnly(shown, before)
  const opens = !redirect && (before === undefined || (before.state === 'done' && now.state !== 'done'))
  draft.entry('contact', shownName(draft, now), content)
  consented(draft)
  draft.change({ kind: 'desk', change: { what: 'count', address: shown.name, event: 'in' } })
  if (!redirect) {
    if (opens && now.state === 'new') draft.announce(excerptOf(content))
    if (before === undefined || before.state !== now.state || before.name !== now.name || before.owner !== now.owner) draft.show()
    if (before !== undefined && now.cases !== before.cases) draft.tellTeam(texts.separator(now.id, now.cases))
    draft.toTeam(content, personaOfContact(draft, now))
  }
  if (opens) draft.log('opened', `case ${now.cases}`)
  if (redirect && shown.retired !== undefined) draft.log('written after the end')
  if (unreadable === undefined) answerAutomatically(draft, machine)
}

export const contactEdits = (draft: Draft<ContactFacts>, original: Recorded | undefined): void => {
  const { facts: { entry, conversation }, arrival } = draft
  const edit = arrival as EditArrival
  if (conversation === undefined || conversation.contact.id !== edit.sender.id) return
  if (entry === undefined || entry.conversation !== conversation.id || entry.kind !== 'contact') return
  const persona = personaOfContact(draft, conversation)
  draft.entry('contact', shownName(draft, conversation), edit.content)
  draft.changed(edit, original, persona, edit.content)
}

/** It goes from the team's places too; the record keeps what was said. */
export const contactTakesBack = (draft: Draft<ContactFacts>, original: Recorded | undefined): void => {
  const { facts: { entry, conversation }, arrival } = draft
  const { sender } = arrival as DeletionArrival
  if (conversation === undefined || original === undefined || entry?.conversation !== conversation.id) return
  if (conversation.contact.id !== sender.id || entry.kind !== 'contact') return
  const persona = personaOfContact(draft, conversation)
  draft.takenBack(original, () => persona)
  draft.log('taken back')
}

/** In the chat of a contact: not shown, not answered; the team hears now and then that it happens. */
export const somebodyElseSays = (draft: Draft<NobodyFacts>): void => {
  const { facts: { conversation, now, shown }, arrival: { kind }, texts } = draft
  if (conversation === undefined || pointsOnly(shown, conversation) || kind !== 'message') return
  if (now - (conversation.othersAt ?? -Infinity) < HOUR_MS) return
  draft.conversation = { ...conversation, othersAt: now }
  draft.tellTeam(texts.somebodyElse(shownName(draft, conversation)))
}
