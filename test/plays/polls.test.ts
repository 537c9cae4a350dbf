/** One poll, asked in two Matrix rooms of a mirror and told to Bernd on XMPP and Max on his phone. All votes count in both rooms. */
import assert from 'node:assert/strict'
import { raiseTown, type Town } from '../../sandbox/town'
import { makeMatrixPerson, type Json, type MatrixPerson, type SeenEvent } from '../support/matrix-person'
import { needs, scratch } from '../support/real'
import { LABELS, READ_WITHIN_MS, replying, type Story, storyOf } from '../support/story'

const POLL = 'org.matrix.msc3381.poll'
const QUOTATION = `> ${LABELS.anna}: 📊 Wann?\n`
const RESULT = 'Die Umfrage ist beendet. Ergebnis: Dienstag'

for (const xmppServer of ['prosody', 'ejabberd'] as const) {
  describe(`a poll in two Matrix rooms, on Synapse, ${xmppServer} and phones`, () => {
    needs('synapse', xmppServer)
    const dir = scratch()
    let town: Town
    let story: Story
    let dora: MatrixPerson
    let doras: string
    before(async () => {
      town = await raiseTown({ dir: dir('town'), xmppServer, twin: true })
      story = storyOf(town);
      ({ dora, room: doras } = town.twin!)
    })
    after(async () => { await town?.stop() })

    const about = ({ content }: SeenEvent): unknown => (content['m.relates_to'] as Json | undefined)?.['event_id']
    const nameIn = async (who: MatrixPerson, room: string, mxid: string): Promise<unknown> =>
      (await who.call('GET', `v3/rooms/${encodeURIComponent(room)}/state/m.room.member/${encodeURIComponent(mxid)}`))['displayname']
    /** The vote of this person in this poll, as it stands in the room. */
    const sees = async (who: MatrixPerson, room: string, poll: string, answer: string, name: string): Promise<void> => {
      const { sender } = await who.waitFor(room, `${name} votes ${answer}`, event => event.type === `${POLL}.response` && about(event) === poll &&
        event.sender !== who.userId && ((event.content[`${POLL}.response`] ?? {}) as Json)['answers']?.toString() === answer, READ_WITHIN_MS)
      assert.equal(await nameIn(who, room, sender), name)
    }
    const ends = (who: MatrixPerson, room: string, poll: string): Promise<string> => who.send(room, {
      'm.relates_to': { rel_type: 'm.reference', event_id: poll }, 'org.matrix.msc1767.text': RESULT, [`${POLL}.end`]: {}
    }, `${POLL}.end`)

    it('is asked in both, answered by all, and ended by whoever asked it and nobody else', async () => {
      const { anna } = town.people
      const answers = ['Montag', 'Dienstag', 'Mittwoch', 'Freitag'].map((text, index) => ({ id: `a${index + 1}`, 'org.matrix.msc1767.text': text }))
      const question = { 'org.matrix.msc1767.text': 'Wann?' }
      const start = { question, kind: `${POLL}.disclosed`, max_selections: 1, answers }
      const poll = await anna.send(town.room, { 'org.matrix.msc1767.text': 'Wann?', [`${POLL}.start`]: start }, `${POLL}.start`)
      const copy = await dora.waitFor(doras, 'the poll', ({ type }) => type === `${POLL}.start`, READ_WITHIN_MS)
      assert.equal(await nameIn(dora, doras, copy.sender), LABELS.anna)
      assert.deepEqual(copy.content[`${POLL}.start`], start)
      const told = '\n1. Montag\n2. Dienstag\n3. Mittwoch\n4. Freitag\n'
      const how = 'Abstimmen: Senden Sie gleich nur die Nummer, oder antworten Sie damit auf diese Nachricht.'
      const asked = await story.berndReads(`📊 Wann?${told}${how}`)
      await story.maxReads(`${LABELS.anna}: 📊 Wann?${told}Abstimmen: Senden Sie nur die Nummer.`)

      const vote = (event: string, answer: string): Json =>
        ({ 'm.relates_to': { rel_type: 'm.reference', event_id: event }, [`${POLL}.response`]: { answers: [answer] } })
      await dora.send(doras, vote(copy.event_id, 'a2'), `${POLL}.response`)
      await sees(anna, town.room, poll, 'a2', 'Dora (Matrix)')
      await anna.send(town.room, vote(poll, 'a1'), `${POLL}.response`)
      await sees(dora, doras, copy.event_id, 'a1', LABELS.anna)
      const id = asked.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id ?? ''
      await story.berndSays(`${QUOTATION}3`, ...replying(id, String(asked.attrs.from), QUOTATION))
      await story.maxTypes('4')
      for (const [answer, name] of [['a3', LABELS.bernd], ['a4', LABELS.max]] as const) {
        await sees(anna, town.room, poll, answer, name)
        await sees(dora, doras, copy.event_id, answer, name)
      }

      const user = await town.homeserver.createUser('emil', 'zentrale-demo')
      const emil = makeMatrixPerson(town.homeserver.url, user.userId, user.accessToken)
      await dora.call('POST', `v3/rooms/${encodeURIComponent(doras)}/invite`, { user_id: emil.userId })
      await emil.join(doras)
      await ends(emil, doras, copy.event_id)
      await emil.send(doras, 'Schluss!')
      await story.annaReads('Schluss!')
      await ends(anna, town.room, poll)
      const end = await dora.waitFor(doras, 'the end', event => event.type === `${POLL}.end` && event.sender !== emil.userId, READ_WITHIN_MS)
      assert.deepEqual([end.sender, about(end)], [copy.sender, copy.event_id])
      const read = await town.people.bernd.until('the result', one =>
        one.getChildText('body')?.endsWith(`\n${RESULT}`) === true, READ_WITHIN_MS)
      assert.equal(read.attrs.from, asked.attrs.from)
      assert.equal((await anna.events(town.room)).filter(({ type }) => type === `${POLL}.end`).length, 1, 'Emil ended nothing')
    })
  })
}
