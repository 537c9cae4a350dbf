/**
 * What somebody of the team says: an answer, which claims the case if nobody has it; a note; or, if somebody else has the case, an
 * answer that is held. The claim and the answer that it sends are one plan, and so one commit: there is never the one without the other.
 */
import { delivery } from '../bridge/plan'
import type { Persona, Content, DeletionArrival, EditArrival, MessageArrival } from '../model/message'
import type { Place } from '../model/address'
import { addressKey } from '../model/address'
import { plain, toPlain, type Text } from '../model/text'
import type { Conversation } from '../store/desk'
import type { Recorded } from '../store/store'
import { ownerName, personaOfAgent, type Draft } from './draft'
import { openMsBetween } from './hours'

const RACE_MS = 60_000 // so soon after a claim, who comes second is told each time
const HINT_EVERY_MS = 10 * 60_000

/** Without the number of the case in front, as it is typed in a direct chat. */
const withoutNumber = (text: Text): Text => {
  const [first, ...others] = text
  if (first?.kind !== 'paragraph') return text
  const [start, ...rest] = first.of
  return start?.kind !== 'text' ? text
    : [{ kind: 'paragraph', of: [{ kind: 'text', text: start.text.replace(/^#\d{1,9}\s+/, '') }, ...rest] }, ...others]
}

export const contentHere = (draft: Draft): Content => {
  const { content } = draft.arrival as MessageArrival | EditArrival
  return draft.facts.from === 'chat' ? { ...content, text: withoutNumber(content.text) } : content
}

export const isNote = (draft: Draft, content: Content): boolean =>
  (draft.arrival as MessageArrival).aside === true || toPlain(content.text).startsWith('//')

const marked = (mark: string, content: Content): Content => {
  const [first, ...others] = content.text
  return first?.kind === 'paragraph'
    ? { ...content, text: [{ kind: 'paragraph', of: [{ kind: 'text', text: mark }, ...first.of] }, ...others] }
    : { ...content, text: [...plain(mark.trimEnd()), ...content.text] }
}

/** An internal note, for the other places of the team. */
export const note = (draft: Draft, content: Content): void => {
  const { facts: { who } } = draft
  const shown = toPlain(content.text).startsWith('//') ? content : marked('// ', content)
  draft.entry('note', who?.agent.name ?? '?', content)
  draft.toTeam(shown, personaOfAgent(draft))
}

/** Who has the case now: nobody has one that is done. */
export const ownerOf = ({ state, owner }: Conversation): string | undefined => state === 'done' ? undefined : owner

/** The case goes to whoever speaks. */
export const claimed = (draft: Draft, one: Conversation): Conversation => {
  const { facts: { who, now, address } } = draft
  const before = ownerOf(one)
  draft.log('claimed', before === undefined ? '' : `from ${ownerName(address, before)}`)
  return { ...one, state: 'claimed', owner: who!.key, claim: one.claim + 1, claimedAt: now }
}

const signed = (draft: Draft, content: Content): Content => {
  const { shown: { signature }, who, conversation } = draft.facts
  if (signature === 'none' || conversation?.signed === who!.key) return content
  const name = signature === 'full' ? who!.agent.name : who!.agent.name.split(' ')[0]!
  return { ...content, text: [...content.text, ...plain(`– ${name}`)] }
}

const firstAnswer = (draft: Draft, one: Conversation): void => {
  const { now, shown, address } = draft.facts
  draft.change({ kind: 'desk', change: {
    what: 'count', address: shown.name, event: 'first answer', ms: now - one.openedAt, openMs: openMsBetween(address.hours, one.openedAt, now)
  } })
}

/** Out it goes, as the address. */
export const send = (draft: Draft, content: Content, source?: { network: string, key: string }): void => {
  const { facts: { now, who, shown } } = draft
  const before = draft.conversation!
  const { dueAt: _, closedAt: __, ...one } = ownerOf(before) === undefined ? claimed(draft, before) : before
  if (one.answeredAt === undefined) firstAnswer(draft, one)
  draft.toContact(signed(draft, content), source)
  draft.conversation = { ...one, state: 'claimed', answeredAt: one.answeredAt ?? now, saidAt: now, awaits: false, signed: who!.key }
  draft.change({ kind: 'desk', change: { what: 'count', address: shown.name, event: 'out' } })
  if (before.owner !== one.owner || before.state !== 'claimed') draft.show()
}

const hold = (draft: Draft, content: Content): void => {
  const { facts: { who, address, now, held = [] }, texts } = draft
  const { owner, claimedAt = 0 } = draft.conversation!
  const name = ownerName(address, owner)
  draft.entry('note', who!.agent.name, content, true)
  draft.toTeam(marked(texts.heldNote(who!.agent.name), content), personaOfAgent(draft))
  draft.change({ kind: 'desk', change: { what: 'count', address: address.name, event: 'claim lost' } })
  draft.log('held')
  const toldLately = held.some(entry => entry.who === who!.agent.name && now - entry.at < HINT_EVERY_MS)
  if (now - claimedAt < RACE_MS) draft.answer(texts.held(name, Math.round((now - claimedAt) / 1000)))
  else if (!toldLately) draft.answer(texts.notYours(name))
}

/** Why nothing may go to this contact; undefined if it may. */
export const forbidden = ({ facts: { shown }, directory, texts, conversation }: Draft): string | undefined =>
  directory.isBlocked(addressKey(conversation!.contact)) ? texts.blocked : shown.redirectOnly ? texts.onlyRedirect : undefined

const answers = (draft: Draft, content: Content): void => {
  const { facts: { who, address } } = draft
  const why = forbidden(draft)
  if (why !== undefined) {
    note(draft, content)
    return draft.answer(why)
  }
  const owner = ownerOf(draft.conversation!)
  if (owner !== undefined && owner !== who!.key && address.claim !== 'open') return hold(draft, content)
  draft.entry('team', who!.agent.name, content)
  draft.toTeam(content, personaOfAgent(draft))
  send(draft, content)
}

export const teamSays = (draft: Draft): void => {
  const { facts: { who, conversation, from }, texts } = draft
  const content = contentHere(draft)
  if (conversation === undefined) return from === 'chat' && who !== undefined ? draft.answer(texts.which) : undefined
  if (who === undefined) {
    note(draft, content)
    return draft.answer(texts.nobodyOf)
  }
  if (isNote(draft, content)) return note(draft, content)
  answers(draft, content)
}

const mine = ({ facts: { who, entry, conversation } }: Draft): boolean =>
  who !== undefined && entry !== undefined && entry.conversation === conversation?.id && entry.who === who.agent.name

/** At the contact's place the address speaks; at the team's, whoever said it. */
const speakerAt = (draft: Draft) => (place: Place): Persona | undefined => {
  const { place: theirs } = draft.conversation!
  return place.network === theirs.network && place.id === theirs.id ? undefined : personaOfAgent(draft)
}

export const teamEdits = (draft: Draft, original: Recorded | undefined): void => {
  if (!mine(draft) || draft.conversation === undefined) return
  const { entry } = draft.facts
  const content = contentHere(draft)
  draft.entry(entry!.kind, entry!.who, content, entry!.held)
  draft.changed(draft.arrival as EditArrival, original, speakerAt(draft), content)
}

export const teamTakesBack = (draft: Draft, original: Recorded | undefined): void => {
  if (!mine(draft) || original === undefined || draft.conversation === undefined) return
  const { directory, arrival } = draft
  const as = speakerAt(draft)
  original.deliveries.filter(({ place, notice }) => !notice && directory.can(place.network).deletions).forEach(({ key, place }, index) => {
    draft.deliver(delivery(arrival as DeletionArrival, place, index, { kind: 'deletion', of: key }, as(place)))
  })
  if (draft.facts.entry!.held) draft.change({ kind: 'desk', change: { what: 'release', entry: draft.facts.entry!.id } })
  draft.log('taken back')
}
