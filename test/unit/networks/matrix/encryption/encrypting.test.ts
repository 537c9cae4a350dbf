import { systemChance } from '../../../../../src/lib/chance'
import { makeFakePerson } from '../../../../support/fake-app'
import { fakeEngine } from '../../../../support/fake-engine'
import { onPractice } from '../../../../support/matrix-ground'
import type { Ground } from '../../../../support/matrix-suite'
import { beyondSynapseSuite, sealedBoundsSuite } from '../../../../support/sealed-bounds-suite'
import { sealedDevicesSuite } from '../../../../support/sealed-devices-suite'
import { sealedRoomsSuite } from '../../../../support/sealed-rooms-suite'
import { sealedSuite } from '../../../../support/sealed-suite'

const SUITES = {
  chats: sealedSuite, bounds: sealedBoundsSuite, devices: sealedDevicesSuite, rooms: sealedRoomsSuite,
  'what Synapse lets nobody do': beyondSynapseSuite
}

describe('Matrix with encryption on the practice homeserver', function () {
  this.timeout(60_000) // this suite waits as long for Synapse

  for (const [what, suite] of Object.entries(SUITES)) {
    describe(`${what}, with the engine`, () => { suite(onPractice({ knowsKeys: true }).ground) })

    describe(`${what}, with the engine of the simulation`, () => {
      const { homeserver, ground } = onPractice({ knowsKeys: true })
      suite((): Ground => ({ ...ground(), makeEngine: fakeEngine({ chance: systemChance }) }), () => makeFakePerson(homeserver().keys!))
    })
  }
})
