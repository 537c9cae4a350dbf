/**
 * What people do besides speaking is let in by a side door: nothing of it is stored, nothing waits for it, and too much is dropped.
 * Promises: it is shown only where the config says so, and never where a message would not go: not at a place that rests, not to somebody who
 * sent STOP. The contact of an address sees the address, never who of the team; and nothing from the room of all cases.
 */
import { agentKey, agentOf, type FunctionAddress } from '../desk/address'
import type { ContactSpot, DeskMemory, Spot } from '../desk/memory'
import type { Clock } from '../lib/clock'
import { addressKey, type NetworkName, type Person, type Place, samePlace } from '../model/address'
import type { Arrival } from '../model/message'
import type { Network } from '../model/network'
import { type HasRead, type Presence, type Shows, SHOWS_NOTHING, type SignalIn, type SignalOut } from '../model/signal'
import type { Directory } from '../plan/directory'
import type { Store } from '../store/store'
import { type DeliveryMarks, makeDeliveryMarks } from './delivery-marks'
import { isAnothers } from './direct'
import { reached } from './mirror'
import { makePresence } from './presence'
import { makeReading } from './reading'
import { makeTyping, type Target } from './typing'

export interface Signals extends DeliveryMarks {
  take (signal: SignalIn): void
  presence (person: Person, presence: Presence): void
  /** Whoever speaks types no longer. */
  spoken (arrival: Arrival): void
  stop (): void
}

interface Parts {
  networks: ReadonlyMap<NetworkName, Pick<Network, 'signal'>>; directory: Directory; desk: DeskMemory; store: Store; clock: Clock
  placesOf (person: Person): Place[] // of mirrors, where they are known to be
}

type Whose = Pick<SignalIn, 'place' | 'sender'>

/** Who sees what somebody does at a place. Pure. */
const makeTargets = (directory: Directory, desk: DeskMemory) => {
  const inMirror = ({ place, sender }: Whose, what: keyof Shows): Target[] => {
    const found = directory.mirrorAt(place)
    if (found?.mirror.direct === true && isAnothers(found.here, sender.id)) return []
    if (found?.mirror.shows?.[what] !== true || !directory.isOpen(place)) return []
    return reached(found.mirror, found.here, directory).map(where => ({ place: where.place, as: { network: place.network, id: sender.id } }))
  }

  /** The address that the contact sees and the one whose team has the case, if signals pass between them. */
  const between = ({ address, handledBy, person, open }: ContactSpot, what: keyof Shows): FunctionAddress | undefined => {
    const shown = desk.roster.named(address)
    const handler = desk.roster.named(handledBy)
    const isOn = (one: FunctionAddress | undefined): boolean => one !== undefined && (one.shows ?? SHOWS_NOTHING)[what] === true && !one.redirectOnly
    return open && isOn(shown) && isOn(handler) && !directory.isBlocked(addressKey(person)) ? handler : undefined
  }

  const ofContact = (spot: ContactSpot, { place, sender }: Whose, what: keyof Shows): Target[] => {
    const team = sender.id === spot.person.id ? between(spot, what) : undefined
    if (team === undefined) return []
    return desk.placesOf(team, spot.conversation).filter(one => !samePlace(one.place, place))
      .map(one => one.people === undefined ? { place: one.place } : { place: one.place, as: spot.person })
  }

  /** Whether what this agent writes in the room of a case goes to its contact as it is. */
  const speaksToContact = ({ answers, claim }: FunctionAddress, key: string, { owner }: ContactSpot): boolean =>
    answers === 'all' && (owner === undefined || owner === key || claim === 'open')

  const ofTeam = ({ contact, address, conversation }: Spot & { kind: 'room' }, { place, sender }: Whose, what: keyof Shows): Target[] => {
    const spot = desk.spotOf(contact)
    const team = spot?.kind === 'contact' && spot.handledBy === address ? between(spot, what) : undefined
    const person: Person = { network: place.network, id: sender.address ?? sender.account ?? sender.id }
    const agent = team && agentOf(team, person)
    if (spot?.kind !== 'contact' || team === undefined || agent === undefined) return []
    const colleagues = desk.roomsOf(team, conversation).filter(({ place: room, people }) => people.length > 0 && !samePlace(room, place))
    return [
      ...colleagues.map(room => ({ place: room.place, as: { network: place.network, id: sender.address ?? sender.id } })),
      ...what === 'read' || speaksToContact(team, agentKey(agent), spot) ? [{ place: contact }] : []
    ]
  }

  /** In a direct chat of the team, the message that is read says which case is meant. */
  const ofChat = ({ address, person }: Spot & { kind: 'chat' }, { sender }: Whose, said: Place): Target[] => {
    const spot = desk.spotOf(said)
    const isTheirs = spot?.kind === 'contact' && spot.handledBy === address && sender.id === person.id
    return isTheirs && between(spot, 'read') !== undefined ? [{ place: said }] : []
  }

  return (whose: Whose, what: keyof Shows, said?: Place): Target[] => {
    const spot = desk.spotOf(whose.place)
    switch (spot?.kind) {
      case 'contact': return ofContact(spot, whose, what)
      case 'room': return ofTeam(spot, whose, what)
      case 'chat': return said === undefined ? [] : ofChat(spot, whose, said)
      case 'queue': return [] // which case is meant is known only when it is said
      case undefined: return inMirror(whose, what)
    }
  }
}

export const makeSignals = ({ networks, directory, desk, store, clock, placesOf }: Parts): Signals => {
  const targets = makeTargets(directory, desk)
  const show = (target: Target, does: SignalOut['does']): void => networks.get(target.place.network)?.signal?.({ ...target, does })
  const typing = makeTyping(clock, whose => targets(whose, 'typing'), (target, now) => show(target, { kind: 'typing', typing: now }))

  /** In mirrors alone: an address shows its own, and nobody's of the team. */
  const presence = makePresence(clock, person => placesOf(person).filter(place => desk.spotOf(place) === undefined)
    .flatMap(place => targets({ place, sender: person }, 'presence')), show)

  /** To a contact, the address marks only what the contact said. */
  const hasRead = (target: Target, read: HasRead): void => {
    if ('said' in read.upTo || !desk.isContacts(target.place)) show(target, read)
  }
  const reading = makeReading({ store, targetsOf: (mark, said) => targets(mark, 'read', said), show: hasRead })
  /** Spares the store what nobody may see. */
  const mayShow = (whose: Whose): boolean => desk.spotOf(whose.place)?.kind === 'chat' || targets(whose, 'read').length > 0

  return {
    take ({ does, ...whose }) {
      if (does.kind === 'typing') typing.take(whose, does.typing)
      else if (mayShow(whose)) reading.take({ ...whose, does })
    },
    spoken (arrival) {
      if (arrival.kind === 'message') typing.take(arrival, false)
    },
    ...makeDeliveryMarks({ store, directory, show: ({ place, does }) => show({ place }, does) }),
    presence: presence.take,
    stop () {
      typing.stop()
      presence.stop()
    }
  }
}
