/** How the team sees people and what they said. */
import type { Arrival, Content, Persona, Sender } from '../model/message'
import { toPlain } from '../model/text'
import { asName, cleanName, oneLine, ownName, personaOf } from '../plan/people'
import type { Conversation, Entry } from '../store/desk'
import { agentKey, type FunctionAddress } from './address'
import type { Context, DeskFacts } from './facts'
import type { DeskMemory } from './memory'
import { DESK_TEXTS, type DeskTexts } from './texts'

export const textsOf = ({ language }: FunctionAddress): DeskTexts => DESK_TEXTS[language]

/** The contact's name for the team. Without a name, the whole address. */
export const shownName = (memory: DeskMemory, texts: DeskTexts, { name, contact }: Conversation): string => {
  const clean = (name === undefined ? '' : asName(name)) || oneLine(contact.id)
  return memory.isReserved(clean, contact, true) ? texts.notOurs(clean) : clean
}

/** The contact's name and address for the team. */
export const inFull = (memory: DeskMemory, texts: DeskTexts, one: Conversation): string => {
  const shown = shownName(memory, texts, one)
  return one.name === undefined ? shown : `${shown}, ${oneLine(one.contact.id)}`
}

/** The conversation with the name that its contact has now. */
export const named = (one: Conversation, sender: Sender): Conversation => {
  const { name: _, ...rest } = one
  const name = ownName(sender)
  return { ...rest, ...name === undefined ? {} : { name } }
}

/** The words of a message, as the record keeps them. */
export const entryText = ({ text, file }: Content): string => toPlain(text) || file?.name || ''

/** The beginning of a message, as one line without invisible characters. */
export const excerptOf = (content: Content): string => {
  const words = entryText(content).trim()
  return words === '' ? '' : cleanName(words)
}

/** What was said, with its writer, marked if the contact does not know it. */
export const saidBy = (texts: DeskTexts, { kind, who, held }: Entry, text: string): string =>
  `${held ? texts.heldNote(who) : `${kind === 'note' ? texts.note : ''}${who}: `}${text}`

export const ownerName = (address: FunctionAddress, owner: string | undefined): string =>
  address.team.find(agent => agentKey(agent) === owner)?.name ?? ''

/** The name of the agent who speaks, or wrote the original. */
export const writerOf = (facts: DeskFacts): string | undefined =>
  facts.from === 'team' ? facts.who.agent.name : facts.from === 'writer' ? facts.before.entry.who : undefined

/** For the logbook. */
export const whoActs = (facts: DeskFacts): string => {
  if (facts.from === 'contact' || facts.from === 'elsewhere') return 'contact'
  const { arrival } = facts
  return writerOf(facts) ?? (arrival.kind === 'order' && arrival.order.what === 'say' ? arrival.order.by : 'Zentrale')
}

const senderOf = (arrival: Arrival): Sender | undefined => 'sender' in arrival ? arrival.sender : undefined

/** Whoever speaks in a place of the team, as the rest of the team sees them. */
export const personaOfSpeaker = (facts: DeskFacts, { directory }: Context): Persona => {
  const { arrival } = facts
  const { network } = arrival.place
  const sender = senderOf(arrival) ?? { id: '', name: '' }
  return personaOf(network, directory.can(network).label, { ...sender, id: sender.address ?? sender.id }, writerOf(facts))
}

/** The contact as the team sees them. */
export const personaOfContact = ({ arrival, address }: DeskFacts, one: Conversation, { memory, directory }: Context): Persona => {
  const { network, id } = one.contact
  return personaOf(network, directory.can(network).label, senderOf(arrival) ?? { id, name: '' }, shownName(memory, textsOf(address), one))
}
