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

export const directPlace = (ours: string, theirs: string): string => `${ours} ${theirs}`
