/**
 * Reactions to what was said in a case. The team sees those of the contact, and those of one another. The contact sees none of the team's, unless
 * the config says so: then those of whoever has the case, as reactions of the address.
 */
import { REACTIONS_MAX } from '../lib/emoji'
import { addressKey, type ArrivalKey, type NetworkName, type Place } from '../model/address'
import type { DeletionArrival, ReactionArrival } from '../model/message'
import { mayChange } from '../plan/plan'
import { personaOf } from '../plan/people'
import { areTooMany, emojisOf, isSame, isUnchanged, reactionsAfter, reactor } from '../plan/react'
import { ownWords } from '../plan/reply'
import { TEXTS } from '../plan/texts'
import type { Conversation } from '../store/desk'
import type { Tx } from '../store/store'
import { identityOn, type FunctionAddress } from './address'
import { forbidden, ownerOf } from './answer'
import { answeredPart } from './answered'
import type { Context, ReactionFacts, Speaker } from './facts'
import { agentAt, type Spot } from './memory'
import type { Reading } from './read-team'
import { pointsOnly } from './retired'
import { excerptOf, personaOfContact, shownName, textsOf } from './shown'
import { answer, type Step } from './steps'

// ---- the facts

/** The conversation that the place is for; where all cases are shown, the one in which the message was said. */
const conversationAt = async ({ desk }: Tx, spot: Spot, place: Place,
  said: { network: NetworkName, key: ArrivalKey }): Promise<Conversation | undefined> => {
  switch (spot.kind) {
    case 'contact': return await desk.conversationAt(place)
    case 'room': return await desk.conversation(spot.conversation)
    case 'queue': case 'chat': {
      const entry = await desk.entryOf(said.network, said.key)
      return entry && await desk.conversation(entry.conversation)
    }
  }
}

/** Who of the team reacts; `contact` if it is the contact; undefined for anybody else. */
const whoReacts = (spot: Spot, address: FunctionAddress, { place, sender }: ReactionArrival): Speaker | 'contact' | undefined => {
  if (spot.kind === 'contact') return sender.id === spot.person.id ? 'contact' : undefined
  if (spot.kind === 'chat' && sender.id !== spot.person.id) return undefined
  return agentAt(address, place.network, sender.address ?? sender.id)
}

/** The address, on the contact's network. */
const usAt = (shown: FunctionAddress, { place: { network } }: Conversation): string => addressKey({ network, id: identityOn(shown, network) ?? '' })

/** Undefined if the reaction is to nothing that is known, or by nobody who has a say there. */
export const reactionFacts = async ({ tx, memory, now, original, reacted }: Reading, arrival: ReactionArrival | DeletionArrival,
  reaction: ReactionArrival): Promise<ReactionFacts | undefined> => {
  const spot = memory.spotOf(reaction.place)
  if (spot === undefined || reacted === undefined) return undefined
  if (arrival.kind === 'deletion' && original !== undefined && !mayChange(arrival, original)) return undefined
  const { arrival: said, latest, seq } = reacted.message
  const found = await conversationAt(tx, spot, reaction.place, { network: said.place.network, key: said.key })
  const address = memory.roster.named(found?.handledBy ?? spot.address)
  if (address === undefined || (spot.kind !== 'contact' && spot.address !== address.name)) return undefined
  const who = whoReacts(spot, address, reaction)
  if (who === undefined) return undefined
  const shown = memory.roster.named(found?.address ?? '') ?? address
  const { answered } = await answeredPart(tx, reacted.message)
  return {
    now, address, shown, from: 'reaction', arrival, reaction, reacted, words: answered?.entry.content ?? ownWords(latest),
    outside: found === undefined ? [] : await tx.reactions(seq, usAt(shown, found)),
    ...found === undefined ? {} : { conversation: found }, ...who === 'contact' ? {} : { who }
  }
}

// ---- the rule

const nameOf = ({ who, conversation, address }: ReactionFacts, { memory }: Context): string =>
  who !== undefined ? who.agent.name : conversation === undefined ? '' : shownName(memory, textsOf(address), conversation)

const forTeam = (facts: ReactionFacts, emojis: string[], context: Context): Step => {
  const { who, conversation, reaction, reacted, address, words } = facts
  const { sender, place: { network } } = reaction
  const texts = textsOf(address)
  const as = who === undefined && conversation !== undefined
    ? personaOfContact({ ...facts, arrival: reaction }, conversation, context)
    : personaOf(network, context.directory.can(network).label, { ...sender, id: sender.address ?? sender.id }, who?.agent.name)
  const [name, excerpt] = [nameOf(facts, context), excerptOf(words)]
  const line = emojis.length === 0 ? texts.reactsNoMore(name, excerpt) : texts.reacts(name, emojis.join(' '), excerpt)
  return { do: 'react for team', reacted, emojis, as, line, everywhere: who === undefined }
}

/** What the contact is shown of it: new are only reactions of whoever has the case, and only their own are taken back. */
const forContact = (facts: ReactionFacts, now: string[], context: Context): Step[] => {
  const { who, conversation, shown, reaction, reacted: { before, message }, outside } = facts
  if (who === undefined || conversation === undefined) return []
  const person = addressKey({ network: reaction.place.network, id: reaction.sender.id })
  const isOut = shown.reactions !== 'inside' && ownerOf(conversation) === who.key && forbidden(facts, conversation, context) === undefined
  const fresh = isOut ? now.filter(emoji => !before.some(one => one.emoji === emoji)) : []
  const kept = outside.filter(({ emoji, by }) => by !== person || now.includes(emoji)).map(({ emoji }) => emoji)
  const emojis = [...new Set([...kept, ...fresh])].slice(0, REACTIONS_MAX)
  const reacted = { message, before: outside }
  return isSame(reacted, emojis) ? [] : [{ do: 'react for contact', reacted, emojis, by: usAt(shown, conversation) }]
}

/** Undefined if it says nothing new. */
export const reacts = (facts: ReactionFacts, context: Context): Step[] | undefined => {
  const { arrival, reaction, reacted, who, conversation, shown, address } = facts
  const now = reactionsAfter(arrival, reaction, reacted)
  const emojis = emojisOf(now)
  if (who === undefined && (conversation === undefined || pointsOnly(shown, conversation))) return undefined
  const { language } = who === undefined ? shown : address
  const told = areTooMany(arrival, reaction, reacted) ? [answer(TEXTS[language].tooManyReactions(REACTIONS_MAX))] : []
  if (isUnchanged(reacted, now)) return told.length === 0 ? undefined : told
  return [
    ...told,
    { do: 'change', change: { kind: 'react', message: reacted.message.seq, person: reactor(reaction), now } },
    ...isSame(reacted, emojis) ? [] : [forTeam(facts, emojis, context), ...forContact(facts, emojis, context)]
  ]
}
