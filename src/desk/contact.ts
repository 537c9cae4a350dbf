/** What a contact's message does: the team sees it, a case begins or goes on, and an automatic text may answer. */
import { addressKey } from '../model/address'
import type { Content, EditArrival } from '../model/message'
import { plain, toPlain } from '../model/text'
import { minutesOf } from '../plan/codes'
import { ownName } from '../plan/people'
import { ownWords } from '../plan/reply'
import { TEXTS } from '../plan/texts'
import type { Conversation } from '../store/desk'
import type { FollowUp, FunctionAddress } from './address'
import { automaticTexts, isMachine, type AutomaticText, type Heard, type History } from './automatic'
import type { ContactDeletes, ContactEdits, ContactSays, Context, NobodyFacts } from './facts'
import { addOpenMs, DAY_MS, MINUTE_MS } from './hours'
import { pointsOnly } from './retired'
import { entryText, excerptOf, named, personaOfContact, shownName, textsOf } from './shown'
import { desk, is, log, nothing, set, show, sumUpAgain, tellTeam, type Step } from './steps'
import { unannounced } from './team-rooms'
import { countedLine, rowWith } from './unread'

const HOUR_MS = 60 * MINUTE_MS

/** When a case is free again because whoever has it has not answered the contact. */
export const timeout = ({ hours, claimTimeoutMinutes }: FunctionAddress, now: number): number =>
  addOpenMs(hours, now, claimTimeoutMinutes * MINUTE_MS)

// ---- the conversation

const fresh = ({ arrival: { sender, place }, next, shown, now }: ContactSays, redirect: boolean): Conversation => named({
  id: next, address: shown.name, handledBy: shown.name, contact: { network: place.network, id: sender.id }, place,
  state: redirect ? 'done' : 'new', claim: 0, cases: 1, openedAt: now, awaits: false, labels: [], announced: []
}, sender)

const goesOn = (followUp: FollowUp, closedAt: number, now: number): boolean =>
  followUp === 'reopen' || (followUp !== 'new' && now - closedAt < followUp.days * DAY_MS)

type Timed = Pick<ContactSays, 'address' | 'now'>

/** Whoever had the case keeps it if they are on duty; otherwise everybody may take it. */
const keeper = ({ address }: Timed, owner: string | undefined, { memory }: Context): { owner?: string, state: 'claimed' | 'new' } =>
  owner !== undefined && !memory.isOff(address.name, owner) ? { owner, state: 'claimed' } : { state: 'new' }

const reopened = (facts: Timed, one: Conversation, context: Context): Conversation => {
  const { address, now } = facts
  const { owner: before, closedAt = 0, answeredAt: _, ...rest } = one
  if (goesOn(address.followUp, closedAt, now)) return { ...rest, ...keeper(facts, before, context), claim: one.claim + 1, openedAt: now }
  return { ...unannounced(rest), state: 'new', claim: one.claim + 1, cases: one.cases + 1, openedAt: now }
}

const heardIn = ({ encrypted: _, unread: __, ...one }: Conversation, facts: ContactSays): Conversation => {
  const { encrypted, content: { unreadable } } = facts.arrival
  return { ...one, ...encrypted === true && { encrypted }, ...unreadable === 'encrypted' && { unread: rowWith(facts) } }
}

/** The conversation as it waits for an answer. */
const awaiting = (facts: Timed, one: Conversation, context: Context): Conversation => {
  const { address, now } = facts
  const { dueAt: _, ...open } = one.state === 'done' ? reopened(facts, one, context) : one
  return {
    ...open, state: open.owner === undefined ? 'new' : 'claimed', heardAt: now, awaits: true,
    ...open.owner === undefined ? {} : { dueAt: timeout(address, now) }
  }
}

/** The conversation after the message. A machine's message neither opens nor wakes a case. */
const moved = (facts: ContactSays, machine: boolean, context: Context): Conversation => {
  const { arrival: { sender, place }, shown, conversation: before } = facts
  const redirect = pointsOnly(shown, before)
  const known = heardIn(before === undefined ? fresh(facts, redirect) : named({ ...before, place }, sender), facts)
  if (machine || redirect) return known
  return awaiting(facts, known, context)
}

// ---- automatic texts

const heardOf = ({ arrival: { content, automatic, sender, place }, now }: ContactSays, { memory }: Context): Heard => ({
  at: now, text: toPlain(content.text), automatic: automatic === true, name: ownName(sender),
  answerable: memory.naming(place.network)?.person(sender.id) !== undefined
})

const historyOf = ({ automatics, automaticsLastMinute, lately, conversation, isKnown, shown }: ContactSays): History => ({
  sent: automatics, sentLastMinute: automaticsLastMinute,
  inbound: lately.filter(({ kind }) => kind === 'contact').map(({ at, text }) => ({ at, text })),
  known: isKnown && conversation !== undefined,
  // somebody who writes to a retired address just after its team has closed the case is told at once
  ...conversation?.saidAt === undefined || shown.retired !== undefined ? {} : { teamWroteAt: conversation.saidAt }
})

/** Archives of XMPP servers tell whole seconds, so what is said within the same one may be shown above what it answers. */
const BELOW_MS = 1000

const ourWords = (text: string): Step =>
  ({ do: 'to contact', kind: 'own words', content: { style: 'quiet', text: plain(text) }, afterMs: BELOW_MS })

/** Said once to a person who writes again after STOP. */
const howToReturn = ({ shown }: ContactSays, { hinted }: Conversation): Step[] =>
  hinted === true ? [] : [ourWords(TEXTS[shown.language].ended), set({ hinted: true }), log('told of START')]

const automaticSteps = (
  { address, shown, now, arrival: { place: { network } } }: ContactSays, id: number, { kind, text }: AutomaticText, redirect: boolean
): Step[] => [
  ourWords(text),
  ...redirect ? [] : [tellTeam(textsOf(address).automatic + text)],
  desk({ what: 'automatic', conversation: id, address: shown.name, sent: { kind, at: now, text } }),
  desk({ what: 'count', address: shown.name, network, event: 'automatic' }),
  log('automatic', kind)
]

/** `one`: the conversation as it is after the message. */
const answerAutomatically = (facts: ContactSays, one: Conversation, machine: boolean, context: Context): Step[] => {
  const { shown, address, now } = facts
  const redirect = pointsOnly(shown, one)
  if (machine || (shown.retired !== undefined && !redirect)) return []
  if (context.directory.isBlocked(addressKey(one.contact))) return howToReturn(facts, one)
  const { texts: answers, tripped } = automaticTexts(shown, heardOf(facts, context), historyOf(facts), now)
  const isToBeTold = tripped !== undefined && now - (one.breakerAt ?? -Infinity) > HOUR_MS
  return [
    ...isToBeTold ? [set({ breakerAt: now }), tellTeam(textsOf(address).breaker, 'alert')] : [],
    ...answers.flatMap(text => automaticSteps(facts, one.id, text, redirect))
  ]
}

// ---- what they say

const consented = ({ arrival: { place, sender }, shown, now, isKnown }: ContactSays): Step[] => isKnown ? [] : [desk({ what: 'consent', consent: {
  person: addressKey({ network: place.network, id: sender.id }), address: shown.name, kind: 'granted', how: 'wrote first', at: now
} })]

/** A closed case that goes on is the same case. */
const openedAs = (before: Conversation | undefined, now: Conversation): 'opened' | 'reopened' =>
  before?.cases === now.cases ? 'reopened' : 'opened'

/** Their words; of many messages that cannot be read, how many there are. */
const lineFor = (facts: ContactSays, now: Conversation, content: Content, context: Context): Step => {
  const as = personaOfContact(facts, now, context)
  const { arrival: { content: { unreadable }, key, place, at, sender } } = facts
  const many = unreadable === 'encrypted' ? countedLine(facts) : undefined
  if (many?.original === undefined) return { do: 'to team', content: many?.content ?? content, as }
  const edit: EditArrival = { kind: 'edit', key, of: many.original.arrival.key, place, at, sender, content: many.content }
  return { do: 'correct for team', corrects: { edit, original: many.original }, content: many.content, as }
}

/** What the team sees of a contact's message. */
const shownToTeam = (facts: ContactSays, now: Conversation, content: Content, opens: boolean, context: Context): Step[] => {
  const { conversation: before, address, arrival: { rekeyed, reidentified, masked } } = facts
  const looksOther = before === undefined || before.state !== now.state || before.name !== now.name || before.owner !== now.owner ||
    before.encrypted !== now.encrypted
  return [
    ...opens && now.state === 'new' ? [{ do: 'announce', excerpt: excerptOf(content) } as const] : [],
    ...looksOther ? [show] : [],
    ...before !== undefined && now.cases !== before.cases ? [tellTeam(textsOf(address).separator(now.id, now.cases))] : [],
    lineFor(facts, now, content, context),
    ...masked === undefined ? [] : [tellTeam(textsOf(address).masked(minutesOf(masked)))],
    ...rekeyed === undefined ? [] : [tellTeam(textsOf(address).rekeyed(rekeyed), 'alert')],
    ...reidentified ? [tellTeam(textsOf(address).reidentified, 'alert')] : []
  ]
}

export const contactSays = (facts: ContactSays, context: Context): Step[] => {
  const { shown, address, conversation: before, arrival, answered } = facts
  const given = answered === undefined ? arrival.content : ownWords(arrival)
  const { unreadable } = given
  const content: Content = unreadable === undefined ? given : { style: 'text', text: plain(TEXTS[address.language].unreadable[unreadable]) }
  const machine = isMachine(heardOf(facts, context), historyOf(facts))
  const heard = moved(facts, machine, context)
  const redirect = pointsOnly(shown, before)
  const opens = !redirect && (before === undefined || (before.state === 'done' && heard.state !== 'done'))
  const now = opens ? { ...heard, excerpt: excerptOf(content), opener: arrival.key } : heard
  const counted = { what: 'count', address: shown.name, network: arrival.place.network } as const
  return [
    is(now),
    { do: 'entry', kind: 'contact', who: shownName(context.memory, textsOf(address), now), content },
    ...consented(facts),
    desk({ ...counted, event: 'in' }),
    ...opens ? [desk({ ...counted, event: openedAs(before, now) })] : [],
    ...redirect ? [] : shownToTeam(facts, now, content, opens, context),
    ...opens ? [log('opened', `case ${now.cases}`)] : [],
    ...redirect && shown.retired !== undefined ? [log('written after the end')] : [],
    ...unreadable === undefined ? answerAutomatically(facts, now, machine, context) : []
  ]
}

/** Whether the contact wrote what they edit or delete, in this conversation. */
const isTheirs = ({ arrival: { sender }, entry }: ContactEdits | ContactDeletes, { id, contact }: Conversation): boolean =>
  entry !== undefined && entry.conversation === id && entry.kind === 'contact' && contact.id === sender.id

/** Whether other words now stand in a closed case, where nobody would see them. What a machine changes opens none. */
const opensByEdit = ({ entry, shown }: ContactEdits, one: Conversation, { style, text }: Content): boolean =>
  one.state === 'done' && !pointsOnly(shown, one) && style !== 'quiet' && (entry === undefined || entry.text !== toPlain(text))

/** An edit in an app may notify nobody, so the case is always announced. */
const openedByEdit = (facts: ContactEdits, one: Conversation, content: Content, context: Context): Step[] => {
  const now = { ...awaiting(facts, one, context), opener: facts.arrival.of }
  return [
    is(now), { do: 'announce', excerpt: excerptOf(content) }, show,
    ...now.cases === one.cases ? [] : [tellTeam(textsOf(facts.address).separator(now.id, now.cases))],
    desk({ what: 'count', address: facts.shown.name, network: one.contact.network, event: openedAs(one, now) }),
    log('opened', `case ${now.cases}`)
  ]
}

export const contactEdits = (facts: ContactEdits, context: Context): Step[] => {
  const { conversation: one, arrival: edit, original, address, answered } = facts
  const isForgotten = original === undefined && facts.entry === undefined && one?.contact.id === edit.sender.id
  if (one === undefined || !(isForgotten || isTheirs(facts, one))) return nothing('no message of the contact')
  const content = answered === undefined ? edit.content : ownWords(edit)
  const opens = opensByEdit(facts, one, content)
  return [
    ...opens ? openedByEdit(facts, one, content, context) : [],
    { do: 'entry', kind: 'contact', who: shownName(context.memory, textsOf(address), one), content },
    ...sumUpAgain(facts.summedUp, facts.entry, before => [{ ...before, text: entryText(content) }]),
    {
      do: 'correct for team', corrects: { edit, original }, content, as: personaOfContact(facts, one, context),
      everywhere: !pointsOnly(facts.shown, one) // the team that has the case now may have come to it since
    },
    ...edit.encrypted === true && one.encrypted !== true ? [set({ encrypted: true }), show] : [],
    ...!opens && one.opener === edit.of ? [set({ excerpt: excerptOf(content) }), show] : []
  ]
}

/** The case that it opened is announced again without its words. */
const announcedAgain = ({ state }: Conversation): Step[] =>
  [set({ excerpt: '' }), ...state === 'done' ? [] : [{ do: 'announce', excerpt: '' } as const]]

/** Removes a message from the team's places too. The record keeps it. */
export const contactTakesBack = (facts: ContactDeletes, context: Context): Step[] => {
  const { conversation: one, original, arrival: { of } } = facts
  if (one === undefined || original === undefined || !isTheirs(facts, one)) return nothing('no message of the contact')
  const as = personaOfContact(facts, one, context)
  const texts = textsOf(facts.address)
  const told: Step = { do: 'tell where missing', original, text: texts.tookBack(shownName(context.memory, texts, one)) }
  return [
    { do: 'take back', original, as, atContact: as }, ...sumUpAgain(facts.summedUp, facts.entry, () => []),
    ...pointsOnly(facts.shown, one) ? [] : [told],
    { do: 'unannounce', opener: of }, ...one.opener === of ? announcedAgain(one) : [], log('taken back')
  ]
}

/** Somebody else writes in a contact's chat. It is neither shown nor answered; the team is told at most once an hour. */
export const somebodyElseSays = ({ conversation: one, now, shown, address }: NobodyFacts, { memory }: Context): Step[] => {
  if (one === undefined || pointsOnly(shown, one) || now - (one.othersAt ?? -Infinity) < HOUR_MS) {
    return nothing('a third person in a direct chat')
  }
  const texts = textsOf(address)
  return [set({ othersAt: now }), tellTeam(texts.somebodyElse(shownName(memory, texts, one)))]
}
