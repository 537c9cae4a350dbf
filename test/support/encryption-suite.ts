/** Direct chats that their contact has encrypted, on any homeserver. We say nothing in one, except that we cannot read it. */
import assert from 'node:assert/strict'
import type { Place } from '../../src/model/address'
import type { Delivery } from '../../src/model/message'
import type { Network } from '../../src/model/network'
import { plain } from '../../src/model/text'
import { ADDRESS } from './matrix-ground'
import { makeMatrixPerson, type Json, type MatrixPerson, type SeenEvent } from './matrix-person'
import { delivery, makeBridge, newKey, said, type Bridge, type Ground } from './matrix-suite'

const ALGORITHM: Json = { algorithm: 'm.megolm.v1.aes-sha2' }
const ENCRYPTED = { initial_state: [{ type: 'm.room.encryption', state_key: '', content: ALGORITHM }] }

export const encryptionSuite = (ground: () => Ground): void => {
  let contact: MatrixPerson
  const running: Network[] = []
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)
  const address = (): string => `@${ADDRESS}:${ground().serverName}`
  const place = (): Place => ({ network: 'matrix', id: `${address()} ${contact.userId}` })
  const begin = async (more: Parameters<typeof makeBridge>[1] = {}): Promise<Bridge> => {
    const bridge = makeBridge(ground(), more)
    running.push(bridge.network)
    bridge.network.serve([{ id: address(), aliases: [], profile: { name: 'Bürgerbüro', about: 'offen' } }])
    await bridge.network.start(bridge.inbox)
    await bridge.inbox.until('the address is there', () => bridge.inbox.connections.get('addresses') === true)
    return bridge
  }
  const chat = (options: Json = {}): Promise<string> =>
    contact.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [address()], ...options })
  const encrypt = (room: string): Promise<void> => contact.setState(room, 'm.room.encryption', '', ALGORITHM)
  const answer = (text: string, more: Partial<Delivery> = {}): Delivery => {
    const { as, ...rest } = delivery(place(), text, more)
    return rest
  }
  const refuses = ({ network }: Bridge, one = answer('geheim')): Promise<void> =>
    assert.rejects(network.send(one, signal()), { name: 'Refused', because: 'encrypted' })
  const isNotice = ({ sender, content }: SeenEvent): boolean => sender === address() && /verschlüsselt[^]*encrypted/.test(String(content.body))
  const words = async (room: string): Promise<unknown[]> => (await contact.events(room))
    .filter(event => event.sender === address() && event.type === 'm.room.message' && !isNotice(event))
    .map(({ content }) => content.body)

  beforeEach(async () => {
    const { userId, accessToken } = await ground().createUser(`kunde${newKey()}`.toLowerCase())
    contact = makeMatrixPerson(ground().url, userId, accessToken)
  })
  afterEach(async () => { await Promise.all(running.splice(0).map(network => network.stop())) })

  describe('a direct chat that its contact has encrypted', () => {
    it('gets one notice at once, that it cannot be read, and no answer', async () => {
      const bridge = await begin()
      const room = await chat(ENCRYPTED)
      await contact.waitFor(room, 'the notice', isNotice)
      await refuses(bridge)
      await contact.send(room, { ...ALGORITHM, ciphertext: 'x' }, 'm.room.encrypted')
      await bridge.inbox.until('it', () => bridge.inbox.arrivals.length === 1)
      await refuses(bridge)
      await contact.send(room, 'im Klartext')
      await bridge.inbox.until('it', () => said(bridge.inbox).includes('im Klartext'))
      await refuses(bridge)
      assert.deepEqual([await words(room), (await contact.events(room)).filter(isNotice).length], [[], 1])
    })

    it('gets no answer from the moment in which it is encrypted; earlier messages can be taken back, but not edited', async () => {
      const bridge = await begin()
      const room = await chat()
      await contact.send(room, 'guten Tag')
      await bridge.inbox.until('it', () => bridge.inbox.arrivals.length === 1)
      const before = answer('davor')
      const { ids: target } = await bridge.network.send(before, signal())
      await encrypt(room)
      await refuses(bridge) // whether we were told or not
      await contact.waitFor(room, 'the notice', isNotice)
      const content = { style: 'text' as const, text: plain('geheim') }
      await refuses(bridge, answer('', { action: { kind: 'edit', of: before.key, content }, target }))
      assert.deepEqual(await words(room), ['davor'])
      await bridge.network.send(answer('', { action: { kind: 'deletion', of: before.key }, target }), signal())
      assert.deepEqual(await words(room), [undefined])
    })

    it('gets no answer after a restart either, nor when its encryption is said to be off', async () => {
      const first = await begin()
      const room = await chat()
      await contact.send(room, 'guten Tag')
      await first.inbox.until('it', () => first.inbox.arrivals.length === 1)
      await first.network.stop()
      await encrypt(room)
      const second = await begin(first)
      await refuses(second)
      await second.network.stop()
      await contact.setState(room, 'm.room.encryption', '', {})
      await refuses(await begin(first))
      assert.deepEqual(await words(room), [])
    })

    it('is followed by answers again once the contact writes in a chat without encryption', async () => {
      const bridge = await begin()
      await contact.waitFor(await chat(ENCRYPTED), 'the notice', isNotice)
      await refuses(bridge)
      const room = await chat()
      await contact.send(room, 'guten Tag')
      await bridge.inbox.until('it', () => bridge.inbox.arrivals.length === 1)
      await bridge.network.send(answer('guten Tag'), signal())
      assert.deepEqual(await words(room), ['guten Tag'])
    })
  })
}
