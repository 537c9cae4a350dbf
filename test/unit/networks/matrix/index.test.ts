import type { Homeserver } from '../../../support/homeserver'
import { addressSuite } from '../../../support/address-suite'
import { practiceGround } from '../../../support/matrix-ground'
import { encryptionSuite } from '../../../support/encryption-suite'
import { filesSuite } from '../../../support/files-suite'
import { forgettingSuite } from '../../../support/forgetting-suite'
import { membershipSuite } from '../../../support/membership-suite'
import { matrixSuite, type Ground } from '../../../support/matrix-suite'
import { mentionsSuite } from '../../../support/mentions-suite'
import { moderationSuite } from '../../../support/moderation-suite'
import { picturesSuite } from '../../../support/pictures-suite'
import { pollsSuite } from '../../../support/polls-suite'
import { profileFieldsSuite } from '../../../support/profile-fields-suite'
import { profileSuite } from '../../../support/profile-suite'
import { reactionsSuite } from '../../../support/reactions-suite'
import { membersSuite } from '../../../support/members-suite'
import { presenceSuite } from '../../../support/presence-suite'
import { signalsSuite } from '../../../support/signals-suite'
import { strangersSuite } from '../../../support/strangers-suite'
import { takingBackSuite } from '../../../support/taking-back-suite'
import { teamRoomsSuite } from '../../../support/team-rooms-suite'
import { threadsSuite } from '../../../support/threads-suite'

describe('Matrix on the practice homeserver', function () {
  this.timeout(60_000) // these suites wait as long for Synapse
  let homeserver: Homeserver
  let ground: Ground
  before(async () => { ({ homeserver, ground } = await practiceGround()) })
  after(async () => { await homeserver.stop() })
  strangersSuite(() => ground) // first, because a new store looks at all rooms that earlier tests have left
  matrixSuite(() => ground)
  addressSuite(() => ground)
  teamRoomsSuite(() => ground)
  membershipSuite(() => ground)
  filesSuite(() => ground)
  forgettingSuite(() => ground)
  encryptionSuite(() => ground)
  takingBackSuite(() => ground)
  mentionsSuite(() => ground)
  moderationSuite(() => ground)
  picturesSuite(() => ground)
  pollsSuite(() => ground)
  threadsSuite(() => ground)
  profileFieldsSuite(() => ground)
  profileSuite(() => ground)
  reactionsSuite(() => ground)
  signalsSuite(() => ground)
  presenceSuite(() => ground)
  membersSuite(() => ground)
})
