/**
 * What a message answers, by the desk's record. The words that were typed are not what others were shown (a number or a sign was in front),
 * so only words of the record are quoted.
 */
import { samePlace, type Place } from '../model/address'
import type { Persona, Reply } from '../model/message'
import type { Capabilities } from '../model/network'
import { personaOf } from '../plan/people'
import { replyTo } from '../plan/reply'
import type { Conversation } from '../store/desk'
import type { Answered, Tx } from '../store/store'
import { identityOn, type FunctionAddress } from './address'
import type { AnsweredEntry, Context, DeskFacts } from './facts'

const LATELY_ENTRIES = 10

/** Nothing if the record does not know the answered message. */
export const answeredPart = async ({ desk }: Tx, said: Answered | undefined): Promise<{ answered?: AnsweredEntry }> => {
  if (said === undefined) return {}
  const { arrival, latest } = said
  const { network } = arrival.place
  const entry = await desk.entryOf(network, latest.key) ?? await desk.entryOf(network, arrival.key)
  if (entry === undefined) return {}
  const last = (await desk.entries(entry.conversation, LATELY_ENTRIES)).find(({ kind }) => kind === 'contact')
  return { answered: { said, entry, isLast: last !== undefined && last.network === network && [arrival.key, latest.key].includes(last.key) } }
}

const answeredIn = (facts: DeskFacts): AnsweredEntry | undefined => 'answered' in facts ? facts.answered : undefined

/** The reply as shown in a place of the team. */
export const replyAt = (facts: DeskFacts, place: Place, { directory }: Context): Reply | undefined => {
  const answered = answeredIn(facts)
  if (answered === undefined) return undefined
  const { said, entry } = answered
  const { sender, place: { network } } = said.latest
  const as = personaOf(network, directory.can(network).label, { ...sender, id: sender.address ?? sender.id }, entry.who)
  return replyTo(said, as, place, entry.content)
}

/** The address, on the contact's network. */
const us = (shown: FunctionAddress, { network }: Place): Persona =>
  ({ person: { network, id: identityOn(shown, network) ?? '' }, name: shown.profile.name })

/** Outside the room of the case, a reply to the contact's last message may only say which case is meant. */
const saysWhichCase = (facts: DeskFacts, { isLast }: AnsweredEntry, can: Capabilities): boolean =>
  isLast && (!can.replies || facts.from !== 'team' || facts.where !== 'room')

/**
 * The reply as shown to the contact: only to what they said or were told in this chat, and in the name of the address. What never reached them is
 * not quoted.
 */
export const replyToContact = (facts: DeskFacts, { place }: Conversation, { directory }: Context): Reply | undefined => {
  const answered = answeredIn(facts)
  if (answered === undefined || saysWhichCase(facts, answered, directory.can(place.network))) return undefined
  const { said, entry } = answered
  if (entry.held || !(entry.kind === 'team' || (entry.kind === 'contact' && samePlace(said.arrival.place, place)))) return undefined
  const reply = replyTo(said, us(facts.shown, place), place, entry.content)
  if (reply?.said === undefined) return undefined
  return 'delivery' in reply.said ? { ...reply, unquoted: true } : reply
}
