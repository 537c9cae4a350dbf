/** A mirrored room where people share their words and nothing else: what is switched off does not leave, whatever they do. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type Element, xml } from '@xmpp/client'
import { raiseTown, type Town } from '../../sandbox/town'
import { needs, scratch } from '../support/real'
import { storyOf } from '../support/story'

const STATES = 'http://jabber.org/protocol/chatstates'
const MARKERS = 'urn:xmpp:chat-markers:0'
const PHOTO = 'vcard-temp:x:update'
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64')

describe('a room with typing, read marks, presence, pictures, members and topic switched off', () => {
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  before(async () => {
    const mirror = { typing: false, read_marks: false, presence: false, pictures: false, members_max: 0, room: { topic: false } }
    town = await raiseTown({ dir: dir('town'), presence: true, mirror })
  })
  after(async () => { await town?.stop() })

  it('carries words, and nothing of the rest leaves for either side', async () => {
    const { room, muc, people: { anna, bernd } } = town
    const story = storyOf(town)
    const account = encodeURIComponent(anna.userId)
    await anna.call('PUT', `v3/profile/${account}/avatar_url`, { avatar_url: await anna.upload(PNG, 'image/png') })
    const vcard = xml('vCard', { xmlns: 'vcard-temp' }, xml('PHOTO', {}, xml('TYPE', {}, 'image/png'), xml('BINVAL', {}, PNG.toString('base64'))))
    await bernd.client.iqCaller.request(xml('iq', { type: 'set' }, vcard))
    const hash = createHash('sha1').update(PNG).digest('hex')
    await bernd.send(xml('presence', { to: `${muc}/Bernd` }, xml('x', { xmlns: PHOTO }, xml('photo', {}, hash))))

    await story.allIsWell('zuerst')
    const asked = await story.annaReads('zuerst: Bernd grüßt')
    const mine = await story.berndReads('zuerst: Anna hört Euch')
    await anna.types(room, true)
    await anna.reads(room, asked.event_id)
    await anna.setState(room, 'm.room.topic', '', { topic: 'Annas Thema' })
    await anna.call('PUT', `v3/presence/${account}/status`, { presence: 'unavailable', status_msg: 'zu Tisch' })
    await bernd.send(xml('presence', { to: `${muc}/Bernd` }, xml('show', {}, 'dnd'), xml('status', {}, 'am Telefon')))
    await story.berndSignals('composing', STATES)
    await story.berndSignals('displayed', MARKERS, mine.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id)
    await bernd.send(xml('message', { type: 'groupchat', to: muc }, xml('subject', {}, 'Bernds Thema')))
    await story.allIsWell('zuletzt') // behind all of that

    const fromOurs = bernd.heard.filter(({ attrs }) => attrs.from?.startsWith(`${muc}/`) === true && attrs.from !== `${muc}/Bernd`)
    const has = (what: (one: Element) => boolean): string[] => fromOurs.filter(what).map(String)
    const isSignal = (one: Element): boolean => one.getChild('displayed', MARKERS) !== undefined ||
      ['composing', 'paused', 'active'].some(state => one.getChild(state, STATES) !== undefined)
    assert.deepEqual(has(isSignal), [], 'no signal of Anna')
    assert.deepEqual(has(one => (one.getChild('x', PHOTO)?.getChildText('photo') ?? '') !== ''), [], 'no picture of Anna')
    assert.deepEqual(has(one => one.is('presence') && (one.getChild('show') ?? one.getChild('status')) !== undefined), [], 'no presence of Anna')
    const { presence } = await anna.call('GET', `v3/presence/${encodeURIComponent(asked.sender)}/status`)
    assert.equal(presence, 'offline', 'no presence of Bernd')
    assert.deepEqual(has(one => one.getChild('subject') !== undefined), [], 'no topic of Anna')

    const others = (await anna.events(room)).filter(({ sender }) => sender !== anna.userId)
    assert.deepEqual(others.filter(({ type, content }) => type === 'm.room.member' && content['avatar_url'] !== undefined), [], 'no picture of Bernd')
    assert.deepEqual(others.filter(({ type }) => type === 'm.room.topic'), [], 'no topic of Bernd')
    const shown = await anna.signals(room)
    assert.deepEqual(shown.filter(({ type, content }) => type === 'm.typing' && content['user_ids'] !== undefined &&
      (content['user_ids'] as string[]).some(one => one !== anna.userId)), [])
    assert.ok(shown.every(({ type, content }) => type !== 'm.receipt' || !JSON.stringify(content).includes('_zentrale_')), JSON.stringify(shown))
  })
})
