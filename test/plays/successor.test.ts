/** Bernd replaces the group chat on XMPP by another one: the conversation goes on there, and Anna and Max hear of it once. */
import assert from 'node:assert/strict'
import { xml } from '@xmpp/client'
import { DOMAIN, raiseTown, type Town } from '../../sandbox/town'
import { MUC } from '../support/xmpp-person'
import { needs, scratch } from '../support/real'
import { storyOf, type Story } from '../support/story'

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
