/** Reads the facts of what somebody of the team does: which case it is about, and what its rule needs to know. */
import type { Person } from '../model/address'
import { addressKey } from '../model/address'
import type { Arrival, Content, DeletionArrival, EditArrival, MessageArrival, Order, OrderArrival } from '../model/message'
import type { Naming } from '../model/network'
import type { CaseState, Conversation, Entry } from '../store/desk'
import type { Codes } from '../plan/codes'
import type { Reacted } from '../plan/react'
import type { Answered, Recorded, Tx } from '../store/store'
import { agentKey, type Agent, type FunctionAddress } from './address'
import { answeredPart } from './answered'
import { type Calls, calledIn } from './called'
import { isPageWord, type Command, type CommandWord, type PersonWord } from './commands'
import type {
  Asked, Before, MaskedAt, OutsiderFacts, PageCommand, PersonFacts, Said, Speaker, Spoken, Target, TeamDeletion, TeamEdit, TeamFacts,
  TeamMessage, Where
} from './facts'
import { latelyIn } from './lately'
import { agentAt, type DeskMemory } from './memory'
import { inThread, isSlip, numbered, quotedIn, typed, withoutQuotation } from './typed'

const LATEST_ENTRIES = 100
const QUOTED_ENTRIES = 1000
const LIST_MAX = 50
const ALL_MAX = 10_000
const OPEN: CaseState[] = ['new', 'claimed', 'waiting', 'snoozed']

/**
 * What is read from. `original`: what the arrival edits or deletes. `answered`: what it, or its original, is a reply to. `reacted`: what it is
 * a reaction to.
 */
export interface Reading {
  tx: Tx; memory: DeskMemory; codes: Pick<Codes, 'waiting'>; now: number
  original: Recorded | undefined; answered: Answered | undefined; reacted: Reacted | undefined
}

// ---- what was said before

/** The entry of the message that is changed. If it was held and sent later, the entry that went out. */
export const entryChanged = async ({ desk }: Tx, { place, of }: EditArrival | DeletionArrival): Promise<Entry | undefined> => {
  const entry = await desk.entryOf(place.network, of)
  return entry?.sentBy === undefined ? entry : await desk.sentBy(entry.sentBy) ?? entry
}

/** What sent the entry, if another message did, such as `!send`; with the entry's words, as if they had been typed there. */
const sentByAnother = async (tx: Tx, { of }: EditArrival | DeletionArrival, { network, key, content }: Entry): Promise<Recorded | undefined> => {
  const found = of === key ? undefined : await tx.recorded(network, key)
  return found && { ...found, arrival: 'content' in found.arrival ? { ...found.arrival, content } : found.arrival }
}

export const beforeOf = async (tx: Tx, arrival: EditArrival | DeletionArrival, entry: Entry): Promise<Before> => {
  const sentBy = await sentByAnother(tx, arrival, entry)
  return { entry, lately: await tx.desk.entries(entry.conversation, LATEST_ENTRIES), ...sentBy === undefined ? {} : { sentBy } }
}

// ---- which case is meant

/** `own`: the room's case. `entry`: of the message that is edited or deleted. `number`, `another`: the numbers in front. */
interface Named { own: Conversation | undefined; entry?: Entry | undefined; number?: number | undefined; another?: number | undefined }

interface Meant {
  conversation?: Conversation
  missing?: number // the number in front, if there is no such case here
  other?: number // in the room of a case, the number of another case that stands in front
  toContact: boolean
  strange: boolean
}

const missingOf = (missing: number | undefined): Meant => ({ toContact: false, strange: false, ...missing === undefined ? {} : { missing } })

/** The case that is meant. For an edit or deletion, that of the original; else the room's own, the number's, or that of the line replied to. */
const meant = async (tx: Tx, arrival: Arrival, address: FunctionAddress, { own, entry, number, another }: Named): Promise<Meant> => {
  const ids = arrival.kind === 'message' ? arrival.replyTo : undefined
  const line = ids === undefined ? undefined : await tx.desk.lineOf(arrival.place, ids)
  const id = entry?.conversation ?? own?.id ?? number ?? line?.conversation
  const found = id === undefined || id === own?.id ? own : await tx.desk.conversation(id)
  const other = [number, another].find(one => one !== undefined && one !== id)
  const others = (own ?? entry) !== undefined && other !== undefined ? { other } : {}
  const contradicts = number !== undefined && line !== undefined && line.conversation !== number && own === undefined
  if (others.other === undefined && other !== undefined && another !== undefined) return missingOf(another)
  if (found?.handledBy !== address.name || contradicts) return missingOf(number ?? line?.conversation)
  const replied = line?.conversation === found.id && (line.kind === 'contact' || found.announced.some(({ key }) => key === line.key))
  const inside = line !== undefined && (line.kind === 'note' || (line.kind === undefined && own !== undefined))
  return { conversation: found, ...others, toContact: replied, strange: inside }
}

const NAMED = /^(?:<[^>]*>|[^:]{1,80}:) /
const asOneLine = (text: string): string => text.replace(/[>\s]+/g, ' ').trim()

/** Whether it quotes something that the contact neither wrote nor was sent. Apps may put a name in front of a quotation, and cut it. */
const isStrange = async (tx: Tx, { text }: Content, { id }: Conversation): Promise<boolean> => {
  const quoted = quotedIn(text).map(line => asOneLine(line).replace(/ ?(?:…|\.\.\.)$/, ''))
  if (quoted.length === 0) return false
  const seen = (await tx.desk.known(id, QUOTED_ENTRIES)).map(asOneLine)
  return !quoted.every(line => [line, line.replace(NAMED, '')].some(words => seen.some(one => one.includes(words))))
}

/** The colleagues to whom it speaks. A name that the contact has too does not count. */
const calledPart = ({ mentions = [] }: MessageArrival | EditArrival, { content: all, typed }: Said, { address, who }: Place,
  { name = '' }: Pick<Conversation, 'name'> = {}): { called?: Calls } => {
  const content = typed.kind === 'note' ? typed.content : all
  const called = calledIn({ content, mentions }, address, who.agent, name)
  return called === undefined ? {} : { called }
}

// ---- what a command needs to know

/** Whether a held entry may be sent: a misspelt command for sending something else may not. */
const maySend = (one: Entry): boolean => !isSlip(one.content)

/** The last thing that this agent said. Misspelt commands do not count. */
const lastOf = async ({ desk }: Tx, { id }: Conversation, { name }: Agent): Promise<{ last?: number }> => {
  const said = (await desk.entries(id, LATEST_ENTRIES)).filter(({ who, kind }) => who === name && (kind === 'team' || kind === 'note'))
  const last = said.find(one => !one.held || maySend(one))
  return last === undefined ? {} : { last: last.id }
}

/** A case that another team has now is not shown here. */
const maskedAt = async (
  { tx: { desk }, codes }: Reading, { name }: FunctionAddress, at: Conversation | undefined
): Promise<{ masked?: MaskedAt }> => {
  for (const { place, key } of codes.waiting()) {
    const conversation = await desk.conversationAt(place)
    if (conversation?.handledBy === name && (at === undefined || at.id === conversation.id)) return { masked: { place, key, conversation } }
  }
  return {}
}

const askedBy = async (reading: Reading, word: Exclude<CommandWord, PersonWord>, rest: string, address: FunctionAddress,
  conversation: Conversation | undefined, { agent }: Speaker): Promise<Asked> => {
  const { tx, tx: { desk } } = reading
  const entries = async (limit: number): Promise<Entry[]> => conversation === undefined ? [] : await desk.entries(conversation.id, limit)
  switch (word) {
    case 'list': return { word, open: await desk.conversations(address.name, OPEN, LIST_MAX) }
    case 'search': return { word, found: rest === '' ? [] : await desk.search(address.name, rest, LIST_MAX) }
    case 'filed': return { word, found: await desk.ofProject(address.name, rest, ALL_MAX) }
    case 'log': return { word, lines: await desk.logbook(address.name, conversation?.id, LIST_MAX) }
    case 'code': return { word, ...await maskedAt(reading, address, conversation) }
    case 'duty': return { word, all: await desk.conversations(address.name, [...OPEN, 'done'], ALL_MAX) }
    case 'assign': return { word, lately: conversation === undefined ? [] : await latelyIn(tx, conversation.id) }
    case 'project': return { word, entries: await entries(ALL_MAX) }
    case 'send': return conversation === undefined
      ? { word, held: [] }
      : { word, held: (await desk.held(conversation.id)).filter(maySend), ...await lastOf(tx, conversation, agent) }
    default: return { word }
  }
}

/** Digits behind a blank may belong to a number, as phones show it. What is before them would be somebody else's. */
const maySplit = (naming: Naming | undefined, written: string, next: string): boolean =>
  /\d$/.test(written) && /^[\d/().-]*\d/.test(next) && naming?.person(written + next.replaceAll(/\D/g, '')) !== undefined

/**
 * The person named by their address, on the network to which that belongs, and their conversation with our address, if any. Nobody, if more of
 * the address may stand behind a blank.
 */
const targetOf = async ({ desk }: Tx, rest: string, address: FunctionAddress, memory: DeskMemory): Promise<Target | undefined> => {
  const [written = '', next = ''] = rest.split(/\s+/)
  const person = address.identities.map(({ network }) => ({ network, id: memory.naming(network)?.person(written) }))
    .find((one): one is Person => one.id !== undefined)
  if (person === undefined || maySplit(memory.naming(person.network), written, next)) return undefined
  const [latest] = await desk.consents(addressKey(person), address.name)
  const conversation = await desk.conversationOf(address.name, person)
  return { person, permitted: latest?.kind === 'granted', ...conversation === undefined ? {} : { conversation } }
}

// ---- the facts

/** Somebody of the team, and where they speak. */
interface Place { address: FunctionAddress; where: Where; who: Speaker; own: Conversation | undefined }

const shownOf = ({ roster }: DeskMemory, address: FunctionAddress, conversation: Conversation | undefined): FunctionAddress =>
  roster.named(conversation?.address ?? '') ?? address

interface Common { now: number; address: FunctionAddress; from: 'team'; where: Where; who: Speaker }

const commonOf = ({ now }: Reading, { address, where, who }: Place): Common => ({ now, address, from: 'team', where, who })

const personFacts = async ({ tx, memory }: Reading, common: Common, arrival: MessageArrival, word: PersonWord,
  rest: string): Promise<PersonFacts> => {
  const target = await targetOf(tx, rest, common.address, memory)
  return {
    ...common, kind: 'message', arrival, shown: common.address, about: 'person', word, rest, next: await tx.desk.nextConversation(),
    ...target === undefined ? {} : { target }
  }
}

const commandFacts = async (reading: Reading, common: Common, arrival: MessageArrival, { word, rest }: Command, is: Meant): Promise<TeamMessage> => {
  const { conversation, other, missing } = is
  const wrong = missing !== undefined ? { missing } : other !== undefined && conversation !== undefined ? { other, own: conversation.id } : undefined
  const shown = shownOf(reading.memory, common.address, conversation)
  const all = { ...common, kind: 'message' as const, arrival, shown, ...conversation === undefined ? {} : { conversation } }
  if (wrong !== undefined) return { ...all, about: 'slip', wrong }
  if (word === 'new' || word === 'consent') return await personFacts(reading, common, arrival, word, rest)
  return { ...all, about: 'command', rest, ...await askedBy(reading, word, rest, common.address, conversation, common.who) }
}

const messageFacts = async (reading: Reading, arrival: MessageArrival, place: Place): Promise<TeamMessage> => {
  const { tx, memory } = reading
  const isReply = arrival.replyTo !== undefined // what it quotes in front stands there for other apps
  const { number, another, content } = numbered(isReply ? withoutQuotation(arrival.content) : arrival.content)
  const said: Said = { content, typed: typed(content, arrival.inThread === true) }
  const is = await meant(tx, arrival, place.address, { own: place.own, number, another })
  const common = commonOf(reading, place)
  if (said.typed.kind === 'command') return await commandFacts(reading, common, arrival, said.typed.command, is)
  const { conversation, missing, other, toContact } = is
  const answered = await answeredPart(tx, reading.answered)
  const says = { ...common, kind: 'message' as const, arrival, said, shown: shownOf(memory, place.address, conversation), ...answered }
  if (conversation === undefined) {
    return { ...says, about: 'none', ...calledPart(arrival, said, place), ...missing === undefined ? {} : { missing } }
  }
  const strange = is.strange || await isStrange(tx, content, conversation)
  const called = calledPart(arrival, said, place, conversation)
  return { ...says, about: 'case', conversation, toContact, strange, ...called, ...other === undefined ? {} : { other } }
}

const originalPart = ({ original }: Reading): { original?: Recorded } => original === undefined ? {} : { original }

/** Whether its number said to whom it goes. Without that, a correction is for nobody outside. */
const wasNumbered = (original: Recorded | undefined): boolean => original?.arrival.kind === 'message' &&
  numbered(original.arrival.replyTo === undefined ? original.arrival.content : withoutQuotation(original.arrival.content)).number !== undefined

const editFacts = async (reading: Reading, arrival: EditArrival, place: Place): Promise<TeamEdit> => {
  const { tx, memory } = reading
  const { number, another, content } = numbered(arrival.content)
  const isUnnumbered = place.own === undefined && number === undefined && wasNumbered(reading.original)
  const said: Said = { content, typed: typed(content, inThread(reading.original)) }
  const entry = await entryChanged(tx, arrival)
  const { conversation, other } = await meant(tx, arrival, place.address, { own: place.own, entry, number, another })
  const edits = {
    ...commonOf(reading, place), kind: 'edit' as const, arrival, said, ...originalPart(reading), shown: shownOf(memory, place.address, conversation),
    ...await answeredPart(tx, reading.answered)
  }
  if (conversation === undefined) return { ...edits, about: 'none' }
  const before = entry && await beforeOf(tx, arrival, entry)
  return {
    ...edits, about: 'case', conversation, strange: isUnnumbered || await isStrange(tx, content, conversation),
    ...before === undefined ? {} : { before }, ...calledPart(arrival, said, place, conversation), ...other === undefined ? {} : { other }
  }
}

const deletionFacts = async (reading: Reading, arrival: DeletionArrival, place: Place): Promise<TeamDeletion> => {
  const { tx, memory } = reading
  const entry = await entryChanged(tx, arrival)
  const { conversation } = await meant(tx, arrival, place.address, { own: place.own, entry })
  const deletes = {
    ...commonOf(reading, place), kind: 'deletion' as const, arrival, ...originalPart(reading), shown: shownOf(memory, place.address, conversation)
  }
  if (conversation === undefined) return { ...deletes, about: 'none' }
  const before = entry && await beforeOf(tx, arrival, entry)
  return { ...deletes, about: 'case', conversation, ...before === undefined ? {} : { before } }
}

/** The facts of what an agent or an outsider does in a place of the team. `own`: the conversation whose room it is. */
export const teamFacts = async (reading: Reading, arrival: Spoken, address: FunctionAddress, where: Where,
  own: Conversation | undefined): Promise<TeamFacts | OutsiderFacts> => {
  const { memory, now } = reading
  const who = agentAt(address, arrival.place.network, arrival.sender.address ?? arrival.sender.id)
  if (who === undefined) {
    return { now, address, shown: shownOf(memory, address, own), from: 'outsider', arrival, ...own === undefined ? {} : { conversation: own } }
  }
  const place = { address, where, who, own }
  switch (arrival.kind) {
    case 'message': return await messageFacts(reading, arrival, place)
    case 'edit': return await editFacts(reading, arrival, place)
    case 'deletion': return await deletionFacts(reading, arrival, place)
  }
}

/** The facts of what somebody of the team chose on its page. Undefined if they are no longer in the team, or the case is not with it. */
export const pageFacts = async ({ tx, memory, now }: Reading, arrival: OrderArrival, { by, word, rest }: Extract<Order, { what: 'act' }>,
  address: FunctionAddress, conversation: Conversation | undefined): Promise<PageCommand | undefined> => {
  const agent = address.team.find(one => agentKey(one) === by)
  if (agent === undefined || conversation?.handledBy !== address.name || !isPageWord(word)) return undefined
  const who = { agent, key: by }
  const common = { now, address, from: 'team' as const, where: 'page' as const, who, shown: shownOf(memory, address, conversation) }
  const asked = word === 'assign' ? { word, lately: await latelyIn(tx, conversation.id) } : { word }
  return { ...common, kind: 'order', arrival, about: 'command', rest, conversation, ...asked }
}
