/**
 * Whom moderators have put out of a place of a mirror: nothing that these people say is carried there. Promises: known over a restart, as long as
 * the store keeps it; at most EXPELLED_MAX, and beyond that the oldest are heard again.
 */
import { addressKey, type Person, type Place } from '../model/address'

/** The owner of the memory that holds them. */
export const EXPELLED = 'expelled'

/** How long a kick holds, and after which time somebody banned or muted is let through once, to see whether they still are. */
export const HOLDS_MS: Readonly<Record<How, number>> = { kicked: 3_600_000, banned: 3 * 60_000, muted: 24 * 3_600_000 }

const EXPELLED_MAX = 10_000

/** `kicked`: for an hour. `banned`: until the ban is lifted. `muted`: until they have a voice again. */
export type How = 'kicked' | 'banned' | 'muted'

/** `until`: ms since 1970. `told`: they know. */
export interface Expelled { how: How; until: number; told?: true }

export interface Expulsions {
  /** Undefined if this person is heard there. */
  at (place: Place, person: Person): Expelled | undefined
  /** The same, also if its time is over. */
  before (place: Place, person: Person): Expelled | undefined
  set (key: string, expelled: Expelled | undefined): void
  /** Whom to forget, so that there is room for this one. */
  surplus (key: string): string | undefined
  /** Ends those whose time is over. */
  sweep (now: number): void
}

export const expelledKey = (place: Place, person: Person): string => JSON.stringify([addressKey(place), addressKey(person)])

export const makeExpulsions = (remembered: [key: string, value: string][], most = EXPELLED_MAX): Expulsions => {
  const all = new Map(remembered.map(([key, value]): [string, Expelled] => [key, JSON.parse(value) as Expelled]))
  const over = new Set<string>()
  let next = -Infinity // nobody's time is over before

  const surplus = (key: string): string | undefined => all.size < most || all.has(key) ? undefined : all.keys().next().value
  const remove = (key: string): void => { all.delete(key); over.delete(key) }

  return {
    surplus,
    at (place, person) {
      if (all.size === 0) return undefined // nearly always, and each message asks
      const key = expelledKey(place, person)
      return over.has(key) ? undefined : all.get(key)
    },
    before: (place, person) => all.get(expelledKey(place, person)),
    set (key, expelled) {
      const gone = surplus(key)
      remove(key)
      if (expelled === undefined) return
      if (gone !== undefined) remove(gone)
      all.set(key, expelled)
      next = Math.min(next, expelled.until)
    },
    sweep (now) {
      if (now < next) return
      next = Infinity
      for (const [key, { until }] of all) {
        if (until <= now) over.add(key)
        else next = Math.min(next, until)
      }
    }
  }
}
