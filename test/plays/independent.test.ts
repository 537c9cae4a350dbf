/**
 * A mirrored room between two people whose apps are none of ours: Nina's is built on matrix-nio, Bernd's on slixmpp. What either does is, in the
 * other's app, what that app takes it for. In the middle of it Zentrale is killed, and what was said before can still be answered.
 */
import assert from 'node:assert/strict'
import { DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { type Independent, startNio, startSlixmpp } from '../support/independent'
import { needs, scratch } from '../support/real'

for (const xmppServer of ['prosody', 'ejabberd'] as const) {
  describe(`a room between matrix-nio and slixmpp, on Synapse and ${xmppServer}`, () => {
    needs('synapse', xmppServer, 'slixmpp', 'nio')
    const dir = scratch()
    const NINA = 'nina (Matrix)'
    const NINA_ID = `@nina:${DOMAIN}`
    const BERND = 'Bernd (XMPP)'
    let town: Town
    let nina: Independent
    let bernd: Independent
    let asked: { event: string, named: string } // Nina's question, by the ids of both places
    let said: { event: string, id: string }

    before(async () => {
      town = await raiseTown({
        dir: dir('town'), xmppServer, mirror: { read_marks: true, delivery_marks: 'reaction' },
        directChats: { allow: [{ from: [`@nina:${DOMAIN}`], to: [`bernd@${DOMAIN}`] }] }
      })
      const { room, muc, people, homeserver, xmpp } = town
      await people.bernd.stop()
      const { userId } = await homeserver.createUser('nina', PASSWORD)
      await people.anna.call('POST', `v3/rooms/${encodeURIComponent(room)}/invite`, { user_id: userId })
      nina = await startNio(homeserver.url, userId, PASSWORD, dir())
      bernd = await startSlixmpp(xmpp.c2sPort, `bernd@${DOMAIN}/app`, PASSWORD, dir())
      nina.does('enter', { room })
      bernd.does('enter', { room: muc, nick: 'Bernd' })
      await Promise.all([nina.sees('in the room', { saw: 'entered' }), bernd.sees('in the room', { saw: 'entered' })])
    })
    after(async () => {
      await Promise.all([nina?.stop(), bernd?.stop()])
      await town?.stop()
    })

    const ninaSays = async (text: string): Promise<{ event: string, named: string }> => {
      nina.does('say', { room: town.room, text })
      const read = await bernd.sees(text, { saw: 'message', name: NINA, text })
      const own = await nina.sees(text, { saw: 'message', text })
      return { event: String(own['id']), named: String(read['named']) }
    }
    const berndSays = async (text: string): Promise<{ event: string, named: string, id: string }> => {
      bernd.does('say', { room: town.muc, text })
      const read = await nina.sees(text, { saw: 'message', name: BERND, text })
      const own = await bernd.sees(text, { saw: 'message', name: 'Bernd', text })
      return { event: String(read['id']), named: String(own['named']), id: String(own['id']) }
    }
    /** Each answers and likes what the other said. */
    const refer = async (to: typeof asked, word: string): Promise<void> => {
      const question = bernd.seen.find(({ named }) => named === to.named)
      bernd.does('reply', { room: town.muc, text: `${word} ja`, to: question?.['sender'], id: to.named })
      const answer = await nina.sees('the answer', { saw: 'message', name: BERND, text: `${word} ja`, answers: to.event })
      bernd.does('react', { room: town.muc, id: to.named, emojis: ['🎂', word] })
      await nina.sees('a cake', { saw: 'reaction', name: BERND, of: to.event, emoji: '🎂' })

      const own = await bernd.sees('his own answer', { saw: 'message', name: 'Bernd', text: `${word} ja` })
      nina.does('react', { room: town.room, id: answer['id'], emoji: '🎉' })
      await bernd.sees('confetti', { saw: 'reactions', name: NINA, of: own['named'], emojis: ['🎉'] })
      nina.does('reply', { room: town.room, text: `${word} schön`, id: answer['id'] })
      const thanks = await bernd.sees('the thanks', { saw: 'message', name: NINA, answers: own['named'] })
      assert.match(String(thanks['text']), new RegExp(`^> .*\n${word} schön$`, 's'), 'a few words in front for apps without replies')
    }

    it('words are words, under the names of those who say them, and both see who is there', async () => {
      asked = await ninaSays('Wer kommt?')
      said = await berndSays('Whoin?')
      bernd.does('members', { room: town.muc })
      const { names } = await bernd.sees('the list', { saw: 'members' })
      assert.ok(Array.isArray(names) && names.includes(NINA), String(names))
      nina.does('members', { room: town.room })
      const there = await nina.sees('the list', { saw: 'members' })
      assert.ok(Array.isArray(there['names']) && there['names'].includes(BERND), String(there['names']))
    })

    it('a reply is a reply, and a reaction a reaction', () => refer(asked, '👍'))

    it('each sees by a reaction of Zentrale that what they said has gone out to all', async () => {
      const mine = await ninaSays('Angekommen?')
      await nina.sees('the mark', { saw: 'reaction', sender: `@zentrale:${DOMAIN}`, of: mine.event, emoji: '✅' })
      const his = await berndSays('Bei mir schon')
      await bernd.sees('the mark', { saw: 'reactions', name: 'Zentrale', of: his.named, emojis: ['✅'] })
    })

    it('a correction corrects, and what is taken back is taken back', async () => {
      const his = await berndSays('um nuen')
      bernd.does('correct', { room: town.muc, text: 'um neun', id: his.id })
      await nina.sees('the correction', { saw: 'message', name: BERND, text: '* um neun', corrects: his.event })
      nina.does('say', { room: town.room, text: 'am Tro' })
      const first = await bernd.sees('am Tro', { saw: 'message', name: NINA, text: 'am Tro' })
      const own = await nina.sees('her own', { saw: 'message', text: 'am Tro' })
      nina.does('correct', { room: town.room, text: 'am Tor', id: own['id'] })
      await bernd.sees('the correction', { saw: 'correction', name: NINA, text: 'am Tor', of: first['id'] })
      nina.does('takeBack', { room: town.room, id: own['id'] })
      await bernd.sees('that it is taken back', { saw: 'retraction', name: NINA, of: first['id'] })
      bernd.does('takeBack', { room: town.muc, id: his.id })
      await nina.sees('that it is taken back', { saw: 'retraction', name: BERND, of: his.event })
    })

    it('each sees the other typing, and how far the other has read', async () => {
      bernd.does('types', { room: town.muc, state: 'composing' })
      await nina.sees('Bernd typing', { saw: 'typing', names: [BERND] })
      nina.does('types', { room: town.room, typing: true })
      await bernd.sees('Nina typing', { saw: 'composing', name: NINA })
      const mine = await ninaSays('Gelesen?')
      bernd.does('mark', { room: town.muc, id: mine.named })
      await nina.sees('Bernd\'s mark', { saw: 'mark', name: BERND, of: mine.event })
      const his = await berndSays('Ja, und du?')
      nina.does('mark', { room: town.room, id: his.event })
      await bernd.sees('Nina\'s mark', { saw: 'mark', name: NINA, of: his.named })
    })

    it('a name calls the one whom it means', async () => {
      bernd.does('say', { room: town.muc, text: `${NINA}: kommst du?` })
      await nina.sees('her name', { saw: 'message', name: BERND, calls: [NINA_ID], answers: '' })
      const { sender } = await nina.sees('Bernd', { saw: 'message', name: BERND })
      nina.does('call', { room: town.room, text: BERND, user: sender })
      await bernd.sees('his name', { saw: 'message', name: NINA, calls: [`xmpp:${town.muc}/Bernd`] })
    })

    it('a file is a link that ends in its name, and a location a location', async () => {
      nina.does('show', { room: town.room, name: 'plan.txt', text: 'erst links' })
      nina.does('place', { room: town.room, text: 'Hoftor', geo: 'geo:52.5,13.4' })
      await bernd.sees('the place', { saw: 'message', name: NINA, lat: '52.5' })
      const links = bernd.seen.map(({ link }) => String(link ?? '')).filter(link => link !== '')
      assert.equal(links.length, 1)
      assert.match(links[0]!, /\/plan\.txt$/)
    })

    it('a poll is voted in by a number, with or without a reply', async () => {
      nina.does('ask', { room: town.room, question: 'Wann?', answers: ['Mo', 'Di'] })
      const how = 'Abstimmen: Senden Sie gleich nur die Nummer, oder antworten Sie damit auf diese Nachricht.'
      const asked = await bernd.sees('the poll', { saw: 'message', name: NINA, text: `📊 Wann?\n1. Mo\n2. Di\n${how}` })
      bernd.does('say', { room: town.muc, text: '2' })
      await nina.sees('his vote', { saw: 'vote', name: BERND, answers: ['Di'] })
      bernd.does('reply', { room: town.muc, text: '1', to: asked['sender'], id: asked['named'] })
      await nina.sees('his other vote', { saw: 'vote', name: BERND, answers: ['Mo'] })
    })

    it('the topic is the same, and what a moderator removes is gone', async () => {
      const path = `v3/rooms/${encodeURIComponent(town.room)}`
      await town.people.anna.call('PUT', `${path}/state/m.room.topic`, { topic: 'Umzug am 14.' })
      await bernd.sees('the topic', { saw: 'subject', text: 'Umzug am 14.' })
      const bad = await ninaSays('Unsinn')
      const read = await bernd.sees('Unsinn', { saw: 'message', name: NINA, text: 'Unsinn' })
      await town.people.anna.call('PUT', `${path}/redact/${encodeURIComponent(bad.event)}/away`, {})
      await bernd.sees('that it is gone', { saw: 'retraction', name: NINA, of: read['id'] })
    })

    it('a direct chat begins with a stand-in that nobody knew, and goes both ways', async () => {
      nina.does('chat', { invite: `@_zentrale_xmpp_bernd=40${DOMAIN}:${DOMAIN}` })
      const { room } = await nina.sees('the chat', { saw: 'begun' })
      nina.does('say', { room, text: 'Nur wir zwei' })
      const told = await bernd.sees('her word', { saw: 'told', text: 'Nur wir zwei' })
      bernd.does('tell', { to: told['sender'], text: 'Genau' })
      await nina.sees('his word', { saw: 'message', text: 'Genau' })
    })

    it('after a kill and a start, what was said before can be answered, liked and corrected', async () => {
      const last = await berndSays('Bis gliech')
      await town.zentrale.kill()
      await town.zentrale.restart()
      await refer(asked, '🔁')
      bernd.does('correct', { room: town.muc, text: 'Wohin?', id: said.id })
      await nina.sees('the correction', { saw: 'message', name: BERND, text: '* Wohin?', corrects: said.event })
      bernd.does('correct', { room: town.muc, text: 'Bis gleich', id: last.id })
      await nina.sees('the other correction', { saw: 'message', name: BERND, text: '* Bis gleich', corrects: last.event })
    })
  })
}
