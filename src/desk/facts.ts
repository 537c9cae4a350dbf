/** What the rule may know beside the arrival: read in the same transaction in which its plan is carried out. */
import { consentWord } from '../bridge/words'
import { addressKey, type Person } from '../model/address'
import type { Arrival, MessageArrival } from '../model/message'
import { toPlain } from '../model/text'
import type { AutomaticSent, Conversation, Entry, LogLine } from '../store/desk'
import type { Tx } from '../store/store'
import type { Agent, FunctionAddress } from './address'
import { commandOf, type Command } from './commands'
import { DAY_MS, MINUTE_MS } from './hours'
import { agentAt, type DeskMemory } from './memory'

export interface DeskFacts {
  now: number
  memory: DeskMemory
  address: FunctionAddress // whose team works on it
  shown: FunctionAddress // which the contact sees: the same, until the case was passed on
  from: 'contact' | 'room' | 'queue' | 'chat' | 'order'
  who?: { agent: Agent, key: string } // who of the team speaks
  command?: Command
  conversation?: Conversation
  next: number // the number that a new conversation would get
  entry?: Entry // of what is edited or taken back
  theirs?: Conversation[] // all that this contact has with us, where they end or begin everything
  known?: boolean // the contact's consent is in the ledger
  automatics?: AutomaticSent[]
  automaticsLastMinute?: number
  lately?: Entry[] // the last entries of the conversation, newest first
  held?: Entry[]
  listed?: Conversation[]
  found?: Entry[]
  lines?: LogLine[]
  person?: Person // whom a command is about
  permitted?: boolean // their consent
  all?: Conversation[] // all of the address
}

const AUTOMATICS_MS = 30 * DAY_MS
const LATELY_ENTRIES = 10
const LIST_MAX = 50
const ALL_MAX = 10_000



const numberOf = (text: string): number | undefined => {
  const found = /^#(\d{1,9})\s+/.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** In a direct chat of the team the number of the case stands in front; without it, it is the only case that this agent has. */
const meant = async (tx: Tx, text: string, key: string | undefined, address: FunctionAddress): Promise<Conversation | undefined> => {
  const number = numberOf(text)
  if (number !== undefined) {
    const found = await tx.desk.conversation(number)
    return found?.desk === address.name ? found : undefined
  }
  const mine = (await tx.desk.conversations(address.name, ['claimed', 'waiting', 'snoozed'], ALL_MAX)).filter(({ owner }) => owner === key)
  return mine.length === 1 ? mine[0] : undefined
}

type Base = Pick<DeskFacts, 'now' | 'memory' | 'next'>

const contactFacts = async (tx: Tx, arrival: Arrival, base: Base, shown: FunctionAddress, found: Conversation | undefined): Promise<DeskFacts> => {
  const address = base.memory.roster.named(found?.desk ?? '') ?? shown
  const common = { ...base, address, shown, from: 'contact' as const, ...found === undefined ? {} : { conversation: found } }
  if (arrival.kind !== 'message') {
    const entry = 'of' in arrival && typeof arrival.of === 'string' ? await tx.desk.entryOf(arrival.place.network, arrival.of) : undefined
    return { ...common, ...entry === undefined ? {} : { entry } }
  }
  const person = addressKey({ network: arrival.place.network, id: arrival.sender.id })
  return {
    ...common,
    known: (await tx.desk.consents(person, shown.name)).length > 0,
    automatics: found === undefined ? [] : await tx.desk.automatics(found.id, base.now - AUTOMATICS_MS),
    automaticsLastMinute: await tx.desk.automaticCount(shown.name, base.now - MINUTE_MS),
    lately: found === undefined ? [] : await tx.desk.entries(found.id, LATELY_ENTRIES),
    ...consentWord(toPlain(arrival.content.text)) === undefined ? {} : {
      theirs: await tx.desk.conversationsWith({ network: arrival.place.network, id: arrival.sender.id })
    }
  }
}

/** What a command needs to know besides. */
const commandFacts = async ({ desk }: Tx, { word, rest }: Command, address: FunctionAddress,
  conversation: Conversation | undefined): Promise<Partial<DeskFacts>> => {
  switch (word) {
    case 'list': return { listed: await desk.conversations(address.name, ['new', 'claimed', 'waiting', 'snoozed'], LIST_MAX) }
    case 'search': return { found: rest === '' ? [] : await desk.search(address.name, rest, LIST_MAX) }
    case 'filed': return { found: await desk.ofProject(address.name, rest, ALL_MAX) }
    case 'log': return { lines: await desk.logbook(address.name, conversation?.id, LIST_MAX) }
    case 'assign': return conversation === undefined ? {} : { lately: await desk.entries(conversation.id, LATELY_ENTRIES) }
    case 'project': return conversation === undefined ? {} : { found: await desk.entries(conversation.id, ALL_MAX) }
    case 'duty': case 'team': return { all: await desk.conversations(address.name, ['new', 'claimed', 'waiting', 'snoozed', 'done'], ALL_MAX) }
    default: return {}
  }
}

/** `!neu` and `!einwilligung` name somebody by their address, on the network on which that is one. */
const personFacts = async (tx: Tx, { word, rest }: Command, shown: FunctionAddress, memory: DeskMemory): Promise<Partial<DeskFacts>> => {
  if (word !== 'new' && word !== 'consent') return {}
  const written = rest.split(/\s/)[0] ?? ''
  const person = shown.identities.map(({ network }) => ({ network, id: memory.naming(network)?.person(written) }))
    .find((one): one is Person => one.id !== undefined)
  if (person === undefined) return {}
  const [latest] = await tx.desk.consents(addressKey(person), shown.name)
  const conversation = word === 'new' ? await tx.desk.conversationOf(shown.name, person) : undefined
  return { person, permitted: latest?.kind === 'granted', ...conversation === undefined ? {} : { conversation } }
}

const teamFacts = async (tx: Tx, arrival: Arrival, base: Base, address: FunctionAddress, from: 'room' | 'queue' | 'chat',
  found: Conversation | undefined): Promise<DeskFacts> => {
  const sender = 'sender' in arrival ? arrival.sender : undefined
  const who = sender && agentAt(address, arrival.place.network, sender.address ?? sender.id)
  const text = arrival.kind === 'message' ? toPlain(arrival.content.text) : ''
  const conversation = found ?? await meant(tx, text, who?.key, address)
  const shown = base.memory.roster.named(conversation?.address ?? '') ?? address
  const command = arrival.kind === 'message' ? commandOf(text.replace(/^#\d{1,9}\s+/, '')) : undefined
  const entry = arrival.kind !== 'message' && 'of' in arrival && typeof arrival.of === 'string'
    ? await tx.desk.entryOf(arrival.place.network, arrival.of)
    : undefined
  return {
    ...base, address, shown, from,
    ...who === undefined ? {} : { who },
    ...conversation === undefined ? {} : { conversation, held: await tx.desk.held(conversation.id) },
    ...entry === undefined ? {} : { entry },
    ...command === undefined ? {} : {
      command, ...await commandFacts(tx, command, address, conversation), ...await personFacts(tx, command, shown, base.memory)
    }
  }
}

const orderFacts = async (tx: Tx, arrival: Arrival & { kind: 'order' }, base: Base): Promise<DeskFacts | undefined> => {
  const { order } = arrival
  const conversation = order.what === 'due' ? await tx.desk.conversation(order.conversation) : undefined
  const address = base.memory.roster.named(conversation?.desk ?? arrival.place.id)
  if (address === undefined) return undefined
  const shown = base.memory.roster.named(conversation?.address ?? '') ?? address
  const command = order.what === 'say' ? commandOf(order.words) : undefined
  return {
    ...base, address, shown, from: 'order', ...conversation === undefined ? {} : { conversation },
    ...command === undefined ? {} : { command, ...await commandFacts(tx, command, address, conversation) }
  }
}

const isDirect = (arrival: Arrival): arrival is MessageArrival & { to: string } =>
  arrival.kind === 'message' && arrival.direct === true && arrival.to !== undefined

/** Whether the arrival is the desk's concern at all; quick, for everything that comes in is asked. */
export const concernsDesk = (arrival: Arrival, memory: DeskMemory): boolean => arrival.kind === 'order' ||
  memory.spotOf(arrival.place) !== undefined ||
  (isDirect(arrival) && memory.roster.called({ network: arrival.place.network, id: arrival.to }) !== undefined)

/** Undefined if the desk has nothing to do with it. */
export const deskFacts = async (tx: Tx, arrival: Arrival, memory: DeskMemory, now: number): Promise<DeskFacts | undefined> => {
  if (arrival.kind === 'receipt' || !concernsDesk(arrival, memory)) return undefined
  const base = { now, memory, next: await tx.desk.nextConversation() }
  if (arrival.kind === 'order') return await orderFacts(tx, arrival, base)
  const spot = memory.spotOf(arrival.place)
  if (spot?.kind === 'room') {
    const conversation = await tx.desk.conversation(spot.conversation)
    const address = memory.roster.named(conversation?.desk ?? '')
    return address && await teamFacts(tx, arrival, base, address, 'room', conversation)
  }
  if (spot?.kind === 'queue') {
    const address = memory.roster.named(spot.address)
    return address && await teamFacts(tx, arrival, base, address, 'queue', undefined)
  }
  const found = await tx.desk.conversationAt(arrival.place)
  const shown = isDirect(arrival)
    ? memory.roster.called({ network: arrival.place.network, id: arrival.to })
    : memory.roster.named(found?.address ?? '')
  if (shown === undefined) return undefined
  const inTeam = found === undefined && 'sender' in arrival && agentAt(shown, arrival.place.network, arrival.sender.id) !== undefined
  return inTeam ? await teamFacts(tx, arrival, base, shown, 'chat', undefined) : await contactFacts(tx, arrival, base, shown, found)
}
