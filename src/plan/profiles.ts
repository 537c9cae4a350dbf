/**
 * What the places of mirrors show of themselves, as far as we know; which change was the last in each mirror; and where somebody was told that
 * we may not change it. Kept whole in memory: a few lines for each place.
 */
import { addressKey, type ArrivalKey, type NetworkName, type Place } from '../model/address'
import type { Shown } from '../model/message'

/** The owner of the memory that holds this. */
export const PROFILES = 'profile'

type What = Shown['what']

/** The arrival that brought a change. */
export interface ChangedBy { network: NetworkName; key: ArrivalKey }

/** What of its places a mirror carries. */
export type Carries = Record<What, boolean>

/** A line of that memory: to be remembered, or without a value forgotten. */
export interface Noted { key: string; value: string | undefined }

const shownKey = (place: Place, what: What): string => `shown ${addressKey(place)} ${what}`
const lastKey = (mirror: string, what: What): string => `last ${mirror} ${what}`
const toldKey = (place: Place, what: What): string => `told ${addressKey(place)} ${what}`

export const shows = (place: Place, { what, value }: Shown): Noted => ({ key: shownKey(place, what), value })
export const changedLast = (mirror: string, what: What, { network, key }: ChangedBy): Noted =>
  ({ key: lastKey(mirror, what), value: JSON.stringify({ network, key } satisfies ChangedBy) })
export const told = (place: Place, what: What, is: boolean): Noted => ({ key: toldKey(place, what), value: is ? '1' : undefined })

export interface Profiles {
  /** Undefined if it is not known. */
  shown (place: Place, what: What): string | undefined
  /** The last change in the mirror. */
  last (mirror: string, what: What): ChangedBy | undefined
  isTold (place: Place, what: What): boolean
  learn (noted: Noted): void
}

export const makeProfiles = (remembered: [string, string][]): Profiles => {
  const known = new Map(remembered)
  return {
    shown: (place, what) => known.get(shownKey(place, what)),
    last (mirror, what) {
      const value = known.get(lastKey(mirror, what))
      return value === undefined ? undefined : JSON.parse(value) as ChangedBy
    },
    isTold: (place, what) => known.has(toldKey(place, what)),
    learn ({ key, value }) {
      if (value === undefined) known.delete(key)
      else known.set(key, value)
    }
  }
}
