/** Where people share their words and nothing else: what is switched off does not leave, whatever they do, wherever they talk. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type Element, xml } from '@xmpp/client'
import { DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import type { MatrixPerson } from '../support/matrix-person'
import { needs, scratch } from '../support/real'
import { READ_WITHIN_MS, storyOf, type Story } from '../support/story'
import { MUC, startPerson, type XmppPerson } from '../support/xmpp-person'

const STATES = 'http://jabber.org/protocol/chatstates'
const MARKERS = 'urn:xmpp:chat-markers:0'
const PHOTO = 'vcard-temp:x:update'
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64')
const OFF = { typing: false, read_marks: false, presence: false, pictures: false, members_max: 0, room: { topic: false } }
const SERVICE = `rooms.${DOMAIN}`
const LADEN = `laden@${SERVICE}`
const OFFICE = `@amt:${DOMAIN}`
const OFFICE_ON_XMPP = `amt@chat.${DOMAIN}`

const isSignal = (one: Element): boolean =>
  ['displayed', 'markable', 'received', 'acknowledged'].some(name => one.getChild(name, MARKERS) !== undefined) ||
  ['composing', 'paused', 'active', 'inactive', 'gone'].some(state => one.getChild(state, STATES) !== undefined)

/** Whatever somebody heard from there that is more than words. */
const signalsFrom = ({ heard }: XmppPerson, start: string): string[] =>
  heard.filter(one => String(one.attrs.from).startsWith(start) && isSignal(one)).map(String)

/** Anna's client saw nobody else typing or reading in this room. */
const seesNobody = async (anna: MatrixPerson, room: string): Promise<void> => {
  const shown = await anna.signals(room)
  const isOthers = (users: unknown): boolean => Array.isArray(users) && users.some(one => one !== anna.userId)
  assert.deepEqual(shown.filter(({ type, content }) => type === 'm.typing' && isOthers(content['user_ids'])), [])
  const ofOurs = shown.filter(({ type, content }) => type === 'm.receipt' && /_zentrale_|@amt:/.test(JSON.stringify(content)))
  assert.deepEqual(ofOurs, [])
}

for (const xmppServer of ['prosody', 'ejabberd'] as const) {
  describe(`where typing, read marks, presence and pictures are switched off, nothing of it leaves, on Synapse and ${xmppServer}`, () => {
    needs('synapse', xmppServer)
    const dir = scratch()
    let town: Town
    let story: Story
    let anna: MatrixPerson
    let bernd: XmppPerson
    let carl: XmppPerson
    let account = ''

    before(async () => {
      town = await raiseTown({
        dir: dir('town'), xmppServer, presence: true, mirror: OFF, portals: { rooms: [`*@${SERVICE}`], ...OFF },
        directChats: { allow: [{ from: [`@anna:${DOMAIN}`], to: [`*@${DOMAIN}`] }], typing: false },
        addresses: [{ name: 'amt', matrix: 'amt', more: {
          xmpp: 'amt', automatic: { greeting: false, absence: false }, undo_seconds: 0, typing: false, read_marks: false,
          team: [{ name: 'Bernd', addresses: [`bernd@${DOMAIN}`], direct: true }]
        } }]
      })
      story = storyOf(town);
      ({ anna, bernd } = town.people)
      account = encodeURIComponent(anna.userId)
      await town.xmpp.addUser('carl', PASSWORD)
      carl = await startPerson(town.xmpp, 'carl', PASSWORD)
      for (const one of [bernd, carl]) await one.comeOnline()
      await bernd.enter(LADEN, 'Bernd')
      await bernd.ask('set', LADEN, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' })))
      await anna.call('PUT', `v3/profile/${account}/avatar_url`, { avatar_url: await anna.upload(PNG, 'image/png') })
      const vcard = xml('vCard', { xmlns: 'vcard-temp' }, xml('PHOTO', {}, xml('TYPE', {}, 'image/png'), xml('BINVAL', {}, PNG.toString('base64'))))
      await bernd.client.iqCaller.request(xml('iq', { type: 'set' }, vcard))
    })
    after(async () => {
      await carl?.stop()
      await town?.stop()
    })

    let talks = 0
    /** Behind all that was done before, on both ways. */
    const talk = async (room: string, muc: string): Promise<{ asked: string, sender: string, mine: string | undefined }> => {
      const [hers, his] = [`Anna ${++talks}`, `Bernd ${talks}`]
      await story.annaSays(hers, room)
      const mine = await story.berndReads(hers, () => true, muc)
      await bernd.say(muc, his, `talk-${talks}`)
      const { event_id: asked, sender } = await story.annaReads(his, () => true, room)
      return { asked, sender, mine: mine.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id }
    }

    const inRoom = async (room: string, muc: string): Promise<void> => {
      const hash = createHash('sha1').update(PNG).digest('hex')
      await bernd.send(xml('presence', { to: `${muc}/Bernd` }, xml('x', { xmlns: PHOTO }, xml('photo', {}, hash))))
      const { asked, sender, mine } = await talk(room, muc)
      const signal = (name: string, xmlns: string, id?: string): Promise<void> =>
        bernd.send(xml('message', { type: 'groupchat', to: muc }, xml(name, { xmlns, ...id !== undefined && { id } })))
      await anna.types(room, true)
      await anna.reads(room, asked)
      await anna.setState(room, 'm.room.topic', '', { topic: 'Annas Thema' }).catch(() => { /* in a portal she may not */ })
      await anna.call('PUT', `v3/presence/${account}/status`, { presence: 'unavailable', status_msg: 'zu Tisch' })
      await bernd.send(xml('presence', { to: `${muc}/Bernd` }, xml('show', {}, 'dnd'), xml('status', {}, 'am Telefon')))
      await signal('composing', STATES)
      await signal('displayed', MARKERS, mine)
      await bernd.send(xml('message', { type: 'groupchat', to: muc }, xml('subject', {}, 'Bernds Thema')))
      await talk(room, muc)

      const fromOurs = bernd.heard.filter(({ attrs }) => String(attrs.from).startsWith(`${muc}/`) && attrs.from !== `${muc}/Bernd`)
      const has = (what: (one: Element) => boolean): string[] => fromOurs.filter(what).map(String)
      assert.deepEqual(has(isSignal), [], 'no signal of Anna')
      assert.deepEqual(has(one => (one.getChild('x', PHOTO)?.getChildText('photo') ?? '') !== ''), [], 'no picture of Anna')
      assert.deepEqual(has(one => one.is('presence') && (one.getChild('show') ?? one.getChild('status')) !== undefined), [], 'no presence of Anna')
      const { presence } = await anna.call('GET', `v3/presence/${encodeURIComponent(sender)}/status`)
      assert.equal(presence, 'offline', 'no presence of Bernd')
      assert.deepEqual(has(one => one.getChild('subject') !== undefined), [], 'no topic of Anna')
      const others = (await anna.events(room)).filter(({ sender: by }) => by !== anna.userId)
      const pictures = others.filter(({ type, content }) => type === 'm.room.member' && content['avatar_url'] !== undefined)
      assert.deepEqual(pictures, [], 'no picture of Bernd')
      assert.deepEqual(others.filter(({ type }) => type === 'm.room.topic'), [], 'no topic of Bernd')
      await seesNobody(anna, room)
    }

    it('in a mirror', () => inRoom(town.room, town.muc))

    it('in a portal', async () => {
      const room = await anna.join(`#_zentrale_xmpp_laden%${SERVICE}:${DOMAIN}`)
      await bernd.until('Zentrale', one => one.is('presence') && one.attrs.from === `${LADEN}/Zentrale`)
      await inRoom(room, LADEN)
    })

    it('in a direct chat of two persons', async () => {
      const ours = `_matrix_=40anna=3a${DOMAIN}@chat.${DOMAIN}`
      const ghost = `@_zentrale_xmpp_bernd=40${DOMAIN}:${DOMAIN}`
      const room = await anna.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [ghost] })
      const reads = (body: string): Promise<Element> =>
        bernd.until(body, one => String(one.attrs.from).startsWith(ours) && one.getChildText('body') === body, READ_WITHIN_MS)
      const tells = (...content: Element[]): Promise<void> =>
        bernd.send(xml('message', { type: 'chat', to: ours, id: `direct-${++talks}` }, ...content))
      await anna.send(room, 'Unter uns')
      const mine = await reads('Unter uns')
      await tells(xml('body', {}, 'Ja?'), xml('markable', { xmlns: MARKERS }))
      const asked = await story.annaReads('Ja?', () => true, room)
      await anna.types(room, true)
      await anna.reads(room, asked.event_id)
      await anna.call('PUT', `v3/presence/${account}/status`, { presence: 'online', status_msg: 'wieder da' })
      await tells(xml('composing', { xmlns: STATES }))
      await tells(xml('displayed', { xmlns: MARKERS, id: mine.attrs.id }))
      await bernd.send(xml('presence', { to: ours }, xml('show', {}, 'dnd'), xml('status', {}, 'am Telefon')))
      await anna.send(room, 'Bis dann')
      await reads('Bis dann')
      await tells(xml('body', {}, 'Bis dann auch'))
      await story.annaReads('Bis dann auch', () => true, room)
      assert.deepEqual(signalsFrom(bernd, ours), [])
      const hers = bernd.heard.filter(one => one.is('presence') && String(one.attrs.from).startsWith(ours))
      assert.deepEqual(hers.filter(one => one.getChild('status') !== undefined), [])
      const { presence } = await anna.call('GET', `v3/presence/${encodeURIComponent(ghost)}/status`)
      assert.equal(presence, 'offline')
      await seesNobody(anna, room)
    })

    it('at a function address, for contacts on Matrix and XMPP and for the team', async () => {
      const said = (one: Element): string => String(one.attrs.from).startsWith(OFFICE_ON_XMPP) ? one.getChildText('body') ?? '' : ''
      const tells = (who: XmppPerson, ...content: Element[]): Promise<void> =>
        who.send(xml('message', { type: 'chat', to: OFFICE_ON_XMPP, id: `office-${++talks}` }, ...content))
      const hears = (who: XmppPerson, what: RegExp): Promise<Element> => who.until(String(what), one => what.test(said(one)), READ_WITHIN_MS)
      const number = async (what: RegExp): Promise<string> => /#\d+/.exec(said(await hears(bernd, what)))?.[0] ?? ''
      const room = await anna.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [OFFICE] })
      await anna.send(room, 'Frage von Anna')
      const hers = await number(/#\d+.*Frage von Anna|Frage von Anna.*#\d+/s)
      await tells(carl, xml('body', {}, 'Frage von Carl'), xml('markable', { xmlns: MARKERS }))
      const shown = await hears(bernd, /Frage von Carl/)
      const his = await number(/#\d+.*Frage von Carl|Frage von Carl.*#\d+/s)
      await anna.types(room, true)
      await tells(carl, xml('composing', { xmlns: STATES }))
      await tells(bernd, xml('composing', { xmlns: STATES }))
      await tells(bernd, xml('displayed', { xmlns: MARKERS, id: shown.attrs.id }))
      await tells(bernd, xml('body', {}, `${hers} Antwort für Anna`))
      const answer = await story.annaReads('Antwort für Anna', () => true, room)
      await anna.reads(room, answer.event_id)
      await tells(bernd, xml('body', {}, `${his} Antwort für Carl`))
      const read = await hears(carl, /Antwort für Carl/)
      await tells(carl, xml('displayed', { xmlns: MARKERS, id: read.attrs.id }))
      await tells(carl, xml('body', {}, 'Danke'))
      await hears(bernd, /Danke/)
      assert.deepEqual([signalsFrom(bernd, OFFICE_ON_XMPP), signalsFrom(carl, OFFICE_ON_XMPP)], [[], []])
      await seesNobody(anna, room)
    })
  })
}
