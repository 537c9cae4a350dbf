/**
 * Every server is started anew, and Zentrale is killed: what people refer to from before is still what they mean, in a mirrored room and at a
 * function address, both ways.
 */
import assert from 'node:assert/strict'
import { type Element, xml } from '@xmpp/client'
import { DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import type { Json, MatrixPerson, SeenEvent } from '../support/matrix-person'
import { needs, scratch } from '../support/real'
import { correcting, enteredCase, LABELS, READ_WITHIN_MS, replying, retracting, stanzaIdOf, storyOf } from '../support/story'
import { startPerson, type XmppPerson } from '../support/xmpp-person'

const JID = `amt@chat.${DOMAIN}`
const REACTIONS = 'urn:xmpp:reactions:0'

/** What each says before, one for each way to refer to it later. */
const WORDS = ['answered', 'liked', 'corrected', 'taken back'] as const
type Word = typeof WORDS[number]
/** By word: as its writer's app knows it, and as the reader's does. */
type Known = Record<Word, { own: string, read: string }>

const relation = ({ content }: SeenEvent): Json => (content['m.relates_to'] ?? {}) as Json
const emojisOf = (one: Element): string | undefined =>
  one.getChild('reactions', REACTIONS)?.getChildren('reaction').map(each => each.text()).join()

for (const xmppServer of ['prosody', 'ejabberd'] as const) {
  describe(`after a restart of Synapse, ${xmppServer} and Zentrale`, () => {
    needs('synapse', xmppServer)
    const dir = scratch()
    let town: Town
    let anna: MatrixPerson
    let bernd: XmppPerson, carl: XmppPerson
    let caseRoom = ''
    const known: Record<'annas' | 'bernds' | 'answers' | 'carls', Partial<Known>> = { annas: {}, bernds: {}, answers: {}, carls: {} }
    const of = (whose: keyof typeof known, word: Word): { own: string, read: string } => known[whose][word]!

    const annaSees = (room: string, what: string, fits: (event: SeenEvent) => boolean): Promise<SeenEvent> =>
      anna.waitFor(room, what, event => event.sender !== anna.userId && fits(event), READ_WITHIN_MS)
    const annaReads = (room: string, text: string): Promise<SeenEvent> => annaSees(room, text, ({ content }) => content['body'] === text)
    const fromRoom = (one: Element): boolean => String(one.attrs.from) === `${town.muc}/${LABELS.anna}`
    const berndSees = (what: string, fits: (one: Element) => boolean): Promise<Element> =>
      bernd.until(what, one => fromRoom(one) && fits(one), READ_WITHIN_MS)
    const carlSees = (what: string, fits: (one: Element) => boolean): Promise<Element> =>
      carl.until(what, one => String(one.attrs.from).startsWith(JID) && fits(one), READ_WITHIN_MS)
    const carlTells = (id: string, text: string, ...more: Element[]): Promise<void> =>
      carl.send(xml('message', { type: 'chat', to: JID, id }, ...text === '' ? [] : [xml('body', {}, text)], ...more))
    const answering = (event: string, text: string): Json =>
      ({ msgtype: 'm.text', body: text, 'm.relates_to': { 'm.in_reply_to': { event_id: event } } })
    const liking = (event: string): Json => ({ 'm.relates_to': { rel_type: 'm.annotation', event_id: event, key: '🎂' } })
    const reactions = (id: string): Element => xml('reactions', { xmlns: REACTIONS, id }, xml('reaction', {}, '🎂'))

    const connect = async (): Promise<void> => {
      [bernd, carl] = [await startPerson(town.xmpp, 'bernd', PASSWORD), await startPerson(town.xmpp, 'carl', PASSWORD)]
      await carl.comeOnline()
      await bernd.enter(town.muc, 'Bernd')
    }

    before(async () => {
      town = await raiseTown({ dir: dir('town'), xmppServer, addresses: [{ name: 'amt', matrix: 'amt', more: {
        xmpp: 'amt', title: 'Amt', automatic: { greeting: false, absence: false }, undo_seconds: 0, reactions: 'shown',
        team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }]
      } }] })
      anna = town.people.anna
      await town.people.bernd.stop()
      await town.xmpp.addUser('carl', PASSWORD)
      await connect()
      for (const word of WORDS) {
        const own = await anna.send(town.room, `Annas: ${word}`)
        const there = await berndSees(word, one => one.getChildText('body') === `Annas: ${word}`)
        known.annas[word] = { own, read: word === 'corrected' ? String(there.attrs.id) : stanzaIdOf(there) }
        await bernd.say(town.muc, `Bernds: ${word}`, `bernd ${word}`)
        const { event_id: read } = await annaReads(town.room, `Bernds: ${word}`)
        const his = await bernd.until(word, one => one.attrs.from === `${town.muc}/Bernd` && one.getChildText('body') === `Bernds: ${word}`)
        known.bernds[word] = { own: word === 'corrected' ? `bernd ${word}` : stanzaIdOf(his), read }
      }
      for (const word of WORDS) {
        await carlTells(`carl ${word}`, `Carls: ${word}`)
        caseRoom ||= await enteredCase(anna, 'amt', 1, DOMAIN)
        known.carls[word] = { own: `carl ${word}`, read: (await annaReads(caseRoom, `Carls: ${word}`)).event_id }
      }
      for (const word of WORDS) {
        const own = await anna.send(caseRoom, `Antwort: ${word}`)
        known.answers[word] = { own, read: String((await carlSees(word, one => one.getChildText('body') === `Antwort: ${word}`)).attrs.id) }
      }

      await town.zentrale.kill()
      await Promise.all([bernd.stop(), carl.stop()])
      await Promise.all([town.homeserver.restart(), town.xmpp.restart()])
      await town.zentrale.restart()
      await connect()
      await storyOf(town, bernd).berndSays('Da bin ich wieder')
      await annaReads(town.room, 'Da bin ich wieder')
    })
    after(async () => {
      await Promise.all([bernd?.stop(), carl?.stop()])
      await town?.stop()
    })

    it('Anna answers, likes, corrects and takes back in the room, and Bernd sees what she means', async () => {
      await anna.send(town.room, answering(of('bernds', 'answered').read, 'Ja, Bernd'))
      await berndSees('her answer', one => one.getChild('reply')?.attrs.id === of('bernds', 'answered').own)
      await anna.send(town.room, liking(of('bernds', 'liked').read), 'm.reaction')
      await berndSees('that she likes it', one => one.getChild('reactions')?.attrs.id === of('bernds', 'liked').own && emojisOf(one) === '🎂')
      await anna.edit(town.room, of('annas', 'corrected').own, 'Annas: verbessert')
      const corrected = await berndSees('her correction', one => one.getChild('replace')?.attrs.id === of('annas', 'corrected').read)
      assert.equal(corrected.getChildText('body'), 'Annas: verbessert')
      await anna.redact(town.room, of('annas', 'taken back').own)
      await berndSees('that it is gone', one => one.getChild('retract')?.attrs.id === of('annas', 'taken back').read)
    })

    it('Bernd does the same, and Anna sees what he means', async () => {
      const say = (text: string, ...more: Element[]): Promise<void> => bernd.say(town.muc, text, `bernd ${text}`, ...more)
      await say('> ?\nJa, Anna', ...replying(of('annas', 'answered').read, `${town.muc}/${LABELS.anna}`, '> ?\n'))
      const answer = await annaReads(town.room, 'Ja, Anna')
      assert.deepEqual(relation(answer)['m.in_reply_to'], { event_id: of('annas', 'answered').own })
      await bernd.send(xml('message', { type: 'groupchat', to: town.muc, id: 'bernd likes' }, reactions(of('annas', 'liked').read)))
      await annaSees(town.room, 'that he likes it', event =>
        event.type === 'm.reaction' && relation(event)['event_id'] === of('annas', 'liked').own && relation(event)['key'] === '🎂')
      await say('Bernds: verbessert', correcting(of('bernds', 'corrected').own))
      const corrected = await annaReads(town.room, '* Bernds: verbessert')
      assert.deepEqual(relation(corrected), { rel_type: 'm.replace', event_id: of('bernds', 'corrected').read })
      await say('/me nimmt das zurück', retracting(of('bernds', 'taken back').own))
      await annaSees(town.room, 'that it is gone', ({ type, content, redacts }) =>
        type === 'm.room.redaction' && (redacts ?? content['redacts']) === of('bernds', 'taken back').read)
    })

    it('Anna does the same for the address, and Carl sees what it means', async () => {
      await anna.send(caseRoom, answering(of('carls', 'answered').read, 'Ja, gern'))
      await carlSees('the answer', one => one.getChild('reply')?.attrs.id === of('carls', 'answered').own)
      await anna.send(caseRoom, liking(of('carls', 'liked').read), 'm.reaction')
      await carlSees('that it is liked', one => one.getChild('reactions')?.attrs.id === of('carls', 'liked').own && emojisOf(one) === '🎂')
      await anna.edit(caseRoom, of('answers', 'corrected').own, 'Antwort: verbessert')
      const corrected = await carlSees('the correction', one => one.getChild('replace')?.attrs.id === of('answers', 'corrected').read)
      assert.equal(corrected.getChildText('body'), 'Antwort: verbessert')
      await anna.redact(caseRoom, of('answers', 'taken back').own)
      await carlSees('that it is gone', one => one.getChild('retract')?.attrs.id === of('answers', 'taken back').read)
    })

    it('Carl does the same, and Anna sees what he means', async () => {
      await carlTells('carl 1', '> ?\nDanke', ...replying(of('answers', 'answered').read, JID, '> ?\n'))
      const answer = await annaReads(caseRoom, 'Danke')
      assert.deepEqual(relation(answer)['m.in_reply_to'], { event_id: of('answers', 'answered').own })
      await carlTells('carl 2', '', reactions(of('answers', 'liked').read))
      await annaSees(caseRoom, 'that he likes it', event =>
        event.type === 'm.reaction' && relation(event)['event_id'] === of('answers', 'liked').own && relation(event)['key'] === '🎂')
      await carlTells('carl 3', 'Carls: verbessert', correcting(of('carls', 'corrected').own))
      const corrected = await annaReads(caseRoom, '* Carls: verbessert')
      assert.deepEqual(relation(corrected), { rel_type: 'm.replace', event_id: of('carls', 'corrected').read })
      await carlTells('carl 4', '/me nimmt das zurück', retracting(of('carls', 'taken back').own))
      await annaSees(caseRoom, 'that it is gone', ({ type, content, redacts }) =>
        type === 'm.room.redaction' && (redacts ?? content['redacts']) === of('carls', 'taken back').read)
    })
  })
}
