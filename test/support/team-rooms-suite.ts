/** The rooms of a team, on any homeserver: who is in them, who may speak there, and how they look. */
import assert from 'node:assert/strict'
import type { Place } from '../../src/model/address'
import type { Delivery, RoomState } from '../../src/model/message'
import type { Network } from '../../src/model/network'
import { plain } from '../../src/model/text'
import { ADDRESS } from './matrix-ground'
import { body, membership, makeMatrixPerson, type Json, type MatrixPerson } from './matrix-person'
import { delivery, makeBridge, newKey, said, type Bridge, type Ground } from './matrix-suite'

const encode = encodeURIComponent

export const teamRoomsSuite = (ground: () => Ground): void => {
  let anna: MatrixPerson // of the team
  let contact: MatrixPerson
  let people = 0
  const running: Network[] = []
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)
  const mxid = (name: string): string => `@${name}:${ground().serverName}`
  const newPerson = async (name: string): Promise<MatrixPerson> => {
    const { userId, accessToken } = await ground().createUser(`${name}${++people}`)
    return makeMatrixPerson(ground().url, userId, accessToken)
  }
  const begin = async (more: Parameters<typeof makeBridge>[1] = {}): Promise<Bridge> => {
    const bridge = makeBridge(ground(), more)
    running.push(bridge.network)
    bridge.network.serve([{ id: mxid(ADDRESS), aliases: [], profile: { name: 'Bürgerbüro', about: '' } }])
    await bridge.network.start(bridge.inbox)
    await bridge.inbox.until('the address is there', () => bridge.inbox.connections.get('addresses') === true)
    return bridge
  }
  /** As Zentrale itself. */
  const write = (place: Place, text: string, more: Partial<Delivery> = {}): Delivery => {
    const { as, ...rest } = delivery(place, text, more)
    return rest
  }
  const stateOf = async (who: MatrixPerson, room: string, type: string, key = ''): Promise<Json> =>
    await who.call('GET', `v3/rooms/${encode(room)}/state/${type}/${encode(key)}`)

  describe('a room of the team', () => {
    before(async () => { [anna, contact] = [await newPerson('annateam'), await newPerson('fremd')] })
    afterEach(async () => { await Promise.all(running.splice(0).map(network => network.stop())) })

    const slug = (): string => `amt-${newKey().toLowerCase().replace(/[^a-z0-9]/g, '')}`
    const place = ({ network }: Bridge, name: string, what: number | 'queue' | 'all'): Place =>
      ({ network: 'matrix', id: network.naming.room(name, what)! })
    const make = ({ network }: Bridge, where: Place, room: Partial<RoomState>): Promise<unknown> => network.send(write(where, '', {
      action: { kind: 'room', room: { name: '🔴 Müller', topic: 'Ausweis', people: [anna.userId], ...room } }
    }), signal())
    const roomAt = async ({ id }: Place): Promise<string> => String((await anna.call('GET', `v3/directory/room/${encode(id)}`)).room_id)

    it('is not missing before it is made, is made once, and what is said there comes in', async () => {
      const name = slug()
      const bridge = makeBridge(ground())
      running.push(bridge.network)
      const where = place(bridge, name, 7)
      bridge.network.attend([where])
      await bridge.network.start(bridge.inbox)
      await bridge.inbox.until('nothing is missed', () => bridge.inbox.connections.get('rooms') === true)
      await assert.rejects(bridge.network.send(write(where, 'zu früh'), signal()), { name: 'Unavailable' })
      await make(bridge, where, {})
      await make(bridge, where, {})
      const first = await roomAt(where)
      await bridge.network.stop()
      const again = await begin({ inbox: bridge.inbox, vault: bridge.vault })
      await make(again, where, { name: '🟢 Anna · Müller', topic: 'neu' })
      const room = await anna.join(await roomAt(where))
      assert.equal(room, first)
      assert.equal((await stateOf(anna, room, 'm.room.name')).name, '🟢 Anna · Müller')
      assert.equal((await stateOf(anna, room, 'm.room.topic')).topic, 'neu')
      assert.equal((await stateOf(anna, room, 'm.room.history_visibility')).history_visibility, 'shared')
      assert.deepEqual((await stateOf(anna, room, 'io.element.functional_members')).service_members, [mxid('zentrale')])
      assert.ok((await anna.events(room)).every(({ type, content }) => type !== 'm.room.encryption' && content.alias === undefined))
      await anna.send(room, 'ich nehme das')
      await again.inbox.until('it comes in', () => said(again.inbox).includes('ich nehme das'))
      assert.equal(again.inbox.arrivals.at(-1)!.place.id, where.id)
      await again.network.send(delivery(where, 'vom Kunden'), signal())
      await anna.waitFor(room, 'a ghost speaks', body('vom Kunden'))
    })

    it('is not that of another store with this number, which is left as it is and told so', async () => {
      const name = slug()
      const first = await begin()
      const where = place(first, name, 1)
      const inbox = place(first, name, 'queue')
      await make(first, where, {})
      await make(first, inbox, {})
      const [old, queue] = [await roomAt(where), await roomAt(inbox)]
      await anna.join(old)
      await first.network.send(write(where, 'Frau Alt'), signal())
      await first.network.stop()
      const bridge = makeBridge(ground())
      running.push(bridge.network)
      bridge.network.attend([where, inbox])
      await bridge.network.start(bridge.inbox)
      await bridge.inbox.until('it has looked', () => bridge.inbox.connections.get('rooms') === true)
      await anna.send(old, 'Liebe Frau Alt')
      await make(bridge, where, { name: '🔴 Neu' })
      await make(bridge, inbox, {})
      await anna.waitFor(old, 'the room is told', ({ content }) => String(content.body).includes('no longer connected'))
      const now = await roomAt(where)
      assert.notEqual(now, old)
      assert.equal(await roomAt(inbox), queue, 'other rooms are not of one conversation')
      assert.equal((await stateOf(anna, old, 'm.room.name')).name, '🔴 Müller')
      await bridge.network.send(write(where, 'Herr Neu'), signal())
      await anna.join(now)
      await anna.send(now, 'Lieber Herr Neu')
      await bridge.inbox.until('the answer', () => said(bridge.inbox).includes('Lieber Herr Neu'))
      assert.deepEqual([said(bridge.inbox).includes('Liebe Frau Alt'), (await anna.events(old)).some(body('Herr Neu'))], [false, false])
    })

    it('has exactly the people who belong in it, and gives nobody power', async () => {
      const bridge = await begin()
      const where = place(bridge, slug(), 'queue')
      const [bernd, carla] = [await newPerson('bernd'), await newPerson('carla')]
      await make(bridge, where, { people: [anna.userId, bernd.userId, mxid('gibtsnicht')] })
      const room = await anna.join(await roomAt(where))
      await bernd.join(room)
      await assert.rejects(bernd.call('POST', `v3/rooms/${encode(room)}/invite`, { user_id: contact.userId }), { errcode: 'M_FORBIDDEN' })
      await assert.rejects(bernd.setState(room, 'm.room.name', '', { name: 'x' }), { errcode: 'M_FORBIDDEN' })
      await make(bridge, where, { people: [anna.userId, carla.userId] })
      await anna.waitFor(room, 'bernd is out', membership(bernd.userId, 'leave'))
      await anna.waitFor(room, 'carla is invited', membership(carla.userId, 'invite'))
      await carla.join(room)
      await anna.call('POST', `v3/rooms/${encode(room)}/leave`, {})
      await carla.send(room, 'sie ist weg')
      await bridge.inbox.until('it heard of it', () => said(bridge.inbox).includes('sie ist weg'))
      await make(bridge, where, { people: [anna.userId, carla.userId] })
      await anna.join(room) // asked again, though nothing else was wanted than before
    })

    it('asks nobody any more who has not come, once its case is over, lets the others stay, and asks them again when it goes on', async () => {
      const bridge = await begin()
      const where = place(bridge, slug(), 8)
      const [bernd, carla] = [await newPerson('bernd'), await newPerson('carla')]
      const people = [anna.userId, bernd.userId]
      await make(bridge, where, { people })
      const room = await anna.join(await roomAt(where))
      await make(bridge, where, { people: [...people, carla.userId], withdrawn: 'Der Vorgang ist erledigt.' })
      const out = await anna.waitFor(room, 'bernd is asked no more', membership(bernd.userId, 'leave'))
      assert.equal(out.content.reason, 'Der Vorgang ist erledigt.')
      assert.equal((await stateOf(anna, room, 'm.room.member', anna.userId)).membership, 'join')
      await assert.rejects(stateOf(anna, room, 'm.room.member', carla.userId), { errcode: 'M_NOT_FOUND' })
      await make(bridge, where, { people: [...people, carla.userId] })
      await bernd.join(room)
      await carla.join(room)
    })

    it('may let only some people speak, and always lets ours', async () => {
      const bridge = await begin()
      const where = place(bridge, slug(), 3)
      const bernd = await newPerson('bernd')
      await make(bridge, where, { people: [anna.userId, bernd.userId] })
      const room = await anna.join(await roomAt(where))
      await bernd.join(room)
      await bridge.network.send(delivery(where, 'vorher'), signal())
      await make(bridge, where, { people: [anna.userId, bernd.userId], speakers: [anna.userId] })
      await anna.send(room, 'ich darf')
      await assert.rejects(bernd.send(room, 'ich nicht'), { errcode: 'M_FORBIDDEN' })
      await bridge.network.send(delivery(where, 'der Kunde'), signal())
      const other = { person: { network: 'xmpp', id: 'neu@example.org' }, name: 'Neu' }
      await bridge.network.send(delivery(where, 'ein neuer', { as: other }), signal())
      await bridge.network.send(write(where, 'die Zentrale'), signal())
      await make(bridge, where, { people: [anna.userId, bernd.userId] })
      await bernd.send(room, 'jetzt auch ich')
    })

    it('is found in the room of rooms, whose members may come in', async () => {
      const bridge = await begin()
      const name = slug()
      const all = place(bridge, name, 'all')
      const where = place(bridge, name, 1)
      await assert.rejects(make(bridge, where, { inside: all }), { name: 'Unavailable', message: /not made yet/ })
      const bernd = await newPerson('bernd')
      await make(bridge, all, { name: 'Amt', people: [anna.userId, bernd.userId] })
      await make(bridge, where, { inside: all })
      const space = await bernd.join(await roomAt(all))
      const room = await bernd.join(await roomAt(where)) // not invited, but of the space
      assert.equal((await stateOf(bernd, space, 'm.room.create')).type, 'm.space')
      assert.deepEqual((await stateOf(bernd, space, 'm.space.child', room)).via, [ground().serverName])
      assert.equal((await stateOf(bernd, room, 'm.space.parent', space)).canonical, true)
      await assert.rejects(contact.join(room), { errcode: 'M_FORBIDDEN' })
    })

    it('takes notes for one person as replies in a thread, and edits of our own words', async () => {
      const bridge = await begin()
      const where = place(bridge, slug(), 5)
      await make(bridge, where, {})
      const room = await anna.join(await roomAt(where))
      const words = await anna.send(room, 'schon unterwegs')
      const content = (text: string) => ({ style: 'quiet' as const, text: plain(text) })
      const addressed = (of: string, text: string): Delivery =>
        write(where, '', { action: { kind: 'message', content: content(text), addressee: { of, person: anna.userId } } })
      await bridge.network.send(addressed(words, 'nicht gesendet'), signal())
      const note = await anna.waitFor(room, 'the note', body('nicht gesendet'))
      const thread = { rel_type: 'm.thread', event_id: words, is_falling_back: true, 'm.in_reply_to': { event_id: words } }
      assert.deepEqual([note.content['m.relates_to'], note.content['m.mentions'], note.content.msgtype, note.sender],
        [thread, { user_ids: [anna.userId] }, 'm.notice', mxid('zentrale')])
      const inside = await anna.send(room, { msgtype: 'm.text', body: 'im Faden', 'm.relates_to': { rel_type: 'm.thread', event_id: words } })
      await bridge.network.send(addressed(inside, 'auch da'), signal())
      const { content: deeper } = await anna.waitFor(room, 'the note there', body('auch da'))
      assert.deepEqual(deeper['m.relates_to'], { ...thread, 'm.in_reply_to': { event_id: inside } })
      await bridge.network.send(addressed('$nothingofthekind', 'ohne Bezug'), signal())
      const { content: alone } = await anna.waitFor(room, 'the note alone', body('ohne Bezug'))
      assert.deepEqual([alone['m.relates_to'], alone['m.mentions']], [undefined, { user_ids: [anna.userId] }])
      const own = write(where, 'neu: Müller')
      const { ids } = await bridge.network.send(own, signal())
      await bridge.network.send(write(where, '', { action: { kind: 'edit', of: own.key, content: content('✔ Anna') }, target: ids }), signal())
      const edit = await anna.waitFor(room, 'the edit', body('* ✔ Anna'))
      assert.deepEqual([edit.sender, edit.content['m.relates_to']], [mxid('zentrale'), { rel_type: 'm.replace', event_id: ids[0] }])
    })
  })
}
