/** A direct chat as a place: its id is that of its two ends. */
import { canonicalBare } from '../names'

/** The two ends of a direct chat. */
export interface Ends { ours: string; theirs: string }

/** The two ends, as Naming.direct joins them. */
export const directEnds = (placeId: string): Ends | undefined => {
  const [ours = '', theirs, ...more] = placeId.split(' ')
  if (theirs === undefined || more.length > 1 || canonicalBare(theirs) !== theirs) return undefined
  return { ours, theirs: [theirs, ...more].join(' ') }
}

const KEY = /^direct\/[\w-]{20,}$/

/** The key of an arrival, which is ours: apps do not know it. */
export const directKey = (token: string): string => `direct/${token}`

/** The id that its writer's app gave to a message, from what its arrival is known by; undefined if it gave none. */
export const givenIn = (known: string): string | undefined => KEY.test(known) ? undefined : known

export const directPlace = (ours: string, theirs: string): string => `${ours} ${theirs}`
