/** Reads the facts of an arrival: who spoke where, and everything that such facts contain. */
import { addressKey, type NetworkName, type Person } from '../model/address'
import type { Arrival, DeletionArrival, EditArrival, MessageArrival, OrderArrival } from '../model/message'
import { plain, toPlain } from '../model/text'
import { consentWord } from '../plan/consent-word'
import { reactionOf } from '../plan/react'
import type { CaseState, Conversation, Entry } from '../store/desk'
import type { Recorded, Tx } from '../store/store'
import { leftRooms, OURS, type FunctionAddress } from './address'
import { answeredPart } from './answered'
import type { ContactFacts, DeskFacts, ElsewhereFacts, NobodyFacts, OrderFacts, PageCommand, Spoken, Theirs, WriterFacts } from './facts'
import { DAY_MS, MINUTE_MS } from './hours'
import { summedUp } from './lately'
import type { DeskMemory } from './memory'
import { reactionFacts } from './reactions'
import { beforeOf, entryChanged, pageFacts, teamFacts, type Reading } from './read-team'
import { leftBy } from './retired'
import { unannounced } from './team-rooms'
import { typed } from './typed'
import { countingPart } from './unread'

const AUTOMATICS_MS = 30 * DAY_MS
const LATELY_ENTRIES = 10
const WAITING_MAX = 100
const ALL_MAX = 10_000
const STATES: CaseState[] = ['new', 'claimed', 'waiting', 'snoozed', 'done']

const conversationPart = (conversation: Conversation | undefined): { conversation?: Conversation } =>
  conversation === undefined ? {} : { conversation }

const originalPart = (original: Recorded | undefined): { original?: Recorded } => original === undefined ? {} : { original }

// ---- a contact

/** A case that the team of a retired address has closed goes back to the address that the contact sees. */
const goneBack = (found: Conversation | undefined, { roster }: DeskMemory, shown: FunctionAddress): Conversation | undefined => {
  const handler = found?.state === 'done' && shown.retired === undefined ? roster.named(found.handledBy) : undefined
  return found === undefined || handler?.retired === undefined
    ? found
    : { ...unannounced(found), handledBy: shown.name, ...leftRooms(found.leftRooms, handler) }
}

/** `unsent` without what the contact's own messages caused: that waits there too, but nobody of the team wrote it. */
const theirsOf = async (tx: Tx, one: Conversation): Promise<Theirs> => {
  const waiting = (await tx.waiting(one.place, 0, WAITING_MAX)).filter(({ notice, from }) =>
    !notice && from.network !== OURS && addressKey(from) !== addressKey(one.place))
  return { one, unsent: waiting.flatMap(({ delivery: { action } }) => 'content' in action ? [action.content] : []) }
}

/** All conversations of a person with us, if they end or begin everything. */
const theirsIfAll = async (tx: Tx, { content, place: { network }, sender: { id } }: MessageArrival | EditArrival): Promise<Theirs[]> =>
  consentWord(toPlain(content.text)) === undefined
    ? []
    : await Promise.all((await tx.desk.conversationsWith({ network, id })).map(one => theirsOf(tx, one)))

const entryPart = async (tx: Tx, arrival: EditArrival | DeletionArrival): Promise<{ entry?: Entry }> => {
  const entry = await entryChanged(tx, arrival)
  return entry === undefined ? {} : { entry }
}

const contactFacts = async ({ tx, memory, now, original, answered }: Reading, arrival: Spoken, shown: FunctionAddress,
  stored: Conversation | undefined): Promise<ContactFacts> => {
  const found = goneBack(stored, memory, shown)
  const address = memory.roster.named(found?.handledBy ?? '') ?? shown
  const common = { now, address, shown, from: 'contact' as const, ...conversationPart(found) }
  switch (arrival.kind) {
    case 'message': return {
      ...common, kind: arrival.kind, arrival, theirs: await theirsIfAll(tx, arrival), next: await tx.desk.nextConversation(),
      isKnown: (await tx.desk.consents(addressKey({ network: arrival.place.network, id: arrival.sender.id }), shown.name)).length > 0,
      automatics: found === undefined ? [] : await tx.desk.automatics(found.id, now - AUTOMATICS_MS),
      automaticsLastMinute: await tx.desk.automaticCount(shown.name, now - MINUTE_MS),
      lately: found === undefined ? [] : await tx.desk.entries(found.id, LATELY_ENTRIES), ...await answeredPart(tx, answered),
      ...arrival.content.unreadable === 'encrypted' ? await countingPart(tx, found) : {}
    }
    case 'edit': return {
      ...common, kind: arrival.kind, arrival, ...originalPart(original), ...await entryPart(tx, arrival), theirs: await theirsIfAll(tx, arrival),
      ...await summedUp(tx, found), ...await answeredPart(tx, answered)
    }
    case 'deletion': return {
      ...common, kind: arrival.kind, arrival, ...originalPart(original), ...await entryPart(tx, arrival), ...await summedUp(tx, found)
    }
  }
}

// ---- others

const nobodyFacts = ({ memory, now }: Reading, arrival: Spoken, shown: FunctionAddress, conversation?: Conversation): NobodyFacts => ({
  now, address: memory.roster.named(conversation?.handledBy ?? '') ?? shown, shown, from: 'nobody', arrival, ...conversationPart(conversation)
})

/** Only what somebody writes to us alone may end everything. */
const elsewhereFacts = async ({ tx, memory, now }: Reading, arrival: Spoken): Promise<ElsewhereFacts | undefined> => {
  if (!('content' in arrival) || (arrival.kind === 'message' && arrival.direct !== true)) return undefined
  const theirs = await theirsIfAll(tx, arrival)
  const address = theirs.map(({ one }) => memory.roster.named(one.handledBy)).find(handler => handler !== undefined)
  return address && { now, address, shown: address, from: 'elsewhere', arrival, theirs }
}

/** For an edited or deleted answer, wherever it was written: its writer may have left that place. The rule checks that they wrote it. */
const writerFacts = async ({ tx, memory, now, original }: Reading, arrival: EditArrival | DeletionArrival): Promise<WriterFacts | undefined> => {
  const entry = await entryChanged(tx, arrival)
  const conversation = entry?.kind === 'team' ? await tx.desk.conversation(entry.conversation) : undefined
  const address = memory.roster.named(conversation?.handledBy ?? '')
  if (entry === undefined || conversation === undefined || address === undefined) return undefined
  const common = {
    now, address, shown: memory.roster.named(conversation.address) ?? address, from: 'writer' as const, conversation,
    before: await beforeOf(tx, arrival, entry), ...await summedUp(tx, conversation), ...originalPart(original)
  }
  return arrival.kind === 'edit' ? { ...common, kind: arrival.kind, arrival } : { ...common, kind: arrival.kind, arrival }
}

// ---- where it was said

const isDirect = (arrival: Arrival): arrival is MessageArrival & { to: string } =>
  arrival.kind === 'message' && arrival.direct === true && arrival.to !== undefined

/** Whether the sender is the one to whom this chat with `to` belongs. */
const isTheirs = (arrival: Arrival, memory: DeskMemory): boolean => !isDirect(arrival) ||
  memory.naming(arrival.place.network)?.direct(arrival.to, arrival.sender.id) === arrival.place.id

/** The conversation of this place. An address that is reached elsewhere since goes on with its contacts where they write to it now. */
const foundAt = async ({ tx: { desk }, memory, memory: { roster } }: Reading, arrival: Spoken): Promise<Conversation | undefined> => {
  const { place, place: { network }, sender: { id } } = arrival
  const address = isDirect(arrival) && isTheirs(arrival, memory) ? roster.called({ network, id: arrival.to }) : undefined
  return await desk.conversationAt(place) ?? (address && await desk.conversationOf(address.name, { network, id }))
}

const directFacts = async (reading: Reading, arrival: Spoken): Promise<DeskFacts | undefined> => {
  const { memory } = reading
  const found = await foundAt(reading, arrival)
  const shown = isDirect(arrival)
    ? memory.roster.called({ network: arrival.place.network, id: arrival.to })
    : memory.roster.named(found?.address ?? '')
  if (shown === undefined) return undefined
  return isTheirs(arrival, memory) ? await contactFacts(reading, arrival, shown, found) : nobodyFacts(reading, arrival, shown, found)
}

const chatFacts = async (reading: Reading, arrival: Spoken, address: FunctionAddress, person: Person): Promise<DeskFacts> =>
  arrival.sender.id === person.id ? await teamFacts(reading, arrival, address, 'chat', undefined) : nobodyFacts(reading, arrival, address)

const spokenFacts = async (reading: Reading, arrival: Spoken): Promise<DeskFacts | undefined> => {
  const { tx, memory: { roster, spotOf } } = reading
  const spot = spotOf(arrival.place)
  switch (spot?.kind) {
    case 'room': {
      const conversation = await tx.desk.conversation(spot.conversation)
      const address = roster.named(conversation?.handledBy ?? '')
      return address && await teamFacts(reading, arrival, address, 'room', conversation)
    }
    case 'queue': {
      const address = roster.named(spot.address)
      return address && await teamFacts(reading, arrival, address, 'inbox', undefined)
    }
    case 'chat': {
      const address = roster.named(spot.address)
      return address && await chatFacts(reading, arrival, address, spot.person)
    }
    case 'contact': case undefined: return await directFacts(reading, arrival)
  }
}

// ---- Zentrale itself

const allOf = async ({ tx }: Reading, { name }: FunctionAddress): Promise<Conversation[]> => await tx.desk.conversations(name, STATES, ALL_MAX)

const orderFacts = async (reading: Reading, arrival: OrderArrival): Promise<OrderFacts | PageCommand | undefined> => {
  const { tx, now, memory: { roster } } = reading
  const { order } = arrival
  const conversation = order.what === 'due' || order.what === 'act' ? await tx.desk.conversation(order.conversation) : undefined
  const address = roster.named(order.what === 'act' ? arrival.place.id : conversation?.handledBy ?? arrival.place.id)
  if (address === undefined) return undefined
  const common = { now, address, shown: roster.named(conversation?.address ?? '') ?? address, from: 'order' as const, arrival }
  switch (order.what) {
    case 'due': return { ...common, what: 'due', ...conversationPart(conversation) }
    case 'open':
      if (!order.all) return { ...common, what: 'open' }
      return address.retired === undefined
        ? { ...common, what: 'sync', all: await allOf(reading, address), ...order.unsealed && { unsealed: true } }
        : { ...common, what: 'retire', left: await leftBy(tx, address, roster) }
    case 'act': return await pageFacts(reading, arrival, order, address, conversation) ?? { ...common, what: 'not understood' }
    case 'say': {
      const said = typed({ style: 'text', text: plain(order.words) }, false)
      return said.kind === 'command' && said.command.word === 'team'
        ? { ...common, what: 'change team', rest: said.command.rest, all: await allOf(reading, address) }
        : { ...common, what: 'not understood' }
    }
  }
}

// ---- whether it belongs to the desk

const isAddress = ({ roster }: DeskMemory, network: NetworkName, id: string): boolean => roster.called({ network, id }) !== undefined

/** Whether it was said in a place of the desk. */
const isAtDesk = (arrival: Arrival, memory: DeskMemory): boolean => memory.spotOf(arrival.place) !== undefined ||
  (isDirect(arrival) && isAddress(memory, arrival.place.network, arrival.to))

/** Whether the arrival may concern the desk. Quick, because every arrival is tested. */
export const concernsDesk = (arrival: Arrival, memory: DeskMemory): boolean =>
  arrival.kind === 'order' || arrival.kind === 'edit' || arrival.kind === 'deletion' || isAtDesk(arrival, memory)

/** Undefined if the desk has nothing to do with it. */
export const deskFacts = async (reading: Reading, arrival: Arrival): Promise<DeskFacts | undefined> => {
  if (arrival.kind === 'receipt' || arrival.kind === 'standing' || arrival.kind === 'expulsion' || arrival.kind === 'renamed') return undefined
  if (arrival.kind === 'profile' || arrival.kind === 'vote') return undefined // polls are words here
  if (arrival.kind === 'order') return await orderFacts(reading, arrival)
  if (arrival.kind === 'reaction') return await reactionFacts(reading, arrival, arrival)
  const reaction = arrival.kind === 'deletion' ? reactionOf(arrival, reading.original) : undefined
  if (reaction !== undefined && arrival.kind === 'deletion') return await reactionFacts(reading, arrival, reaction)
  const facts = isAtDesk(arrival, reading.memory) ? await spokenFacts(reading, arrival) : await elsewhereFacts(reading, arrival)
  if (arrival.kind === 'message' || (facts?.from === 'team' && facts.about === 'case')) return facts
  return await writerFacts(reading, arrival) ?? facts
}
