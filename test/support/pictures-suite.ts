/** The name and picture of our own user, and the pictures of our rooms, on any homeserver. */
import assert from 'node:assert/strict'
import type { Place } from '../../src/model/address'
import type { Delivery, RoomState } from '../../src/model/message'
import type { Identity, Network } from '../../src/model/network'
import { ADDRESS } from './matrix-ground'
import { makeMatrixPerson, type Json, type MatrixPerson } from './matrix-person'
import { makeBridge, newKey, PNG, type Bridge, type Ground } from './matrix-suite'
import { until } from './practice'

const encode = encodeURIComponent
const LIMIT_MS = 60_000

export const picturesSuite = (ground: () => Ground): void => {
  let anna: MatrixPerson
  const running: Network[] = []
  const address = (): string => `@${ADDRESS}:${ground().serverName}`
  const begin = async (logo: Identity['profile']['logo']): Promise<Bridge> => {
    const bridge = makeBridge(ground())
    running.push(bridge.network)
    bridge.network.serve([{ id: address(), aliases: [], profile: { name: 'Bürgerbüro', about: '', ...logo && { logo } } }])
    await bridge.network.start(bridge.inbox)
    await bridge.inbox.until('the address is there', () => bridge.inbox.connections.get('addresses') === true)
    return bridge
  }

  before(async () => {
    const { userId, accessToken } = await ground().createUser(`anna${newKey()}`.toLowerCase())
    anna = makeMatrixPerson(ground().url, userId, accessToken)
  })
  afterEach(async () => { await Promise.all(running.splice(0).map(network => network.stop())) })

  describe('pictures', () => {
    it('of an address are those of its rooms and of Zentrale\'s own user, which has a name', async () => {
      const { network } = await begin({ bytes: PNG, mime: 'image/png' })
      const name = `amt-${newKey().toLowerCase().replace(/[^a-z0-9]/g, '')}`
      const place = (what: 'all' | 'queue'): Place => ({ network: 'matrix', id: network.naming.room(name, what)! })
      const make = (where: Place, more: Partial<RoomState>): Promise<unknown> => network.send({
        key: newKey(), place: where, at: Date.now(), attempt: 1,
        action: { kind: 'room', room: { name: 'Amt', topic: '', people: [anna.userId], from: address(), ...more } }
      } satisfies Delivery, AbortSignal.timeout(LIMIT_MS))
      await make(place('all'), {})
      await make(place('queue'), { inside: place('all') })
      for (const { id } of [place('all'), place('queue')]) {
        const { room_id: room } = await anna.call('GET', `v3/directory/room/${encode(id)}`)
        await anna.join(String(room))
        const { url } = await anna.call('GET', `v3/rooms/${encode(String(room))}/state/m.room.avatar/`)
        assert.deepEqual(await anna.download(String(url)), PNG)
      }
      const bot = `@${ground().config.registration.sender_localpart}:${ground().serverName}`
      const shown = (): Promise<Json> => anna.call('GET', `v3/profile/${encode(bot)}`)
      await until(async () => typeof (await shown()).avatar_url === 'string', 'its picture', LIMIT_MS)
      const { displayname, avatar_url: picture } = await shown()
      assert.equal(displayname, 'Zentrale')
      assert.deepEqual(await anna.download(String(picture)), PNG)
    })
  })
}
