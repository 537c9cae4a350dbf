/** Anna moderates the room on Matrix, Bernd the group chat on XMPP: what one of them removes is gone on both sides. */
import assert from 'node:assert/strict'
import { xml, type Element } from '@xmpp/client'
import { startProsody } from '../../sandbox/servers/prosody'
import { DOMAIN, raiseTown, type Town } from '../../sandbox/town'
import { needs, scratch } from '../support/real'
import { storyOf, type Story } from '../support/story'
import { MUC } from '../support/xmpp-person'

const FASTEN = 'urn:xmpp:fasten:0'
const MODERATE = 'urn:xmpp:message-moderate:0'

describe('moderators, on Synapse and Prosody', () => {
  needs('synapse', 'prosody', 'prosodyModules')
  const dir = scratch()
  let town: Town
  let story: Story
  before(async () => {
    const xmppServer = (options: Parameters<typeof startProsody>[0]) => startProsody({ ...options, moderation: true })
    town = await raiseTown({ dir: dir('town'), language: 'en', xmppServer, admins: ['bernd'] })
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

  it('Bernd removes how Anna reacts, and Anna how he does: the other reactions stay', async () => {
    await story.berndSays('Kuchen?')
    const [{ event_id: event }, message] = [await story.annaReads('Kuchen?'), await town.people.bernd.until('his own', one =>
      one.getChildText('body') === 'Kuchen?' && one.getChild('stanza-id') !== undefined)]
    const thumb = await story.annaReacts(event, '👍')
    const shown = await story.berndSees(idOf(message), ['👍'])
    await town.people.bernd.ask('set', town.muc, xml('apply-to', { xmlns: FASTEN, id: idOf(shown) },
      xml('moderate', { xmlns: MODERATE }, xml('retract', { xmlns: 'urn:xmpp:message-retract:0' }))))
    const gone = (of: string): Promise<unknown> => town.people.anna.waitFor(town.room, 'its removal', ({ type, redacts, content }) =>
      type === 'm.room.redaction' && (redacts ?? content['redacts']) === of)
    await gone(thumb)
    await story.berndReacts(idOf(message), '🎂', '🎉')
    const [cake, party] = await Promise.all([story.annaSees(event, '🎂'), story.annaSees(event, '🎉')])
    await town.people.anna.redact(town.room, cake.event_id)
    await story.berndReacts(idOf(message))
    await gone(party.event_id)
    await story.allIsWell('nach den Reaktionen')
  })

  const ghostOfBernd = async (): Promise<string> => (await town.people.anna.waitFor(town.room, 'Bernd', ({ type, content, state_key: who }) =>
    type === 'm.room.member' && content['displayname'] === 'Bernd (XMPP)' && who !== undefined)).state_key!

  it('Anna bans Bernd from her room: what he says reaches Max, but not her; both are told once, and he is back when she lifts it', async () => {
    const to = (verb: string, who: string): Promise<unknown> =>
      town.people.anna.call('POST', `v3/rooms/${encodeURIComponent(town.room)}/${verb}`, { user_id: who })
    const bernd = await ghostOfBernd()
    await to('ban', bernd)
    await story.annaReads('Bernd (XMPP) is banned here. Nothing from this person arrives here until the ban is lifted.')
    for (const text of ['hört mich Anna?', 'nein']) await story.berndSays(text)
    await story.berndReads('Not delivered to Matrix: “hört mich Anna?” (the moderators there banned you; until that is lifted nothing you write ' +
      'arrives there)')
    await story.maxReads('Bernd (XMPP): nein')
    await to('unban', bernd)
    await town.people.anna.waitFor(town.room, 'the end', ({ type, state_key: who, content }) =>
      type === 'm.room.member' && who === bernd && content['membership'] === 'leave')
    await story.annaSays('und jetzt?')
    await story.berndReads('und jetzt?')
    await story.allIsWell('wieder')
    assert.equal(await onMatrix('nein'), 0)
    assert.equal(town.people.bernd.bodies(town.muc).filter(body => body.startsWith('Not delivered')).length, 1)
  })

  it('Bernd kicks Anna out of the group chat: she is not back with her next words, but when he invites her', async () => {
    const anna = 'Anna (Matrix)'
    const present = town.people.bernd.heard.findLast(one => one.is('presence') && one.attrs.from === `${town.muc}/${anna}`)
    const jid = String(present?.getChild('x')?.getChild('item')?.attrs.jid).split('/')[0]!
    await town.people.bernd.ask('set', town.muc, xml('query', { xmlns: `${MUC}#admin` }, xml('item', { nick: anna, role: 'none' })))
    await story.berndReads(`${anna} was removed here. For an hour nothing from this person arrives here, unless somebody invites them back before. ` +
      'If it should last longer, ban them.')
    await story.annaSays('noch da?')
    await story.annaReads('Not delivered to XMPP: “noch da?” (the moderators there removed you for an hour; until then nothing you write ' +
      'arrives there)')
    await story.maxReads(`${anna}: noch da?`)
    await town.people.bernd.send(xml('message', { to: town.muc }, xml('x', { xmlns: `${MUC}#user` }, xml('invite', { to: jid }))))
    await story.berndSays('komm wieder') // after the invitation, so what comes back comes after it too
    await story.annaReads('komm wieder')
    await story.allIsWell('zuletzt')
    assert.deepEqual(town.people.bernd.bodies(town.muc, anna).filter(body => body === 'noch da?'), [])
  })
})
