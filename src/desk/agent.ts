/**
 * What somebody of the team says: an answer, which claims the case if nobody has it; a note; or, if somebody else has the case, an
 * answer that is held. The claim and the answer that it sends are one plan, and so one commit: there is never the one without the other.
 * What it is stands in typed.ts, which case it is about in facts.ts; nothing else goes to the contact.
 */
import type { Persona, Content, EditArrival, MessageArrival } from '../model/message'
import { type Place, samePlace } from '../model/address'
import { addressKey } from '../model/address'
import { plain, toPlain } from '../model/text'
import type { Conversation, Entry } from '../store/desk'
import type { Recorded } from '../store/store'
import { SENDING, spellingOf } from './commands'
import { identityOn, type FunctionAddress } from './address'
import { excerptOf, ownerName, personaOfSpeaker, type Draft } from './draft'
import type { CaseFacts, TalkFacts, TeamFacts, WriterFacts } from './facts'
import { openMsBetween } from './hours'
import { timeout } from './contact'
import { lacks } from './lacks'
import type { Typed } from './typed'

const RACE_MS = 60_000 // so soon after a claim, who comes second hears how soon

const marked = (mark: string, content: Content): Content => {
  const [first, ...others] = content.text
  return first?.kind === 'paragraph'
    ? { ...content, text: [{ kind: 'paragraph', of: [{ kind: 'text', text: mark }, ...first.of] }, ...others] }
    : { ...content, text: [...plain(mark.trimEnd()), ...content.text] }
}

/** An internal note, for the other places of the team. */
const note = (draft: Draft, content: Content): void => {
  const persona = personaOfSpeaker(draft)
  draft.entry('note', draft.facts.from === 'team' ? draft.facts.who.agent.name : persona.name, content)
  draft.toTeam(marked(draft.texts.note, content), persona)
}

/** Who has the case now: nobody has one that is done. */
export const ownerOf = ({ state, owner }: Conversation): string | undefined => state === 'done' ? undefined : owner

export const freed = (one: Conversation): Conversation => {
  const { owner: _, dueAt: __, claimedAt: ___, ...rest } = one
  return { ...rest, state: 'new', claim: one.claim + 1 }
}

/** The case goes to whoever speaks. */
export const claimed = (draft: Draft<TeamFacts>, one: Conversation): Conversation => {
  const { facts: { who, now, address } } = draft
  const before = ownerOf(one)
  draft.log('claimed', before === undefined ? '' : `from ${ownerName(address, before)}`)
  return { ...one, state: 'claimed', owner: who.key, claim: one.claim + 1, claimedAt: now }
}

/** The name that the contact is to see below an answer, if they have not seen it last. */
const signatureOf = ({ facts: { shown: { signature }, who }, conversation }: Draft<TeamFacts>): { signature?: string } => {
  if (signature === 'none' || conversation?.signed === who.key) return {}
  return { signature: signature === 'full' ? who.agent.name : who.agent.name.split(' ')[0]! }
}

const signed = (content: Content, { signature }: { signature?: string }): Content =>
  signature === undefined ? content : { ...content, text: [...content.text, ...plain(`– ${signature}`)] }

const firstAnswer = (draft: Draft, one: Conversation): void => {
  const { now, shown, address } = draft.facts
  draft.change({ kind: 'desk', change: {
    what: 'count', address: shown.name, event: 'first answer', ms: now - one.openedAt, openMs: openMsBetween(address.hours, one.openedAt, now)
  } })
}

/** Out it goes, as the address. */
export const send = (draft: Draft<TeamFacts>, content: Content, source?: { network: string, key: string }): void => {
  const { facts: { now, who, shown } } = draft
  const before = draft.conversation!
  const { dueAt: _, closedAt: __, ...one } = ownerOf(before) === undefined ? claimed(draft, before) : before
  if (one.answeredAt === undefined) firstAnswer(draft, one)
  const signature = signatureOf(draft)
  draft.entry('team', who.agent.name, content, signature)
  draft.answerContact(signed(content, signature), source)
  draft.conversation = { ...one, state: 'claimed', answeredAt: one.answeredAt ?? now, saidAt: now, awaits: false, signed: who.key }
  draft.change({ kind: 'desk', change: { what: 'count', address: shown.name, event: 'out' } })
  if (before.owner !== one.owner || before.state !== 'claimed') draft.show()
}

const hold = (draft: Draft<TeamFacts>, content: Content): void => {
  const { facts: { who, address, now }, texts } = draft
  const { owner, claimedAt = 0 } = draft.conversation!
  const name = ownerName(address, owner)
  draft.entry('note', who.agent.name, content, { held: true })
  draft.toTeam(marked(texts.heldNote(who.agent.name), content), personaOfSpeaker(draft))
  draft.change({ kind: 'desk', change: { what: 'count', address: address.name, event: 'claim lost' } })
  draft.log('held')
  const seconds = Math.round((now - claimedAt) / 1000)
  const excerpt = excerptOf(content)
  draft.answerOpenly(now - claimedAt < RACE_MS
    ? texts.heldInRace(excerpt, name, seconds, mayOverride(address))
    : texts.held(excerpt, name, mayOverride(address)))
}

/** Whether somebody may answer although a colleague has the case, if they say so. */
export const mayOverride = ({ claim }: FunctionAddress): boolean => claim !== 'hard'

/** Why nothing may go to this contact; undefined if it may. */
export const forbidden = ({ facts: { shown }, directory, texts, conversation }: Draft): string | undefined => {
  const { contact } = conversation!
  if (directory.isBlocked(addressKey(contact))) return texts.blocked
  if (shown.redirectOnly && shown.retired === undefined) return texts.onlyRedirect
  return identityOn(shown, contact.network) === undefined ? texts.noWay(directory.can(contact.network).label) : undefined
}

/** An answer in the conversation of the draft: whether it goes out. If not it is kept, and its writer told why. */
export const answers = (draft: Draft<TeamFacts>, content: Content): boolean => {
  const { facts: { who, address } } = draft
  const why = forbidden(draft)
  const owner = ownerOf(draft.conversation!)
  const isAnothers = owner !== undefined && owner !== who.key && address.claim !== 'open'
  if (why !== undefined) unsent(draft, content, why, false)
  else if (isAnothers) hold(draft, content)
  if (why !== undefined || isAnothers) return false
  send(draft, content) // first, because it makes the rooms of a new conversation
  draft.toTeam(content, personaOfSpeaker(draft))
  return true
}

/** Kept, shown as not sent, and its writer told why. `held`: they may send it all the same. */
const unsent = (draft: Draft<TeamFacts>, content: Content, why: string, held: boolean): void => {
  const { who: { agent: { name } } } = draft.facts
  draft.entry('note', name, content, { held })
  draft.toTeam(marked(draft.texts.heldNote(name), content), personaOfSpeaker(draft))
  draft.answerOpenly(why)
}

const whyUnclear = ({ texts, facts: { address } }: Draft, { meant, lacking }: Typed & { kind: 'unclear' }): string =>
  (meant !== undefined && lacking === true ? lacks(address, meant, '') : undefined) ??
  (meant === undefined ? texts.unclear : texts.meant(spellingOf(meant, address.language), !SENDING.has(meant)))

/** Words, unless only what says that it is an answer goes out from here. */
const isAnswer = ({ address: { answers: which }, toContact }: CaseFacts): boolean => which === 'all' || toContact === true

const saysInCase = (draft: Draft<CaseFacts>): void => {
  const { facts, texts } = draft
  const { content, typed } = facts.said!
  const { inThread } = draft.arrival as MessageArrival
  if (facts.other !== undefined && inThread !== true) return unsent(draft, content, texts.otherCase(facts.other, facts.conversation.id), true)
  if (facts.strange === true && typed.kind === 'words' && isAnswer(facts)) return unsent(draft, content, texts.strange, true)
  if (facts.called !== undefined && typed.kind === 'words' && isAnswer(facts)) return unsent(draft, content, texts.called(facts.called), true)
  switch (typed.kind) {
    case 'words':
      if (isAnswer(facts)) answers(draft, content)
      else note(draft, content)
      return
    case 'say':
      answers(draft, typed.content)
      return
    case 'note': return note(draft, typed.content)
    case 'unclear': return unsent(draft, content, whyUnclear(draft, typed), true)
    case 'command':
  }
}

/** Without a number words are talk of the team, where it is together; nowhere do they go out. */
const talks = (draft: Draft<TalkFacts>): void => {
  const { facts: { where, missing, said }, texts } = draft
  const { content, typed } = said!
  if (missing !== undefined) return draft.answer(texts.noCase(missing))
  const isTalk = typed.kind === 'words' || (draft.arrival as MessageArrival).inThread === true
  if (where === 'inbox' && isTalk) return draft.toInbox(typed.kind === 'note' ? typed.content : content, personaOfSpeaker(draft))
  draft.answer(typed.kind === 'unclear' && where === 'inbox' ? whyUnclear(draft, typed) : texts.which)
}

/** Anything but a command. */
export const teamSays = (draft: Draft<TeamFacts>): void => {
  if (isInCase(draft)) saysInCase(draft)
  else if (draft.facts.about === 'none') talks(draft as Draft<TalkFacts>)
}

const isInCase = (draft: Draft<TeamFacts>): draft is Draft<CaseFacts> => draft.facts.about === 'case'

/** Who is not of the team is heard there by the team alone. */
export const outsiderSays = (draft: Draft): void => {
  if (draft.conversation !== undefined) note(draft, (draft.arrival as MessageArrival).content)
  draft.answer(draft.texts.nobodyOf)
}

/** The same words, as they are to be shown where they are no answer that went out. */
const shownAs = ({ texts }: Draft, { who }: Entry, content: Content, held: boolean): Content =>
  marked(held ? texts.heldNote(who) : texts.note, content)

const wordsOf = ({ content, typed }: NonNullable<TeamFacts['said']>): Content =>
  typed.kind === 'note' || typed.kind === 'say' ? typed.content : content

const reword = (draft: Draft, { id }: Entry, content: Content): void => {
  draft.change({ kind: 'desk', change: { what: 'reword', entry: id, content, text: toPlain(content.text) } })
}

/** Of what goes to the contact: what has left, and what still waits to. */
const toContact = ({ conversation }: Draft, { deliveries }: Recorded): { left: boolean, waits: boolean } => {
  const theirs = deliveries.filter(({ notice, place }) => !notice && conversation !== undefined && samePlace(conversation.place, place))
  return { left: theirs.some(({ held }) => held !== true), waits: theirs.some(({ held }) => held === true) }
}

const isWaiting = (draft: Draft, went: Recorded): boolean => {
  const { left, waits } = toContact(draft, went)
  return waits && !left
}

/** An answer that never left was none: the contact waits as before, if nothing else was answered since. Who has the case keeps it. */
const unsaid = (draft: Draft<CaseFacts | WriterFacts>, { id, signature }: Entry): void => {
  const { facts: { address, lately = [] } } = draft
  const { saidAt: _, answeredAt, signed: name, dueAt, ...one } = draft.conversation!
  const others = lately.filter(entry => entry.kind === 'team' && entry.id !== id)
  const asked = lately.find(({ kind, at }) => kind === 'contact' && at === one.heardAt)
  const awaits = one.state !== 'done' && asked !== undefined && others.every(entry => entry.id < asked.id)
  const due = awaits && one.state === 'claimed' ? timeout(address, Math.max(asked.at, one.claimedAt ?? 0)) : dueAt
  draft.change({ kind: 'desk', change: { what: 'unsaid', entry: id } })
  draft.conversation = {
    ...one, awaits, ...due === undefined ? {} : { dueAt: due }, ...others[0] === undefined ? {} : { saidAt: others[0].at },
    ...answeredAt === undefined || (awaits && others.every(({ at }) => at < one.openedAt)) ? {} : { answeredAt },
    ...name === undefined || signature !== undefined ? {} : { signed: name }
  }
}

const editsInCase = (draft: Draft<CaseFacts>, original: Recorded | undefined): void => {
  const { facts: { entry, said, who, other, strange, called, sentBy }, texts } = draft
  if (entry === undefined || entry.who !== who.agent.name) return
  const edit = draft.arrival as EditArrival
  const went = sentBy ?? original
  const content = wordsOf(said!)
  const isInside = other !== undefined || strange === true || (called !== undefined && said!.typed.kind === 'words')
  const isToGoOut = !isInside && (said!.typed.kind === 'words' || said!.typed.kind === 'say')
  if (entry.kind === 'team' && isToGoOut && forbidden(draft) === undefined) {
    if (went !== undefined && isWaiting(draft, went)) reword(draft, entry, content)
    else draft.entry('team', entry.who, content)
    return draft.changed(edit, went, personaOfSpeaker(draft), content, signed(content, entry))
  }
  if (entry.kind === 'team') {
    if (went === undefined || !isWaiting(draft, went) || !draft.recall(went)) return draft.answer(texts.stillThere)
    unsaid(draft, entry)
    draft.changed(edit, went, personaOfSpeaker(draft), shownAs(draft, entry, entry.content, true))
    return draft.answer(texts.neverLeft)
  }
  if (entry.held && said!.typed.kind !== 'words') return draft.answer(texts.stillHeld)
  if (entry.held) reword(draft, entry, content)
  else draft.entry('note', entry.who, content)
  draft.changed(edit, went, personaOfSpeaker(draft), shownAs(draft, entry, content, entry.held))
}

/** Whoever changes or takes back something is whoever said it. */
const isOwn = ({ arrival }: Draft, original: Recorded | undefined): original is Recorded => original !== undefined &&
  'sender' in arrival && 'sender' in original.arrival && original.arrival.sender.id === arrival.sender.id

export const teamEdits = (draft: Draft<TeamFacts>, original: Recorded | undefined): void => {
  if (isInCase(draft)) return editsInCase(draft, original)
  const { said, where } = draft.facts
  if (where === 'inbox' && isOwn(draft, original)) draft.changed(draft.arrival as EditArrival, original, personaOfSpeaker(draft), wordsOf(said!))
}

/** At the contact's place the address speaks; at the team's, whoever said it. */
const speakerAt = (draft: Draft) => (place: Place): Persona | undefined => {
  return draft.conversation !== undefined && samePlace(draft.conversation.place, place) ? undefined : personaOfSpeaker(draft)
}

/** `recalled`: it never left. */
const takesBackInCase = (draft: Draft<CaseFacts>, recalled: boolean): void => {
  const { entry } = draft.facts
  if (entry!.held) draft.change({ kind: 'desk', change: { what: 'release', entry: entry!.id } })
  if (recalled) unsaid(draft, entry!)
  draft.log('taken back')
}

export const teamTakesBack = (draft: Draft<TeamFacts>, original: Recorded | undefined): void => {
  const { directory, facts, texts, conversation } = draft
  if (!isOwn(draft, original) || (isInCase(draft) && draft.facts.entry?.who !== facts.who.agent.name)) return
  const sentBy = isInCase(draft) ? draft.facts.sentBy : undefined
  const went = sentBy === undefined ? original : { ...sentBy, deliveries: [...original.deliveries, ...sentBy.deliveries] }
  const { left } = toContact(draft, went)
  const can = conversation && directory.can(conversation.place.network)
  const recalled = draft.takenBack(went, speakerAt(draft)) && !left
  if (recalled) draft.answer(texts.neverLeft)
  else if (left && can?.deletions === false) draft.answer(texts.stays(can.label))
  if (isInCase(draft)) takesBackInCase(draft, recalled)
}

/** What waits never leaves, if whoever wrote it deletes it or changes it: what they write now may not go out instead. */
export const writerTakesBack = (draft: Draft<WriterFacts>, original: Recorded | undefined): void => {
  const { arrival, facts: { entry, sentBy }, texts } = draft
  if (!isOwn(draft, original)) return
  const went = sentBy === undefined ? original : { ...sentBy, deliveries: [...original.deliveries, ...sentBy.deliveries] }
  if (!isWaiting(draft, went)) return
  if (arrival.kind === 'edit') {
    draft.recall(went)
    draft.changed(arrival, went, personaOfSpeaker(draft), shownAs(draft, entry, entry.content, true))
  } else draft.takenBack(went, speakerAt(draft))
  unsaid(draft, entry)
  draft.log('taken back')
  draft.answer(texts.neverLeft)
}
