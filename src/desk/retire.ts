/** What becomes of the conversations of an address that was taken out of the config. Done twice it changes nothing. */
import { addressKey } from '../model/address'
import { plain } from '../model/text'
import type { Conversation } from '../store/desk'
import { agentKey, identityOn, leftRooms, type FunctionAddress } from './address'
import { freed } from './agent'
import type { Draft } from './draft'
import type { OrderFacts } from './facts'
import { closesText, type Heir } from './retired'

const closeRooms = (draft: Draft<OrderFacts>, one: Conversation, to: FunctionAddress): void => {
  const { facts: { memory, address }, texts } = draft
  if (to.slug === address.slug) return
  for (const { place } of memory.roomsOf(address, one.id)) draft.close(place, texts.passed('Zentrale', to.name))
}

/** Where all of its cases were found, there is nothing any more. */
const closeHouse = (draft: Draft<OrderFacts>, heirs: FunctionAddress[]): void => {
  const { facts: { memory, address }, texts } = draft
  if (heirs.some(({ slug }) => slug === address.slug)) return
  for (const { place } of memory.roomsOf(address, 'queue')) {
    for (const room of [place, memory.houseOf(address, place.network)]) if (room !== undefined) draft.close(room, texts.closed(address.profile.name))
  }
}

/** Another address is called so now: the conversation is that one's, and stays with who has it if they are of its team. */
const inherit = (draft: Draft<OrderFacts>, one: Conversation, { to, shown, lately, consent }: Heir): void => {
  const { address, now } = draft.facts
  const isOurs = one.handledBy === address.name
  const stays = one.owner === undefined || to.team.some(agent => agentKey(agent) === one.owner)
  const taken = isOurs ? { handledBy: to.name, announced: [], ...leftRooms(one.leftRooms, address) } : {}
  const moved = { ...one, ...shown ? { address: to.name } : {}, ...taken }
  draft.conversation = isOurs && !stays && one.state !== 'done' ? freed(moved) : moved
  draft.log('passed on', to.name)
  if (consent !== undefined) draft.change({ kind: 'desk', change: { what: 'consent', consent: { ...consent, address: to.name, at: now } } })
  if (isOurs) closeRooms(draft, one, to)
  if (isOurs && one.state !== 'done') draft.handOver(to, lately)
  draft.keep(one)
}

/** Whether the contact can be told: they want to hear of us, and there is a way to them. */
const canBeTold = ({ directory, facts: { address } }: Draft<OrderFacts>, { address: shown, contact }: Conversation): boolean =>
  shown === address.name && identityOn(address, contact.network) !== undefined && !directory.isBlocked(addressKey(contact))

const tell = (draft: Draft<OrderFacts>, one: Conversation): void => {
  const { address } = draft.facts
  draft.conversation = { ...one, toldClosed: true }
  if (canBeTold(draft, one)) {
    draft.toContact({ style: 'quiet', text: plain(closesText(address)) })
    draft.log('told of the end')
  }
  if (one.handledBy === address.name) draft.show(address)
  draft.keep(one)
}

export const retire = (draft: Draft<OrderFacts>): void => {
  const { facts: { address, memory, left = [] }, texts } = draft
  const handed = left.filter(({ heir }) => heir !== undefined)
  const open = left.filter(({ heir, conversation }) => heir === undefined && conversation.state !== 'done' && conversation.toldClosed !== true)
  for (const { conversation } of open) tell(draft, conversation)
  draft.conversation = undefined
  const teams = new Set(open.flatMap(({ conversation: { handledBy } }) => memory.roster.named(handledBy) ?? []))
  for (const team of teams) draft.tellQueue(team, texts.closed(address.profile.name))
  for (const { conversation, heir } of handed) inherit(draft, conversation, heir!)
  draft.conversation = undefined
  if (handed.length > 0 && handed.length === left.length) closeHouse(draft, handed.map(({ heir }) => heir!.to))
}
