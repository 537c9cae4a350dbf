/**
 * A mirrored room between two people whose apps are none of ours: Nina's is built on matrix-nio, Bernd's on slixmpp. What either does is, in the
 * other's app, what that app takes it for. In the middle of it Zentrale is killed, and what was said before can still be answered.
 */
import assert from 'node:assert/strict'
import { DOMAIN } from '../../sandbox/town'
import type { Independent } from '../support/independent'
import { BERND, BERND_JID, NINA, NINA_ID, type Pair, raisePair, type Said } from '../support/pair'
import { noise, PNG } from '../support/png'
import { needs, scratch } from '../support/real'

const COMPONENT = `chat.${DOMAIN}`

for (const xmppServer of ['prosody', 'ejabberd'] as const) {
  describe(`a room between matrix-nio and slixmpp, on Synapse and ${xmppServer}`, () => {
    needs('synapse', xmppServer, 'slixmpp', 'nio')
    const dir = scratch()
    let pair: Pair
    let nina: Independent, bernd: Independent
    let room = '', muc = ''
    let market = '' // a room that only Bernd knows at first
    let asked: Said // Nina's question
    let said: Said

    before(async () => {
      pair = await raisePair({
        xmppServer, admins: ['bernd'], mirror: { read_marks: true, delivery_marks: 'reaction' },
        directChats: { allow: [{ from: [NINA_ID], to: [BERND_JID] }] },
        portals: { rooms: ['#square:*', '*@rooms.*'], from: [BERND_JID] }
      }, dir);
      ({ nina, bernd, town: { room, muc } } = pair)
    })
    after(async () => { await pair?.stop() })

    /** Each answers and likes what the other said. */
    const refer = async (to: Said, word: string): Promise<void> => {
      const question = bernd.seen.find(({ named }) => named === to.named)
      bernd.does('reply', { room: muc, text: `${word} ja`, to: question?.['sender'], id: to.named })
      const answer = await nina.sees('the answer', { saw: 'message', name: BERND, text: `${word} ja`, answers: to.event })
      bernd.does('react', { room: muc, id: to.named, emojis: ['🎂', word] })
      await nina.sees('a cake', { saw: 'reaction', name: BERND, of: to.event, emoji: '🎂' })

      const own = await bernd.sees('his own answer', { saw: 'message', name: 'Bernd', text: `${word} ja` })
      nina.does('react', { room, id: answer['id'], emoji: '🎉' })
      await bernd.sees('confetti', { saw: 'reactions', name: NINA, of: own['named'], emojis: ['🎉'] })
      nina.does('reply', { room, text: `${word} schön`, id: answer['id'] })
      const thanks = await bernd.sees('the thanks', { saw: 'message', name: NINA, answers: own['named'] })
      assert.match(String(thanks['text']), new RegExp(`^> .*\n${word} schön$`, 's'), 'a few words in front for apps without replies')
    }

    it('words are words, under the names of those who say them, and both see who is there', async () => {
      asked = await pair.ninaSays('Wer kommt?')
      said = await pair.berndSays('Whoin?')
      bernd.does('members', { room: muc })
      const { names } = await bernd.sees('the list', { saw: 'members' })
      assert.ok(Array.isArray(names) && names.includes(NINA), String(names))
      nina.does('members', { room })
      const there = await nina.sees('the list', { saw: 'members' })
      assert.ok(Array.isArray(there['names']) && there['names'].includes(BERND), String(there['names']))
    })

    it('a reply is a reply, and a reaction a reaction', () => refer(asked, '👍'))

    it('each sees by a reaction of Zentrale that what they said has gone out to all', async () => {
      const mine = await pair.ninaSays('Angekommen?')
      await nina.sees('the mark', { saw: 'reaction', sender: `@zentrale:${DOMAIN}`, of: mine.event, emoji: '✅' })
      const his = await pair.berndSays('Bei mir schon')
      await bernd.sees('the mark', { saw: 'reactions', name: 'Zentrale', of: his.named, emojis: ['✅'] })
    })

    it('a correction corrects, and what is taken back is taken back', async () => {
      const his = await pair.berndSays('um nuen')
      bernd.does('correct', { room: muc, text: 'um neun', id: his.id })
      await nina.sees('the correction', { saw: 'message', name: BERND, text: '* um neun', corrects: his.event })
      nina.does('say', { room, text: 'am Tro' })
      const first = await bernd.sees('am Tro', { saw: 'message', name: NINA, text: 'am Tro' })
      const own = await nina.sees('her own', { saw: 'message', text: 'am Tro' })
      nina.does('correct', { room, text: 'am Tor', id: own['id'] })
      await bernd.sees('the correction', { saw: 'correction', name: NINA, text: 'am Tor', of: first['id'] })
      nina.does('takeBack', { room, id: own['id'] })
      await bernd.sees('that it is taken back', { saw: 'retraction', name: NINA, of: first['id'] })
      bernd.does('takeBack', { room: muc, id: his.id })
      await nina.sees('that it is taken back', { saw: 'retraction', name: BERND, of: his.event })
    })

    it('each sees the other typing, and how far the other has read', async () => {
      bernd.does('types', { room: muc, state: 'composing' })
      await nina.sees('Bernd typing', { saw: 'typing', names: [BERND] })
      nina.does('types', { room, typing: true })
      await bernd.sees('Nina typing', { saw: 'composing', name: NINA })
      const mine = await pair.ninaSays('Gelesen?')
      bernd.does('mark', { room: muc, id: mine.named })
      await nina.sees('Bernd\'s mark', { saw: 'mark', name: BERND, of: mine.event })
      const his = await pair.berndSays('Ja, und du?')
      nina.does('mark', { room, id: his.event })
      await bernd.sees('Nina\'s mark', { saw: 'mark', name: NINA, of: his.named })
    })

    it('a name calls the one whom it means', async () => {
      bernd.does('say', { room: muc, text: `${NINA}: kommst du?` })
      await nina.sees('her name', { saw: 'message', name: BERND, calls: [NINA_ID], answers: '' })
      const { sender } = await nina.sees('Bernd', { saw: 'message', name: BERND })
      nina.does('call', { room, text: BERND, user: sender })
      await bernd.sees('his name', { saw: 'message', name: NINA, calls: [`xmpp:${muc}/Bernd`] })
    })

    it('a file is a link that ends in its name, and a location a location', async () => {
      nina.does('show', { room, name: 'plan.txt', text: 'erst links' })
      nina.does('place', { room, text: 'Hoftor', geo: 'geo:52.5,13.4' })
      await bernd.sees('the place', { saw: 'message', name: NINA, lat: '52.5' })
      const links = bernd.seen.map(({ link }) => String(link ?? '')).filter(link => link !== '')
      assert.equal(links.length, 1)
      assert.match(links[0]!, /\/plan\.txt$/)
    })

    it('a poll is voted in by a number, with or without a reply', async () => {
      nina.does('ask', { room, question: 'Wann?', answers: ['Mo', 'Di'] })
      const how = 'Abstimmen: Senden Sie gleich nur die Nummer, oder antworten Sie damit auf diese Nachricht.'
      const asked = await bernd.sees('the poll', { saw: 'message', name: NINA, text: `📊 Wann?\n1. Mo\n2. Di\n${how}` })
      bernd.does('say', { room: muc, text: '2' })
      await nina.sees('his vote', { saw: 'vote', name: BERND, answers: ['Di'] })
      bernd.does('reply', { room: muc, text: '1', to: asked['sender'], id: asked['named'] })
      await nina.sees('his other vote', { saw: 'vote', name: BERND, answers: ['Mo'] })
    })

    it('what is said in a thread is in that thread on the other side, and a reply to what it is about for apps that show no threads', async () => {
      const root = await pair.ninaSays('Wer hat den Schlüssel?')
      nina.does('thread', { room, text: 'Ich nicht', root: root.event })
      const answer = await bernd.sees('her word in the thread', { saw: 'message', name: NINA, answers: root.named })
      assert.match(String(answer['text']), /^> .*\nIch nicht$/s)
      bernd.does('thread', { room: muc, text: 'Ich auch nicht', thread: answer['thread'] })
      await nina.sees('his word in the thread', { saw: 'message', name: BERND, text: 'Ich auch nicht', thread: root.event })
      bernd.does('thread', { room: muc, text: 'Wer hat die Leiter?', thread: 'leiter' })
      const first = { saw: 'message', name: BERND, text: 'Wer hat die Leiter?', in_thread: false }
      const asked = await nina.sees('his first word in a thread of his', first)
      nina.does('thread', { room, text: 'Sie steht hier', root: asked['id'] })
      await bernd.sees('her word in his thread', { saw: 'message', name: NINA, thread: 'leiter' })
      const asking = bernd.seen.find(({ named }) => named === root.named)
      nina.does('takeBack', { room, id: root.event })
      await bernd.sees('that the first word is taken back', { saw: 'retraction', name: NINA, of: asking?.['id'] })
      bernd.does('thread', { room: muc, text: 'Ich doch', thread: answer['thread'] })
      await nina.sees('that the thread goes on', { saw: 'message', name: BERND, text: 'Ich doch', thread: root.event })
      nina.does('thread', { room, text: 'Gut so', root: root.event })
      await bernd.sees('that it goes on for her', { saw: 'message', name: NINA, text: 'Gut so', thread: answer['thread'], answers: '' })
    })

    it('a picture that is uploaded is one on the other side, with its name, type, size, measures and thumbnail', async () => {
      const [large, small] = [noise(40), PNG]
      const [base64, thumbnail, size] = [large.toString('base64'), small.toString('base64'), large.length]
      const image = { name: 'tor.png', kind: 'image/png', base64, width: 40, height: 40, thumbnail }
      bernd.does('upload', { room: muc, ...image })
      const his = await nina.sees('his picture', { saw: 'message', name: BERND, text: 'tor.png', kind: 'm.image' })
      const { thumbnail_url: where, ...info } = his['info'] as Record<string, unknown>
      const thumbnail_info = { mimetype: 'image/png', size: small.length, w: 1, h: 1 }
      assert.deepEqual(info, { mimetype: 'image/png', size, w: 40, h: 40, thumbnail_info })
      assert.deepEqual(await pair.town.people.anna.download(String(where)), small)
      bernd.does('upload', { room: muc, ...image, name: 'alt.png', width: 0 })
      const older = await nina.sees('a picture of an older app', { saw: 'message', name: BERND, text: 'alt.png', kind: 'm.image' })
      assert.deepEqual(older['info'], { mimetype: 'image/png', size })
      nina.does('upload', { room, ...image, name: 'hof.png' })
      const hers = await bernd.sees('her picture', {
        saw: 'message', name: NINA, file: { 'media-type': 'image/png', name: 'hof.png', size: String(size), width: '40', height: '40' }
      })
      assert.equal(hers['text'], hers['link'], 'apps show a picture in its place only if the link stands alone')
      const [shown] = hers['thumbnails'] as Record<string, string>[]
      for (const [url, bytes] of [[hers['link'], base64], [shown?.['uri'], thumbnail]]) {
        const got = await fetch(String(url))
        assert.deepEqual([got.headers.get('content-type'), Buffer.from(await got.arrayBuffer()).toString('base64')], ['image/png', bytes])
      }
      assert.deepEqual([shown?.['media-type'], shown?.['width'], shown?.['height']], ['image/png', '1', '1'])
    })

    it('a direct chat begins with a stand-in that nobody knew, and goes both ways', async () => {
      nina.does('chat', { invite: `@_zentrale_xmpp_bernd=40${DOMAIN}:${DOMAIN}` })
      const { room } = await nina.sees('the chat', { saw: 'begun' })
      nina.does('say', { room, text: 'Nur wir zwei' })
      const told = await bernd.sees('her word', { saw: 'told', text: 'Nur wir zwei' })
      bernd.does('tell', { to: told['sender'], text: 'Genau' })
      await nina.sees('his word', { saw: 'message', text: 'Genau' })
    })

    it('Nina enters an XMPP room by its name, and Bernd a Matrix room', async () => {
      market = `market@${pair.town.xmpp.muc}`
      bernd.does('enter', { room: market, nick: 'Bernd' })
      bernd.does('open', { room: market })
      await bernd.sees('that it is open', { saw: 'opened', room: market })
      nina.does('join', { alias: `#_zentrale_xmpp_market%${pair.town.xmpp.muc}:${DOMAIN}` })
      const entered = await nina.sees('that she is in it', ({ saw, room: which }) => saw === 'entered' && which !== room)
      bernd.does('say', { room: market, text: 'Apples' })
      await nina.sees('his word', { saw: 'message', room: entered['room'], name: BERND, text: 'Apples' })
      nina.does('say', { room: entered['room'], text: 'Pears' })
      await bernd.sees('her word', { saw: 'message', name: NINA, text: 'Pears' })

      const { anna } = pair.town.people
      const square = await anna.createRoom({ preset: 'public_chat', room_alias_name: 'square' })
      bernd.does('ask_for', { room: `#square\\3a${DOMAIN}@${COMPONENT}`, nick: 'Bernd' })
      const { to } = await bernd.sees('where it is', { saw: 'sent on', condition: 'gone' })
      const at = /^xmpp:(.+)\?join$/.exec(String(to))?.[1]
      await bernd.sees('an invitation', { saw: 'invited', room: at })
      bernd.does('look_up', { gateway: COMPONENT, name: `#square:${DOMAIN}` })
      await bernd.sees('the same by the gateway', { saw: 'looked up', jid: at })
      bernd.does('enter', { room: at, nick: 'Bernd' })
      await bernd.sees('Anna, who says nothing', { saw: 'here', name: 'Anna (Matrix)', room: at })
      await anna.send(square, 'Plums')
      await bernd.sees('her word', { saw: 'message', name: 'Anna (Matrix)', text: 'Plums' })
      bernd.does('say', { room: at, text: 'Cherries' })
      await anna.waitFor(square, 'his word', ({ content }) => content['body'] === 'Cherries')
    })

    it('a new nick is there, and what is said then is under it', async () => {
      bernd.does('rename', { room: market, nick: 'Bernhard' })
      await nina.sees('his new name', ({ saw, name: who, is_there: isThere }) => saw === 'member' && who === 'Bernhard (XMPP)' && isThere === true)
      bernd.does('say', { room: market, text: 'It is still me' })
      const { sender } = await nina.sees('his word', { saw: 'message', text: 'It is still me' })
      assert.ok(nina.seen.some(({ saw, user, name }) => saw === 'member' && user === sender && name === 'Bernhard (XMPP)'))
    })

    it('after a kill and a start, what was said before can be answered, liked and corrected', async () => {
      const last = await pair.berndSays('Bis gliech')
      await pair.town.zentrale.kill()
      await pair.town.zentrale.restart()
      await refer(asked, '🔁')
      bernd.does('correct', { room: muc, text: 'Wohin?', id: said.id })
      await nina.sees('the correction', { saw: 'message', name: BERND, text: '* Wohin?', corrects: said.event })
      bernd.does('correct', { room: muc, text: 'Bis gleich', id: last.id })
      await nina.sees('the other correction', { saw: 'message', name: BERND, text: '* Bis gleich', corrects: last.event })
    })

    it('a Matrix room that is replaced is followed, and both go on there', async () => {
      nina.does('move', { room })
      const { room: next } = await nina.sees('the new room', { saw: 'moved' })
      await nina.sees('Bernd in it', { saw: 'member', room: next, name: BERND, is_there: true })
      bernd.does('say', { room: muc, text: 'Seid ihr umgezogen?' })
      const asked = await nina.sees('his question', { saw: 'message', room: next, name: BERND, text: 'Seid ihr umgezogen?' })
      const own = await bernd.sees('his own', { saw: 'message', name: 'Bernd', text: 'Seid ihr umgezogen?' })
      nina.does('reply', { room: next, text: 'Ja, eben', id: asked['id'] })
      await bernd.sees('her answer', { saw: 'message', name: NINA, answers: own['named'] })
      room = String(next)
    })

    // He keeps that nick: Synapse writes a name into rooms later, and would write this one over the next.
    it('what he said under another nick is corrected and taken back, or said anew where a room knows him by his nick alone', async () => {
      const his = await pair.berndSays('um znhe')
      bernd.does('rename', { room: muc, nick: 'Bernhard' })
      await nina.sees('his new name', ({ saw, name, is_there: isThere }) => saw === 'member' && name === 'Bernhard (XMPP)' && isThere === true)
      bernd.does('correct', { room: muc, text: 'um zehn', id: his.id })
      const corrects = xmppServer === 'prosody' ? his.event : ''
      await nina.sees('the correction', { saw: 'message', name: 'Bernhard (XMPP)', text: '* um zehn', corrects })
      bernd.does('takeBack', { room: muc, id: his.id })
      await nina.sees('that it is taken back', { saw: 'retraction', of: his.event })
    })

    it('a MUC that is destroyed for another one is followed once that lets us in, and both go on there', async () => {
      const hall = `halle@${pair.town.xmpp.muc}`
      const zentrale = `zentrale@${COMPONENT}`
      bernd.does('enter', { room: hall, nick: 'Bernd' })
      bernd.does('open', { room: hall })
      await bernd.sees('that it is open', { saw: 'opened', room: hall })
      const since = nina.seen.length
      bernd.does('destroy', { room: muc, successor: hall })
      await bernd.sees('that Zentrale asks', ({ saw, sender, text }) =>
        saw === 'message' && sender === `${hall}/Zentrale` && String(text).includes(zentrale))
      bernd.does('admit', { room: hall, jid: zentrale })
      await bernd.sees('Nina in it', { saw: 'here', name: NINA, room: hall })
      await nina.sees('that he is no longer in the old one', ({ saw, user, how }) =>
        saw === 'member' && how === 'leave' && String(user).includes('werkstatt'), since)
      await nina.sees('where it is now', { saw: 'message', room, text: `Der Raum auf XMPP ist umgezogen. Er ist jetzt ${hall}.` })
      bernd.does('say', { room: hall, text: 'Hier sind wir' })
      const read = await nina.sees('his word', { saw: 'message', room, name: BERND, text: 'Hier sind wir' })
      const own = await bernd.sees('his own', { saw: 'message', name: 'Bernd', text: 'Hier sind wir' })
      nina.does('reply', { room, text: 'Schön hell', id: read['id'] })
      await bernd.sees('her answer', { saw: 'message', name: NINA, sender: `${hall}/${NINA}`, answers: own['named'] })
    })
  })
}
