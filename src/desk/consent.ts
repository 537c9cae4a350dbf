/**
 * What the desk does when somebody ends everything or returns, wherever they say so: it notes that in the ledger, and tells every team that
 * has an open case of theirs.
 */
import { addressKey } from '../model/address'
import type { Content } from '../model/message'
import type { Plan } from '../plan/plan'
import type { Conversation } from '../store/desk'
import type { FunctionAddress } from './address'
import type { ContactEdits, ContactSays, Context, DeskFacts, ElsewhereFacts, Theirs } from './facts'
import { interpret } from './interpret'
import { excerptOf, textsOf } from './shown'
import { desk, is, log, tellTeam, type Step } from './steps'

type Word = 'stop' | 'start'
type Ending = ContactSays | ContactEdits | ElsewhereFacts

const withoutHint = ({ hinted: _, ...one }: Conversation): Conversation => one

const noted = ({ now }: Ending, one: Conversation, word: Word): Step[] => [
  desk({ what: 'consent', consent: {
    person: addressKey(one.contact), address: one.address, kind: word === 'stop' ? 'withdrawn' : 'granted', how: word.toUpperCase(), at: now
  } }),
  ...word === 'stop' ? [{ do: 'change', change: { kind: 'cancel', lane: one.place, reason: 'the person sent STOP' } } as const] : []
]

const told = (address: FunctionAddress, unsent: Content[], word: Word): Step[] => {
  const texts = textsOf(address)
  return [tellTeam(word === 'stop' ? texts.left(unsent.map(excerptOf)) : texts.returned, 'alert'), log(word)]
}

const isHinted = ({ hinted }: Conversation, word: Word): boolean => word === 'start' && hinted === true

/** For a conversation other than the one in which they say it: tells its team if the case is open. */
const elsewhere = ({ one, unsent }: Theirs, word: Word, { memory }: Context): Step[] => {
  const address = memory.roster.named(one.handledBy)
  if (address === undefined) return []
  return [
    { do: 'at', address },
    is(isHinted(one, word) ? withoutHint(one) : one),
    ...one.state === 'done' ? [] : told(address, unsent, word),
    ...isHinted(one, word) ? [{ do: 'keep', claim: one.claim } as const] : []
  ]
}

const here = ({ address, theirs }: Ending, one: Conversation, word: Word): Step[] => [
  ...isHinted(one, word) ? [is(withoutHint(one))] : [],
  ...told(address, theirs.find(other => other.one.id === one.id)?.unsent ?? [], word)
]

const steps = (facts: Ending, word: Word, context: Context): Step[] => {
  const own = facts.from === 'contact' ? facts.conversation : undefined
  return [
    ...facts.theirs.flatMap(theirs => [
      ...noted(facts, theirs.one, word),
      ...theirs.one.id === own?.id ? [] : elsewhere(theirs, word, context)
    ]),
    { do: 'at', address: facts.address },
    is(own),
    ...own === undefined ? [] : here(facts, own, word)
  ]
}

export const consentChanged = (facts: DeskFacts | undefined, word: Word, context: Context): Pick<Plan, 'deliveries' | 'changes'> => {
  if (facts?.from !== 'elsewhere' && (facts?.from !== 'contact' || facts.kind === 'deletion')) return { deliveries: [], changes: [] }
  const { deliveries, changes } = interpret(steps(facts, word, context), facts, context)
  return { deliveries, changes }
}
