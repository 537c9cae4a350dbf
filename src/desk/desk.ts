/** The desk for the bridge: what it remembers, how its changes are stored, and which identities it has on each network. */
import type { Clock } from '../lib/clock'
import type { Log } from '../lib/log'
import type { NetworkName } from '../model/address'
import { Unavailable } from '../model/errors'
import type { Identity, Naming, Network } from '../model/network'
import type { Counted, DeskChange } from '../plan/desk-change'
import type { Store, Tx } from '../store/store'
import { secondsOf, type ToCount } from '../store/tally'
import { agentKey, makeRoster, type FunctionAddress } from './address'
import { isOpen, nextOpening, showTime } from './hours'
import { makeDeskMemory, type DeskMemory } from './memory'
import { menuOf } from './menu'
import { remember, renewed, retiredFrom, withTheirRooms } from './retired'

const CONVERSATIONS_MAX = 1_000_000

/** Logs the addresses that the store knows and the config does not. */
const tellGone = (used: string[], addresses: FunctionAddress[], retired: FunctionAddress[], log: Log): void => {
  for (const { name, identities, retired: before = [] } of retired) {
    log.warn({ address: name, called: identities.map(({ id }) => id), before: before.map(({ id }) => id) },
      'an address is not in the config any more; its open cases can still be answered, see zentrale check')
  }
  for (const address of used.filter(one => ![...addresses, ...retired].some(({ name }) => name === one))) {
    log.error({ address }, 'an address is not in the config any more, and nothing else is known of it: nobody can answer its contacts; put it back')
  }
}

export const readDesk = (inConfig: FunctionAddress[], networks: Network[], store: Store, log: Log): Promise<DeskMemory> => {
  const namings = new Map<NetworkName, Naming>(networks.map(({ name, naming }) => [name, naming]))
  return store.run(async tx => {
    const conversations = await tx.desk.allConversations(CONVERSATIONS_MAX)
    const used = new Set(conversations.flatMap(({ address, handledBy }) => [address, handledBy]))
    const addresses = await withTheirRooms(tx, inConfig)
    const retired = await retiredFrom(tx, addresses, used, namings)
    await remember(tx, addresses, retired, namings)
    tellGone([...used], addresses, retired, log)
    return makeDeskMemory(makeRoster([...retired, ...addresses]), namings, { // what has the same name for its rooms is the one in the config
      conversations, offDuty: await tx.desk.offDuty(), changes: await tx.desk.teamChanges()
    })
  })
}

/** The config says something new of addresses that are called as before. In one transaction, as every change of what rules know. */
export const renewDesk = (addresses: FunctionAddress[], memory: DeskMemory, store: Store): Promise<void> => store.run(async tx => {
  memory.renew(await renewed(tx, addresses), await tx.desk.teamChanges())
})

const countsOf = (event: Counted): ToCount[] => {
  const of = { whose: 'address', name: event.address, network: event.network } as const
  switch (event.event) {
    case 'label': case 'agent': return [{ ...of, what: event.event, detail: event.which }]
    case 'first answer': return [
      { ...of, what: 'first answer', detail: secondsOf(event.ms) }, { ...of, what: 'first answer open', detail: secondsOf(event.openMs) }
    ]
    case 'closed': return [
      { ...of, what: 'closed' },
      { ...of, what: 'closing', detail: secondsOf(event.ms) }, { ...of, what: 'closing open', detail: secondsOf(event.openMs) }
    ]
    case 'in': case 'out': case 'unsaid': case 'claim lost': case 'automatic': case 'opened': case 'reopened': return [{ ...of, what: event.event }]
  }
}

/** Stores a change, inside the commit to which it belongs. Throws Unavailable if somebody else was first: then the arrival comes again. */
export const applyDesk = async (tx: Tx, change: DeskChange, journal: number, now: number, steadyNow: number): Promise<void> => {
  const { desk } = tx
  switch (change.what) {
    case 'save':
      if (!await desk.save(change.conversation, change.expected, steadyNow)) throw new Unavailable('the case was taken in the same moment')
      return
    case 'entry': return await desk.entry(change.entry, journal)
    case 'release': return await desk.released(change.entry, change.sent === true ? journal : undefined)
    case 'unsaid': return await desk.unsaid(change.entry)
    case 'reword': return await desk.reworded(change.entry, change.content, change.text)
    case 'assign': return await desk.assign(change.entry, change.project)
    case 'automatic': return await desk.automatic(change.conversation, change.sent, change.address)
    case 'log': return await desk.log(change.line)
    case 'consent': return await desk.consent(change.consent)
    case 'duty': return await desk.duty(change.address, change.agent, change.on, now)
    case 'team': return await desk.changeTeam(change.change)
    case 'login': return await tx.pages.login(change.login, now)
    case 'count': for (const one of countsOf(change)) tx.tally.count(one)
  }
}

/** Updates memory after the commit. */
export const learnDesk = (memory: DeskMemory, change: DeskChange): void => {
  if (change.what === 'save') memory.learn(change.conversation)
  if (change.what === 'duty') memory.duty(change.address, change.agent, change.on)
  if (change.what === 'team') memory.team(change.change)
}

/** Available when the address is open and somebody of its team is on duty. */
const presentAt = (address: FunctionAddress, memory: DeskMemory, now: number): { available: boolean, text: string } => {
  const { hours, name, team, language, zone, retired } = address
  const open = isOpen(hours, now)
  const staffed = team.some(agent => !memory.isOff(name, agentKey(agent)))
  if (open) return { available: staffed && retired === undefined, text: '' }
  const next = nextOpening(hours, now)
  return { available: false, text: next === undefined ? '' : `${language === 'de' ? 'wieder da' : 'back'} ${showTime(next, zone, language, now)}` }
}

/** Our identities on a network. */
export const identitiesOn = (network: NetworkName, memory: DeskMemory, clock: Pick<Clock, 'now'>): Identity[] =>
  memory.roster.all().flatMap(address => address.identities.filter(one => one.network === network).map(({ id }) => ({
    id, aliases: address.aliases.filter(one => one.network === network).map(one => one.id),
    profile: { ...address.profile, present: presentAt(address, memory, clock.now()) },
    team: address.team.flatMap(({ addresses }) => addresses.filter(one => one.network === network).map(one => one.id)),
    menu: menuOf(address, memory), ...address.encrypts === true && { encrypts: true },
    ...address.shows === undefined || address.redirectOnly ? {} : { shows: address.shows }
  })))
