/** Anna enters a room of XMPP by its name, which nobody had mirrored before, on Synapse and Prosody. */
import assert from 'node:assert/strict'
import { xml } from '@xmpp/client'
import { DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { makeMatrixPerson } from '../support/matrix-person'
import { needs, scratch } from '../support/real'
import { storyOf, type Story } from '../support/story'
import { MUC } from '../support/xmpp-person'

const SERVICE = `rooms.${DOMAIN}`
const LADEN = `laden@${SERVICE}`
const aliasOf = (room: string, service = SERVICE): string => `#_zentrale_xmpp_${room}%${service}:${DOMAIN}`

describe('a room of XMPP that somebody on Matrix enters by its name', () => {
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  let story: Story
  before(async () => {
    town = await raiseTown({ dir: dir('town'), language: 'en', portals: { rooms: [`*@${SERVICE}`] } })
    story = storyOf(town)
    const { bernd } = town.people
    await bernd.enter(LADEN, 'Bernd')
    await bernd.ask('set', LADEN, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' })))
    await setTopic('Offen bis sechs')
  })
  after(async () => { await town?.stop() })

  let topics = 0
  const setTopic = (topic: string): Promise<void> => town.people.bernd.send(
    xml('message', { type: 'groupchat', to: LADEN, id: `topic-${++topics}` }, xml('subject', {}, topic)))

  const talk = async (room: string, mark: string): Promise<void> => {
    await story.annaSays(`${mark} Anna`, room)
    await story.berndReads(`${mark} Anna`, () => true, LADEN)
    await town.people.bernd.say(LADEN, `${mark} Bernd`, mark)
    await story.annaReads(`${mark} Bernd`, () => true, room)
  }

  it('is mirrored from then on, over a restart too, in a room for people of our own homeserver', async () => {
    const { anna } = town.people
    const room = await anna.join(aliasOf('laden'))
    await anna.waitFor(room, 'Zentrale in the room', ({ type, content }) => type === 'm.room.member' && content['membership'] === 'join')
    await town.people.bernd.until('Zentrale', one => one.is('presence') && one.attrs.from === `${LADEN}/Zentrale`)
    const sees = (topic: string): Promise<unknown> =>
      anna.waitFor(room, topic, ({ type, content }) => type === 'm.room.topic' && content['topic'] === topic)
    await sees('Offen bis sechs') // what was there before
    await anna.waitFor(room, 'Bernd, who says nothing', ({ type, content }) =>
      type === 'm.room.member' && content['membership'] === 'join' && content['displayname'] === 'Bernd (XMPP)')
    await town.people.bernd.until('Anna, who says nothing', one => one.is('presence') && one.attrs.from === `${LADEN}/Anna (Matrix)`)
    await talk(room, 'first')
    await setTopic('Geschlossen')
    await sees('Geschlossen')
    const create = await anna.call('GET', `v3/rooms/${encodeURIComponent(room)}/state/m.room.create/`)
    assert.equal(create['m.federate'], false)
    await town.zentrale.restart()
    await talk(room, 'then')
    assert.equal(await anna.join(aliasOf('laden')), room)
  })

  it('is the same for two who enter it at the same moment', async () => {
    const { anna, bernd } = town.people
    const market = `markt@${SERVICE}`
    await bernd.enter(market, 'Bernd')
    await bernd.ask('set', market, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' })))
    const { userId, accessToken } = await town.homeserver.createUser('otto', PASSWORD)
    const otto = makeMatrixPerson(town.homeserver.url, userId, accessToken)
    const [annas, ottos] = await Promise.all([anna.join(aliasOf('markt')), otto.join(aliasOf('markt'))])
    assert.equal(annas, ottos)
  })

  it('is none that is not there, that is mirrored already, or that the config does not allow', async () => {
    for (const alias of [aliasOf('nowhere'), aliasOf('werkstatt'), aliasOf('laden', 'rooms.elsewhere.example'), aliasOf('Laden')]) {
      await assert.rejects(town.people.anna.join(alias), { errcode: 'M_NOT_FOUND' }, alias)
    }
  })
})
