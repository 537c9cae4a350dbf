/**
 * A function address, as its contacts see it in apps that are none of ours: Nina's is built on matrix-nio, Bernd's on slixmpp; Anna is the team. The
 * address has its name and its picture, they see it typing and reading, and what they refer to is what they mean. In the end Nina's case goes to the
 * lost property office, where Otto reads in his chat with that address.
 */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { DOMAIN, PASSWORD } from '../../sandbox/town'
import type { Independent } from '../support/independent'
import type { MatrixPerson, SeenEvent } from '../support/matrix-person'
import { type Pair, raisePair } from '../support/pair'
import { PNG } from '../support/png'
import { needs, scratch } from '../support/real'
import { enteredCase, READ_WITHIN_MS } from '../support/story'
import { startPerson, type XmppPerson } from '../support/xmpp-person'

const JID = `bürgerbüro@chat.${DOMAIN}`
const MXID = `@buergerbuero:${DOMAIN}`
const TITLE = 'Bürgerbüro'
const OFFICE = `fundbüro@chat.${DOMAIN}`

for (const xmppServer of ['prosody', 'ejabberd'] as const) {
  describe(`a function address that matrix-nio and slixmpp write to, on Synapse and ${xmppServer}`, () => {
    needs('synapse', xmppServer, 'slixmpp', 'nio')
    const dir = scratch()
    let pair: Pair
    let nina: Independent, bernd: Independent, otto: XmppPerson
    let chat = '', berndsCase = '', ninasCase = ''

    before(async () => {
      mkdirSync(dir('town'))
      writeFileSync(dir('town/logo.png'), PNG)
      pair = await raisePair({ xmppServer, language: 'en', addresses: [{ name: 'bürgerbüro', matrix: 'buergerbuero', more: {
        title: TITLE, logo: './logo.png', read_marks: true, automatic: { greeting: 'It has arrived.', absence: false }, reactions: 'shown',
        team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }]
      } }, { name: 'fundbüro', matrix: 'fundbuero', more: {
        team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }, { name: 'Otto', addresses: [`otto@${DOMAIN}`], direct: true }]
      } }] }, dir)
      await pair.town.xmpp.addUser('otto', PASSWORD)
      otto = await startPerson(pair.town.xmpp, 'otto', PASSWORD)
      await otto.comeOnline();
      ({ nina, bernd } = pair)
    })
    after(async () => {
      await otto?.stop()
      await pair?.stop()
    })

    const annaReads = (room: string, text: string): Promise<SeenEvent> => pair.town.people.anna.waitFor(room, text, ({ content, sender }) =>
      content['body'] === text && sender !== pair.town.people.anna.userId, READ_WITHIN_MS)

    const annaTypes = ({ userId, call }: MatrixPerson, room: string): Promise<unknown> =>
      call('PUT', `v3/rooms/${encodeURIComponent(room)}/typing/${encodeURIComponent(userId)}`, { typing: true, timeout: 30_000 })
    const annaHasRead = ({ call }: MatrixPerson, room: string, event: string): Promise<unknown> =>
      call('POST', `v3/rooms/${encodeURIComponent(room)}/receipt/m.read/${encodeURIComponent(event)}`, {})

    it('is somebody with a name and a picture, who says that a question has arrived, and then answers', async () => {
      const { anna } = pair.town.people
      bernd.does('tell', { to: JID, text: 'Are you open?' })
      const { id } = await bernd.sees('his question', { saw: 'sent', text: 'Are you open?' })
      await bernd.sees('that it has arrived', { saw: 'receipt', sender: JID, of: id })
      const first = await bernd.sees('the first words', ({ saw, text }) => saw === 'told' && String(text).includes('It has arrived.'))
      assert.deepEqual([first['sender'], first['nick']], [JID, TITLE])
      bernd.does('look_at', { who: JID })
      await bernd.sees('its profile', { saw: 'profile', who: JID, nick: TITLE, picture: PNG.toString('base64') })
      berndsCase = await enteredCase(anna, 'buergerbuero', 1, DOMAIN)
      const { event_id: event } = await annaReads(berndsCase, 'Are you open?')
      await annaTypes(anna, berndsCase)
      await bernd.sees('the address typing', { saw: 'composing', sender: JID })
      await annaHasRead(anna, berndsCase, event)
      await bernd.sees('that the address has read', { saw: 'mark', sender: JID, of: id })
      await anna.send(berndsCase, { msgtype: 'm.text', body: 'Until six.', 'm.relates_to': { 'm.in_reply_to': { event_id: event } } })
      await bernd.sees('the answer', { saw: 'told', sender: JID, answers: id }, bernd.seen.indexOf(first) + 1)
    })

    it('is the same for whoever writes on Matrix', async () => {
      const { anna } = pair.town.people
      nina.does('chat', { invite: MXID })
      chat = String((await nina.sees('the chat', { saw: 'begun' }))['room'])
      nina.does('look_at', { user: MXID })
      const profile = await nina.sees('its profile', { saw: 'profile', who: MXID })
      assert.deepEqual([profile['name'], String(profile['picture']).startsWith('mxc://')], [TITLE, true])
      nina.does('say', { room: chat, text: 'Do I need a date?' })
      const own = await nina.sees('her own', { saw: 'message', text: 'Do I need a date?' })
      await nina.sees('that it has arrived', ({ text, sender }) => sender === MXID && String(text).includes('It has arrived.'))
      ninasCase = await enteredCase(anna, 'buergerbuero', 2, DOMAIN)
      const { event_id: event } = await annaReads(ninasCase, 'Do I need a date?')
      await annaTypes(anna, ninasCase)
      await nina.sees('the address typing', { saw: 'typing', names: [TITLE] })
      await annaHasRead(anna, ninasCase, event)
      await nina.sees('that the address has read', { saw: 'mark', name: TITLE, of: own['id'] })
      await anna.send(ninasCase, { msgtype: 'm.text', body: 'No.', 'm.relates_to': { 'm.in_reply_to': { event_id: event } } })
      const answer = await nina.sees('the answer', { saw: 'message', sender: MXID, text: 'No.', answers: own['id'] })
      nina.does('react', { room: chat, id: answer['id'], emoji: '🎉' })
      const isParty = ({ type, content }: SeenEvent): boolean => type === 'm.reaction' && JSON.stringify(content).includes('🎉')
      await anna.waitFor(ninasCase, 'that she likes it', isParty, READ_WITHIN_MS)
    })

    it('shows nobody of the team, and after a kill an answer still refers to what was said before', async () => {
      const { anna } = pair.town.people
      const { id } = await bernd.sees('his question', { saw: 'sent', text: 'Are you open?' })
      await pair.town.zentrale.kill()
      bernd.does('tell', { to: JID, text: 'Lost while it was dead?' }) // the server says that nobody is there
      await pair.town.zentrale.restart()
      bernd.does('tell', { to: JID, text: 'On Saturday, too?' })
      const { event_id: asked } = await annaReads(berndsCase, 'On Saturday, too?')
      const said = await bernd.sees('his other question', { saw: 'sent', text: 'On Saturday, too?' })
      const { event_id: before } = await annaReads(berndsCase, 'Are you open?')
      for (const [to, text, of] of [[before, 'In the week.', id], [asked, 'Then, too.', said['id']]]) {
        const then = bernd.seen.length
        await anna.send(berndsCase, { msgtype: 'm.text', body: text, 'm.relates_to': { 'm.in_reply_to': { event_id: to } } })
        await bernd.sees(String(text), { saw: 'told', sender: JID, answers: of }, then)
      }
      const all = JSON.stringify([nina.seen.filter(({ room }) => room === chat), bernd.seen.filter(({ sender }) => sender === JID)])
      assert.ok(!/anna/i.test(all), 'nothing names Anna')
    })

    it('what another team was told when it got a case changes with what its contact corrects, and loses what she takes back', async () => {
      const { anna } = pair.town.people
      const ids: string[] = []
      for (const text of ['It is a red bag.', 'My PIN is 4711.']) {
        nina.does('say', { room: chat, text })
        ids.push(String((await nina.sees(text, { saw: 'message', text }))['id']))
        await annaReads(ninasCase, text)
      }
      await anna.send(ninasCase, { msgtype: 'm.text', body: '!assign fundbüro' })
      const office = await enteredCase(anna, 'fundbuero', 2, DOMAIN)
      const isTold = (says: RegExp, not: RegExp) => ({ type, content }: SeenEvent): boolean =>
        type === 'm.room.message' && says.test(JSON.stringify(content)) && !not.test(JSON.stringify(content))
      const ottoReads = (what: RegExp, not: RegExp, how: string, from = 0) => otto.until(String(what), one => otto.heard.indexOf(one) >= from &&
        String(one.attrs.from).startsWith(OFFICE) && what.test(String(one.getChildText('body'))) && !not.test(String(one.getChildText('body'))) &&
        (how === '' || one.getChild(how) !== undefined), READ_WITHIN_MS)
      const told = await anna.waitFor(office, 'what was said', isTold(/red bag.*4711/, /never/), READ_WITHIN_MS)
      await ottoReads(/red bag[^]*4711/, /never/, '')
      nina.does('correct', { room: chat, id: ids[0], text: 'It is a blue bag.' })
      const edit = await anna.waitFor(office, 'the correction', isTold(/blue bag.*4711.*m\.replace/, /red/), READ_WITHIN_MS)
      assert.equal((edit.content['m.relates_to'] as { event_id: string }).event_id, told.event_id)
      await ottoReads(/blue bag[^]*4711/, /red/, 'replace')
      const before = otto.heard.length
      nina.does('takeBack', { room: chat, id: ids[1] })
      await anna.waitFor(office, 'that it is gone', ({ type, redacts, content }) =>
        type === 'm.room.redaction' && (redacts ?? content['redacts']) === told.event_id, READ_WITHIN_MS)
      await anna.waitFor(office, 'the rest', isTold(/blue bag/, /red|4711|\* It is|m\.replace/), READ_WITHIN_MS)
      await otto.until('that it is gone', one => otto.heard.indexOf(one) >= before && one.getChild('retract') !== undefined, READ_WITHIN_MS)
      await ottoReads(/blue bag/, /4711/, '', before)
    })
  })
}
