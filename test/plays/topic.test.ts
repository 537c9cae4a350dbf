/** Anna changes the topic of the room on Matrix, Bernd that of the group chat on XMPP: both see the same, whatever is restarted. */
import assert from 'node:assert/strict'
import { xml, type Element } from '@xmpp/client'
import { DOMAIN, raiseTown, type Town } from '../../sandbox/town'
import { needs, scratch } from '../support/real'
import { storyOf, type Story } from '../support/story'

const NOT_HERE = 'The new topic is shown here only: Zentrale may not change the topic of the room on Matrix. This is said only once.'
const ZENTRALE = `@zentrale:${DOMAIN}`

describe('a topic, on Synapse and Prosody', () => {
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  let story: Story
  let count = 0
  before(async () => {
    town = await raiseTown({ dir: dir('town'), language: 'en', admins: ['bernd'] })
    story = storyOf(town)
    await story.allIsWell('zuerst')
  })
  after(async () => { await town?.stop() })

  const berndSets = (subject: string): Promise<void> =>
    town.people.bernd.send(xml('message', { type: 'groupchat', to: town.muc, id: `topic-${++count}` }, xml('subject', {}, subject)))
  const berndSees = (subject: string): Promise<Element> => town.people.bernd.until(subject, one => one.getChildText('subject') === subject)
  const annaSets = (topic: string): Promise<void> => town.people.anna.setState(town.room, 'm.room.topic', '', { topic })
  const annaSees = (topic: string): Promise<unknown> => town.people.anna.waitFor(town.room, topic, ({ type, sender, content }) =>
    type === 'm.room.topic' && sender === ZENTRALE && content['topic'] === topic)

  it('of Anna is seen by Bernd; of Bernd only in his group chat, and he hears once why, until Zentrale may change it', async () => {
    await annaSets('Heute: Säge')
    await berndSees('Heute: Säge')
    await berndSets('Morgen: Öl')
    await story.berndReads(NOT_HERE)
    await berndSets('Übermorgen: Rost')
    await story.allIsWell('danach')
    assert.equal(town.people.bernd.bodies(town.muc).filter(body => body === NOT_HERE).length, 1)
    const levels = await town.people.anna.call('GET', `v3/rooms/${encodeURIComponent(town.room)}/state/m.room.power_levels/`)
    await town.people.anna.setState(town.room, 'm.room.power_levels', '', { ...levels, users: { ...levels['users'] as object, [ZENTRALE]: 50 } })
    await berndSets('Niemals: Staub')
    await annaSees('Niemals: Staub')
  })

  it('stays as it is when Zentrale is killed, and what was changed meanwhile is seen on the other side, without a line too many', async () => {
    await town.zentrale.kill()
    await berndSets('Ohne Zentrale')
    await berndSees('Ohne Zentrale')
    await town.zentrale.restart()
    await annaSees('Ohne Zentrale')
    await annaSets('Mit Zentrale')
    await berndSees('Mit Zentrale')
    await town.zentrale.kill()
    await town.zentrale.restart()
    await story.allIsWell('am Ende')
    const topics = (await town.people.anna.events(town.room)).filter(({ type }) => type === 'm.room.topic').map(({ content }) => content['topic'])
    assert.deepEqual(topics, ['Heute: Säge', 'Niemals: Staub', 'Ohne Zentrale', 'Mit Zentrale'])
    const subjects = town.people.bernd.heard.map(one => one.getChildText('subject')).filter(one => one !== null && one !== '')
    assert.deepEqual(subjects, ['Heute: Säge', 'Morgen: Öl', 'Übermorgen: Rost', 'Niemals: Staub', 'Ohne Zentrale', 'Mit Zentrale'])
  })
})
