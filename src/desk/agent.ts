/**
 * What somebody of the team says: an answer, a note, or something unclear, which is held. typed.ts judges which, and read-team.ts which case
 * it is about. Nothing but answers goes to the contact.
 */
import type { Content, MessageArrival } from '../model/message'
import { answers, calledBy, marked, unsent } from './answer'
import { SENDING, spellingOf } from './commands'
import type { CaseSaid, Context, OutsiderFacts, Talk } from './facts'
import { lacks, lacksWords } from './lacks'
import { personaOfSpeaker, textsOf } from './shown'
import { answer, type Step } from './steps'
import { isTalk, seemsNumbered, type Typed } from './typed'

/** An internal note, for the other places of the team. */
const note = (facts: CaseSaid | OutsiderFacts, who: string, content: Content, context: Context): Step[] => [
  { do: 'entry', kind: 'note', who, content },
  { do: 'to team', content: marked(textsOf(facts.address).note, content), as: personaOfSpeaker(facts, context), ...calledBy(facts) }
]

const whyUnclear = ({ address }: CaseSaid | Talk, { meant, doubt }: Typed & { kind: 'unclear' }): string => {
  const texts = textsOf(address)
  if (doubt === 'label') return texts.labelled
  if (doubt === 'more') return texts.more
  if (doubt === 'emote') return texts.emote
  return (meant !== undefined && doubt === 'lacking' ? lacks(address, meant, '') : undefined) ??
    (meant === undefined ? texts.unclear : texts.meant(spellingOf(meant, address.language), !SENDING.has(meant)))
}

/** Whether words are an answer here: always, or only if they say so. */
const isAnswer = ({ address: { answers: which }, toContact }: CaseSaid): boolean => which === 'all' || toContact

export const saysInCase = (facts: CaseSaid, context: Context): Step[] => {
  const { address, conversation, who, other, strange, called, arrival: { inThread }, said: { content, typed } } = facts
  const texts = textsOf(address)
  if (content.text.length === 0 && content.file === undefined) return [answer(lacksWords(address, conversation.id))]
  if (other !== undefined && inThread !== true) return unsent(facts, content, texts.otherCase(other, conversation.id), true, context)
  if (strange && typed.kind === 'words' && isAnswer(facts)) return unsent(facts, content, texts.strange, true, context)
  if (called !== undefined && typed.kind === 'words' && isAnswer(facts)) return unsent(facts, content, texts.called(called.name), true, context)
  switch (typed.kind) {
    case 'words': return isAnswer(facts)
      ? answers(facts, conversation, content, context).steps
      : note(facts, who.agent.name, content, context)
    case 'say': return answers(facts, conversation, typed.content, context).steps
    case 'note': return note(facts, who.agent.name, typed.content, context)
    case 'unclear': return unsent(facts, content, whyUnclear(facts, typed), true, context)
    case 'command': return [] // act.ts does what it says
  }
}

/** About no case. In the inbox room, words are talk among the team; elsewhere, we ask which case is meant. Nothing goes out. */
export const talks = (facts: Talk, context: Context): Step[] => {
  const { address, where, missing, arrival, said: { content, typed } } = facts
  const texts = textsOf(address)
  if (missing !== undefined) return [answer(texts.noCase(missing))]
  if (where === 'inbox' && isTalk(typed, arrival.inThread === true)) {
    return [
      { do: 'to inbox', content: typed.kind === 'note' ? typed.content : content, as: personaOfSpeaker(facts, context), ...calledBy(facts) },
      ...typed.kind === 'words' && seemsNumbered(content) ? [answer(texts.noNumber)] : []
    ]
  }
  return [answer(typed.kind === 'unclear' && where === 'inbox' ? whyUnclear(facts, typed) : texts.which)]
}

/** What an outsider says in a place of the team: only the team sees it. */
export const outsiderSays = (facts: OutsiderFacts, { content }: MessageArrival, context: Context): Step[] => [
  ...facts.conversation === undefined ? [] : note(facts, personaOfSpeaker(facts, context).name, content, context),
  answer(textsOf(facts.address).nobodyOf)
]
