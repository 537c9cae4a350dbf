/**
 * The rule for what the places of a mirror show of themselves: a topic, name or picture that somebody changes in one place is changed in all.
 * Promises: the last change wins, and in the end all places show it. At the first look nothing is changed anywhere, but in the rooms that we made
 * for a portal, as long as they show nothing. What a place shows already causes nothing, so no change comes back as another one. If we may not
 * change it somewhere, that is said once, where somebody changed it.
 */
import { isDeepStrictEqual } from 'node:util'
import { type MirrorPlace, samePlace, type Place } from '../model/address'
import { type Arrival, type Delivery, HOPS_MAX, type Persona, type ProfileArrival, type Sent, type Shown } from '../model/message'
import type { Directory, Mirror } from '../plan/directory'
import { personaOf } from '../plan/people'
import { delivery, ignored, notice, whereOf, type Change, type Plan } from '../plan/plan'
import { type ChangedBy, changedLast, type Noted, shows, told } from '../plan/profiles'
import type { NewDelivery, Recorded } from '../store/store'
import { reached } from './mirror'

/** Longer ones are shortened: what they say cannot be split. */
const CHARACTERS_MAX = { topic: 5000, name: 200, picture: Infinity }

const short = ({ what, value }: Shown): Shown => {
  const most = CHARACTERS_MAX[what]
  return { what, value: value.length <= most ? value : `${value.slice(0, most - 1).toWellFormed().trimEnd()}…` }
}

const noted = (...lines: Noted[]): Change[] => lines.map(line => ({ kind: 'profile', ...line }))

/** Counts the switchboards that a change went through. Nobody is shown as the one who changed it. */
const personaFor = ({ place, by }: ProfileArrival, directory: Directory): Persona => {
  const { label } = directory.can(place.network)
  return personaOf(place.network, label, by ?? { id: place.id, name: label })
}

const change = (arrival: ProfileArrival, place: Place, part: number, directory: Directory): NewDelivery => delivery(arrival, place, part,
  { kind: 'profile', shown: short(arrival.shown), change: { network: arrival.place.network, key: arrival.key } }, personaFor(arrival, directory))

/** Whether this is the room that somebody asked for, and where they find it still shows nothing of the kind. */
const isPortalsRoom = ({ mirror, here }: { mirror: Mirror, here: MirrorPlace }, { what }: Shown, { profiles }: Directory): boolean => {
  const [made, asked] = mirror.places
  return mirror.isPortal === true && made !== undefined && here === asked && (profiles.shown(made.place, what) ?? '') === ''
}

export const profileRule = (arrival: Arrival, directory: Directory): Plan | undefined => {
  if (arrival.kind !== 'profile') return undefined
  const { place, key, shown, by } = arrival
  const found = directory.mirrorAt(place)
  if (found?.mirror.carries?.[shown.what] !== true) return ignored('not carried from there')
  if (!directory.isOpen(place) || (by?.hops ?? 0) >= HOPS_MAX) return ignored('the mirror rests, or it came too far')
  const before = directory.profiles.shown(place, shown.what)
  if (before === shown.value) return ignored('it is so already')
  const now = shows(place, shown)
  const isForgotten = shown.value === '' && by === undefined // a room that its server has lost and made anew shows nothing
  const isFirst = by === undefined && before === undefined
  if (isForgotten || (isFirst && !isPortalsRoom(found, shown, directory))) {
    return { outcome: 'routed', deliveries: [], changes: noted(now), why: 'the first look, or at what was forgotten' }
  }
  const deliveries = reached(found.mirror, found.here, directory).filter(one => directory.can(one.place.network).profiles)
    .map(one => change(arrival, one.place, 0, directory))
  return {
    outcome: 'routed', deliveries, changes: noted(now, changedLast(found.mirror.name, shown.what, { network: place.network, key })),
    ...deliveries.length === 0 && { why: 'nobody else is reached' }
  }
}

type Changing = Pick<Delivery, 'place' | 'action'>

/** The later change that has made this one pointless. */
export const overtakenBy = ({ place, action }: Changing, directory: Directory): ChangedBy | undefined => {
  const mirror = action.kind === 'profile' ? directory.mirrorAt(place)?.mirror.name : undefined
  const last = action.kind === 'profile' && mirror !== undefined ? directory.profiles.last(mirror, action.shown.what) : undefined
  return action.kind === 'profile' && last !== undefined && !isDeepStrictEqual(last, action.change) ? last : undefined
}

/** A place shows it. `later`: the change that has overtaken it. If that was made in this place just before ours came, it is made there again. */
export const isShown = ({ place, action }: Changing, { shows: now }: Sent, later: Recorded | undefined, id: number,
  directory: Directory): Plan | undefined => {
  if (action.kind !== 'profile') return undefined
  const { what, value } = action.shown
  const again = later?.arrival.kind === 'profile' && samePlace(later.arrival.place, place) && later.arrival.shown.value !== (now ?? value)
    ? [change(later.arrival, place, id, directory)] : []
  return { outcome: 'routed', changes: noted(shows(place, { what, value: now ?? value }), told(place, what, false)), deliveries: again }
}

/** A place does not show it. Whoever changed it is told where they did, once until it works again. */
export const isNotShown = (origin: Arrival, { place, action }: Changing, directory: Directory): Plan => {
  const isTold = action.kind !== 'profile' || directory.profiles.isTold(place, action.shown.what)
  if (isTold) return ignored('they know')
  const { what } = action.shown
  const text = directory.textsAt(origin.place).notShown(what, whereOf(place, directory))
  return {
    outcome: 'routed', changes: noted(told(place, what, true)),
    deliveries: [notice(origin, origin.place, `not shown ${whereOf(place, directory)}`, text)]
  }
}
