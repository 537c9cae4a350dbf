/** What a mirror is: places that show the same. */
import type { MirrorPlace } from '../model/address'
import type { Shows } from '../model/signal'
import type { Carries } from './profiles'
/** How a writer sees that their message has arrived in all other places: as a read mark of ours, or not. */
export type DeliveryMarking = 'none' | 'read' | 'reaction'

/** Whether moderators remove in all places what they remove in theirs, or there alone. */
export type Moderation = 'shared' | 'own'

/** What a mirror carries besides messages. */
export type Carried = Pick<Mirror, 'shows' | 'deliveryMarks' | 'moderation' | 'membersMax' | 'carries' | 'pictures' | 'retentionDays'>

/**
 * `shows`: absent, no signals. `moderation`: absent, shared. `membersMax`: up to how many people of its other places are in each place although
 * they say nothing; absent, 0. `carries`: what of the places themselves is the same in all; absent, nothing. `direct`: a chat
 * between two persons, so nobody else is carried. `pictures`: false where people have no pictures in the other places.
 * `isPortal`: it is not in the config. `allowsEncrypted`: places that are encrypted are carried all the same, in the clear to the others.
 * `retentionDays`: after so many, what was said there is forgotten; absent: as everything that is no address's.
 */
export interface Mirror {
  name: string; places: MirrorPlace[]; shows?: Shows; deliveryMarks?: DeliveryMarking; moderation?: Moderation; membersMax?: number
  carries?: Carries; direct?: true; isPortal?: true; pictures?: boolean; allowsEncrypted?: boolean; retentionDays?: number
}
