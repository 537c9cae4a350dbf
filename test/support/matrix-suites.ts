/** What every homeserver must show, by what it is about; without what is encrypted, of which the practice homeserver knows nothing by default. */
import { addressSuite } from './address-suite'
import { filesSuite } from './files-suite'
import { forgettingSuite } from './forgetting-suite'
import { matrixSuite, type Ground } from './matrix-suite'
import { membersSuite } from './members-suite'
import { membershipSuite } from './membership-suite'
import { mentionsSuite } from './mentions-suite'
import { moderationSuite } from './moderation-suite'
import { picturesSuite } from './pictures-suite'
import { pollsSuite } from './polls-suite'
import { profileFieldsSuite } from './profile-fields-suite'
import { profileSuite } from './profile-suite'
import { reactionsSuite } from './reactions-suite'
import { signalsSuite } from './signals-suite'
import { strangersSuite } from './strangers-suite'
import { takingBackSuite } from './taking-back-suite'
import { teamRoomsSuite } from './team-rooms-suite'
import { threadsSuite } from './threads-suite'

export type Suites = Record<string, (ground: () => Ground) => void>

/** The tests of each suite in a describe of their own, so that nothing is prepared before the tests of others. */
export const describeAll = (suites: Suites, ground: () => Ground): void => {
  for (const [what, suite] of Object.entries(suites)) describe(what, () => { suite(ground) })
}

/** A homeserver for each group: a new store looks at all rooms that earlier tests have left, so many tests on one take ever longer. */
export const MATRIX_SUITES: Record<string, Suites> = {
  strangers: { strangers: strangersSuite },
  rooms: { rooms: matrixSuite },
  'who is there': { membership: membershipSuite, members: membersSuite, moderation: moderationSuite },
  addresses: { addresses: addressSuite },
  teams: { 'rooms of teams': teamRoomsSuite, forgetting: forgettingSuite },
  'what is said': {
    files: filesSuite, 'taking back': takingBackSuite, mentions: mentionsSuite, polls: pollsSuite, threads: threadsSuite,
    reactions: reactionsSuite, signals: signalsSuite
  },
  'what is shown': { pictures: picturesSuite, 'profile fields': profileFieldsSuite, profiles: profileSuite }
}
