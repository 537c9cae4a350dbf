/**
 * Who is there: the people of each place of a mirror are in the other places too, as ghosts, although they say nothing. Networks tell who is at
 * their places (Inbox.members), and are told who of the others belongs there (Network.members). Nothing of it is stored or queued.
 * Promises: in whatever order people come, go and change their names, each place ends with those who are there; nobody is shown where a message
 * of theirs would not go; if they are more than `membersMax`, only those who speak are shown; whoever was lost has GRACE_MS to come back; no place
 * is asked to empty itself because we have been away.
 */
import type { Clock, Timer } from '../lib/clock'
import { addressKey, type MirrorPlace, type NetworkName, type Person, type Place } from '../model/address'
import type { MemberList, MemberNews } from '../model/members'
import type { Arrival, Delivery, Persona } from '../model/message'
import type { Network } from '../model/network'
import { type Directory, type Mirror, peopleAt } from '../plan/directory'
import type { Claim } from '../plan/namesakes'
import type { Store } from '../store/store'
import { keepClaim } from './apply'
import { makeCrowds } from './crowds'
import { makeGone } from './gone'
import { GRACE_MS, makeHalls, type Member, SPEAKER_MS } from './halls'
import { reached, speaker } from './mirror'

/** News that come together are passed on together. */
export const GATHER_MS = 300
/** After these, other people belong to the places of a mirror. */
const ROOM_NEWS: ReadonlySet<Arrival['kind']> = new Set(['standing', 'expulsion', 'renamed'])
const LOOK_EVERY_MS = 60_000
const LATE_MS = 2_000

export interface Members {
  wants (place: Place): boolean
  take (place: Place, news: MemberNews): void
  /** What has waited is said under its writer's name of now: a ghost is called as before by nothing that is late. */
  current (delivery: Delivery): Delivery
  /** Where this person is known to be. */
  placesOf (person: Person): Place[]
  /** Nobody is to stand for them until they are seen anew. Returns where they were. */
  forget (person: Person): Place[]
  /** Whoever speaks is there; and an arrival may change who may be shown where. Returns `accepted`. */
  after (arrival: Arrival, accepted: 'stored' | 'seen'): 'stored' | 'seen'
  /** Shows who can be shown from the start: people whose threads are in a mirror. */
  start (): void
  stop (): void
}

interface Parts {
  networks: ReadonlyMap<NetworkName, Pick<Network, 'can' | 'members'>>; directory: Directory; store: Store; clock: Clock
  /** Somebody has come to this place who was not there before. */
  newcomer (place: Place): void
}

export const makeMembers = ({ networks, directory, store, clock, newcomer }: Parts): Members => {
  const halls = makeHalls(directory, clock)
  const [crowds, goneFrom] = [makeCrowds(clock), makeGone()]
  const changed = new Set<Mirror>()
  let gathering: Timer | undefined
  let looking: Timer | undefined
  let stopped = false

  /** Those of a place who may be shown elsewhere. */
  const membersAt = (here: MirrorPlace): Member[] => {
    if (here.people === undefined) return directory.isOpen(here.place) ? halls.membersAt(here.place) ?? [] : []
    return peopleAt(here).some(person => directory.isBlocked(person)) ? []
      : Object.entries(here.people).map(([id, name]) => ({ sender: { id, name } }))
  }

  /** Whether we have known for so long who is there. */
  const isSettled = ({ place, people }: MirrorPlace, ms: number): boolean =>
    people !== undefined || !directory.isOpen(place) || halls.isSettled(place, ms)

  const listFor = (mirror: Mirror, where: MirrorPlace, claims: Claim[]): MemberList => {
    const sources = mirror.places.filter(here => here !== where && reached(mirror, here, directory).includes(where))
    const people = sources.flatMap(here => membersAt(here).map(member => ({ ...member, here })))
      .sort((one, other) => (other.spokeAt ?? -1) - (one.spokeAt ?? -1))
    const isCrowd = crowds.isOne(mirror, where.place, people.length)
    const shown = isCrowd ? people.filter(({ spokeAt }) => spokeAt !== undefined).slice(0, mirror.membersMax) : people
    const members = shown.flatMap((one): Persona[] => {
      const { here, sender } = one
      const { as, changes: [change] } = speaker({ place: here.place, sender }, { mirror, here }, directory)
      if (change?.kind !== 'called') return [as]
      if (one.spokeAt === undefined && directory.namesakes.isCrowded(mirror.name)) return []
      directory.namesakes.learn(change.claim)
      claims.push(change.claim)
      return [as]
    })
    const heard = members.filter(({ person }) => directory.expelled.at(where.place, person) === undefined)
    const whole = sources.every(here => isSettled(here, isCrowd ? SPEAKER_MS : GRACE_MS))
    const there = new Set(people.map(({ here, sender: { id } }) => addressKey({ network: here.place.network, id })))
    return { place: where.place, members: heard, gone: goneFrom(where.place, heard, there, whole), whole }
  }

  const listsOf = (mirror: Mirror, claims: Claim[]): MemberList[] => mirror.places
    .filter(({ place, people }) => people === undefined && networks.get(place.network)?.members !== undefined && directory.isOpen(place))
    .map(where => listFor(mirror, where, claims))

  /** In a transaction, because rules read and change in one who has which name. */
  const show = (mirror: Mirror): void => {
    store.run(async tx => {
      const claims: Claim[] = []
      const lists = listsOf(mirror, claims)
      for (const claim of claims) await keepClaim(tx, claim)
      return lists
    }).then(lists => {
      for (const list of lists) if (!stopped) networks.get(list.place.network)?.members?.(list)
    }, () => { /* the store has failed, and the process stops */ })
  }

  const look = (mirror: Mirror | undefined): void => {
    if (mirror === undefined || (mirror.membersMax ?? 0) === 0 || stopped) return
    changed.add(mirror)
    gathering ??= clock.after(GATHER_MS, () => {
      gathering = undefined
      for (const one of changed) show(one)
      changed.clear()
    })
  }

  const lookAround = (): void => {
    for (const mirror of [...halls.age(), ...crowds.over()]) look(mirror)
    looking = clock.after(LOOK_EVERY_MS, lookAround)
  }

  return {
    wants: halls.has,
    take (place, news) {
      const isNew = news.kind === 'came' && halls.memberAt(place, news.member.id) === undefined
      look(halls.take(place, news))
      if (isNew) newcomer(place)
    },
    placesOf: halls.of, forget: halls.forget,
    current (delivery) {
      const { as, place, at } = delivery
      const mirror = as === undefined || clock.now() - at < LATE_MS ? undefined : directory.mirrorAt(place)?.mirror
      for (const here of mirror?.places ?? []) {
        const sender = here.place.network === as?.person.network ? halls.memberAt(here.place, as.person.id) : undefined
        if (as === undefined || mirror === undefined || sender === undefined) continue
        const { as: { name }, changes } = speaker({ place: here.place, sender }, { mirror, here }, directory)
        if (changes.length === 0) return { ...delivery, as: { ...as, name } } // else they are not shown under it yet
      }
      return delivery
    },
    after (arrival, accepted) {
      if (accepted === 'seen') return accepted
      if ('sender' in arrival && arrival.kind !== 'deletion') look(halls.spoke(arrival.place, arrival.sender))
      const found = directory.mirrorAt(arrival.place)
      if (ROOM_NEWS.has(arrival.kind) || found?.here.people !== undefined) look(found?.mirror)
      return accepted
    },
    start () {
      for (const place of directory.places()) {
        const found = directory.mirrorAt(place)
        if (found?.here.people !== undefined) look(found.mirror)
      }
      lookAround()
    },
    stop () {
      stopped = true
      gathering?.cancel()
      looking?.cancel()
    }
  }
}
