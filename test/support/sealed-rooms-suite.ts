/** Rooms of teams and of mirrors that are encrypted, on a homeserver that knows of keys. */
import assert from 'node:assert/strict'
import type { Place } from '../../src/model/address'
import { makeEngine, type MakeEngine } from '../../src/networks/matrix/encryption/engine'
import type { Delivery, RoomState } from '../../src/model/message'
import { Unavailable } from '../../src/model/errors'
import { plain } from '../../src/model/text'
import { makeEncryptedPerson, type EncryptedPerson } from './encrypted-person'
import { makeInbox } from './inbox'
import type { MatrixPerson, SeenEvent } from './matrix-person'
import { matrixStage } from './matrix-stage'
import { bernd, delivery, newKey, PNG, said, type Bridge, type Ground } from './matrix-suite'
import { until } from './practice'
import { makeMemory, makeVault } from './world'

const WITHIN_MS = 60_000
const PICTURE = { kind: 'image', name: 'Tor.png', mime: 'image/png', at: { network: 'xmpp', ref: 'f1' }, url: 'https://x/Tor.png' } as const

let numbers = Math.floor(Date.now() / 1000) % 1_000_000 // of cases: no room is made twice on a homeserver

/** Ends the library of encryption in the middle of its next call, if it is one that `breakable` has made. */
const breaking = { library: false }

const breakable = (make: MakeEngine): MakeEngine => parts => {
  const engine = make(parts)
  return {
    async call (device, name, ...asked) {
      if (!breaking.library || name !== 'encrypt') return await engine.call(device, name, ...asked)
      breaking.library = false
      for (let n = 0; n < 101; n++) await engine.call(device, name, ...asked) // without a key that is shared anew: it panics
      throw new Unavailable('it should have died')
    },
    get life () { return engine.life },
    stop: engine.stop
  }
}

/** `appOf`: what people's apps are built on. */
export const sealedRoomsSuite = (plainGround: () => Ground, appOf = () => makeEncryptedPerson): void => {
  const ground = (): Ground => ({ ...plainGround(), makeEngine: breakable(plainGround().makeEngine ?? makeEngine) })
  const { begin, newPerson } = matrixStage(ground)
  const kept = { memory: makeMemory(), vault: makeVault(new Map()) } // as a store keeps it
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)
  let anna: MatrixPerson
  let app: EncryptedPerson

  const newPlace = (): Place => ({ network: 'matrix', id: `#_zentrale_amt_${++numbers}:${ground().serverName}` })
  /** All that was said in a room, from its beginning. */
  const history = async (room: string): Promise<SeenEvent[]> =>
    (await anna.call('GET', `v3/rooms/${encodeURIComponent(room)}/messages?dir=f&limit=1000`)).chunk as SeenEvent[]
  const make = async ({ network }: Bridge, place: Place, people: MatrixPerson[], more: Partial<RoomState> = {}): Promise<void> => {
    const room = { name: 'Müller', topic: '', people: people.map(({ userId }) => userId), encrypted: true as const, ...more }
    await network.send({ key: newKey(), attempt: 1, at: 0, place, action: { kind: 'room', room } }, signal())
  }
  const enter = async (person: MatrixPerson, { id }: Place): Promise<string> => {
    const { room_id: room } = await person.call('GET', `v3/directory/room/${encodeURIComponent(id)}`)
    return await person.join(String(room))
  }
  const isOn = async (room: string): Promise<boolean> => await anna.call('GET', `v3/rooms/${encodeURIComponent(room)}/state/m.room.encryption/`)
    .then(({ algorithm }) => algorithm === 'm.megolm.v1.aes-sha2', () => false)
  const sees = (room: string, body: string) => app.reads(room, body, ({ content }) => content.body === body)
  const inTheClear = async (room: string): Promise<SeenEvent[]> =>
    (await history(room)).filter(({ type, content }) => type === 'm.room.message' && 'body' in content)
  const hears = ({ inbox }: Bridge, ...texts: string[]): Promise<void> =>
    inbox.until(`“${texts.join('”, “')}”`, () => texts.every(text => said(inbox).includes(text)), WITHIN_MS)
  const own = (place: Place, text: string, more: Partial<Delivery> = {}): Delivery => {
    const { as, ...rest } = delivery(place, text, more)
    return rest
  }

  beforeEach(async () => {
    anna = await newPerson('anna')
    app = await appOf()(anna)
  })

  describe('an encrypted room of a team', () => {
    it('is read, and written in by ghosts and by Zentrale, and no app warns of anything', async () => {
      const place = newPlace()
      const bridge = await begin([place], kept)
      await make(bridge, place, [anna])
      const room = await enter(anna, place)
      assert.ok(await isOn(room))
      const sent = await bridge.network.send(delivery(place, 'guten Tag'), signal())
      await bridge.network.send(own(place, 'Anna hat den Fall'), signal())
      const { event, read } = await sees(room, 'guten Tag')
      assert.deepEqual([[event.event_id], read.shield, (await sees(room, 'Anna hat den Fall')).read.shield], [sent.ids, '', ''])
      const said = await app.say(room, '!notiz ruft zurück')
      await hears(bridge, '!notiz ruft zurück')
      const [arrival] = bridge.inbox.arrivals
      assert.ok(arrival?.kind === 'message')
      assert.deepEqual([arrival.key, arrival.place, arrival.sender.id], [said, place, anna.userId])
      assert.deepEqual(await inTheClear(room), [])
      await anna.send(room, 'im Klartext') // as anybody can who has her token, or runs her homeserver
      await hears(bridge, 'im Klartext')
      const how = bridge.inbox.arrivals.map(one => one.kind === 'message' && [one.encrypted, one.openly])
      assert.deepEqual(how, [[true, undefined], [undefined, true]])
    })

    it('takes corrections, replies, reactions and deletions in both directions, of words of Zentrale too', async () => {
      const place = newPlace()
      const bridge = await begin([place], kept)
      const { network, inbox } = bridge
      await make(bridge, place, [anna])
      const room = await enter(anna, place)
      for (const one of [delivery(place, 'am Tro'), own(place, 'an Anan')]) {
        const { ids: target } = await network.send(one, signal())
        const content = { style: 'text' as const, text: plain(one.as ? 'am Tor' : 'an Anna') }
        await network.send({ ...one, key: newKey(), action: { kind: 'edit', of: one.key, content }, target }, signal())
        const { read } = await sees(room, one.as ? '* am Tor' : '* an Anna')
        assert.deepEqual([read.content['m.relates_to'], read.shield], [{ rel_type: 'm.replace', event_id: target[0] }, ''])
        await network.send({ ...one, key: newKey(), action: { kind: 'deletion', of: one.key }, target }, signal())
      }
      assert.deepEqual((await history(room)).filter(({ content }) => 'ciphertext' in content), [])
      const first = await app.say(room, 'um nuen')
      await hears(bridge, 'um nuen')
      await app.say(room, { msgtype: 'm.text', body: '* um neun', 'm.new_content': { msgtype: 'm.text', body: 'um neun' },
        'm.relates_to': { rel_type: 'm.replace', event_id: first } })
      await app.say(room, { msgtype: 'm.text', body: 'oder zehn', 'm.relates_to': { 'm.in_reply_to': { event_id: first } } })
      await hears(bridge, 'um neun', 'oder zehn')
      const [, edit, reply] = inbox.arrivals
      assert.ok(edit?.kind === 'edit' && reply?.kind === 'message')
      assert.deepEqual([edit.of, reply.replyTo], [first, [first]])
      await network.send(delivery(place, '', { action: { kind: 'reaction', to: { arrival: first }, emojis: ['🎉'] } }), signal())
      await anna.waitFor(room, 'confetti', ({ type }) => type === 'm.reaction')
    })

    it('takes files, which the homeserver cannot read', async () => {
      const place = newPlace()
      const bridge = await begin([place], kept)
      await make(bridge, place, [anna])
      const room = await enter(anna, place)
      bridge.files.set('f1', PNG)
      const message = delivery(place, '', { action: { kind: 'message', content: { style: 'text', text: plain('Das Tor'), file: PICTURE } } })
      await bridge.network.upload!(message, signal())
      await bridge.network.send(message, signal())
      const { read: { content } } = await sees(room, 'Das Tor')
      assert.equal(content.url, undefined)
      assert.notDeepEqual(await anna.download((content.file as { url: string }).url), PNG)
    })

    it('that was not encrypted at first is turned on, and never off; what was said before can be changed', async () => {
      const place = newPlace()
      const bridge = await begin([place], kept)
      await make(bridge, place, [anna], { encrypted: undefined as never })
      const room = await enter(anna, place)
      const [words, notice] = [delivery(place, 'davor'), own(place, 'neu')]
      const { ids } = await bridge.network.send(words, signal())
      const { ids: noticed } = await bridge.network.send(notice, signal())
      assert.ok(!await isOn(room))
      await make(bridge, place, [anna])
      assert.ok(await isOn(room))
      await make(bridge, place, [anna], { encrypted: undefined as never, topic: 'anders' })
      assert.ok(await isOn(room))
      const edit = (one: Delivery, text: string, target: string[]): Delivery => ({
        ...one, key: newKey(), action: { kind: 'edit', of: one.key, content: { style: 'text', text: plain(text) } }, target
      })
      await bridge.network.send(edit(words, 'zuvor', ids), signal())
      assert.deepEqual((await sees(room, '* zuvor')).read.content['m.relates_to'], { rel_type: 'm.replace', event_id: ids[0] })
      await bridge.network.send(edit(notice, 'vergeben', noticed), signal())
      assert.equal((await sees(room, 'vergeben')).read.content['m.relates_to'], undefined, 'nobody but the bot could edit it')
      await bridge.network.send({ ...notice, key: newKey(), action: { kind: 'deletion', of: notice.key }, target: noticed }, signal())
      assert.deepEqual((await inTheClear(room)).map(({ content }) => content.body), ['davor'])
    })

    it('is read after a restart, and somebody who was taken out reads nothing that is said afterwards', async () => {
      const place = newPlace()
      const first = await begin([place], kept)
      const ida = await newPerson('ida')
      const idasApp = await appOf()(ida)
      await make(first, place, [anna, ida])
      const room = await enter(anna, place)
      await enter(ida, place)
      await first.network.send(delivery(place, 'eins'), signal())
      await idasApp.reads(room, 'eins', ({ content }) => content.body === 'eins')
      await first.network.stop()
      await app.say(room, 'zwei')
      const second = await begin([place], { ...kept, inbox: first.inbox })
      await hears(second, 'zwei')
      await make(second, place, [anna], { topic: 'ohne Ida' })
      await second.network.send(delivery(place, 'drei'), signal())
      await second.network.send(delivery(place, 'vier', { as: bernd }), signal())
      for (const text of ['drei', 'vier']) {
        const { event } = await sees(room, text)
        assert.equal(await idasApp.read(event), undefined)
      }
    })

    it('carries 200 messages over several rotations, in order', async () => {
      const place = newPlace()
      const bridge = await begin([place], kept)
      await make(bridge, place, [anna])
      const room = await enter(anna, place)
      const texts = Array.from({ length: 200 }, (_, n) => `Nr. ${n}`)
      for (const text of texts) await bridge.network.send(delivery(place, text), signal())
      await sees(room, 'Nr. 199')
      const events = await history(room)
      const read: unknown[] = []
      for (const event of events) read.push((await app.read(event))?.content.body)
      assert.deepEqual(read.filter(body => body !== undefined), texts)
      assert.ok(new Set(events.flatMap(({ content }) => 'session_id' in content ? [content.session_id] : [])).size > 1)
    })
  })

  describe('an encrypted room of a team, while the library dies now and then', () => {
    it('has everything once and in order, a second later', async () => {
      const place = newPlace()
      const bridge = await begin([place], kept)
      await make(bridge, place, [anna])
      const room = await enter(anna, place)
      const texts = Array.from({ length: 20 }, (_, n) => `Nr. ${n}`)
      for (const text of texts) {
        const one = delivery(place, text)
        const give = (): Promise<unknown> => bridge.network.send(one, signal()).catch((error: unknown) => {
          if (!(error instanceof Unavailable)) throw error
          return give() // as a lane does
        })
        if (texts.indexOf(text) % 4 === 2) breaking.library = true
        const from = performance.now()
        await give()
        assert.ok(performance.now() - from < 10_000)
        await app.say(room, `zu ${text}`)
      }
      await hears(bridge, 'zu Nr. 19')
      assert.deepEqual(said(bridge.inbox), texts.map(text => `zu ${text}`))
      const read: unknown[] = []
      for (const event of await history(room)) if (event.sender !== anna.userId) read.push((await app.read(event))?.content.body)
      assert.deepEqual(read.filter(body => body !== undefined), texts)
    })
  })

  describe('encrypted rooms, when the library dies over one of them', () => {
    it('cost the others one more try at most, and it is one death', async () => {
      const places = [newPlace(), newPlace(), newPlace()]
      const bridge = await begin(places, kept)
      for (const place of places) await make(bridge, place, [anna])
      const rooms = await Promise.all(places.map(place => enter(anna, place)))
      for (const place of places) await bridge.network.send(own(place, 'vorher'), signal())
      const restarts = (): number => bridge.network.encryptionCounts!()!.restarts
      const before = restarts()
      breaking.library = true
      const tries = places.map(() => 0)
      await Promise.all(places.map((place, n) => {
        const one = own(place, 'nachher')
        const give = (): Promise<unknown> => {
          tries[n]!++
          return bridge.network.send(one, signal()).catch((error: unknown) => {
            if (!(error instanceof Unavailable)) throw error
            return give() // as a lane does, which only waits for half a second before
          })
        }
        return give()
      }))
      assert.equal(restarts() - before, 1)
      assert.ok(tries.every(times => times <= 2), tries.join())
      for (const room of rooms) await sees(room, 'nachher')
    })
  })

  describe('an encrypted room of a mirror', () => {
    const ALGORITHM = { algorithm: 'm.megolm.v1.aes-sha2' }
    const allowing = (): ReturnType<typeof makeInbox> => Object.assign(makeInbox(), { mayBeEncrypted: true })
    const openRoom = async (): Promise<Place> => ({ network: 'matrix', id: await anna.createRoom({ preset: 'public_chat' }) })
    const turnOn = ({ id }: Place): Promise<void> => anna.setState(id, 'm.room.encryption', '', ALGORITHM)
    const isStanding = ({ inbox }: Bridge, standing: string): Promise<void> =>
      inbox.until(standing, () => inbox.standings.at(-1)?.standing === standing, WITHIN_MS)

    it('that is turned on is carried on if that is allowed: words, corrections, replies, reactions and deletions', async () => {
      const place = await openRoom()
      const bridge = await begin([place], { ...kept, inbox: allowing() })
      const { network, inbox } = bridge
      const before = delivery(place, 'davor', { as: bernd })
      const { ids: target } = await network.send(before, signal())
      await turnOn(place)
      await isStanding(bridge, 'sealed')
      await network.send(own(place, 'Die Verschlüsselung endet hier'), signal())
      await network.send(delivery(place, 'guten Tag', { as: bernd }), signal())
      const { event, read } = await sees(place.id, 'guten Tag')
      assert.deepEqual([(await sees(place.id, 'Die Verschlüsselung endet hier')).read.shield, read.shield], ['', ''])
      const content = { style: 'text' as const, text: plain('zuvor') }
      await network.send({ ...before, key: newKey(), action: { kind: 'edit', of: before.key, content }, target }, signal())
      await sees(place.id, '* zuvor')
      const first = await app.say(place.id, { msgtype: 'm.text', body: 'selber', 'm.relates_to': { 'm.in_reply_to': { event_id: event.event_id } } })
      await hears(bridge, 'selber')
      await anna.send(place.id, { 'm.relates_to': { rel_type: 'm.annotation', event_id: event.event_id, key: '👍' } }, 'm.reaction')
      await anna.redact(place.id, first)
      await inbox.until('all', () => inbox.arrivals.some(one => one.kind === 'deletion' && one.of === first), WITHIN_MS)
      const [reply, reaction] = inbox.arrivals
      assert.ok(reply?.kind === 'message' && reaction?.kind === 'reaction')
      assert.deepEqual([reply.replyTo, reply.encrypted, reaction.emojis], [[event.event_id], true, ['👍']])
      assert.deepEqual((await inTheClear(place.id)).map(({ content }) => content.body), ['davor'])
    })

    it('takes files in both directions, which the homeserver cannot read', async () => {
      const place = await openRoom()
      await turnOn(place)
      const bridge = await begin([place], { ...kept, inbox: allowing() })
      await isStanding(bridge, 'sealed')
      bridge.files.set('f1', PNG)
      const message = delivery(place, '', { action: { kind: 'message', content: { style: 'text', text: plain('Das Tor'), file: PICTURE } } })
      await bridge.network.upload!(message, signal())
      await bridge.network.send(message, signal())
      const { read: { content } } = await sees(place.id, 'Das Tor')
      const bytes = await anna.download((content.file as { url: string }).url)
      assert.notDeepEqual(bytes, PNG)
      await app.say(place.id, { msgtype: 'm.image', body: 'nochmal', filename: 'a.png', info: content.info, file: content.file })
      await hears(bridge, 'nochmal')
      const [arrival] = bridge.inbox.arrivals
      assert.ok(arrival?.kind === 'message' && arrival.content.file)
      const { stream } = await bridge.network.open(arrival.content.file.at.ref, signal())
      assert.deepEqual(Buffer.concat(await stream.toArray() as Buffer[]), PNG)
    })

    it('keeps its order while a key is late, and nobody reads what is said after they have left', async () => {
      const place = await openRoom()
      await turnOn(place)
      const bridge = await begin([place], { ...kept, inbox: allowing() })
      const ida = await newPerson('ida')
      const idasApp = await appOf()(ida)
      await ida.join(place.id)
      await app.say(place.id, 'eins')
      await hears(bridge, 'eins')
      await bridge.network.send(delivery(place, 'von nebenan', { as: bernd }), signal())
      await idasApp.reads(place.id, 'von nebenan', ({ content }) => content.body === 'von nebenan')
      await app.rotate(place.id)
      const keys = app.hold()
      await app.say(place.id, 'zwei')
      await idasApp.say(place.id, 'drei')
      await keys.deliver()
      await hears(bridge, 'drei')
      assert.deepEqual(said(bridge.inbox), ['eins', 'zwei', 'drei'])
      await ida.call('POST', `v3/rooms/${encodeURIComponent(place.id)}/leave`, {})
      await bridge.network.send(delivery(place, 'unter uns', { as: bernd }), signal())
      const { event } = await sees(place.id, 'unter uns')
      assert.equal(await idasApp.read(event), undefined)
    })

    it('has nothing said in the clear while the keeper is put out', async () => {
      const place = await openRoom()
      await turnOn(place)
      const bridge = await begin([place], { ...kept, inbox: allowing() })
      await isStanding(bridge, 'sealed')
      await bridge.network.send(delivery(place, 'vorher', { as: bernd }), signal())
      const keeper = `@_zentrale_keys:${ground().serverName}`
      await anna.call('POST', `v3/rooms/${encodeURIComponent(place.id)}/ban`, { user_id: keeper })
      await isStanding(bridge, 'encrypted')
      await assert.rejects(bridge.network.send(delivery(place, 'unter uns', { as: bernd }), signal()))
      await anna.call('POST', `v3/rooms/${encodeURIComponent(place.id)}/unban`, { user_id: keeper })
      await bridge.network.send(delivery(place, 'nachher', { as: bernd }), signal())
      await sees(place.id, 'nachher')
      assert.deepEqual(await inTheClear(place.id), [])
    })

    it('rests while the bot may not bring the keeper in, and goes on when somebody invites it', async () => {
      const bot = `@${ground().config.registration.sender_localpart}:${ground().serverName}`
      const id = await anna.createRoom({ preset: 'private_chat', invite: [bot], power_level_content_override: { invite: 50 } })
      await turnOn({ network: 'matrix', id })
      const bridge = await begin([{ network: 'matrix', id }], { ...kept, inbox: allowing() })
      await isStanding(bridge, 'encrypted')
      await anna.call('POST', `v3/rooms/${encodeURIComponent(id)}/invite`, { user_id: `@_zentrale_keys:${ground().serverName}` })
      await isStanding(bridge, 'sealed')
      await app.say(id, 'jetzt')
      await hears(bridge, 'jetzt')
    })

    it('is neither read nor written in if that is not allowed, and no longer if it is not allowed any more', async () => {
      const place = await openRoom()
      const first = await begin([place], kept)
      await turnOn(place)
      await isStanding(first, 'encrypted')
      await first.network.stop()
      const second = await begin([place], { ...kept, inbox: allowing() })
      await isStanding(second, 'sealed')
      await app.say(place.id, 'jetzt')
      await hears(second, 'jetzt')
      await app.rotate(place.id)
      const keys = app.hold()
      await app.say(place.id, 'wartet auf den Schlüssel')
      const waiting = async (): Promise<number> => await kept.vault.count('waiting ')
      await until(async () => await waiting() === 1, 'it waits', WITHIN_MS)
      await second.network.stop()
      const third = await begin([place], kept)
      await isStanding(third, 'encrypted')
      await keys.deliver()
      await until(async () => await waiting() === 0, 'it waits no more', WITHIN_MS)
      await assert.rejects(third.network.send(delivery(place, 'von nebenan', { as: bernd }), signal()), { name: 'Refused', because: 'encrypted' })
      await third.network.send(own(place, 'Hier wird nichts übertragen'), signal())
      await app.say(place.id, 'und nun nicht mehr')
      await anna.send(place.id, 'zuletzt im Klartext')
      await hears(third, 'zuletzt im Klartext')
      assert.deepEqual(said(third.inbox), ['zuletzt im Klartext'], 'the bridge knows that it rests')
      const { joined } = await anna.call('GET', `v3/rooms/${encodeURIComponent(place.id)}/joined_members`)
      assert.ok(!Object.keys(joined as object).some(mxid => mxid.startsWith('@_zentrale_keys')))
      assert.deepEqual((await inTheClear(place.id)).map(({ content }) => content.body), ['Hier wird nichts übertragen', 'zuletzt im Klartext'])
    })
  })
}
