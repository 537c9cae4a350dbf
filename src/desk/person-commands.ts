/** Commands about a person: to write to somebody first, and to note their consent. They have no case at hand. */
import { addressKey } from '../model/address'
import { plain } from '../model/text'
import type { Conversation } from '../store/desk'
import { identityOn } from './address'
import { answers } from './answer'
import type { Context, PersonFacts, Target } from './facts'
import { textsOf } from './shown'
import { answer, desk, is, log, tellTeam, type Step } from './steps'

const opened = ({ address, next, now }: PersonFacts, { person }: Target, place: string): Conversation => ({
  id: next, address: address.name, handledBy: address.name, contact: person, place: { network: person.network, id: place },
  state: 'new', claim: 0, cases: 1, openedAt: now, answeredAt: now, awaits: false, labels: [], announced: []
})

/** Nobody of the team becomes a contact of their own address, and no address one of another: we would talk to ourselves. */
export const isOurs = ({ target, address }: PersonFacts, { memory }: Context): boolean => {
  if (target === undefined) return false
  const { person, person: { network, id } } = target
  const naming = memory.naming(network)
  const ours = identityOn(address, network)
  return memory.roster.called(person) !== undefined || naming?.isOurs(id) === true ||
    (naming !== undefined && ours !== undefined && memory.spotOf({ network, id: naming.direct(ours, id) })?.kind === 'chat')
}

/** Why nothing can be begun with this person; undefined if it can. `written`: their address as typed. */
const whyNot = ({ address }: PersonFacts, { person, conversation, permitted }: Target, written: string,
  { directory }: Context): string | undefined => {
  const texts = textsOf(address)
  if (address.redirectOnly) return address.retired === undefined ? texts.onlyRedirect : texts.closed(address.profile.name)
  if (conversation !== undefined && conversation.handledBy !== address.name) return texts.isAt(conversation.handledBy)
  if (directory.isBlocked(addressKey(person))) return texts.blocked
  return permitted ? undefined : texts.consentRequired(written)
}

export const begin = (facts: PersonFacts, context: Context): Step[] => {
  const { target, address, rest, who } = facts
  const texts = textsOf(address)
  const [written = '', ...others] = rest.split(/(\s+)/)
  const text = others.join('').trim()
  const ours = target && identityOn(address, target.person.network)
  const naming = target && context.memory.naming(target.person.network)
  if (target === undefined || ours === undefined || naming === undefined || text === '') return [answer(texts.notAPerson(written))]
  const why = whyNot(facts, target, written, context)
  if (why !== undefined) return [answer(why)]
  const one = target.conversation ?? opened(facts, target, naming.direct(ours, target.person.id))
  const { goesOut, steps } = answers(facts, one, { style: 'text', text: plain(text) }, context)
  const { network } = one.contact
  const isNew = goesOut && target.conversation === undefined
  return [
    is(one), ...isNew ? [desk({ what: 'count', address: address.name, network, event: 'opened' })] : [],
    ...steps, ...goesOut ? [log('begun'), tellTeam(texts.started(who.agent.name, one.id))] : [answer(texts.keptAt(one.id))]
  ]
}

export const consent = ({ target, address, now, rest, who }: PersonFacts): Step[] => {
  const texts = textsOf(address)
  const [written = '', ...how] = rest.split(/\s+/)
  if (target === undefined || how.length === 0) return [answer(texts.notAPerson(written))]
  return [
    desk({ what: 'consent', consent: {
      person: addressKey(target.person), address: address.name, kind: 'granted', how: `${how.join(' ')} (${who.agent.name})`, at: now
    } }),
    log('consent'),
    answer(texts.consentNoted(written))
  ]
}
