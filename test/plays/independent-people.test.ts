/**
 * The people of a mirrored room, the room itself and what moderators do, as apps show it that are none of ours: Nina's is built on matrix-nio,
 * Bernd's on slixmpp.
 */
import assert from 'node:assert/strict'
import { startEjabberd } from '../../sandbox/servers/ejabberd'
import { startProsody, type XmppServerOptions } from '../../sandbox/servers/prosody'
import type { Independent, Seen } from '../support/independent'
import { BERND, NINA, NINA_ID, type Pair, raisePair } from '../support/pair'
import { PNG } from '../support/png'
import { needs, scratch } from '../support/real'

/** A word joiner may stand in a nick, so that it calls nobody. */
const begins = (words: string) => ({ saw, text }: Seen): boolean => saw === 'message' && String(text).replaceAll('\u2060', '').startsWith(words)
const SHA1 = /^[0-9a-f]{40}$/
const servers = {
  prosody: (options: XmppServerOptions) => startProsody({ ...options, moderation: true }),
  ejabberd: startEjabberd // which lets nobody remove what others said
}

for (const [name, xmppServer] of Object.entries(servers)) {
  describe(`who is there and who may do what, between matrix-nio and slixmpp, on Synapse and ${name}`, () => {
    needs('synapse', 'slixmpp', 'nio', ...name === 'prosody' ? ['prosody', 'prosodyModules'] as const : ['ejabberd'] as const)
    const dir = scratch()
    let pair: Pair
    let nina: Independent, bernd: Independent
    let room = '', muc = ''
    let ghost = '' // Bernd's stand-in

    before(async () => {
      pair = await raisePair({ xmppServer, language: 'en', admins: ['bernd'] }, dir);
      ({ nina, bernd, town: { room, muc } } = pair)
      const said = await pair.berndSays('First')
      ghost = String(nina.seen.find(({ id }) => id === said.event)?.['sender'])
    })
    after(async () => { await pair?.stop() })

    it('a room tells what its people are, and what works in it', async () => {
      const here = await bernd.sees('Nina', { saw: 'here', name: NINA })
      assert.deepEqual(here['hats'], ['Matrix'])
      nina.does('state', { room, kind: 'com.beeper.room_features' })
      const { contents } = await nina.sees('what works', { saw: 'state', kind: 'com.beeper.room_features' })
      assert.equal((contents as { reaction: number }[])[0]?.reaction, 1, 'reactions are shown, but not on phones')
      nina.does('look_at', { user: ghost })
      const profile = await nina.sees('whom the stand-in stands for', { saw: 'profile', who: ghost })
      const { name: whom, network } = (profile['more'] as Record<string, Record<string, string>>)['org.zentrale.person'] ?? {}
      assert.deepEqual([profile['name'], whom, network], [BERND, 'Bernd', 'xmpp'])
    })

    it('the topic is the same, whoever sets it', async () => {
      nina.does('title', { room, topic: 'Moving on the 14th' })
      await bernd.sees('her topic', { saw: 'subject', text: 'Moving on the 14th' })
      bernd.does('title', { room: muc, subject: 'Moving on the 15th' })
      await nina.sees('his topic', { saw: 'topic', text: 'Moving on the 15th' })
    })

    it('a new name and a new picture are there without a word', async () => {
      nina.does('picture', { base64: PNG.toString('base64') })
      await bernd.sees('her picture', ({ saw, name: who, picture }) => saw === 'here' && who === NINA && SHA1.test(String(picture)))
      nina.does('rename', { name: 'Nina N.' })
      await bernd.sees('her new name', { saw: 'here', name: 'Nina N. (Matrix)' })
      nina.does('rename', { name: 'nina' })
      await bernd.sees('her old name', { saw: 'gone', name: 'Nina N. (Matrix)' })
      bernd.does('picture', { room: muc, nick: 'Bernd', base64: PNG.toString('base64') })
      await nina.sees('his picture', ({ saw, user, picture }) => saw === 'member' && user === ghost && String(picture).startsWith('mxc://'))
    })

    it('whoever comes is there, and whoever goes is not', async () => {
      const before = bernd.seen.length
      nina.does('leave', { room })
      await bernd.sees('that she has left', { saw: 'gone', name: NINA }, before)
      await pair.town.people.anna.call('POST', `v3/rooms/${encodeURIComponent(room)}/invite`, { user_id: NINA_ID })
      nina.does('enter', { room })
      await bernd.sees('that she is back', { saw: 'here', name: NINA }, before)
      await pair.ninaSays('Back again')
    })

    it('what a moderator removes is gone on the other side, or they are told where it stays', async () => {
      const bad = await pair.berndSays('Nonsense')
      nina.does('takeBack', { room, id: bad.event })
      const worse = await pair.ninaSays('More nonsense')
      if (name === 'prosody') {
        await bernd.sees('that his own is gone', { saw: 'removal', room: muc, of: bad.named })
        bernd.does('remove', { room: muc, id: worse.named })
        await nina.sees('that hers is gone', { saw: 'retraction', of: worse.event })
      } else {
        await nina.sees('where it stays', begins('What moderators remove here is still there for XMPP: '))
      }
    })

    it('whoever is put out on the other side is told, and is heard again when they are asked in', async () => {
      bernd.does('put_out', { room: muc, nick: NINA })
      await bernd.sees('what it means', begins(`${NINA} was removed here.`))
      nina.does('say', { room, text: 'Does he hear me?' })
      await nina.sees('that he does not', begins('Not delivered to XMPP: “Does he hear me?”'))
      nina.does('put_out', { room, user: ghost })
      await nina.sees('what it means', begins(`${BERND} was removed here.`))
      bernd.does('say', { room: muc, text: 'And she me?' })
      await bernd.sees('that she does not', begins('Not delivered to Matrix: “And she me?”'))
      assert.equal(bernd.seen.some(({ text }) => text === 'Does he hear me?'), false)
      assert.equal(nina.seen.some(({ text }) => text === 'And she me?'), false)
    })
  })
}
