/** Places whose conversations are forgotten, on any homeserver: nothing is left of them on Matrix, and nobody of ours. */
import assert from 'node:assert/strict'
import type { Place } from '../../src/model/address'
import type { Delivery } from '../../src/model/message'
import { ADDRESS } from './matrix-ground'
import { makeMatrixPerson, type Json, type MatrixPerson } from './matrix-person'
import { delivery, makeBridge, newKey, said, type Bridge, type Ground } from './matrix-suite'

const encode = encodeURIComponent

export const forgettingSuite = (ground: () => Ground): void => {
  let bridge: Bridge
  let anna: MatrixPerson
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)
  const address = (): string => `@${ADDRESS}:${ground().serverName}`
  const person = async (name: string): Promise<MatrixPerson> => {
    const { userId, accessToken } = await ground().createUser(`${name}${newKey().toLowerCase().replace(/[^a-z0-9]/g, '')}`)
    return makeMatrixPerson(ground().url, userId, accessToken)
  }
  const send = (place: Place, text: string, more: Partial<Delivery> = {}): Promise<unknown> =>
    bridge.network.send({ ...delivery(place, text), ...more }, signal())
  const asAddress = (place: Place, text: string): Promise<unknown> => {
    const { as, ...rest } = delivery(place, text)
    return bridge.network.send(rest, signal())
  }
  const known = (): string[] => bridge.memory.keys('').map(key => `${key} ${bridge.memory.get(key)}`)

  describe('places whose conversations are forgotten', () => {
    beforeEach(async () => {
      anna = await person('anna')
      bridge = makeBridge(ground())
      bridge.network.serve([{ id: address(), aliases: [], profile: { name: 'Bürgerbüro', about: 'offen' } }])
      await bridge.network.start(bridge.inbox)
      await bridge.inbox.until('the address is there', () => bridge.inbox.connections.get('addresses') === true)
    })
    afterEach(async () => { await bridge.network.stop() })

    it('are closed if they are rooms of the team: everybody is out, and nothing is remembered', async () => {
      const slug = `amt-${newKey().toLowerCase().replace(/[^a-z0-9]/g, '')}`
      const [where, other] = [8, 9].map((id): Place => ({ network: 'matrix', id: bridge.network.naming.room(slug, id)! })) as [Place, Place]
      const make = (place: Place): Promise<unknown> =>
        send(place, '', { action: { kind: 'room', room: { name: 'Müller', topic: 'Ausweis', people: [anna.userId] } } })
      const roomAt = async ({ id }: Place): Promise<string> => String((await anna.call('GET', `v3/directory/room/${encode(id)}`)).room_id)
      const [eva, bob] = ['eva', 'bob'].map(id => ({ person: { network: 'other', id: `${id}${slug}` }, name: `Frau ${id}` }))
      await make(where)
      await make(other)
      const [room, kept] = [await anna.join(await roomAt(where)), await anna.join(await roomAt(other))]
      for (const [to, as] of [[where, eva], [where, bob], [other, bob]] as const) await send(to, 'hallo', { as: as! })
      await bridge.network.forget!([where])
      await assert.rejects(anna.send(room, 'noch da?'), { errcode: 'M_FORBIDDEN' })
      await assert.rejects(roomAt(where), { errcode: 'M_NOT_FOUND' })
      assert.deepEqual(known().filter(line => [room, where.id, `eva${slug}`, 'Frau eva'].some(word => line.includes(word))), [])
      assert.ok(known().some(line => line.startsWith(`in ${kept}`)) && known().some(line => line.endsWith('Frau bob')), 'who is elsewhere stays')
      await bridge.network.forget!([where]) // as after a crash
      await send(other, 'weiter', { as: bob! })
      await make(where)
      assert.notEqual(await roomAt(where), room)
    })

    it('are left if they are direct chats, and what comes after that begins anew', async () => {
      const contact = await person('kunde')
      const chat = (): Promise<string> => contact.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [address()] })
      const place = { network: 'matrix', id: `${address()} ${contact.userId}` }
      const heard = (text: string): Promise<void> => bridge.inbox.until(text, () => said(bridge.inbox).includes(text))
      const isOut = async (room: string): Promise<void> =>
        assert.equal((await contact.call('GET', `v3/rooms/${encode(room)}/state/m.room.member/${encode(address())}`)).membership, 'leave')
      const theirs = await chat()
      await contact.send(theirs, 'guten Tag')
      await heard('guten Tag')
      await asAddress(place, 'Auskunft')
      await bridge.network.forget!([place])
      await isOut(theirs)
      assert.deepEqual(known().filter(line => line.includes(contact.userId) || line.includes(theirs)), [])
      for (const text of ['von uns aus', 'noch einmal']) {
        await asAddress(place, text)
        const { rooms } = await contact.call('GET', 'v3/sync?timeout=0') as { rooms?: { invite?: Json } }
        const room = await contact.join(Object.keys(rooms?.invite ?? {})[0]!)
        await bridge.network.forget!([place])
        await isOut(room)
      }
      await contact.send(await chat(), 'wieder da')
      await heard('wieder da')
    })

    it('are left if they are rooms of others: by everybody of ours, for good, until we are asked in again', async () => {
      const bot = `@${ground().config.registration.sender_localpart}:${ground().serverName}`
      const alias = `halle-${newKey().toLowerCase().replace(/[^a-z0-9]/g, '')}`
      const open = await anna.createRoom({ preset: 'public_chat' })
      const places = [`#${alias}:${ground().serverName}`, open].map(id => ({ network: 'matrix', id }))
      bridge.network.attend(places)
      const room = await anna.createRoom({ preset: 'private_chat', room_alias_name: alias, power_level_content_override: { invite: 0 } })
      const invite = (): Promise<unknown> => anna.call('POST', `v3/rooms/${encode(room)}/invite`, { user_id: bot })
      await invite()
      await bridge.inbox.until('it is in both', () => bridge.inbox.connections.get('rooms') === true)
      for (const place of places) await send(place, 'ein Geist')
      const theirs = async (where: string): Promise<string[]> =>
        Object.keys((await anna.call('GET', `v3/rooms/${encode(where)}/joined_members`)).joined as Json)
      assert.deepEqual([(await theirs(room)).length, (await theirs(open)).length], [3, 3])
      await bridge.network.forget!(places)
      await bridge.network.forget!(places) // as after a crash
      assert.deepEqual([await theirs(room), await theirs(open)], [[anna.userId], [anna.userId]])
      assert.deepEqual(known().filter(line => line.includes(room) || line.includes(open)), [])
      await anna.send(open, 'unter uns')
      bridge.network.attend(places)
      await bridge.inbox.until('one is missing', () => bridge.inbox.connections.get('rooms') === false)
      await invite()
      await bridge.inbox.until('it is in both again', () => bridge.inbox.connections.get('rooms') === true)
      await anna.send(open, 'wieder mit allen')
      await bridge.inbox.until('what is said now', () => said(bridge.inbox).includes('wieder mit allen'))
      assert.ok(!said(bridge.inbox).includes('unter uns'))
    })
  })
}
