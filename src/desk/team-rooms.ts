/** What the team's places show of a case. */
import type { Place } from '../model/address'
import { type Content, filesOf, type Persona, type RoomState } from '../model/message'
import { plain, type Text } from '../model/text'
import { asName } from '../plan/people'
import type { Conversation } from '../store/desk'
import { agentKey, identityOn, type FunctionAddress } from './address'
import type { Context } from './facts'
import type { TeamPlace } from './memory'
import type { DeskTexts } from './texts'
import { inFull, ownerName, shownName, textsOf } from './shown'

const ENCRYPTED = '🔒'

const networkName = ({ contact, encrypted }: Conversation, { directory }: Context): string =>
  directory.can(contact.network).label + (encrypted === true ? ` ${ENCRYPTED}` : '')

const titleOf = (one: Conversation, address: FunctionAddress, context: Context): string => {
  const texts = textsOf(address)
  return `${shownName(context.memory, texts, one)} (${networkName(one, context)}) · ${texts.state(one.state, ownerName(address, one.owner))}`
}

const ANNOUNCED_BEFORE_MAX = 50 // notices of one conversation

/** The conversation without notices that change with it. Those of before are kept as long as they say what may be taken back. */
export const unannounced = ({ announced, announcedBefore = [], ...one }: Conversation): Conversation =>
  ({ ...one, announced: [], announcedBefore: [...announcedBefore, ...announced].slice(-ANNOUNCED_BEFORE_MAX) })

/** The line about a case in the inbox room. */
export const announcementOf = (one: Conversation, address: FunctionAddress, context: Context): string =>
  textsOf(address).announce(titleOf(one, address, context), one.id, one.excerpt ?? '')

/**
 * In an agent's direct chat, the address speaks for others: first the number of the case and who said it, then their words as a quotation.
 * A file gets a name that cannot look like the number of a case.
 */
export const shownAt = ({ people }: TeamPlace, content: Content, one?: Conversation, as?: Persona): Content => {
  if (people !== undefined) return content
  const head = plain([one && `#${one.id}`, as && `${as.name}:`].filter(part => part !== undefined).join(' '))
  const words: Text = as === undefined || content.text.length === 0 ? content.text : [{ kind: 'quote', of: content.text }]
  const [file, ...more] = filesOf(content).map(one => as === undefined ? one : { ...one, name: asName(one.name) || '?' })
  return { ...content, ...file && { file }, ...more.length > 0 && { more }, text: [...head, ...words] }
}

const speakersOf = ({ owner }: Conversation, { claim, team }: FunctionAddress, network: string): { speakers?: string[] } => {
  const found = team.find(agent => agentKey(agent) === owner)
  return claim !== 'hard' || found === undefined ? {} : {
    speakers: found.addresses.filter(person => person.network === network).map(({ id }) => id)
  }
}

/** Adds the address in whose name people are invited to a room, and whether it is encrypted. */
export const roomOf = (address: FunctionAddress, { network }: Place, state: RoomState): RoomState => {
  const from = identityOn(address, network)
  return { ...state, ...from === undefined ? {} : { from }, ...address.encryptedRooms && { encrypted: true } }
}

/** Invitations to the rooms of closed cases would pile up in people's apps. What is said there waits for whoever comes in. */
const withdrawnOf = ({ state, closedAt, dueAt }: Conversation, { isDone }: DeskTexts): { withdrawn?: string } =>
  state === 'done' && closedAt !== undefined && dueAt === undefined ? { withdrawn: isDone } : {}

const insideOf = (address: FunctionAddress, { network }: Place, { memory }: Context): { inside?: Place } => {
  const house = memory.houseOf(address, network)
  return house === undefined ? {} : { inside: house }
}

export interface Room { place: Place; state: RoomState }

/** The wanted state of the rooms of a case. `team`: the team they are for, if not the one that has the case now. */
export const caseRooms = (one: Conversation, address: FunctionAddress, shown: FunctionAddress, team: FunctionAddress | undefined,
  context: Context): Room[] => {
  const { memory } = context
  const texts = textsOf(address)
  const topic = texts.topic(one.id, shown.profile.name, inFull(memory, texts, one), networkName(one, context))
  const rooms = team === undefined ? memory.placesOf(address, one.id) : memory.roomsOf(team, one.id)
  return rooms.flatMap(({ place, people }) => people === undefined ? [] : [{ place, state: {
    name: titleOf(one, address, context), topic, people, ...withdrawnOf(one, texts), ...speakersOf(one, address, place.network),
    ...insideOf(address, place, context)
  } }])
}

/** The inbox rooms, and the room of rooms. */
export const houseRooms = (team: FunctionAddress, address: FunctionAddress, context: Context): Room[] => {
  const texts = textsOf(address)
  return context.memory.roomsOf(team, 'queue').flatMap(({ place, people }) => {
    const house = context.memory.houseOf(team, place.network)
    const queue = { place, state: {
      name: texts.queueName(team.profile.name), topic: texts.queueTopic, people, ...insideOf(address, place, context)
    } }
    return house === undefined ? [queue] : [{ place: house, state: { name: team.profile.name, topic: team.profile.about, people } }, queue]
  })
}
