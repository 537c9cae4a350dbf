/** Who is in the halls: the rooms of mirrors whose people are to be seen elsewhere. Bounded for each and in all. */
import { addressKey, type MirrorPlace, type Person, type Place } from '../model/address'
import type { Clock } from '../lib/clock'
import type { Leave, MemberNews } from '../model/members'
import type { Sender } from '../model/message'
import type { Directory, Mirror } from '../plan/directory'
import { cleanName } from '../plan/people'

/** Phones lose their connection and come back minutes later; each coming and going stands in a history for good. */
export const GRACE_MS = 10 * 60_000
/** After so long without a word, somebody in a crowd is no longer shown, nor somebody who was never seen coming. */
export const SPEAKER_MS = 24 * 3_600_000
/** New names and pictures of one person are shown at once, but more than CHANGES_AT_ONCE only so often: each stands in a history for good. */
export const CHANGE_EVERY_MS = 60_000
export const CHANGES_AT_ONCE = 3
const AT_ONE_MAX = 5_000 // members of one place that are remembered; of others we only know that they spoke
const MEMBERS_MAX = 100_000

/**
 * `spokeAt`: within SPEAKER_MS. `until`: they are gone, and may come back until then. `next`: how they look now, to be shown later, because that
 * has changed so often.
 */
export interface Member { sender: Sender; spokeAt?: number; until?: number; mayChangeAt?: number; next?: Sender }

const STEPS = [SPEAKER_MS, GRACE_MS]

/**
 * `knownAt`: since when we know all who are there. `settledFor`: for which of STEPS, as far as was told. `dueAt`: before that, time changes nothing
 * here; it is looked at then, and at nobody of the others'.
 */
interface Hall { mirror: Mirror; here: MirrorPlace; members: Map<string, Member>; knownAt?: number; settledFor: number; dueAt: number }

export interface Halls {
  has (place: Place): boolean
  /** All of them; undefined while they are not known. */
  membersAt (place: Place): Member[] | undefined
  /** Somebody there, as they look now. */
  memberAt (place: Place, id: string): Sender | undefined
  /** The places at which this person is. */
  of (person: Person): Place[]
  /** Forgets that they are anywhere, until they are seen anew. Returns where they were. */
  forget (person: Person): Place[]
  /** Whether we have known all who are there for so long, which is one of STEPS. */
  isSettled (place: Place, ms: number): boolean
  /** These return the mirror if what they take may change who is shown in it. */
  take (place: Place, news: MemberNews): Mirror | undefined
  spoke (place: Place, sender: Sender): Mirror | undefined
  /** What time has changed. */
  age (): Mirror[]
}

const keptOf = ({ id, name, avatar, address, vouched, account, hops }: Sender): Sender => ({
  id, name: cleanName(name), ...avatar && { avatar }, ...address !== undefined && { address }, ...vouched && { vouched },
  ...account !== undefined && { account }, ...hops !== undefined && { hops }
})

const isSame = (one: Sender, other: Sender): boolean => one.name === other.name && one.avatar?.ref === other.avatar?.ref &&
  one.address === other.address && one.account === other.account

/** Who is a member where. */
const makeMembership = () => {
  const byPerson = new Map<string, Set<Hall>>()
  let count = 0

  const personKey = ({ here }: Hall, id: string): string => addressKey({ network: here.place.network, id })

  const remove = (hall: Hall, id: string): boolean => {
    if (!hall.members.delete(id)) return false
    count--
    const key = personKey(hall, id)
    const where = byPerson.get(key)
    where?.delete(hall)
    if (where?.size === 0) byPerson.delete(key)
    return true
  }

  const put = (hall: Hall, member: Member): void => {
    const { id } = member.sender
    if (hall.members.size >= AT_ONE_MAX || count >= MEMBERS_MAX) return
    count++
    hall.members.set(id, member)
    const key = personKey(hall, id)
    const where = byPerson.get(key) ?? new Set()
    byPerson.set(key, where.add(hall))
  }

  return { remove, put, hallsOf: (person: Person): Hall[] => [...byPerson.get(addressKey(person)) ?? []] }
}

/** When time changes something about them. */
const dueOf = ({ until = Infinity, spokeAt = Infinity, next, mayChangeAt = -Infinity }: Member): number =>
  Math.min(until, spokeAt + SPEAKER_MS, next === undefined ? Infinity : mayChangeAt)

/** It is looked at then, at the latest. */
const lookBy = (hall: Hall, at: number): void => { hall.dueAt = Math.min(hall.dueAt, at) }

/** Something about them has changed. */
const stir = (hall: Hall, id: string): void => {
  const member = hall.members.get(id)
  if (member !== undefined) lookBy(hall, dueOf(member))
}

export const makeHalls = (directory: Directory, clock: Clock): Halls => {
  const halls = new Map<string, Hall>()
  const { remove, put, hallsOf } = makeMembership()

  const hallOf = (place: Place): Hall | undefined => {
    const before = halls.get(addressKey(place))
    const found = before === undefined ? directory.mirrorAt(place) : undefined
    if (found === undefined || (found.mirror.membersMax ?? 0) === 0 || found.here.people !== undefined) return before
    const made: Hall = { ...found, members: new Map(), settledFor: 0, dueAt: Infinity }
    halls.set(addressKey(place), made)
    return made
  }

  const changes = (member: Member): boolean => {
    const { next, mayChangeAt = -Infinity } = member
    const now = clock.tick()
    if (next === undefined || mayChangeAt > now) return false
    delete member.next
    member.sender = next
    member.mayChangeAt = Math.max(mayChangeAt, now - (CHANGES_AT_ONCE - 1) * CHANGE_EVERY_MS) + CHANGE_EVERY_MS
    return true
  }

  const came = (hall: Hall, given: Sender): boolean => {
    const before = hall.members.get(given.id)
    const sender = keptOf(given)
    if (before === undefined) {
      put(hall, { sender })
      return true
    }
    delete before.until
    delete before.next
    if (isSame(before.sender, sender)) return false
    before.next = sender
    const isChanged = changes(before)
    stir(hall, given.id)
    return isChanged
  }

  const went = (hall: Hall, id: string, how: Leave): boolean => {
    if (how !== 'lost') return remove(hall, id)
    const member = hall.members.get(id)
    if (member !== undefined) member.until ??= clock.tick() + GRACE_MS
    stir(hall, id)
    return false
  }

  const take = (hall: Hall, news: MemberNews): boolean => {
    if (news.kind === 'came') return came(hall, news.member)
    if (news.kind === 'went') return went(hall, news.id, news.how)
    const now = new Set(news.members.map(({ id }) => id))
    hall.knownAt ??= clock.tick()
    for (const ms of STEPS) if (ms > hall.settledFor) lookBy(hall, hall.knownAt + ms)
    for (const id of [...hall.members.keys()]) if (!now.has(id)) went(hall, id, news.others)
    for (const one of news.members.toSorted((a, b) => a.id < b.id ? -1 : 1)) came(hall, one)
    return true
  }

  const spoke = (hall: Hall, sender: Sender): boolean => {
    const member = hall.members.get(sender.id)
    const spokeAt = clock.tick()
    const isNews = member === undefined || spokeAt - (member.spokeAt ?? -Infinity) >= SPEAKER_MS
    if (member === undefined) put(hall, { sender: keptOf(sender), spokeAt, until: spokeAt + SPEAKER_MS })
    else {
      member.spokeAt = spokeAt
      if (member.next !== undefined) member.sender = member.next // as it is said
      delete member.next
      if (member.until !== undefined) member.until = Math.max(member.until, spokeAt + GRACE_MS)
    }
    stir(hall, sender.id)
    return isNews
  }

  const age = (hall: Hall): boolean => {
    const now = clock.tick()
    const gone = [...hall.members].filter(([, { until = Infinity }]) => until <= now)
    for (const [id] of gone) remove(hall, id)
    const silent = [...hall.members.values()].filter(({ spokeAt = Infinity }) => spokeAt + SPEAKER_MS <= now)
    for (const member of silent) delete member.spokeAt
    const changed = [...hall.members.values()].filter(changes)
    const settledFor = STEPS.find(ms => now - (hall.knownAt ?? now) >= ms) ?? 0
    const settles = settledFor !== hall.settledFor
    hall.settledFor = settledFor
    hall.dueAt = Math.min(...STEPS.filter(ms => ms > settledFor).map(ms => (hall.knownAt ?? Infinity) + ms))
    for (const member of hall.members.values()) lookBy(hall, dueOf(member))
    return gone.length + silent.length + changed.length > 0 || settles
  }

  const ifChanged = (place: Place, change: (hall: Hall) => boolean): Mirror | undefined => {
    const hall = hallOf(place)
    return hall !== undefined && change(hall) ? hall.mirror : undefined
  }

  return {
    has: place => hallOf(place) !== undefined,
    membersAt (place) {
      const hall = hallOf(place)
      return hall?.knownAt === undefined ? undefined : [...hall.members.values()]
    },
    memberAt: (place, id) => halls.get(addressKey(place))?.members.get(id)?.sender,
    of: person => hallsOf(person).map(({ here }) => here.place),
    forget: person => hallsOf(person).filter(hall => remove(hall, person.id)).map(({ here }) => here.place),
    isSettled: (place, ms) => (hallOf(place)?.settledFor ?? 0) >= ms,
    take: (place, news) => ifChanged(place, hall => take(hall, news)),
    spoke: (place, sender) => ifChanged(place, hall => spoke(hall, sender)),
    age () {
      const now = clock.tick()
      return [...halls.values()].filter(hall => hall.dueAt <= now && age(hall)).map(({ mirror }) => mirror)
    }
  }
}
