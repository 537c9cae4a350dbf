/** A Synapse that encrypts new rooms by default: what check says about it, and our own rooms on it. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { freePort } from '../../sandbox/servers/process'
import { startSynapse, type Synapse } from '../../sandbox/servers/synapse'
import { systemChance } from '../../src/lib/chance'
import { systemClock } from '../../src/lib/clock'
import { checkNewRooms } from '../../src/networks/matrix/check-rooms'
import { makeRegistration, writeRegistration } from '../../src/networks/matrix/registration/registration'
import { showFinding } from '../../src/operate/check'
import { delivery, makeBridge, type Bridge, type Ground } from '../support/matrix-suite'
import { needs, scratch } from '../support/real'

const SERVER = 'synapse.test'

for (const encryptsNewRooms of [undefined, 'invite', 'all'] as const) {
  describe(`Matrix on a Synapse that encrypts new rooms: ${encryptsNewRooms ?? 'off'}`, () => {
    needs('synapse')
    const dir = scratch()
    let synapse: Synapse
    let ground: Ground
    let bridge: Bridge | undefined

    before(async () => {
      const port = await freePort()
      const registration = makeRegistration({ domain: SERVER, url: `http://127.0.0.1:${port}`, addresses: [], aliases: [] }, systemChance)
      writeFileSync(dir('registration.yaml'), writeRegistration(registration))
      synapse = await startSynapse({
        dir: dir('synapse'), serverName: SERVER, registrations: [dir('registration.yaml')], ...encryptsNewRooms && { encryptsNewRooms }
      })
      ground = {
        url: synapse.url, serverName: SERVER,
        config: { homeserverUrl: synapse.url, domain: SERVER, registration, listen: { host: '127.0.0.1', port } },
        createUser: name => synapse.createUser(name, systemChance.token(12)), restart: () => synapse.restart()
      }
    })
    after(async () => {
      await bridge?.network.stop()
      await synapse?.stop()
    })

    const call = async (method: string, path: string): Promise<{ status: number, json: { joined_rooms?: string[], type?: string } }> => {
      const headers = { authorization: `Bearer ${ground.config.registration.as_token}` }
      const answer = await fetch(`${synapse.url}/_matrix/client/v3/${path}`, { method, headers })
      return { status: answer.status, json: await answer.json() as { joined_rooms?: string[], type?: string } }
    }

    it('is found to do so, and no room is left behind', async () => {
      assert.match(showFinding(await checkNewRooms(ground.config, systemClock)), {
        off: /^✓ New Matrix rooms: are not encrypted by default$/,
        invite: /^! New Matrix rooms: are encrypted by default if they are for invited people\n +Those of the team are so only if/,
        all: /^! New Matrix rooms: are all encrypted by default\n +Those of the team are too/
      }[encryptsNewRooms ?? 'off'])
      assert.deepEqual((await call('GET', 'joined_rooms')).json.joined_rooms, [])
    })

    it('makes an unencrypted room for the team where that is possible, and otherwise one that we read', async () => {
      bridge = makeBridge(ground)
      await bridge.network.start(bridge.inbox)
      const place = { network: 'matrix', id: bridge.network.naming.room('amt', 1)! }
      const action = { kind: 'room' as const, room: { name: 'Müller', topic: '', people: [] } }
      await bridge.network.send({ key: 'room1', attempt: 1, at: 0, place, action }, AbortSignal.timeout(60_000))
      const [room] = (await call('GET', 'joined_rooms')).json.joined_rooms!
      const path = `rooms/${encodeURIComponent(room!)}`
      assert.equal((await call('GET', `${path}/state/m.room.encryption/`)).status, encryptsNewRooms === 'all' ? 200 : 404)
      if (encryptsNewRooms !== 'all') return
      const { ids: [id] } = await bridge.network.send(delivery(place, 'hallo'), AbortSignal.timeout(60_000))
      const { type } = (await call('GET', `${path}/event/${id}`)).json
      assert.equal(type, 'm.room.encrypted')
    })
  })
}
