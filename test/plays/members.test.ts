/** Who is there: people who say nothing are in the room on the other side too, on real servers, and a crash changes nothing about it. */
import assert from 'node:assert/strict'
import { xml } from '@xmpp/client'
import { PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { type Json, makeMatrixPerson, type MatrixPerson, type SeenEvent } from '../support/matrix-person'
import { PNG } from '../support/matrix-suite'
import { needs, scratch } from '../support/real'
import { LABELS, READ_WITHIN_MS, type Story, storyOf } from '../support/story'
import { startPerson, type XmppPerson } from '../support/xmpp-person'

const encode = encodeURIComponent
const SHA1_DIGITS = 40

for (const xmppServer of ['prosody', 'ejabberd'] as const) {
  describe(`who is there, between Synapse and ${xmppServer}`, () => {
    needs('synapse', xmppServer)
    const dir = scratch()
    let town: Town
    let story: Story
    let carl: XmppPerson
    let dora: MatrixPerson
    before(async () => {
      town = await raiseTown({ dir: dir('town'), xmppServer })
      story = storyOf(town)
    })
    after(async () => {
      await carl?.stop()
      await town?.stop()
    })

    const isMember = (name: string, membership: string) => ({ type, content, unsigned }: SeenEvent): boolean => type === 'm.room.member' &&
      content.membership === membership && (content.displayname === name || (unsigned?.prev_content as Json | undefined)?.displayname === name)
    const annaSees = (name: string, membership = 'join'): Promise<SeenEvent> =>
      town.people.anna.waitFor(town.room, `${name}: ${membership}`, isMember(name, membership), READ_WITHIN_MS)
    /** Who is in the MUC, as Bernd's app shows it. */
    const inside = (): string[] => {
      const there = new Set<string>()
      for (const one of town.people.bernd.heard) {
        const [from, nick = ''] = String(one.attrs.from).split('/')
        if (!one.is('presence') || from !== town.muc || nick === '') continue
        if (one.attrs.type === undefined) there.add(nick)
        else there.delete(nick)
      }
      return [...there].sort()
    }
    const berndSees = async (...nicks: string[]): Promise<void> => {
      const all = ['Bernd', 'Zentrale', ...nicks].sort().join()
      await town.people.bernd.until(`Bernd sees ${all}`, () => inside().join() === all, READ_WITHIN_MS)
    }
    const moves = async (): Promise<number> => (await town.people.anna.events(town.room)).filter(({ type }) => type === 'm.room.member').length

    it('nobody has said a word, and all see all', async () => {
      for (const name of [LABELS.bernd, LABELS.max]) await annaSees(name)
      await berndSees(LABELS.anna, LABELS.max)
      await town.xmpp.addUser('carl', PASSWORD)
      carl = await startPerson(town.xmpp, 'carl', PASSWORD)
      await carl.enter(town.muc, 'Carl')
      await annaSees('Carl (XMPP)')
      const { userId, accessToken } = await town.homeserver.createUser('dora', PASSWORD)
      dora = makeMatrixPerson(town.homeserver.url, userId, accessToken)
      await dora.call('PUT', `v3/profile/${encode(userId)}/displayname`, { displayname: 'Dora' })
      await town.people.anna.call('POST', `v3/rooms/${encode(town.room)}/invite`, { user_id: userId })
      await dora.join(town.room)
      await berndSees(LABELS.anna, LABELS.max, 'Carl', 'Dora (Matrix)')
    })

    it('a new name is there before its next word, both ways', async () => {
      await dora.call('PUT', `v3/profile/${encode(dora.userId)}/displayname`, { displayname: 'Dorothea' })
      await berndSees(LABELS.anna, LABELS.max, 'Carl', 'Dorothea (Matrix)')
      await carl.send(xml('presence', { to: `${town.muc}/Karl` }))
      await annaSees('Karl (XMPP)')
      await dora.send(town.room, 'Ich heiße jetzt so')
      assert.equal((await story.berndReads('Ich heiße jetzt so')).attrs.from, `${town.muc}/Dorothea (Matrix)`)
    })

    it('a new picture is there without a word', async () => {
      const url = await dora.upload(PNG, 'image/png')
      await dora.call('PUT', `v3/profile/${encode(dora.userId)}/avatar_url`, { avatar_url: url })
      await town.people.bernd.until('Bernd sees her picture', one => one.is('presence') && one.attrs.from === `${town.muc}/Dorothea (Matrix)` &&
        one.getChild('x', 'vcard-temp:x:update')?.getChildText('photo')?.length === SHA1_DIGITS, READ_WITHIN_MS)
    })

    it('a crash makes nobody come or go on Matrix, all are back on XMPP, and a silent name can be called', async () => {
      await annaSees('Karl (XMPP)')
      const before = await moves()
      const { heard } = town.people.bernd
      const then = heard.length
      await town.zentrale.kill()
      await town.zentrale.restart()
      for (const nick of [LABELS.anna, LABELS.max, 'Dorothea (Matrix)']) { // a server may believe for a while that they never left
        await town.people.bernd.until(`${nick} is back`, one => heard.indexOf(one) >= then && one.is('presence') &&
          one.attrs.type === undefined && one.attrs.from === `${town.muc}/${nick}`, READ_WITHIN_MS)
      }
      await berndSees(LABELS.anna, LABELS.max, 'Karl', 'Dorothea (Matrix)')
      await story.annaSays('@Karl, bist du da?')
      const called = await story.berndReads('Karl, bist du da?')
      assert.equal(called.getChild('reference', 'urn:xmpp:reference:0')?.attrs.type, 'mention')
      await story.berndSays('Dorothea: und du?')
      const { content } = await story.annaReads('Dorothea: und du?')
      assert.deepEqual(content['m.mentions'], { user_ids: [dora.userId] })
      assert.equal(await moves(), before)
    })

    it('whoever leaves the Matrix room is gone in the MUC; whoever loses the MUC and comes back has not been away', async () => {
      await dora.call('POST', `v3/rooms/${encode(town.room)}/leave`)
      await berndSees(LABELS.anna, LABELS.max, 'Karl')
      const before = await moves()
      await carl.leave(town.muc, 'Karl')
      await berndSees(LABELS.anna, LABELS.max)
      await carl.enter(town.muc, 'Karl')
      await story.allIsWell('Ende')
      assert.equal(await moves(), before)
    })
  })
}
