/** The rule for function addresses: who spoke where decides which file answers. Pure, as all rules. */
import { addressKey } from '../model/address'
import type { Arrival, Content } from '../model/message'
import type { Directory } from '../plan/directory'
import { IGNORE, type Plan } from '../plan/plan'
import type { Conversation } from '../store/desk'
import type { Recorded } from '../store/store'
import { act, due, order, syncTeam } from './act'
import { retire } from './retire'
import { outsiderSays, teamEdits, teamSays, teamTakesBack, writerTakesBack } from './agent'
import { contactEdits, contactSays, contactTakesBack, somebodyElseSays } from './contact'
import { excerptOf, makeDraft, type Draft } from './draft'
import type { ContactFacts, DeskFacts, ElsewhereFacts, OrderFacts, OutsiderFacts, TeamFacts } from './facts'

const orders = (draft: Draft<OrderFacts>): void => {
  const { arrival, facts: { command, address } } = draft
  if (arrival.kind !== 'order') return
  switch (arrival.order.what) {
    case 'due': return due(draft)
    case 'open': return !arrival.order.all ? draft.house(address) : address.retired === undefined ? syncTeam(draft, address) : retire(draft)
    case 'say': if (command !== undefined) order(draft, command)
  }
}

const contact = (draft: Draft<ContactFacts>, original: Recorded | undefined): void => {
  switch (draft.arrival.kind) {
    case 'message': return contactSays(draft)
    case 'edit': return contactEdits(draft, original)
    case 'deletion': return contactTakesBack(draft, original)
  }
}

const outsider = (draft: Draft<OutsiderFacts>): void => {
  if (draft.arrival.kind === 'message' && draft.arrival.automatic !== true) outsiderSays(draft)
}

const team = (draft: Draft<TeamFacts>, original: Recorded | undefined): void => {
  const { arrival, facts: { said } } = draft
  switch (arrival.kind) {
    case 'message':
      if (arrival.automatic === true) return
      if (arrival.content.unreadable !== undefined) return draft.answer(draft.directory.texts.notCarried(arrival.content.unreadable))
      return said?.typed.kind === 'command' ? act(draft, said.typed.command) : teamSays(draft)
    case 'edit': return teamEdits(draft, original)
    case 'deletion': return teamTakesBack(draft, original)
  }
}

export const deskRule = (arrival: Arrival, facts: DeskFacts | undefined, original: Recorded | undefined, directory: Directory): Plan | undefined => {
  if (facts === undefined) return arrival.kind === 'order' ? IGNORE : undefined
  const drafted = <F extends DeskFacts>(of: F, decide: (draft: Draft<F>) => void): Plan => {
    const draft = makeDraft(arrival, of, directory)
    decide(draft)
    return draft.plan()
  }
  switch (facts.from) {
    case 'elsewhere': return undefined
    case 'order': return drafted(facts, orders)
    case 'contact': return drafted(facts, draft => contact(draft, original))
    case 'outsider': return drafted(facts, outsider)
    case 'writer': return drafted(facts, draft => writerTakesBack(draft, original))
    case 'nobody': return drafted(facts, somebodyElseSays)
    case 'team': return drafted(facts, draft => team(draft, original))
  }
}

const withoutHint = ({ hinted: _, ...one }: Conversation): Conversation => one

/**
 * What the desk does beside, when somebody ends everything or returns, wherever they say so: the ledger knows it, and every team that
 * has an open case of theirs sees it.
 */
export const consentChanged = (arrival: Arrival, facts: DeskFacts | undefined, word: 'stop' | 'start',
  directory: Directory): Pick<Plan, 'deliveries' | 'changes'> => {
  if (facts?.from !== 'contact' && facts?.from !== 'elsewhere') return { deliveries: [], changes: [] }
  const draft = makeDraft<ContactFacts | ElsewhereFacts>(arrival, facts, directory)
  const here = draft.conversation
  const kind = word === 'stop' ? 'withdrawn' as const : 'granted' as const
  const tell = (one: Conversation, unsent: Content[]): void => {
    if (word === 'start' && one.hinted === true) draft.conversation = withoutHint(one)
    if (one.state === 'done' && one !== here) return
    draft.tellTeam(word === 'stop' ? draft.texts.left(unsent.map(excerptOf)) : draft.texts.returned, 'alert')
    draft.log(word)
  }
  for (const { one, unsent } of facts.theirs ?? []) {
    const consent = { person: addressKey(one.contact), address: one.address, kind, how: word.toUpperCase(), at: facts.now }
    draft.change({ kind: 'desk', change: { what: 'consent', consent } })
    if (word === 'stop') draft.change({ kind: 'cancel', lane: one.place, reason: 'the person sent STOP' })
    if (one.id === here?.id) continue
    draft.about(one, () => {
      tell(one, unsent)
      if (draft.conversation !== one) draft.keep(one)
    })
  }
  if (here !== undefined) tell(here, facts.theirs?.find(({ one }) => one.id === here.id)?.unsent ?? [])
  const { deliveries, changes } = draft.plan()
  return { deliveries, changes }
}
