/** What rooms show of themselves, on any homeserver. */
import assert from 'node:assert/strict'
import type { Place } from '../../src/model/address'
import { Refused } from '../../src/model/errors'
import type { Delivery, Shown } from '../../src/model/message'
import type { Beside } from '../../src/model/network'
import { makeInbox } from './inbox'
import type { Json, MatrixPerson } from './matrix-person'
import { matrixStage } from './matrix-stage'
import { bernd, delivery, newKey, PNG, type Bridge, type Ground } from './matrix-suite'
import { CAN } from './practice'

export const profileSuite = (ground: () => Ground): void => {
  let anna: MatrixPerson
  const { begin: beginIn, newPerson } = matrixStage(ground)
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)
  const bot = (): string => `@${ground().config.registration.sender_localpart}:${ground().serverName}`
  const begin = (place: Place, beside: Beside[] = []): Promise<Bridge> => beginIn([place], { inbox: Object.assign(makeInbox(), { beside }) })
  /** A room in which the bot has this power. */
  const openRoom = async (power: number): Promise<Place> => {
    const users = { [anna.userId]: 100, [bot()]: power }
    return { network: 'matrix', id: await anna.createRoom({ preset: 'public_chat', room_version: '10', power_level_content_override: { users } }) }
  }
  const change = (place: Place, shown: Shown): Delivery =>
    ({ key: newKey(), place, as: bernd, at: Date.now(), attempt: 1, action: { kind: 'profile', shown, change: { network: 'xmpp', key: 'x' } } })
  const state = (place: Place, type: string): Promise<Json> => anna.call('GET', `v3/rooms/${encodeURIComponent(place.id)}/state/${type}/`)

  before(async () => { anna = await newPerson('anna') })

  describe('what a room tells apps of its other side', () => {
    const hall: Beside = {
      place: { network: 'xmpp', id: 'halle@rooms.example.org' }, name: 'Halle', can: { ...CAN, label: 'XMPP' }, shows: { typing: true, read: false }
    }
    const phone: Beside = {
      place: { network: 'sms', id: '+4930123456/+491701234567' }, people: ['Max'], can: { ...CAN, label: 'SMS', deletions: false }, shows: hall.shows
    }

    it('is each place by its name, without anybody\'s number, and what works there', async () => {
      const place = await openRoom(50)
      await begin(place, [hall, phone])
      const told = async (type: string, id: string): Promise<Json> => (await anna.waitFor(place.id, `${type} of ${id}`,
        ({ type: is, content }) => is === type && (content.protocol as Json).id === id)).content
      for (const type of ['m.bridge', 'uk.half-shot.bridge']) {
        assert.deepEqual(await told(type, 'xmpp'), {
          bridgebot: bot(), protocol: { id: 'xmpp', displayname: 'XMPP' }, channel: { id: 'halle@rooms.example.org', displayname: 'Halle' }
        })
        const ofPhone = await told(type, 'sms')
        assert.equal((ofPhone.channel as Json).displayname, 'Max')
        assert.doesNotMatch(JSON.stringify(ofPhone), /4930|49170/)
      }
      const features = await anna.waitFor(place.id, 'features', ({ type }) => type === 'com.beeper.room_features')
      const { reply, thread, edit, delete: taking, typing_notifications: typing } = features.content
      assert.deepEqual([features.state_key, reply, thread, edit, taking, typing], [bot(), 2, 2, 2, 1, true])
    })

    it('is nothing where the bot may not say it, and the mirror works all the same', async () => {
      const place = await openRoom(0)
      const { network } = await begin(place, [hall])
      await network.send(delivery(place, 'geht'), signal())
      assert.deepEqual((await anna.events(place.id)).filter(({ type }) => type === 'm.bridge' || type === 'com.beeper.room_features'), [])
    })

    it('is said as soon as the bot may say it', async () => {
      const place = await openRoom(0)
      const { network } = await begin(place, [hall])
      await network.send(delivery(place, 'geht'), signal())
      const levels = await state(place, 'm.room.power_levels')
      await anna.setState(place.id, 'm.room.power_levels', '', { ...levels, users: { [anna.userId]: 100, [bot()]: 50 } })
      await anna.waitFor(place.id, 'what works', ({ type }) => type === 'com.beeper.room_features')
    })
  })

  describe('what a room shows of itself', () => {
    it('comes in when somebody changes it, and does not come back when we do', async () => {
      const place = await openRoom(50)
      const { inbox, network } = await begin(place)
      const url = await anna.upload(PNG, 'image/png')
      await anna.setState(place.id, 'm.room.topic', '', { topic: 'Plan' })
      await anna.setState(place.id, 'm.room.name', '', { name: 'Halle' })
      await anna.setState(place.id, 'm.room.avatar', '', { url })
      await inbox.until('all three', () => inbox.profiles.length === 3)
      assert.deepEqual(inbox.profiles.map(({ shown }) => shown),
        [{ what: 'topic', value: 'Plan' }, { what: 'name', value: 'Halle' }, { what: 'picture', value: url }])
      assert.ok(inbox.profiles.every(({ by }) => by?.id === anna.userId))
      await network.send(change(place, { what: 'topic', value: 'Anders' }), signal())
      await anna.setState(place.id, 'm.room.topic', '', { topic: '' })
      await inbox.until('hers', () => inbox.profiles.length >= 4)
      assert.deepEqual(inbox.profiles.slice(3).map(({ shown: { value } }) => value), [''])
    })

    it('is changed by the bot, once, and never without need', async () => {
      const place = await openRoom(50)
      const bridge = await begin(place)
      const { network } = bridge
      bridge.files.set('picture:1', PNG)
      const topic = change(place, { what: 'topic', value: 'Plan\nfür Ä' })
      assert.equal((await network.send(topic, signal())).shows, 'Plan\nfür Ä')
      await network.send({ ...topic, attempt: 2 }, signal())
      await network.send(change(place, { what: 'name', value: 'Halle' }), signal())
      const { shows } = await network.send(change(place, { what: 'picture', value: 'picture:1' }), signal())
      assert.equal((await state(place, 'm.room.topic')).topic, 'Plan\nfür Ä')
      assert.equal((await state(place, 'm.room.name')).name, 'Halle')
      assert.equal((await state(place, 'm.room.avatar')).url, shows)
      assert.deepEqual(await anna.download(shows ?? ''), PNG)
      const events = await anna.events(place.id)
      assert.deepEqual(events.filter(({ sender, type }) => sender === bot() && /topic|name|avatar/.test(type)).map(({ type }) => type),
        ['m.room.topic', 'm.room.name', 'm.room.avatar'])
      assert.ok(events.every(({ state_key: key }) => !String(key).includes('bernd')), 'and nobody comes in for it')
    })

    it('is refused where the bot has no power', async () => {
      const place = await openRoom(0)
      const { network } = await begin(place)
      await assert.rejects(network.send(change(place, { what: 'topic', value: 'Plan' }), signal()), Refused)
    })
  })
}
