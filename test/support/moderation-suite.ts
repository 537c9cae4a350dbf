/** What moderators do on any homeserver, and what we do with their power. */
import assert from 'node:assert/strict'
import type { Place } from '../../src/model/address'
import { ghostMxid } from '../../src/networks/matrix/names'
import type { MatrixPerson } from './matrix-person'
import { matrixStage } from './matrix-stage'
import { bernd, delivery, type Bridge, type Ground } from './matrix-suite'

export const moderationSuite = (ground: () => Ground): void => {
  let anna: MatrixPerson
  const { begin: beginIn, newPerson } = matrixStage(ground)
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)
  const bot = (): string => `@${ground().config.registration.sender_localpart}:${ground().serverName}`
  const begin = async (power?: number): Promise<Bridge & { place: Place }> => {
    const levels = power === undefined ? {} : { power_level_content_override: { users: { [bot()]: power, ...trusted() } } }
    const place = { network: 'matrix', id: await anna.createRoom({ preset: 'public_chat', room_version: '11', ...levels }) }
    return { ...await beginIn([place]), place }
  }
  const trusted = (): Record<string, number> => ({ [anna.userId]: 100 })
  const removal = (place: Place, said: string[]) => ({ ...delivery(place, ''), as: undefined, action: { kind: 'removal', said } }) as never
  const bodies = async ({ id }: Place): Promise<unknown[]> =>
    (await anna.events(id)).flatMap(({ type, content }) => type === 'm.room.message' && 'body' in content ? [content['body']] : [])

  before(async () => { anna = await newPerson('anna') })

  describe('moderators', () => {
    it('remove what ghosts say, and we hear it; we remove what others say where we have the power, with its edits', async () => {
      const { network, inbox, place } = await begin(50)
      const { ids: [ghosts = ''] } = await network.send(delivery(place, 'unsäglich', { as: bernd }), signal())
      await anna.redact(place.id, ghosts)
      await inbox.until('the deletion', () => inbox.arrivals.some(({ kind }) => kind === 'deletion'))
      const [deletion] = inbox.arrivals
      assert.ok(deletion?.kind === 'deletion' && deletion.of === ghosts && deletion.moderated === true)
      const said = await anna.send(place.id, 'auch')
      const edit = await anna.edit(place.id, said, 'noch schlimmer')
      await anna.send(place.id, 'bleibt')
      await network.send(removal(place, [said, edit]), signal())
      assert.deepEqual(await bodies(place), ['bleibt'])
      assert.equal(inbox.arrivals.filter(({ kind }) => kind === 'deletion').length, 1, 'our own removal does not come back in')
    })

    const GHOST = (): string => `@_zentrale_xmpp_bernd=40example.org:${ground().serverName}`
    const to = (place: Place, verb: 'kick' | 'ban' | 'unban' | 'invite', ghost = GHOST()): Promise<unknown> =>
      anna.call('POST', `v3/rooms/${encodeURIComponent(place.id)}/${verb}`, { user_id: ghost })
    const done = ({ inbox }: Bridge): string[] => inbox.arrivals.flatMap(one => one.kind === 'expulsion' ? [`${one.how} ${one.name}`] : [])

    it('put ghosts out and let them in again, which we hear; a banned one stays out, as the room says', async () => {
      const bridge = await begin(50)
      const { network, inbox, place } = bridge
      const says = (text: string): Promise<unknown> => network.send(delivery(place, text, { as: bernd }), signal())
      await says('eins')
      await to(place, 'kick')
      await inbox.until('the kick', () => done(bridge).length === 1)
      await to(place, 'invite')
      await inbox.until('the invitation', () => done(bridge).length === 2)
      await anna.waitFor(place.id, 'its return', ({ type, state_key: who, sender, content }) =>
        type === 'm.room.member' && who === GHOST() && sender === GHOST() && content['membership'] === 'join')
      await to(place, 'ban')
      await inbox.until('the ban', () => done(bridge).length === 3)
      await assert.rejects(says('zwei'), { name: 'Refused', because: 'expelled' })
      await to(place, 'unban')
      await inbox.until('its end', () => done(bridge).length === 4)
      await says('drei')
      assert.deepEqual(await bodies(place), ['eins', 'drei'])
      assert.deepEqual(done(bridge), ['kicked Bernd (XMPP)', 'invited Bernd (XMPP)', 'banned Bernd (XMPP)', 'kicked Bernd (XMPP)'])
      const [first] = inbox.arrivals
      assert.ok(first?.kind === 'expulsion')
      assert.deepEqual(first.person, bernd.person)
    })

    it('do the same to a ghost whose name is a hash, also before it was ever there', async () => {
      const bridge = await begin(50)
      const { network, inbox, place } = bridge
      const long = { person: { ...bernd.person, id: `room@rooms.example.org/${'nick'.repeat(60)}` }, name: 'Nick (XMPP)' }
      const ghost = ghostMxid(long.person, ground().serverName)
      const says = (text: string): Promise<unknown> => network.send(delivery(place, text, { as: long }), signal())
      await to(place, 'ban', ghost)
      await anna.send(place.id, 'danach')
      await inbox.until('what comes after the ban, which is nobody\'s until it speaks', () => inbox.arrivals.length === 1)
      await assert.rejects(says('eins'), { name: 'Refused', because: 'expelled' })
      await to(place, 'unban', ghost)
      await inbox.until('its end', () => done(bridge).length === 1)
      await says('zwei')
      await to(place, 'kick', ghost)
      await inbox.until('the kick', () => done(bridge).length === 2)
      assert.deepEqual(await bodies(place), ['danach', 'zwei'])
      const [, first, second] = inbox.arrivals
      assert.ok(first?.kind === 'expulsion' && second?.kind === 'expulsion' && second.how === 'kicked')
      assert.deepEqual([first.person, second.person], [long.person, long.person])
    })

    it('give ghosts no voice in a room where only some may speak, which we know, and are heard when they give one', async () => {
      const { network, place } = await begin()
      const level = async (content: Record<string, unknown>): Promise<void> => {
        const path = `v3/rooms/${encodeURIComponent(place.id)}/state/m.room.power_levels`
        await anna.call('PUT', path, { ...await anna.call('GET', path) as object, ...content })
      }
      const says = (text: string, as: typeof bernd): Promise<unknown> => network.send(delivery(place, text, { as }), signal())
      const carla = { person: { ...bernd.person, id: 'carla@example.org' }, name: 'Carla (XMPP)' }
      await level({ events_default: 10 })
      await assert.rejects(says('eins', bernd), { name: 'Refused', because: 'voiceless' })
      await level({ users: { ...trusted(), [GHOST()]: 10 } })
      await says('zwei', bernd)
      await assert.rejects(says('drei', carla), { name: 'Refused', because: 'voiceless' })
      assert.deepEqual(await bodies(place), ['zwei'])
    })

    it('are not we where we have no power: it stays, and we know', async () => {
      const { network, place } = await begin()
      const said = await anna.send(place.id, 'bleibt')
      await assert.rejects(network.send(removal(place, [said]), signal()), { name: 'Refused' })
      assert.deepEqual(await bodies(place), ['bleibt'])
    })
  })
}
