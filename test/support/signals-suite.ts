/** Typing and read marks on any homeserver: of ours, and those of others. */
import assert from 'node:assert/strict'
import type { Person, Place } from '../../src/model/address'
import type { Identity, Network } from '../../src/model/network'
import { ghostMxid } from '../../src/networks/matrix/names'
import { ADDRESS } from './matrix-ground'
import { makeMatrixPerson, type Json, type MatrixPerson } from './matrix-person'
import { bernd, delivery, makeBridge, newKey, said, type Bridge, type Ground } from './matrix-suite'

export const signalsSuite = (ground: () => Ground): void => {
  let anna: MatrixPerson
  const running: Network[] = []
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)
  const begin = async (places: Place[], identities: Identity[] = []): Promise<Bridge> => {
    const bridge = makeBridge(ground())
    running.push(bridge.network)
    bridge.network.serve(identities)
    bridge.network.attend(places)
    await bridge.network.start(bridge.inbox)
    if (places.length > 0) await bridge.inbox.until('the rooms are joined', () => bridge.inbox.connections.get('rooms') === true)
    return bridge
  }
  const openRoom = async (): Promise<Place> => ({ network: 'matrix', id: await anna.createRoom({ preset: 'public_chat' }) })
  const type = ({ network }: Bridge, place: Place, typing: boolean, as?: Person): void =>
    network.signal?.({ place, does: { kind: 'typing', typing }, ...as && { as } })
  const typists = (content: Json): unknown[] => Array.isArray(content.user_ids) ? content.user_ids : []
  const seesTyping = (room: string, mxid: string, typing: boolean): Promise<void> => anna.seesSignal(room, `${mxid} types: ${typing}`,
    (kind, content) => kind === 'm.typing' && typists(content).includes(mxid) === typing)
  const seesRead = (room: string, mxid: string, event: string): Promise<void> => anna.seesSignal(room, `${mxid} has read ${event}`,
    (kind, content) => kind === 'm.receipt' && JSON.stringify(content[event] ?? {}).includes(`"${mxid}":{"ts":`))

  before(async () => {
    const { userId, accessToken } = await ground().createUser(`anna${newKey()}`.toLowerCase())
    anna = makeMatrixPerson(ground().url, userId, accessToken)
  })
  afterEach(async () => { await Promise.all(running.splice(0).map(network => network.stop())) })

  describe('signals', () => {
    it('of ours are shown by ghosts that are in the room, and nobody enters it for them', async () => {
      const place = await openRoom()
      const bridge = await begin([place])
      const event = await anna.send(place.id, 'Kommt ihr?')
      await bridge.network.send(delivery(place, 'Ja', { as: bernd }), signal())
      const stranger = { network: 'xmpp', id: 'stranger@example.org' }
      type(bridge, place, true, stranger)
      type(bridge, place, true, bernd.person)
      const mxid = ghostMxid(bernd.person, ground().serverName)
      await seesTyping(place.id, mxid, true)
      type(bridge, place, false, bernd.person)
      await seesTyping(place.id, mxid, false)
      bridge.network.signal?.({ place, as: bernd.person, does: { kind: 'read', upTo: { said: event } } })
      await seesRead(place.id, mxid, event)
      bridge.network.signal?.({ place, does: { kind: 'read', upTo: { said: event } } })
      await seesRead(place.id, `@${ground().config.registration.sender_localpart}:${ground().serverName}`, event)
      const entered = (await anna.events(place.id)).map(({ state_key: key }) => key)
      assert.ok(!entered.includes(ghostMxid(stranger, ground().serverName)))
    })

    it('of others come in, without ours', async () => {
      const place = await openRoom()
      const bridge = await begin([place])
      const { ids: [event = ''] } = await bridge.network.send(delivery(place, 'Wir kommen', { as: bernd }), signal())
      type(bridge, place, true, bernd.person)
      await anna.types(place.id, true)
      const ofAnna = (does: unknown) => ({ place, sender: { id: anna.userId }, does })
      const came = (one: unknown): Promise<void> => bridge.inbox.until(JSON.stringify(one), () =>
        bridge.inbox.signals.some(each => JSON.stringify(each) === JSON.stringify(one)))
      await came(ofAnna({ kind: 'typing', typing: true }))
      await anna.types(place.id, false)
      await came(ofAnna({ kind: 'typing', typing: false }))
      await anna.reads(place.id, event)
      await came(ofAnna({ kind: 'read', upTo: [event] }))
      assert.ok(bridge.inbox.signals.every(({ sender }) => sender.id === anna.userId))
      assert.deepEqual(bridge.inbox.arrivals, [], 'and nothing of it is stored')
    })

    it('in direct chats are those of the address and of its contact', async () => {
      const address = `@${ADDRESS}:${ground().serverName}`
      const bridge = await begin([], [{ id: address, aliases: [], profile: { name: 'Bürgerbüro', about: '' } }])
      await bridge.inbox.until('the address is there', () => bridge.inbox.connections.get('addresses') === true)
      const place = { network: 'matrix', id: `${address} ${anna.userId}` }
      const room = await anna.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [address] })
      const event = await anna.send(room, 'Hallo?')
      await bridge.inbox.until('her message', () => said(bridge.inbox).includes('Hallo?'))
      await anna.types(room, true)
      await bridge.inbox.until('her typing', () => bridge.inbox.signals.some(({ place: { id } }) => id === place.id))
      type(bridge, place, true)
      await seesTyping(room, address, true)
      bridge.network.signal?.({ place, does: { kind: 'read', upTo: { said: event } } })
      await seesRead(room, address, event)
    })
  })
}
