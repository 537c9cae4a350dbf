import type { Homeserver } from '../../../support/homeserver'
import { addressSuite } from '../../../support/addressSuite'
import { practiceGround } from '../../../support/matrixGround'
import { forgettingSuite } from '../../../support/forgettingSuite'
import { membershipSuite } from '../../../support/membershipSuite'
import { matrixSuite, type Ground } from '../../../support/matrixSuite'
import { strangersSuite } from '../../../support/strangersSuite'

describe('Matrix on the practice homeserver', () => {
  let homeserver: Homeserver
  let ground: Ground
  before(async () => { ({ homeserver, ground } = await practiceGround()) })
  after(async () => { await homeserver.stop() })
  matrixSuite(() => ground)
  addressSuite(() => ground)
  membershipSuite(() => ground)
  strangersSuite(() => ground)
  forgettingSuite(() => ground)
})
