/** What Zentrale does by itself: a time has come, rooms must be brought up to date, or the team of an address changes. */
import { cleanName } from '../plan/people'
import type { Conversation, TeamChange } from '../store/desk'
import { agentKey, type FunctionAddress } from './address'
import { freed } from './answer'
import { free } from './case-commands'
import type { Context, DueFacts, SyncFacts, TeamChangeFacts } from './facts'
import { withChange } from './memory'
import { ownerName, textsOf } from './shown'
import { readBy } from './unsealed'
import { desk, is, log, nothing, show, tellTeam, type Step } from './steps'

/** A case that was put off is back, whoever has it has not answered for too long, or nobody need come to its rooms any more. */
export const due = ({ conversation: one, now, address }: DueFacts): Step[] => {
  const texts = textsOf(address)
  if (one?.dueAt === undefined || one.dueAt > now) return nothing('not due')
  const { dueAt: _, ...rest } = one
  if (one.state === 'snoozed') {
    return [is({ ...rest, state: one.owner === undefined ? 'new' : 'claimed' }), log('woken'), show, tellTeam(texts.woken, 'alert')]
  }
  if (one.state === 'done') return [is(rest), show]
  return one.state === 'claimed' && one.awaits ? free(one, texts.releasedByTime(ownerName(address, one.owner))) : [is(rest)]
}

const isWithoutOwner = ({ owner, state }: Conversation, { team }: FunctionAddress): boolean =>
  owner !== undefined && state !== 'done' && !team.some(agent => agentKey(agent) === owner)

const syncCase = (one: Conversation, address: FunctionAddress): Step[] => {
  const gone = isWithoutOwner(one, address)
  const { toldClosed, ...here } = gone ? freed(one) : one // it is in the config
  return [
    is(here),
    { do: 'show', of: address },
    ...gone || toldClosed === true ? [{ do: 'keep', claim: one.claim } as const] : [],
    ...gone ? [log('released')] : []
  ]
}

/** Brings the present team into every room of the address. Whoever left the team leaves all rooms; their cases are free, and the team is told. */
export const syncTeam = ({ all, address: before }: SyncFacts | TeamChangeFacts, address: FunctionAddress): Step[] => {
  const free = all.filter(one => isWithoutOwner(one, address)).map(({ id }) => id)
  return [
    ...all.flatMap(one => syncCase(one, address)),
    is(undefined),
    { do: 'house', of: address },
    ...free.length > 0 ? [{ do: 'tell inbox', of: address, text: textsOf(before).withoutOwner(free) } as const] : []
  ]
}

/** What this team reads and writes no longer stands encrypted for all of it. */
export const tellUnsealed = ({ address, unsealed }: SyncFacts, { directory }: Context): Step[] => {
  const { clear, sealed } = readBy(address, network => directory.can(network).sealsRooms === true)
  return unsealed === true ? [{ do: 'tell inbox', of: address, text: textsOf(address).unsealed(clear, sealed) }] : []
}

/** `+` or `-`, the network, the id, and their name. */
const teamChangeIn = ({ rest, address }: TeamChangeFacts, { memory }: Context): TeamChange | undefined => {
  const [sign, network = '', id = '', ...called] = rest.split(/\s+/)
  if ((sign !== '+' && sign !== '-') || memory.naming(network) === undefined || id === '') return undefined
  return { address: address.name, person: { network, id }, name: cleanName(called.join(' ') || id), added: sign === '+' }
}

export const changeTeam = (facts: TeamChangeFacts, context: Context): Step[] => {
  const { address } = facts
  const change = teamChangeIn(facts, context)
  if (change === undefined) return nothing('no such order')
  const texts = textsOf(address)
  const { name, added } = change
  const changed = withChange(address, change)
  return [
    desk({ what: 'team', change }),
    ...syncTeam(facts, changed),
    log(added ? 'joined' : 'removed', name),
    { do: 'tell inbox', of: changed, text: added ? texts.joined(name) : texts.removed(name) }
  ]
}
