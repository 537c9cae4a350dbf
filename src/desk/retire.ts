/** What becomes of the conversations of an address that was taken out of the config. A second run changes nothing. */
import { addressKey } from '../model/address'
import { plain } from '../model/text'
import type { Conversation } from '../store/desk'
import { agentKey, identityOn, leftRooms, type FunctionAddress } from './address'
import { freed } from './answer'
import type { Context, RetireFacts } from './facts'
import { closesText, type Heir } from './retired'
import { withoutSecrets } from './secret'
import { textsOf } from './shown'
import { desk, handOver, is, log, type Step } from './steps'
import { unannounced } from './team-rooms'

const closeRooms = ({ address }: RetireFacts, { id }: Conversation, to: FunctionAddress, { memory }: Context): Step[] =>
  to.slug === address.slug ? [] : memory.roomsOf(address, id).map(({ place }): Step =>
    ({ do: 'close', place, topic: textsOf(address).passed('Zentrale', to.name) }))

/** Closes the rooms in which all its cases were shown. */
const closeHouse = ({ address }: RetireFacts, heirs: FunctionAddress[], { memory }: Context): Step[] => {
  if (heirs.some(({ slug }) => slug === address.slug)) return []
  const topic = textsOf(address).closed(address.profile.name)
  return memory.roomsOf(address, 'queue').flatMap(({ place }) => [place, memory.houseOf(address, place.network)])
    .flatMap((place): Step[] => place === undefined ? [] : [{ do: 'close', place, topic }])
}

/** Another address has this name now: the conversation goes to that address. Whoever has the case keeps it if they are in its team. */
const inherit = (facts: RetireFacts, one: Conversation, { to, shown, lately, consent }: Heir, context: Context): Step[] => {
  const { address, now } = facts
  const isOurs = one.handledBy === address.name
  const stays = one.owner === undefined || to.team.some(agent => agentKey(agent) === one.owner)
  const taken = isOurs ? { ...unannounced(one), handledBy: to.name, ...leftRooms(one.leftRooms, address) } : one
  const moved = { ...taken, ...shown ? { address: to.name } : {} }
  return [
    is(isOurs && !stays && one.state !== 'done' ? freed(moved) : moved),
    log('passed on', to.name),
    ...consent === undefined ? [] : [desk({ what: 'consent', consent: { ...consent, address: to.name, at: now } })],
    ...isOurs ? closeRooms(facts, one, to, context) : [],
    ...isOurs && one.state !== 'done' ? handOver(to, withoutSecrets({ one, from: address, to, lately }, context)) : [],
    { do: 'keep', claim: one.claim }
  ]
}

/** Whether the contact can be told: they have not sent STOP, and there is a way to them. */
const canBeTold = ({ address }: RetireFacts, { address: shown, contact }: Conversation, { directory }: Context): boolean =>
  shown === address.name && identityOn(address, contact.network) !== undefined && !directory.isBlocked(addressKey(contact))

const tell = (facts: RetireFacts, one: Conversation, context: Context): Step[] => {
  const { address } = facts
  return [
    is({ ...one, toldClosed: true }),
    ...canBeTold(facts, one, context) ? [
      { do: 'to contact', kind: 'own words', content: { style: 'quiet', text: plain(closesText(address)) } } as const, log('told of the end')
    ] : [],
    ...one.handledBy === address.name ? [{ do: 'show', of: address } as const] : [],
    { do: 'keep', claim: one.claim }
  ]
}

export const retire = (facts: RetireFacts, context: Context): Step[] => {
  const { address, left } = facts
  const handed = left.flatMap(({ conversation, heir }) => heir === undefined ? [] : [{ conversation, heir }])
  const open = left.filter(({ heir, conversation }) => heir === undefined && conversation.state !== 'done' && conversation.toldClosed !== true)
    .map(({ conversation }) => conversation)
  const teams = new Set(open.flatMap(({ handledBy }) => context.memory.roster.named(handledBy) ?? []))
  const text = textsOf(address).closed(address.profile.name)
  return [
    ...open.flatMap(one => tell(facts, one, context)),
    is(undefined),
    ...[...teams].map((of): Step => ({ do: 'tell inbox', of, text })),
    ...handed.flatMap(({ conversation, heir }) => inherit(facts, conversation, heir, context)),
    is(undefined),
    ...handed.length > 0 && handed.length === left.length ? closeHouse(facts, handed.map(({ heir }) => heir.to), context) : []
  ]
}
