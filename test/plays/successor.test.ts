/**
 * Rooms that are replaced by others. Bernd does so with the group chat on XMPP: the conversation goes on there, and Anna and Max hear of it once.
 * Anna does so with her room: what people do to messages of before arrives as well as it can.
 */
import assert from 'node:assert/strict'
import { xml } from '@xmpp/client'
import { DOMAIN, raiseTown, type Town } from '../../sandbox/town'
import { MUC } from '../support/xmpp-person'
import { needs, scratch } from '../support/real'
import { correcting, READ_WITHIN_MS, replying, retracting, stanzaIdOf, type Story, storyOf } from '../support/story'

describe('a room that is replaced, on Synapse and Prosody', () => {
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  let story: Story
  before(async () => {
    town = await raiseTown({ dir: dir('town'), language: 'de', admins: ['bernd'] })
    story = storyOf(town)
    await story.allIsWell('zuerst')
  })
  after(async () => { await town?.stop() })

  it('is left for the new one by all, who read on there, even if Zentrale is killed at that moment', async () => {
    const { bernd } = town.people
    const next = `halle2@${town.xmpp.muc}`
    const zentrale = `zentrale@chat.${DOMAIN}`
    const moved = `Der Raum auf XMPP ist umgezogen. Er ist jetzt ${next}.`
    await bernd.enter(next, 'Bernd')
    await bernd.ask('set', next, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' })))
    await bernd.ask('set', town.muc, xml('query', { xmlns: `${MUC}#owner` }, xml('destroy', { jid: next }, xml('reason', {}, 'Umzug'))))
    await town.zentrale.kill()
    await story.annaSays('Wo seid ihr?')
    const back = town.zentrale.restart() // ready once it is in all rooms
    await bernd.until('Zentrale asks', one => one.attrs.from === `${next}/Zentrale` && one.getChildText('body')?.includes(zentrale) === true)
    await bernd.ask('set', next, xml('query', { xmlns: `${MUC}#admin` }, xml('item', { jid: zentrale, affiliation: 'member' })))
    await story.berndReads('Wo seid ihr?', undefined, next)
    await back
    await bernd.say(next, 'Hier!', 'hier-1')
    await story.annaReads('Hier!')
    await story.annaReads(moved)
    await town.zentrale.kill()
    await town.zentrale.restart()
    await story.annaSays('Danke')
    await story.berndReads('Danke', undefined, next)
    const told = (await town.people.anna.events(town.room)).filter(({ content }) => String(content['body']).includes('umgezogen'))
    assert.equal(told.length, 1)
    assert.ok(!bernd.bodies(town.muc).includes('Danke'))
  })
})

for (const xmppServer of ['prosody', 'ejabberd'] as const) describe(`a room that is upgraded, on Synapse and ${xmppServer}`, () => {
  needs('synapse', xmppServer)
  const dir = scratch()
  let town: Town
  let story: Story
  before(async () => {
    town = await raiseTown({ dir: dir('town'), xmppServer })
    story = storyOf(town)
  })
  after(async () => { await town?.stop() })

  it('is told anew what refers to the one of before, which keeps nothing that was taken back', async () => {
    const { anna, bernd } = town.people
    await story.annaSays('Anna vorher')
    const read = await story.berndReads('Anna vorher')
    const own = await story.berndSays('Bernd voher')
    await story.annaReads('Bernd voher')
    await story.berndSays('Unsinn')
    const nonsense = await story.annaReads('Unsinn')
    const said = await bernd.until('his own', one => one.getChildText('body') === 'Unsinn' && stanzaIdOf(one) !== '', READ_WITHIN_MS)

    await anna.setState(town.room, 'm.room.power_levels', '', { users: { [`@zentrale:${DOMAIN}`]: 50 } }) // as for moderation
    const next = String((await anna.call('POST', `v3/rooms/${encodeURIComponent(town.room)}/upgrade`, { new_version: '11' })).replacement_room)
    await anna.call('POST', `v3/rooms/${encodeURIComponent(next)}/invite`, { user_id: `@zentrale:${DOMAIN}` }).catch(() => {}) // or it is there
    await anna.waitFor(next, 'Zentrale follows', ({ type, state_key: who, content }) =>
      type === 'm.room.member' && who === `@zentrale:${DOMAIN}` && content['membership'] === 'join', READ_WITHIN_MS)
    await story.annaSays('Hier sind wir jetzt', next)
    await story.berndReads('Hier sind wir jetzt')

    await story.berndSays('Bernd vorher', correcting(own))
    await story.annaReads('* Bernd vorher', ({ content }) => content['m.relates_to'] === undefined, next)
    const quotation = '> Anna vorher\n'
    await story.berndSays(`${quotation}Genau`, ...replying(stanzaIdOf(read), String(read.attrs.from), quotation))
    await anna.waitFor(next, 'the reply', ({ content }) => content['m.relates_to'] === undefined &&
      /^> .*Anna vorher\n+Genau$/.test(String(content['body'])), READ_WITHIN_MS)
    await story.berndReacts(stanzaIdOf(read), '👍')
    await story.berndReads('Ihre Reaktion ist auf Matrix nicht zu sehen: Die Nachricht steht dort in einem früheren Raum.')
    await story.berndSays('/me hat etwas zurückgenommen', retracting(stanzaIdOf(said)))
    await anna.waitFor(town.room, 'its end', ({ type, redacts, content }) =>
      type === 'm.room.redaction' && (redacts ?? content['redacts']) === nonsense.event_id, READ_WITHIN_MS)
  })
})
