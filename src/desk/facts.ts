/** What the rule may know beside the arrival: read in the same transaction in which its plan is carried out. */
import { addressKey, type Person } from '../model/address'
import type { Arrival, Content, MessageArrival } from '../model/message'
import { plain, toPlain } from '../model/text'
import { consentWord } from '../plan/consent-word'
import type { AutomaticSent, CaseState, Conversation, Entry, LogLine } from '../store/desk'
import type { Recorded, Tx } from '../store/store'
import { leftRooms, OURS, type Agent, type FunctionAddress } from './address'
import { calledIn } from './called'
import type { Command, PersonWord } from './commands'
import { DAY_MS, MINUTE_MS } from './hours'
import { agentAt, type DeskMemory } from './memory'
import { leftBy, type Left } from './retired'
import { isSlip, numbered, quotedIn, typed, withoutQuotation, type Typed } from './typed'

interface Common {
  now: number
  memory: DeskMemory
  address: FunctionAddress // whose team works on it
  shown: FunctionAddress // which the contact sees: the same, until the case was passed on
  next: number // the number that a new conversation would get
}

/** `unsent`: what the team has said there and what has not left. */
interface Theirs { one: Conversation; unsent: Content[] }

/** A contact, in their chat. */
export interface ContactFacts extends Common {
  from: 'contact'
  conversation?: Conversation
  entry?: Entry // of what is edited or taken back
  theirs?: Theirs[] // all that this contact has with us, where they end or begin everything
  known?: boolean // the contact's consent is in the ledger
  automatics?: AutomaticSent[]
  automaticsLastMinute?: number
  lately?: Entry[] // the last entries of the conversation, newest first
}

/** Somebody who is not of the team, in a place of the team. */
export interface OutsiderFacts extends Common { from: 'outsider'; conversation?: Conversation }

/** What an order or a command needs to know besides. */
interface Asked {
  lately?: Entry[]
  last?: number // of what its writer said in this case last: the entry
  listed?: Conversation[]
  found?: Entry[]
  lines?: LogLine[]
  all?: Conversation[] // all of the address
}

/** The room of one case, the room in which all are announced, or somebody's own chat with the address. */
export type Where = 'room' | 'inbox' | 'chat'

/** What was said, without the number in front. */
export interface Said { content: Content; typed: Typed }

interface OfTeam extends Common, Asked {
  from: 'team'
  where: Where
  who: { agent: Agent, key: string }
  said?: Said // in a message or an edit
}

/** Said by the team about a case: in its room, or by its number, or in reply to a line about it. */
export interface CaseFacts extends OfTeam {
  about: 'case'
  conversation: Conversation
  held: Entry[] // answers that may still be sent
  entry?: Entry // of what is edited or taken back
  sentBy?: Recorded // by what that went out after all, if it was held before
  other?: number // in the room of a case, the number of another that stands in front
  toContact?: boolean // in reply to what the contact wrote
  strange?: boolean // it quotes or answers what the contact has not seen
  called?: string // it speaks to this colleague
}

/** A command about a person: there is no case at hand in it. */
export interface PersonFacts extends OfTeam {
  about: 'person'
  command: Command<PersonWord>
  target?: { person: Person, permitted: boolean, conversation?: Conversation } // their conversation with this address
}

/** Said by the team about no case. */
export interface TalkFacts extends OfTeam { about: 'none'; missing?: number } // missing: a number in front of which there is no case here

export type TeamFacts = CaseFacts | PersonFacts | TalkFacts

/** Somebody in a direct chat of ours with two others: with a contact, if there is a conversation. */
export interface NobodyFacts extends Common { from: 'nobody'; conversation?: Conversation }

/** Somebody who ends or begins everything in a place that is no concern of the desk. */
export interface ElsewhereFacts extends Common { from: 'elsewhere'; conversation?: undefined; theirs: Theirs[] }

/** Whoever wrote an answer edits or deletes it, and the case is not theirs to answer any more: they left the team, or another has it. */
export interface WriterFacts extends Common {
  from: 'writer'
  conversation: Conversation
  entry: Entry
  sentBy?: Recorded
  lately: Entry[]
}

/** Said by Zentrale itself. */
export interface OrderFacts extends Common, Asked {
  from: 'order'; conversation?: Conversation; command?: Command
  left?: Left[] // by a retired address
}

export type DeskFacts = ContactFacts | OutsiderFacts | NobodyFacts | ElsewhereFacts | TeamFacts | WriterFacts | OrderFacts

const AUTOMATICS_MS = 30 * DAY_MS
const LATELY_ENTRIES = 10
const LATEST_ENTRIES = 100
const QUOTED_ENTRIES = 1000
const LIST_MAX = 50
const ALL_MAX = 10_000
const STATES: CaseState[] = ['new', 'claimed', 'waiting', 'snoozed', 'done']

type Base = Pick<Common, 'now' | 'memory' | 'next'>

/** What was held before is what went out after all. */
const entryChanged = async ({ desk }: Tx, arrival: Arrival): Promise<Entry | undefined> => {
  if (arrival.kind !== 'edit' && arrival.kind !== 'deletion') return undefined
  const entry = await desk.entryOf(arrival.place.network, arrival.of)
  return entry?.sentBy === undefined ? entry : await desk.sentBy(entry.sentBy) ?? entry
}

/** By what the entry went out, if that is not what is changed; as if its words had been said in that. */
const sentByAnother = async (tx: Tx, arrival: Arrival, { network, key, content }: Entry): Promise<{ sentBy?: Recorded }> => {
  if (!('of' in arrival) || arrival.of === key) return {}
  const found = await tx.recorded(network, key)
  return found === undefined ? {} : { sentBy: { ...found, arrival: { ...found.arrival, content } as Arrival } }
}

/** What the team of a retired address has done with goes back to the address that the contact sees. */
const goneBack = (found: Conversation | undefined, { roster }: DeskMemory, shown: FunctionAddress): Conversation | undefined =>
  found?.state === 'done' && shown.retired === undefined && roster.named(found.handledBy)?.retired !== undefined
    ? { ...found, handledBy: shown.name, announced: [], ...leftRooms(found.leftRooms, roster.named(found.handledBy)!) }
    : found

/** What the contact's own messages caused waits there too; nobody of the team wrote that. */
const theirsOf = async (tx: Tx, one: Conversation): Promise<Theirs> => {
  const waiting = (await tx.waiting(one.place, 0, LATEST_ENTRIES)).filter(({ notice, from }) =>
    !notice && from.network !== OURS && addressKey(from) !== addressKey(one.place))
  return { one, unsent: waiting.flatMap(({ delivery: { action } }) => 'content' in action ? [action.content] : []) }
}

type Written = Arrival & { kind: 'message' | 'edit' }

const changesAll = (arrival: Arrival): arrival is Written => 'content' in arrival && consentWord(toPlain(arrival.content.text)) !== undefined

const theirsOfAll = async (tx: Tx, { place: { network }, sender: { id } }: Written): Promise<Theirs[]> =>
  await Promise.all((await tx.desk.conversationsWith({ network, id })).map(one => theirsOf(tx, one)))

const contactFacts = async (tx: Tx, arrival: Arrival, base: Base, shown: FunctionAddress, stored?: Conversation): Promise<ContactFacts> => {
  const found = goneBack(stored, base.memory, shown)
  const address = base.memory.roster.named(found?.handledBy ?? '') ?? shown
  const common = {
    ...base, address, shown, from: 'contact' as const, ...found === undefined ? {} : { conversation: found },
    ...changesAll(arrival) && { theirs: await theirsOfAll(tx, arrival) }
  }
  if (arrival.kind !== 'message') {
    const entry = await entryChanged(tx, arrival)
    return { ...common, ...entry === undefined ? {} : { entry } }
  }
  const person = addressKey({ network: arrival.place.network, id: arrival.sender.id })
  return {
    ...common,
    known: (await tx.desk.consents(person, shown.name)).length > 0,
    automatics: found === undefined ? [] : await tx.desk.automatics(found.id, base.now - AUTOMATICS_MS),
    automaticsLastMinute: await tx.desk.automaticCount(shown.name, base.now - MINUTE_MS),
    lately: found === undefined ? [] : await tx.desk.entries(found.id, LATELY_ENTRIES)
  }
}

/** No slip in sending something else. */
const maySend = (one: Entry): boolean => !isSlip(one.content)

/** Slips do not count. */
const lastOf = async (desk: Tx['desk'], { id }: Conversation, { name }: Agent): Promise<Asked> => {
  const said = (await desk.entries(id, LATEST_ENTRIES)).filter(({ who, kind }) => who === name && (kind === 'team' || kind === 'note'))
  const last = said.find(one => !one.held || maySend(one))
  return last === undefined ? {} : { last: last.id }
}

/** What a command needs to know besides. */
const askedBy = async ({ desk }: Tx, { word, rest }: Command, address: FunctionAddress, conversation: Conversation | undefined,
  who?: Agent): Promise<Asked> => {
  switch (word) {
    case 'list': return { listed: await desk.conversations(address.name, ['new', 'claimed', 'waiting', 'snoozed'], LIST_MAX) }
    case 'search': return { found: rest === '' ? [] : await desk.search(address.name, rest, LIST_MAX) }
    case 'filed': return { found: await desk.ofProject(address.name, rest, ALL_MAX) }
    case 'log': return { lines: await desk.logbook(address.name, conversation?.id, LIST_MAX) }
    case 'send': return conversation === undefined || who === undefined ? {} : await lastOf(desk, conversation, who)
    case 'assign': return conversation === undefined ? {} : { lately: await desk.entries(conversation.id, LATELY_ENTRIES) }
    case 'project': return conversation === undefined ? {} : { found: await desk.entries(conversation.id, ALL_MAX) }
    case 'duty': case 'team': return { all: await desk.conversations(address.name, STATES, ALL_MAX) }
    default: return {}
  }
}

/** Whoever is named by their address, on the network on which that is one, and their conversation with the address, if there is one. */
const targetOf = async ({ desk }: Tx, rest: string, address: FunctionAddress, memory: DeskMemory): Promise<Pick<PersonFacts, 'target'>> => {
  const written = rest.split(/\s/)[0] ?? ''
  const person = address.identities.map(({ network }) => ({ network, id: memory.naming(network)?.person(written) }))
    .find((one): one is Person => one.id !== undefined)
  if (person === undefined) return {}
  const [latest] = await desk.consents(addressKey(person), address.name)
  const conversation = await desk.conversationOf(address.name, person)
  return { target: { person, permitted: latest?.kind === 'granted', ...conversation === undefined ? {} : { conversation } } }
}

const isAboutPerson = (command: Command): command is Command<PersonWord> => command.word === 'new' || command.word === 'consent'

/** Which case is meant, and how that is known. */
interface Meant extends Partial<Pick<CaseFacts, 'conversation' | 'entry' | 'sentBy' | 'lately' | 'other' | 'toContact' | 'strange'>> {
  missing?: number
}

const NAMED = /^(?:<[^>]*>|[^:]{1,80}:) /
const asOneLine = (text: string): string => text.replace(/[>\s]+/g, ' ').trim()

/** Whether all that is quoted stood in what the contact wrote or was sent; apps may put a name in front, and cut it. */
const isStrange = async (tx: Tx, { text }: Content, { id }: Conversation): Promise<boolean> => {
  const quoted = quotedIn(text).map(line => asOneLine(line).replace(/ ?(?:…|\.\.\.)$/, ''))
  if (quoted.length === 0) return false
  const seen = (await tx.desk.known(id, QUOTED_ENTRIES)).map(asOneLine)
  return !quoted.every(line => [line, line.replace(NAMED, '')].some(words => seen.some(one => one.includes(words))))
}

const missingOf = (missing: number | undefined): Meant => missing === undefined ? {} : { missing }

/** Of what is edited or taken back it is where it was said; else the room's own, that of the number, or that of the line replied to. */
const meant = async (tx: Tx, arrival: Arrival, address: FunctionAddress, own: Conversation | undefined,
  number: number | undefined, another: number | undefined): Promise<Meant> => {
  const entry = await entryChanged(tx, arrival)
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
  return {
    conversation: found, ...others, ...replied ? { toContact: true } : {}, ...inside ? { strange: true } : {},
    ...entry === undefined ? {} : { entry, ...await sentByAnother(tx, arrival, entry), lately: await tx.desk.entries(found.id, LATEST_ENTRIES) }
  }
}

const teamFacts = async (tx: Tx, arrival: Arrival, base: Base, address: FunctionAddress, where: Where,
  own: Conversation | undefined): Promise<TeamFacts | OutsiderFacts> => {
  const sender = 'sender' in arrival ? arrival.sender : undefined
  const who = sender && agentAt(address, arrival.place.network, sender.address ?? sender.id)
  const shown = (conversation?: Conversation): FunctionAddress => base.memory.roster.named(conversation?.address ?? '') ?? address
  if (who === undefined) return { ...base, address, shown: shown(own), from: 'outsider', ...own === undefined ? {} : { conversation: own } }
  const isReply = arrival.kind === 'message' && arrival.replyTo !== undefined // what it quotes in front stands there for other apps
  const { number, another, content } = 'content' in arrival ? numbered(isReply ? withoutQuotation(arrival.content) : arrival.content) : {}
  const said = content === undefined ? undefined : { content, typed: typed(content, arrival.kind === 'message' && arrival.inThread === true) }
  const common = { ...base, address, from: 'team' as const, where, who, ...said === undefined ? {} : { said } }
  const command = arrival.kind === 'message' && said?.typed.kind === 'command' ? said.typed.command : undefined
  const { conversation, ...known } = await meant(tx, arrival, address, own, number, another)
  if (command !== undefined && isAboutPerson(command) && known.other === undefined && known.missing === undefined) {
    return { ...common, shown: address, about: 'person', command, ...await targetOf(tx, command.rest, address, base.memory) }
  }
  const held = conversation === undefined ? [] : (await tx.desk.held(conversation.id)).filter(maySend)
  const asked = command === undefined ? {} : await askedBy(tx, command, address, conversation, who.agent)
  const strange = known.strange === true || (conversation !== undefined && content !== undefined && await isStrange(tx, content, conversation))
  if (conversation === undefined) {
    return { ...common, ...asked, shown: address, about: 'none', ...known.missing === undefined ? {} : { missing: known.missing } }
  }
  const mentions = 'mentions' in arrival ? arrival.mentions ?? [] : []
  const called = content && calledIn({ content, mentions, network: arrival.place.network }, address, who.agent, conversation.name ?? '')
  return {
    ...common, ...asked, ...known, shown: shown(conversation), about: 'case', conversation, held, strange,
    ...called === undefined ? {} : { called }
  }
}

const orderFacts = async (tx: Tx, arrival: Arrival & { kind: 'order' }, base: Base): Promise<OrderFacts | undefined> => {
  const { order } = arrival
  const conversation = order.what === 'due' ? await tx.desk.conversation(order.conversation) : undefined
  const address = base.memory.roster.named(conversation?.handledBy ?? arrival.place.id)
  if (address === undefined) return undefined
  const shown = base.memory.roster.named(conversation?.address ?? '') ?? address
  const said = order.what === 'say' ? typed({ style: 'text', text: plain(order.words) }, false) : undefined
  const command = said?.kind === 'command' ? said.command : undefined
  const opens = order.what === 'open' && order.all
  return {
    ...base, address, shown, from: 'order', ...conversation === undefined ? {} : { conversation },
    ...opens && address.retired === undefined ? { all: await tx.desk.conversations(address.name, STATES, ALL_MAX) } : {},
    ...opens && address.retired !== undefined ? { left: await leftBy(tx, address, base.memory.roster) } : {},
    ...command === undefined ? {} : { command, ...await askedBy(tx, command, address, conversation) }
  }
}

const nobodyFacts = (base: Base, shown: FunctionAddress, conversation?: Conversation): NobodyFacts => ({
  ...base, address: base.memory.roster.named(conversation?.handledBy ?? '') ?? shown, shown, from: 'nobody',
  ...conversation === undefined ? {} : { conversation }
})

/** Whoever speaks in the chat of `to` is the one for whom it is. */
const isTheirs = (arrival: Arrival, memory: DeskMemory): boolean => !isDirect(arrival) ||
  memory.naming(arrival.place.network)?.direct(arrival.to, arrival.sender.id) === arrival.place.id

const directFacts = async (tx: Tx, arrival: Arrival, base: Base): Promise<DeskFacts | undefined> => {
  const { memory } = base
  const found = await tx.desk.conversationAt(arrival.place)
  const shown = isDirect(arrival)
    ? memory.roster.called({ network: arrival.place.network, id: arrival.to })
    : memory.roster.named(found?.address ?? '')
  if (shown === undefined) return undefined
  return isTheirs(arrival, memory) ? await contactFacts(tx, arrival, base, shown, found) : nobodyFacts(base, shown, found)
}

const chatFacts = async (tx: Tx, arrival: Arrival, base: Base, address: FunctionAddress, person: Person): Promise<DeskFacts> =>
  'sender' in arrival && arrival.sender.id === person.id
    ? await teamFacts(tx, arrival, base, address, 'chat', undefined)
    : nobodyFacts(base, address)

const elsewhereFacts = async (tx: Tx, arrival: Arrival, base: Base): Promise<ElsewhereFacts | undefined> => {
  const theirs = changesAll(arrival) ? await theirsOfAll(tx, arrival) : []
  const address = theirs.map(({ one }) => base.memory.roster.named(one.handledBy)).find(team => team !== undefined)
  return address && { ...base, address, shown: address, from: 'elsewhere', theirs }
}

const isDirect = (arrival: Arrival): arrival is MessageArrival & { to: string } =>
  arrival.kind === 'message' && arrival.direct === true && arrival.to !== undefined

/** Of an answer, wherever it was written: its writer may have lost the place since. The rule checks that it is theirs. */
const writerFacts = async (tx: Tx, arrival: Arrival, base: Base): Promise<WriterFacts | undefined> => {
  const entry = await entryChanged(tx, arrival)
  const conversation = entry?.kind === 'team' ? await tx.desk.conversation(entry.conversation) : undefined
  const address = base.memory.roster.named(conversation?.handledBy ?? '')
  if (entry === undefined || conversation === undefined || address === undefined) return undefined
  return {
    ...base, address, shown: base.memory.roster.named(conversation.address) ?? address, from: 'writer', conversation, entry,
    ...await sentByAnother(tx, arrival, entry), lately: await tx.desk.entries(conversation.id, LATEST_ENTRIES)
  }
}

const changesWhatWasSaid = ({ kind }: Arrival): boolean => kind === 'edit' || kind === 'deletion'

/** Whether it was said in a place of the desk. */
const isAtDesk = (arrival: Arrival, memory: DeskMemory): boolean => memory.spotOf(arrival.place) !== undefined ||
  (isDirect(arrival) && memory.roster.called({ network: arrival.place.network, id: arrival.to }) !== undefined)

/** Whether the arrival is the desk's concern at all; quick, for everything that comes in is asked. */
export const concernsDesk = (arrival: Arrival, memory: DeskMemory): boolean =>
  arrival.kind === 'order' || changesWhatWasSaid(arrival) || isAtDesk(arrival, memory)

const spokenFacts = async (tx: Tx, arrival: Exclude<Arrival, { kind: 'order' }>, base: Base): Promise<DeskFacts | undefined> => {
  const { memory } = base
  const spot = memory.spotOf(arrival.place)
  if (spot?.kind === 'room') {
    const conversation = await tx.desk.conversation(spot.conversation)
    const address = memory.roster.named(conversation?.handledBy ?? '')
    return address && await teamFacts(tx, arrival, base, address, 'room', conversation)
  }
  if (spot?.kind === 'queue' || spot?.kind === 'chat') {
    const address = memory.roster.named(spot.address)
    if (address === undefined) return undefined
    return spot.kind === 'queue'
      ? await teamFacts(tx, arrival, base, address, 'inbox', undefined)
      : await chatFacts(tx, arrival, base, address, spot.person)
  }
  return await directFacts(tx, arrival, base)
}

/** Undefined if the desk has nothing to do with it. */
export const deskFacts = async (tx: Tx, arrival: Arrival, memory: DeskMemory, now: number): Promise<DeskFacts | undefined> => {
  if (arrival.kind === 'receipt' || arrival.kind === 'standing') return undefined
  const base = { now, memory, next: await tx.desk.nextConversation() }
  if (arrival.kind === 'order') return await orderFacts(tx, arrival, base)
  const facts = isAtDesk(arrival, memory) ? await spokenFacts(tx, arrival, base) : await elsewhereFacts(tx, arrival, base)
  if (!changesWhatWasSaid(arrival) || (facts?.from === 'team' && facts.about === 'case')) return facts
  return await writerFacts(tx, arrival, base) ?? facts
}
