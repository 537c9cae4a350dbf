/** The rule for function addresses: who spoke where decides which file answers. Pure, as all rules. */
import { addressKey } from '../model/address'
import type { Arrival } from '../model/message'
import type { Directory } from '../bridge/directory'
import { IGNORE, type Plan } from '../bridge/plan'
import type { Recorded } from '../store/store'
import { act, due, syncTeam } from './act'
import { isNote, contentHere, teamEdits, teamSays, teamTakesBack } from './agent'
import { contactEdits, contactSays, contactTakesBack } from './contact'
import { makeDraft, type Draft } from './draft'
import type { DeskFacts } from './facts'

const orders = (draft: Draft): void => {
  const { arrival, facts: { command, address } } = draft
  if (arrival.kind !== 'order') return
  switch (arrival.order.what) {
    case 'due': return due(draft)
    case 'open': return arrival.order.all ? syncTeam(draft, address) : draft.house(address)
    case 'say': if (command !== undefined) act(draft, command)
  }
}

const contact = (draft: Draft, original: Recorded | undefined): void => {
  switch (draft.arrival.kind) {
    case 'message': return contactSays(draft)
    case 'edit': return contactEdits(draft, original)
    case 'deletion': return contactTakesBack(draft, original)
  }
}

const team = (draft: Draft, original: Recorded | undefined): void => {
  const { arrival, facts: { command } } = draft
  switch (arrival.kind) {
    case 'message':
      if (arrival.automatic === true) return
      if (arrival.content.unreadable !== undefined) return draft.answer(draft.directory.texts.notCarried(arrival.content.unreadable))
      if (command !== undefined && !isNote(draft, contentHere(draft))) return act(draft, command)
      return teamSays(draft)
    case 'edit': return teamEdits(draft, original)
    case 'deletion': return teamTakesBack(draft, original)
  }
}

export const deskRule = (arrival: Arrival, facts: DeskFacts | undefined, original: Recorded | undefined, directory: Directory): Plan | undefined => {
  if (facts === undefined) return arrival.kind === 'order' ? IGNORE : undefined
  const draft = makeDraft(arrival, facts, directory)
  if (facts.from === 'order') orders(draft)
  else if (facts.from === 'contact') contact(draft, original)
  else team(draft, original)
  return draft.plan()
}

/** What the desk does beside, when a contact ends everything or returns: the ledger knows it, and the teams see it. */
export const consentChanged = (arrival: Arrival, facts: DeskFacts | undefined, word: 'stop' | 'start',
  directory: Directory): Pick<Plan, 'deliveries' | 'changes'> => {
  if (facts?.conversation === undefined || facts.from !== 'contact') return { deliveries: [], changes: [] }
  const draft = makeDraft(arrival, facts, directory)
  for (const one of facts.theirs ?? []) {
    const person = addressKey(one.contact)
    const kind = word === 'stop' ? 'withdrawn' as const : 'granted' as const
    const consent = { person, address: one.address, kind, how: word.toUpperCase(), at: facts.now }
    draft.change({ kind: 'desk', change: { what: 'consent', consent } })
    if (word === 'stop') draft.change({ kind: 'cancel', lane: one.place, reason: 'the person sent STOP' })
  }
  if (word === 'start' && draft.conversation?.hinted === true) {
    const { hinted: _, ...rest } = draft.conversation
    draft.conversation = rest
  }
  draft.tellTeam(word === 'stop' ? draft.texts.left : draft.texts.returned, 'alert')
  draft.log(word)
  const { deliveries, changes } = draft.plan()
  return { deliveries, changes }
}
