import { writeFileSync } from 'node:fs'
import { freePort } from '../../sandbox/servers/process'
import { startSynapse, type Synapse } from '../../sandbox/servers/synapse'
import { systemChance } from '../../src/lib/chance'
import { makeRegistration, writeRegistration } from '../../src/networks/matrix/registration/registration'
import { ADDRESS, ALIAS } from '../support/matrix-ground'
import type { Ground } from '../support/matrix-suite'
import { describeAll, MATRIX_SUITES } from '../support/matrix-suites'
import { needs, scratch } from '../support/real'
import { sealedBoundsSuite } from '../support/sealed-bounds-suite'
import { sealedDevicesSuite } from '../support/sealed-devices-suite'
import { sealedRoomsSuite } from '../support/sealed-rooms-suite'
import { sealedSuite } from '../support/sealed-suite'

const SERVER = 'synapse.test'
const SEALED = {
  'encrypted chats': { chats: sealedSuite, bounds: sealedBoundsSuite },
  'encrypted devices and rooms': { devices: sealedDevicesSuite, rooms: sealedRoomsSuite }
}

/** Inside a describe: a Synapse for its tests. */
const onSynapse = (): () => Ground => {
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
  return () => ground
}

describe('Matrix on Synapse', () => {
  needs('synapse')
  for (const [what, suites] of Object.entries({ ...MATRIX_SUITES, ...SEALED })) describe(what, () => { describeAll(suites, onSynapse()) })
})
