import { systemChance } from '../../../../../src/lib/chance'
import { makeFakePerson } from '../../../../support/fake-app'
import { fakeEngine } from '../../../../support/fake-engine'
import type { Homeserver } from '../../../../support/homeserver'
import { practiceGround } from '../../../../support/matrix-ground'
import type { Ground } from '../../../../support/matrix-suite'
import { beyondSynapseSuite, sealedBoundsSuite } from '../../../../support/sealed-bounds-suite'
import { sealedDevicesSuite } from '../../../../support/sealed-devices-suite'
import { sealedRoomsSuite } from '../../../../support/sealed-rooms-suite'
import { sealedSuite } from '../../../../support/sealed-suite'

describe('Matrix with encryption on the practice homeserver', function () {
  this.timeout(60_000) // this suite waits as long for Synapse
  let homeserver: Homeserver
  let ground: Ground
  before(async () => { ({ homeserver, ground } = await practiceGround({ knowsKeys: true })) })
  after(async () => { await homeserver.stop() })

  describe('with the engine', () => {
    sealedSuite(() => ground)
    sealedBoundsSuite(() => ground)
    sealedDevicesSuite(() => ground)
    beyondSynapseSuite(() => ground)
    sealedRoomsSuite(() => ground)
  })

  describe('with the engine of the simulation', () => {
    const simulated = (): Ground => ({ ...ground, makeEngine: fakeEngine({ chance: systemChance }) })
    sealedSuite(simulated, () => makeFakePerson(homeserver.keys!))
    sealedBoundsSuite(simulated, () => makeFakePerson(homeserver.keys!))
    sealedDevicesSuite(simulated, () => makeFakePerson(homeserver.keys!))
    beyondSynapseSuite(simulated, () => makeFakePerson(homeserver.keys!))
    sealedRoomsSuite(simulated, () => makeFakePerson(homeserver.keys!))
  })
})
