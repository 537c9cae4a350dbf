import { writeFileSync } from 'node:fs'
import { freePort } from '../../sandbox/servers/process'
import { startSynapse, type Synapse } from '../../sandbox/servers/synapse'
import { systemChance } from '../../src/lib/chance'
import { makeRegistration, writeRegistration } from '../../src/networks/matrix/registration/registration'
import { addressSuite } from '../support/address-suite'
import { ADDRESS, ALIAS } from '../support/matrix-ground'
import { filesSuite } from '../support/files-suite'
import { forgettingSuite } from '../support/forgetting-suite'
import { membershipSuite } from '../support/membership-suite'
import { matrixSuite, type Ground } from '../support/matrix-suite'
import { sealedBoundsSuite } from '../support/sealed-bounds-suite'
import { sealedDevicesSuite } from '../support/sealed-devices-suite'
import { sealedRoomsSuite } from '../support/sealed-rooms-suite'
import { sealedSuite } from '../support/sealed-suite'
import { strangersSuite } from '../support/strangers-suite'
import { mentionsSuite } from '../support/mentions-suite'
import { moderationSuite } from '../support/moderation-suite'
import { picturesSuite } from '../support/pictures-suite'
import { pollsSuite } from '../support/polls-suite'
import { profileFieldsSuite } from '../support/profile-fields-suite'
import { profileSuite } from '../support/profile-suite'
import { reactionsSuite } from '../support/reactions-suite'
import { membersSuite } from '../support/members-suite'
import { signalsSuite } from '../support/signals-suite'
import { takingBackSuite } from '../support/taking-back-suite'
import { teamRoomsSuite } from '../support/team-rooms-suite'
import { needs, scratch } from '../support/real'
import { threadsSuite } from '../support/threads-suite'

const SERVER = 'synapse.test'

describe('Matrix on Synapse', () => {
  needs('synapse')
  const dir = scratch()
  let synapse: Synapse | undefined
  let ground: Ground

  before(async () => {
    const port = await freePort()
    const registration = makeRegistration({
      domain: SERVER, url: `http://127.0.0.1:${port}`, addresses: [ADDRESS], aliases: [ALIAS]
    }, systemChance)
    writeFileSync(dir('registration.yaml'), writeRegistration(registration))
    const registrations = [dir('registration.yaml')]
    const server = synapse = await startSynapse({ dir: dir('synapse'), serverName: SERVER, registrations })
    ground = {
      url: server.url, serverName: SERVER,
      config: { homeserverUrl: server.url, domain: SERVER, registration, listen: { host: '127.0.0.1', port } },
      createUser: name => server.createUser(name, systemChance.token(12)),
      restart: () => server.restart()
    }
  })
  after(async () => { await synapse?.stop() })
  strangersSuite(() => ground) // first, because a new store looks at all rooms that earlier tests have left
  matrixSuite(() => ground)
  addressSuite(() => ground)
  teamRoomsSuite(() => ground)
  membershipSuite(() => ground)
  filesSuite(() => ground)
  forgettingSuite(() => ground)
  sealedSuite(() => ground)
  sealedBoundsSuite(() => ground)
  sealedDevicesSuite(() => ground)
  sealedRoomsSuite(() => ground)
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
  membersSuite(() => ground)
})
