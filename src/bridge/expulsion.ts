/**
 * The rule for those whom a moderator puts out of a place of a mirror, or lets in again. Their words are carried to all other places, but not to
 * that one. The moderators are told there what their act means; whoever it concerns is told with the first message that is not carried.
 */
import { addressKey, type MirrorPlace, type Person, type Place } from '../model/address'
import type { Arrival, ExpulsionArrival, RenamedArrival } from '../model/message'
import type { Directory } from '../plan/directory'
import { expelledKey, type Expelled, HOLDS_MS } from '../plan/expelled'
import { cleanName } from '../plan/people'
import { failureNotice, ignored, notice, type Change, type Plan } from '../plan/plan'
import type { Texts } from '../plan/texts'

type Told = Pick<Plan, 'deliveries' | 'changes'>

const expelling = (place: Place, person: Person, expelled: Expelled | undefined): Change =>
  ({ kind: 'expel', key: expelledKey(place, person), ...expelled && { expelled } })

const letIn = ({ place, person, how }: ExpulsionArrival, before: Expelled): Plan =>
  how === 'invited' && before.how !== 'kicked'
    ? ignored('an invitation ends no ban')
    : { outcome: 'routed', deliveries: [], changes: [expelling(place, person, undefined)] }

/** Whoever is out stays so under their new id; the old one may be somebody else's from now on. */
const renamed = ({ place, person, now }: RenamedArrival, directory: Directory): Plan => {
  const { network } = place
  const changes = (directory.mirrorAt(place)?.mirror.places ?? []).flatMap(({ place: other }) => {
    const expelled = directory.expelled.before(other, { network, id: person })
    return expelled === undefined ? []
      : [expelling(other, { network, id: person }, undefined), expelling(other, { network, id: now }, expelled)]
  })
  return changes.length === 0 ? ignored('nobody was out') : { outcome: 'routed', deliveries: [], changes }
}

export const expulsionRule = (arrival: Arrival, now: number, directory: Directory): Plan | undefined => {
  if (arrival.kind === 'renamed') return renamed(arrival, directory)
  if (arrival.kind !== 'expulsion') return undefined
  const { place, person, how, name } = arrival
  if (directory.mirrorAt(place) === undefined) return ignored('in no mirror')
  const before = directory.expelled.before(place, person)
  const isOver = how === 'invited' || how === 'let in' || (how === 'kicked' && before?.how === 'banned') // leaving a ban behind is its end
  if (isOver) return before === undefined ? ignored('nobody was out') : letIn(arrival, before)
  const isKnown = how === 'banned' && before?.how === how && before.told === true && directory.expelled.at(place, person) !== undefined
  const expelled: Expelled = { how, until: now + HOLDS_MS[how], ...isKnown && { told: true } }
  return {
    outcome: 'routed',
    changes: [expelling(place, person, expelled)],
    deliveries: [notice(arrival, place, 'expelled', directory.textsAt(place).expelled[how](cleanName(name)))]
  }
}

/** Whether its notice says why it stays away: that of a deletion only says where, and a reaction has none. */
const isWords = ({ kind }: Arrival): boolean => kind === 'message' || kind === 'edit'

/** Tells somebody, once, that they are not heard at a place. `arrival` is what they said. */
export const tellExpelled = (arrival: Arrival, place: Place, person: Person, expelled: Expelled, directory: Directory): Told => {
  const problem = { kind: 'failed', why: (texts: Texts) => texts.isExpelled[expelled.how] } as const
  return expelled.told && isWords(arrival) ? { deliveries: [], changes: [] } : {
    deliveries: failureNotice(arrival, { key: addressKey(place), place }, directory, problem),
    changes: isWords(arrival) ? [expelling(place, person, { ...expelled, told: true })] : []
  }
}

/** The same for somebody of whom we have found out that they are banned, or still muted. Whoever was told so before is not told again. */
export const tellBanned = (arrival: Arrival, place: Place, person: Person, now: number, directory: Directory): Told => {
  const before = directory.expelled.before(place, person)
  const how = before?.how === 'muted' ? 'muted' : 'banned'
  const banned: Expelled = { how, until: now + HOLDS_MS[how], ...before?.how === how && before.told === true && { told: true } }
  const { deliveries } = tellExpelled(arrival, place, person, banned, directory)
  return { deliveries, changes: [expelling(place, person, isWords(arrival) ? { ...banned, told: true } : banned)] }
}

/** The places at which this person is heard, and what they are told of the others. */
export const heardAt = (places: MirrorPlace[], arrival: Arrival, person: Person, directory: Directory): Told & { places: MirrorPlace[] } => {
  const out = places.flatMap(({ place }) => {
    const expelled = directory.expelled.at(place, person)
    return expelled === undefined ? [] : [tellExpelled(arrival, place, person, expelled, directory)]
  })
  return {
    places: places.filter(({ place }) => directory.expelled.at(place, person) === undefined),
    deliveries: out.flatMap(one => one.deliveries), changes: out.flatMap(one => one.changes)
  }
}
