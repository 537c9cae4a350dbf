/** Anna moderates the room on Matrix, Bernd the group chat on XMPP: what one of them removes is gone on both sides. */
import assert from 'node:assert/strict'
import { xml, type Element } from '@xmpp/client'
import { startProsody } from '../../sandbox/servers/prosody'
import { DOMAIN, raiseTown, type Town } from '../../sandbox/town'
import { needs, scratch } from '../support/real'
import { storyOf, type Story } from '../support/story'

const FASTEN = 'urn:xmpp:fasten:0'
const MODERATE = 'urn:xmpp:message-moderate:0'

describe('moderators, on Synapse and Prosody', () => {
  needs('synapse', 'prosody', 'prosodyModules')
  const dir = scratch()
  let town: Town
  let story: Story
  before(async () => {
    const xmppServer = (options: Parameters<typeof startProsody>[0]) => startProsody({ ...options, moderation: true })
    town = await raiseTown({ dir: dir('town'), language: 'en', xmppServer, prosodyConfig: `admins = { "bernd@${DOMAIN}" }` })
    story = storyOf(town)
    await story.allIsWell('zuerst')
  })
  after(async () => { await town?.stop() })

  const idOf = (message: Element): string => String(message.getChild('stanza-id')?.attrs.id)
  const goneForBernd = (id: string): Promise<Element> => town.people.bernd.until('it is gone', one =>
    one.getChild('apply-to', FASTEN)?.attrs.id === id && one.attrs.from === town.muc)
  const onMatrix = (text: string): Promise<number> => story.timesOnMatrix(text)

  it('Anna removes what Bernd said: it is gone in his group chat, and she hears that Max keeps it', async () => {
    await story.berndSays('unsäglich')
    const [event, message] = [await story.annaReads('unsäglich'), await town.people.bernd.until('his own', one =>
      one.getChildText('body') === 'unsäglich' && one.getChild('stanza-id') !== undefined)]
    await story.maxReads('Bernd (XMPP): unsäglich')
    await town.people.anna.redact(town.room, event.event_id)
    await goneForBernd(idOf(message))
    await story.annaReads('Deleted here, but not everywhere: the message is still there for Max (SMS).')
    await story.allIsWell('danach')
  })

  it('Bernd removes what Anna said: her room keeps it until Zentrale may remove it there, and he hears that', async () => {
    const remove = async (text: string): Promise<void> => {
      await story.annaSays(text)
      const id = idOf(await story.berndReads(text))
      await town.people.bernd.ask('set', town.muc, xml('apply-to', { xmlns: FASTEN, id },
        xml('moderate', { xmlns: MODERATE }, xml('retract', { xmlns: 'urn:xmpp:message-retract:0' }))))
    }
    await remove('bleibt')
    await story.berndReads('What moderators remove here is still there for Matrix: Zentrale may not remove messages of others there.')
    const levels = await town.people.anna.call('GET', `v3/rooms/${encodeURIComponent(town.room)}/state/m.room.power_levels/`)
    const users = { ...levels['users'] as object, [`@zentrale:${DOMAIN}`]: 50 }
    await town.people.anna.setState(town.room, 'm.room.power_levels', '', { ...levels, users })
    await remove('geht')
    await town.people.anna.waitFor(town.room, 'its removal', ({ type, sender }) => type === 'm.room.redaction' && sender === `@zentrale:${DOMAIN}`)
    const { anna } = town.people
    const own = (await anna.events(town.room)).filter(({ sender }) => sender === anna.userId).map(({ content }) => content['body'])
    assert.deepEqual([own.includes('bleibt'), own.includes('geht'), await onMatrix('unsäglich')], [true, false, 0])
  })
})
