/**
 * Since when each place is in its mirror. What was said before is for nobody who reads there now: not for a new partner, and not for the old one
 * either if the place was in no mirror for a while. What was said while Zentrale was down is caught up where the mirror is still the same, whatever
 * it is called.
 */
import { addressKey, type Place } from '../model/address'
import type { Tx } from '../store/store'
import type { Mirror } from './mirrored'

/** The owner of the memory that holds it, by place. */
export const JOINED = 'joined'
/** The owner of the memory that holds the places that have left their mirror, and when: see bridge/parting.ts. */
export const PARTED = 'parted'
/** In the first memory: it has been begun. What was in a mirror when that was done counts as having been there always. */
const BEGUN = 'begun'
/** Times of archives have no fractions of a second. */
const SECOND_MS = 1000
/** So long something from before may still be brought. After that everybody is heard, also those whose server has a wrong clock. */
const BROUGHT_MS = 24 * 3600_000

/** `first`: the first place of the mirror, by which the other places are known to be with it. `since`: ms since 1970; 0: always. */
interface Joined { first: string; since: number }

const written = ({ first, since }: Joined): string => `${since} ${first}`

const read = (text: string): Joined => {
  const [since, ...first] = text.split(' ')
  return { first: first.join(' '), since: Number(since) }
}

const keysOf = ({ places }: Mirror): string[] => places.map(({ place }) => addressKey(place))

/** What most of them have in common. */
const commonest = (values: string[]): string | undefined => {
  const counts = new Map<string, number>()
  for (const one of values) counts.set(one, (counts.get(one) ?? 0) + 1)
  return [...counts].toSorted(([, one], [, other]) => other - one)[0]?.[0]
}

/** Those of its places that were together before stay as they were; the others come in now. */
const joined = (mirror: Mirror, before: ReadonlyMap<string, Joined>, since: number): [key: string, Joined][] => {
  const keys = keysOf(mirror)
  const together = commonest(keys.flatMap(key => before.get(key)?.first ?? []))
  return keys.map(key => {
    const was = before.get(key)
    return [key, { first: keys[0] ?? key, since: was !== undefined && was.first === together ? was.since : since }]
  })
}

/** Of portals, which may rest: `ended` have left. */
interface Resting { places: Place[]; ended: { here: Place, there: Place }[] }

/**
 * Remembers the mirrors that there are from now on, and which places have left. What rests is remembered as it was; what has ended, until people
 * there know. Returns since when each place is in its mirror.
 */
export const joinAll = async (tx: Tx, mirrors: Mirror[], { places, ended }: Resting, now: number): Promise<Map<string, number>> => {
  const remembered = new Map(await tx.remembered(JOINED))
  const since = remembered.delete(BEGUN) ? now - now % SECOND_MS : 0
  const before = new Map([...remembered].map(([key, value]) => [key, read(value)]))
  const after = new Map(mirrors.flatMap(mirror => joined(mirror, before, since)))
  const resting = new Set(places.map(addressKey))
  const over = new Set(ended.flatMap(({ here, there }) => [addressKey(here), addressKey(there)]))
  await tx.remember(JOINED, BEGUN, '1')
  for (const key of remembered.keys()) {
    if (after.has(key)) continue
    if (!resting.has(key)) await tx.forget(JOINED, key)
    if (!resting.has(key) || over.has(key)) await tx.remember(PARTED, key, String(now))
  }
  for (const [key, value] of after) {
    const text = written(value)
    if (remembered.get(key) !== text) await tx.remember(JOINED, key, text)
  }
  return new Map([...after].map(([key, one]) => [key, one.since]))
}

/** Remembers a mirror of places that were in none. Returns since when they are in it. */
export const join = async (tx: Tx, mirror: Mirror, now: number): Promise<number> => {
  const since = now - now % SECOND_MS
  for (const [key, value] of joined(mirror, new Map(), since)) await tx.remember(JOINED, key, written(value))
  return since
}

/** `at`: when it was said. `now`: when it was brought. By a clock that is before `since` nothing can be told, so all is heard. */
export const wasIn = (joined: ReadonlyMap<string, number>, place: Place, at: number, now: number): boolean => {
  const since = joined.get(addressKey(place)) ?? 0
  return since === 0 || at >= since || now < since || now > since + BROUGHT_MS
}
