import assert from 'node:assert/strict'
import type { Place } from '../../../../src/model/address'
import type { Delivery } from '../../../../src/model/message'
import { plain } from '../../../../src/model/text'
import { systemChance } from '../../../../src/lib/chance'
import { makeFakePerson } from '../../../support/fake-app'
import { fakeEngine } from '../../../support/fake-engine'
import type { Homeserver } from '../../../support/homeserver'
import { ADDRESS, practiceGround } from '../../../support/matrix-ground'
import { makeMatrixPerson } from '../../../support/matrix-person'
import { bernd, delivery, makeBridge, PNG, type Bridge, type Ground } from '../../../support/matrix-suite'
import { until } from '../../../support/practice'

describe('a file for where it is encrypted', () => {
  let homeserver: Homeserver, ground: Ground, bridge: Bridge
  const signal = (): AbortSignal => AbortSignal.timeout(10_000)
  const address = (): string => `@${ADDRESS}:${ground.serverName}`
  const ALGORITHM = { algorithm: 'm.megolm.v1.aes-sha2' }
  const PICTURE = { kind: 'image', name: 'Tor.png', mime: 'image/png', at: { network: 'xmpp', ref: 'f1' }, url: 'https://x/Tor.png' } as const

  const picture = (place: Place, more: Partial<Extract<Delivery['action'], { kind: 'message' }>> = {}): Delivery => {
    const content = { style: 'text', text: plain('Das Tor'), file: PICTURE } as const
    const { as, ...own } = delivery(place, '', { action: { kind: 'message', content, ...more } })
    return own
  }
  /** What the homeserver has got, and could read. */
  const readable = (): number => [...homeserver.state.media.values()].filter(({ bytes }) => PNG.equals(bytes)).length

  beforeEach(async () => {
    ({ homeserver, ground } = await practiceGround({ knowsKeys: true }))
    bridge = makeBridge({ ...ground, makeEngine: fakeEngine({ chance: systemChance }) })
    bridge.files.set('f1', PNG)
    bridge.network.serve([{ id: address(), aliases: [], profile: { name: 'Bürgerbüro', about: 'offen' } }])
  })
  afterEach(async () => {
    await bridge.network.stop()
    await homeserver.stop()
  })

  const start = async (places: Place[] = []): Promise<void> => {
    bridge.network.attend(places)
    await bridge.network.start(bridge.inbox)
    await until(() => bridge.memory.keys('signed ').length > 0, 'the address has a device that is signed')
    if (places.length > 0) await bridge.inbox.until('the rooms are joined', () => bridge.inbox.connections.get('rooms') === true)
  }

  it('is not stored for a room of a mirror that may not be encrypted', async () => {
    const anna = homeserver.person('anna')
    const place = { network: 'matrix', id: anna.createRoom({ preset: 'public_chat' }) }
    await start([place])
    anna.setState(place.id, 'm.room.encryption', '', ALGORITHM)
    const message = { ...picture(place), as: bernd }
    await bridge.network.upload!(message, signal())
    await assert.rejects(bridge.network.send(message, signal()), { name: 'Refused', because: 'encrypted' })
    assert.deepEqual(homeserver.state.media.size, 0)
  })

  it('is not stored in the clear before there is a room to ask', async () => {
    const { userId, accessToken } = await ground.createUser('nina')
    const nina = makeMatrixPerson(ground.url, userId, accessToken)
    const app = await makeFakePerson(homeserver.keys!)(nina)
    await start()
    const place = { network: 'matrix', id: `${address()} ${userId}` }
    const message = picture(place, { secret: true })
    await bridge.network.upload!(message, signal())
    assert.equal(homeserver.state.media.size, 0, 'nobody knows yet whether it must be sealed')
    await bridge.network.send(message, signal())
    const [room] = Object.keys((await nina.call('GET', 'v3/sync?timeout=0') as { rooms: { invite: object } }).rooms.invite)
    await nina.join(room!)
    const { content } = (await app.reads(room!, 'Das Tor', ({ content }) => content.body === 'Das Tor')).read
    assert.equal(content.url, undefined)
    assert.deepEqual([homeserver.state.media.size, readable()], [1, 0])
  })

  it('is stored sealed for an earlier room of the chat too, if it corrects what was said there', async () => {
    const { userId, accessToken } = await ground.createUser('nina')
    const nina = makeMatrixPerson(ground.url, userId, accessToken)
    const app = await makeFakePerson(homeserver.keys!)(nina)
    await start()
    const place = { network: 'matrix', id: `${address()} ${userId}` }
    const begins = async (words: (room: string) => Promise<unknown>, more: object = {}): Promise<string> => {
      const room = await nina.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [address()], ...more })
      await nina.waitFor(room, 'the address', ({ state_key: who, content }) => who === address() && content.membership === 'join')
      const count = bridge.inbox.arrivals.length
      await words(room)
      await bridge.inbox.until('its words', () => bridge.inbox.arrivals.length > count)
      return room
    }
    const sealed = await begins(room => app.say(room, 'hallo'), { initial_state: [{ type: 'm.room.encryption', state_key: '', content: ALGORITHM }] })
    const first = picture(place)
    const { ids: target } = await bridge.network.send(first, signal())
    const openly = await begins(room => nina.send(room, 'hier weiter'))
    assert.notEqual(openly, sealed)
    const content = { style: 'text' as const, text: plain('Das andere Tor'), file: PICTURE }
    const edit: Delivery = { ...first, key: `${first.key}-edit`, action: { kind: 'edit', of: first.key, content }, target }
    await bridge.network.upload!(edit, signal())
    await bridge.network.send(edit, signal())
    assert.equal(readable(), 0)
  })
})
