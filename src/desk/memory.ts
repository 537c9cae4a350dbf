/**
 * What the desk keeps in memory, so that rules can be pure and quick: the addresses with their present teams, who is off duty, and which
 * place belongs to which conversation. It is read from the store at the start, and updated after each commit that changes it.
 */
import { addressKey, type NetworkName, type Person, type Place } from '../model/address'
import type { Naming } from '../model/network'
import type { Teams } from '../plan/directory'
import { looksLike } from '../plan/people'
import type { Conversation, TeamChange } from '../store/desk'
import { agentKey, agentOf, identityOn, type Agent, type FunctionAddress, type Roster } from './address'

export type Spot =
  | ContactSpot
  | { kind: 'room', conversation: number, address: string, contact: Place } // address: whose team works there
  | { kind: 'queue', address: string }
  | { kind: 'chat', address: string, person: Person } // an agent's chat with the address: never a contact's place

/** `handledBy`: whose team has it now. `open`: the case is. `owner`: the agentKey of who has it. */
export interface ContactSpot {
  kind: 'contact'; conversation: number; address: string; handledBy: string; person: Person; open: boolean; owner?: string
}

/** A place of the team. `people`: who belongs in a room. A direct chat has none, because it is one agent's own. */
export interface TeamPlace { place: Place; people?: string[] }

const HOUSE = 'Zentrale'
const WORD_CHARACTERS_MIN = 3 // shorter words of a name are not taken for the whole name

const wordsOf = (name: string): string[] => name.split(/[\s-]+/).filter(word => word.length >= WORD_CHARACTERS_MIN)

/** Names with which somebody else could be taken for an address or somebody of its team. */
const names = ({ name, profile, team }: FunctionAddress, words: boolean): string[] =>
  [name, profile.name, ...team.flatMap(agent => words ? [agent.name, ...wordsOf(agent.name)] : agent.name)]

export interface DeskMemory extends Teams {
  readonly roster: Roster
  networks (): NetworkName[]
  naming (network: NetworkName): Naming | undefined
  spotOf (place: Place): Spot | undefined
  learn (conversation: Conversation): void
  forget (conversation: Conversation): void
  /** The contact's place, and the conversation's own rooms of all teams that have or had it. */
  placesFor (conversation: Conversation): Place[]
  isOff (address: string, agent: string): boolean
  duty (address: string, agent: string, on: boolean): void
  team (change: TeamChange): void
  /** The config says something new of these addresses, which are called as before. `changes`: of all teams, which still count. */
  renew (addresses: FunctionAddress[], changes: TeamChange[]): void
  /** The places in which the team of `address` works on a conversation; for 'queue', those in which it sees all cases. */
  placesOf (address: FunctionAddress, what: number | 'queue'): TeamPlace[]
  /** The rooms among them, also on networks where nobody of the team is any more. */
  roomsOf (address: FunctionAddress, what: number | 'queue'): Required<TeamPlace>[]
  /** The room of rooms of an address on a network. */
  houseOf (address: FunctionAddress, network: NetworkName): Place | undefined
  /** All rooms in which we must listen for the desk. */
  places (): Place[]
}

export const withChange = (address: FunctionAddress, { person, name, added }: Omit<TeamChange, 'address'>): FunctionAddress => {
  const same = (one: Person): boolean => addressKey(one) === addressKey(person)
  const others = address.team.flatMap((agent): Agent[] => {
    const left = agent.addresses.filter(one => !same(one))
    return left.length === 0 ? [] : [{ ...agent, addresses: left }]
  })
  if (!added) return { ...address, team: others }
  return agentOf(address, person) === undefined ? { ...address, team: [...address.team, { name, addresses: [person] }] } : address
}

interface Remembered { conversations: Conversation[]; offDuty: { address: string, agent: string }[]; changes: TeamChange[] }

export const makeDeskMemory = (roster: Roster, namings: ReadonlyMap<NetworkName, Naming>, remembered: Remembered): DeskMemory => {
  const spots = new Map<string, { place: Place, spot: Spot }>() // as many as there are places of addresses and conversations
  const off = new Set(remembered.offDuty.map(({ address, agent }) => `${address} ${agent}`))
  const put = (place: Place, spot: Spot): void => { spots.set(addressKey(place), { place, spot }) }

  const team = ({ address, ...change }: TeamChange): void => {
    const found = roster.named(address)
    if (found !== undefined) roster.put(withChange(found, change))
    learnChats()
  }

  const renew = (addresses: FunctionAddress[], changes: TeamChange[]): void => {
    for (const address of addresses) roster.put(address)
    for (const change of changes.filter(({ address }) => addresses.some(({ name }) => name === address))) team(change)
    learnChats()
  }

  const roomOn = (address: Pick<FunctionAddress, 'slug'>, network: NetworkName, what: number | 'queue' | 'all'): Place | undefined => {
    const id = namings.get(network)?.room(address.slug, what)
    return id === undefined ? undefined : { network, id }
  }

  const chatWith = (address: FunctionAddress, person: Person): TeamPlace[] => {
    const ours = identityOn(address, person.network)
    const naming = namings.get(person.network)
    return ours === undefined || naming === undefined ? [] : [{ place: { network: person.network, id: naming.direct(ours, person.id) } }]
  }

  const roomsOf = (address: FunctionAddress, what: number | 'queue'): Required<TeamPlace>[] => [...namings.keys()].flatMap(network => {
    const place = roomOn(address, network, what)
    const people = address.team.filter(({ direct }) => direct !== true)
      .flatMap(({ addresses }) => addresses.filter(one => one.network === network).map(({ id }) => id))
    return place === undefined ? [] : [{ place, people }]
  })

  const placesOf = (address: FunctionAddress, what: number | 'queue'): TeamPlace[] => {
    const rooms = roomsOf(address, what).filter(({ people }) => people.length > 0)
    const chats = address.team.flatMap(agent => agent.addresses
      .filter(person => agent.direct === true || roomOn(address, person.network, what) === undefined)
      .flatMap(person => chatWith(address, person)))
    return [...rooms, ...chats]
  }

  let chats = new Map<string, Spot>() // of all agents
  const learnChats = (): void => {
    chats = new Map(roster.all().flatMap(address => address.team.flatMap(({ addresses }) => addresses.flatMap(person =>
      chatWith(address, person).map(({ place }): [string, Spot] => [addressKey(place), { kind: 'chat', address: address.name, person }])))))
  }
  const spotOf = (place: Place): Spot | undefined => chats.get(addressKey(place)) ?? spots.get(addressKey(place))?.spot

  const learn = ({ id, address: shown, handledBy, place, contact: person, state, owner }: Conversation): void => {
    put(place, {
      kind: 'contact', conversation: id, address: shown, handledBy, person, open: state !== 'done', ...owner === undefined ? {} : { owner }
    })
    const address = roster.named(handledBy)
    if (address === undefined) return
    for (const network of namings.keys()) {
      const room = roomOn(address, network, id)
      if (room !== undefined) put(room, { kind: 'room', conversation: id, address: handledBy, contact: place })
    }
  }

  const placesFor = ({ id, handledBy, place, leftRooms = [] }: Conversation): Place[] => {
    const slugs = new Set([...leftRooms, roster.named(handledBy)?.slug ?? []].flat())
    return [place, ...[...slugs].flatMap(slug => [...namings.keys()].flatMap(network => roomOn({ slug }, network, id) ?? []))]
  }

  const isOfTeam = (person: Person): boolean => roster.all().some(address => agentOf(address, person) !== undefined)

  const forget = (conversation: Conversation): void => {
    for (const one of placesFor(conversation)) spots.delete(addressKey(one))
  }

  learnChats()
  for (const change of remembered.changes) team(change)
  for (const address of roster.all()) {
    for (const network of namings.keys()) {
      const queue = roomOn(address, network, 'queue')
      if (queue !== undefined) put(queue, { kind: 'queue', address: address.name })
    }
  }
  remembered.conversations.forEach(learn)

  return {
    roster, learn, forget, placesFor, team, renew,
    networks: () => [...namings.keys()],
    naming: network => namings.get(network),
    spotOf,
    isContacts: place => spotOf(place)?.kind === 'contact',
    isTeams: place => ['room', 'queue', 'chat'].includes(spotOf(place)?.kind ?? ''),
    roomsFor (place) {
      const spot = spotOf(place)
      const address = spot?.kind === 'contact' ? roster.named(spot.handledBy) : undefined
      return address === undefined || spot?.kind !== 'contact' ? [] : roomsOf(address, spot.conversation)
        .filter(({ people }) => people.length > 0).map(({ place }) => place)
    },
    isOfTeam,
    languageAt: place => roster.named(spotOf(place)?.address ?? '')?.language,
    isReserved: (name, person, words) => looksLike(name, HOUSE) || (!isOfTeam(person) &&
      roster.all().some(address => names(address, words).some(one => looksLike(one, name)))),
    isOff: (address, agent) => off.has(`${address} ${agent}`),
    duty (address, agent, on) {
      if (on) off.delete(`${address} ${agent}`)
      else off.add(`${address} ${agent}`)
    },
    placesOf, roomsOf,
    houseOf: (address, network) => roomOn(address, network, 'all'),
    places: () => [...spots.values()].flatMap(({ place, spot }) => {
      const address = spot.kind === 'contact' ? undefined : roster.named(spot.address)
      const inside = address?.team.some(agent => agent.direct !== true && agent.addresses.some(({ network }) => network === place.network))
      return inside === true ? [place] : []
    })
  }
}

/** The agent with this address, and their key; undefined for anybody else. */
export const agentAt = (address: FunctionAddress, network: NetworkName, id: string): { agent: Agent, key: string } | undefined => {
  const agent = agentOf(address, { network, id })
  return agent && { agent, key: agentKey(agent) }
}
