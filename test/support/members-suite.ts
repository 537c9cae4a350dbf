/** Who is in rooms, on any homeserver: people come in as members, and ghosts go in and out. */
import assert from 'node:assert/strict'
import type { Person, Place } from '../../src/model/address'
import type { Persona } from '../../src/model/message'
import { ghostMxid } from '../../src/networks/matrix/names'
import { makeInbox } from './inbox'
import type { Json, MatrixPerson, SeenEvent } from './matrix-person'
import { matrixStage, type MatrixStage } from './matrix-stage'
import { bernd, delivery, max, newKey, PNG, type Bridge, type Ground } from './matrix-suite'

const encode = encodeURIComponent
const EVA: Persona = { person: { network: 'xmpp', id: 'eva@example.org' }, name: 'Eva (XMPP)' }

export const membersSuite = (ground: () => Ground): void => {
  let anna: MatrixPerson
  const { begin: beginIn, newPerson } = matrixStage(ground)
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)
  const begin = (places: Place[], { inbox = makeInbox(), ...more }: Parameters<MatrixStage['begin']>[1] = {}): Promise<Bridge> =>
    beginIn(places, { ...more, inbox: Object.assign(inbox, { wants: true }) })
  const openRoom = async (preset = 'public_chat'): Promise<Place> => ({
    network: 'matrix', id: await anna.createRoom({ preset, invite: [`@${ground().config.registration.sender_localpart}:${ground().serverName}`] })
  })
  const mxidOf = ({ person }: { person: Person }): string => ghostMxid(person, ground().serverName)
  const member = (mxid: string, membership: string) => ({ type, state_key: key, content }: SeenEvent): boolean =>
    type === 'm.room.member' && key === mxid && content.membership === membership
  const joined = async (room: string): Promise<string[]> =>
    Object.keys((await anna.call('GET', `v3/rooms/${encode(room)}/joined_members`)).joined as Json)
  const ghostsIn = async (room: string): Promise<string[]> => (await joined(room)).filter(mxid => mxid.startsWith('@_zentrale_')).sort()
  /** What the ghosts did there, as `join` and `leave`. */
  const moves = async (room: string): Promise<string[]> => (await anna.events(room)).flatMap(({ type, state_key: key, content }) =>
    type === 'm.room.member' && key?.startsWith('@_zentrale_') === true ? [`${key} ${String(content.membership)}`] : [])

  before(async () => { anna = await newPerson('anna') })

  describe('members', () => {
    it('are told, all at the start and then as they come, go and are called', async () => {
      const place = await openRoom()
      const ben = await newPerson('ben')
      await ben.join(place.id)
      const { inbox, network, memory } = await begin([place])
      const has = (what: string, ...people: MatrixPerson[]): Promise<void> => inbox.until(what, () =>
        [...inbox.there.get(place.id)?.keys() ?? []].sort().join() === people.map(({ userId }) => userId).sort().join())
      await has('both', anna, ben)
      const cem = await newPerson('cem')
      await cem.join(place.id)
      await has('Cem', anna, ben, cem)
      await ben.call('PUT', `v3/profile/${encode(ben.userId)}/displayname`, { displayname: 'Benjamin' })
      await inbox.until('his name', () => inbox.names(place).includes('Benjamin'))
      await ben.call('POST', `v3/rooms/${encode(place.id)}/leave`)
      await has('he left', anna, cem)
      await anna.call('POST', `v3/rooms/${encode(place.id)}/kick`, { user_id: cem.userId })
      await has('he is out', anna)
      await anna.call('POST', `v3/rooms/${encode(place.id)}/ban`, { user_id: ben.userId })
      await inbox.until('he is banned', () => inbox.news.some(one => one.kind === 'went' && one.how === 'banned'))
      assert.deepEqual(inbox.news.flatMap(one => one.kind === 'went' ? [`${one.id} ${one.how}`] : []),
        [`${ben.userId} left`, `${cem.userId} kicked`, `${ben.userId} banned`])
      await network.send(delivery(place, 'Wir sind niemand'), signal())
      await network.stop()
      await begin([place], { inbox, memory })
      await has('she alone is a person', anna)
    })

    for (const preset of ['public_chat', 'private_chat']) {
      it(`of other places come into the room, change their names and pictures, and go, without a word (${preset})`, async () => {
        const place = await openRoom(preset)
        const { network, files } = await begin([place])
        files.set('bernd.png', PNG)
        network.members?.({ place, members: [bernd, max], whole: true })
        for (const one of [bernd, max]) await anna.waitFor(place.id, `${one.name} is there`, member(mxidOf(one), 'join'))
        const picture = { network: 'xmpp', ref: 'bernd.png' }
        network.members?.({ place, members: [{ ...bernd, name: 'Bernd B. (XMPP)', avatar: picture }, EVA], whole: false })
        await anna.waitFor(place.id, 'his name', event => member(mxidOf(bernd), 'join')(event) && event.content.displayname === 'Bernd B. (XMPP)')
        await anna.waitFor(place.id, 'his picture', event =>
          member(mxidOf(bernd), 'join')(event) && String(event.content.avatar_url).startsWith('mxc:'))
        await anna.waitFor(place.id, 'Eva is there', member(mxidOf(EVA), 'join'))
        assert.ok((await joined(place.id)).includes(mxidOf(max)), 'who is not known to have left stays')
        network.members?.({ place, members: [{ ...bernd, name: 'Bernd B. (XMPP)', avatar: picture }, EVA], gone: [max], whole: false })
        await anna.waitFor(place.id, 'Max left', member(mxidOf(max), 'leave'))
        assert.ok((await joined(place.id)).includes(mxidOf(EVA)), 'nobody else left')
        network.members?.({ place, members: [{ ...bernd, name: 'Bernd B. (XMPP)' }], whole: true })
        for (const one of [EVA]) await anna.waitFor(place.id, `${one.name} left`, member(mxidOf(one), 'leave'))
        assert.deepEqual(await ghostsIn(place.id), [mxidOf(bernd)])
        const { avatar_url: url = '' } = await anna.call('GET', `v3/profile/${encode(mxidOf(bernd))}`)
        assert.equal(url, '', 'a picture that was taken away is gone')
        assert.deepEqual((await anna.events(place.id)).filter(({ type }) => type === 'm.room.message'), [])
      })
    }

    it('of other places show a new name before what they say under it', async () => {
      const place = await openRoom()
      const { network } = await begin([place])
      await network.send(delivery(place, 'Hallo', { as: EVA }), signal())
      await network.send(delivery(place, 'Ich heiße jetzt anders', { as: { ...EVA, name: 'Eva Neu (XMPP)' } }), signal())
      const seen = (await anna.events(place.id)).flatMap(({ sender, content: { body, displayname } }) =>
        sender === mxidOf(EVA) ? [body ?? displayname] : [])
      assert.deepEqual(seen, ['Eva (XMPP)', 'Hallo', 'Eva Neu (XMPP)', 'Ich heiße jetzt anders'])
    })

    it('of other places keep their picture if it only lies elsewhere, as it does under another nick', async () => {
      const place = await openRoom()
      const { network, files } = await begin([place])
      const OTHER = Buffer.concat([PNG, Buffer.from('another')])
      for (const [ref, bytes] of [['old', PNG], ['new', PNG], ['other', OTHER]] as const) files.set(ref, bytes)
      const saysWith = (ref: string, hash: string): Promise<unknown> =>
        network.send(delivery(place, ref, { as: { ...EVA, avatar: { network: 'xmpp', ref, hash } } }), signal())
      const shows = async (before?: string): Promise<string> => {
        const { content } = await anna.waitFor(place.id, 'a picture', event => member(mxidOf(EVA), 'join')(event) &&
          String(event.content.avatar_url).startsWith('mxc:') && event.content.avatar_url !== before)
        return String(content.avatar_url)
      }
      await saysWith('old', '1')
      const first = await shows()
      await saysWith('new', '1')
      await saysWith('other', '2')
      assert.deepEqual(await anna.download(await shows(first)), OTHER)
    })

    it('of one address are one ghost in all rooms, and in each as they are called and look there, over a restart too', async () => {
      const [here, there] = [await openRoom(), await openRoom()]
      const first = await begin([here, there])
      first.files.set('gil.png', PNG)
      const everywhere = `gil${newKey()}@example.org`.toLowerCase()
      const as = (place: Place, name: string, more: Partial<Persona> = {}): Persona =>
        ({ person: { network: 'xmpp', id: `${place.id} occupant` }, name: `${name} (XMPP)`, everywhere, ...more })
      const gil = ghostMxid({ network: 'xmpp', id: everywhere }, ground().serverName)
      const looks = async ({ id }: Place): Promise<Json> => await anna.call('GET', `v3/rooms/${encode(id)}/state/m.room.member/${encode(gil)}`)
      const names = async (): Promise<unknown[]> => [(await looks(here)).displayname, (await looks(there)).displayname]
      const says = (bridge: Bridge, place: Place, name: string, more: Partial<Persona> = {}): Promise<unknown> =>
        bridge.network.send(delivery(place, `${name}.`, { as: as(place, name, more) }), signal())
      for (const round of ['eins', 'zwei']) {
        await says(first, here, 'Gil')
        await says(first, there, 'Gilbert')
        assert.deepEqual(await names(), ['Gil (XMPP)', 'Gilbert (XMPP)'], round)
      }
      await says(first, there, 'Gilbert', { avatar: { network: 'xmpp', ref: 'gil.png' } })
      await anna.waitFor(there.id, 'his picture', event => member(gil, 'join')(event) && String(event.content.avatar_url).startsWith('mxc:'))
      await says(first, here, 'Gilles')
      assert.deepEqual(await names(), ['Gilles (XMPP)', 'Gilbert (XMPP)'])
      assert.deepEqual([(await looks(here)).avatar_url ?? '', (await moves(here.id)).length <= 2], ['', true])
      await first.network.stop()
      const second = await begin([here, there], first)
      await says(second, here, 'Gilles')
      await says(second, there, 'Gilbert', { avatar: { network: 'xmpp', ref: 'gil.png' } })
      second.network.members?.({ place: there, members: [as(there, 'Gilbert')], whole: true })
      await anna.waitFor(there.id, 'no picture', event => member(gil, 'join')(event) && (event.content.avatar_url ?? '') === '')
      assert.deepEqual(await names(), ['Gilles (XMPP)', 'Gilbert (XMPP)'])
      for (const place of [here, there]) {
        const said = (await anna.events(place.id)).filter(({ type }) => type === 'm.room.message')
        assert.deepEqual([...new Set(said.map(({ sender }) => sender))], [gil])
      }
      await anna.call('POST', `v3/rooms/${encode(here.id)}/kick`, { user_id: gil })
      const isHis = (id: string): boolean => id === as(here, '').person.id
      await second.inbox.until('the kick', () => second.inbox.arrivals.some(one => one.kind === 'expulsion' && isHis(one.person.id)))
    })

    it('of other places stay over a restart: nobody leaves or comes again', async () => {
      const place = await openRoom()
      const first = await begin([place])
      first.network.members?.({ place, members: [bernd, max], whole: true })
      for (const one of [bernd, max]) await anna.waitFor(place.id, `${one.name} is there`, member(mxidOf(one), 'join'))
      const before = await moves(place.id)
      await first.network.stop()
      const { network } = await begin([place], first)
      network.members?.({ place, members: [], whole: false })
      network.members?.({ place, members: [bernd, max, EVA], whole: true })
      await anna.waitFor(place.id, 'Eva is there', member(mxidOf(EVA), 'join'))
      assert.deepEqual((await moves(place.id)).filter(move => !move.includes('eva')), before)
    })

    it('of other places who are put out come again only to speak, or on a new visit, also after a restart', async () => {
      const [place, other] = [await openRoom(), await openRoom()]
      const first = await begin([place, other])
      const list = (...members: Persona[]) => ({ place, members, whole: true })
      first.network.members?.(list(bernd, max))
      for (const one of [bernd, max]) await anna.waitFor(place.id, `${one.name} is there`, member(mxidOf(one), 'join'))
      for (const one of [bernd, max]) await anna.call('POST', `v3/rooms/${encode(place.id)}/kick`, { user_id: mxidOf(one) })
      const mark = await newPerson('mark')
      await mark.join(place.id) // once this is told, the kicks have been
      await first.inbox.until('the mark', () => first.inbox.there.get(place.id)?.has(mark.userId) === true)
      await first.network.stop()
      const { network } = await begin([place, other], first)
      network.members?.(list(bernd, max, EVA))
      await anna.waitFor(place.id, 'Eva is there', member(mxidOf(EVA), 'join'))
      assert.deepEqual(await ghostsIn(place.id), [mxidOf(EVA)])
      await network.send(delivery(place, 'Doch noch ein Wort', { as: bernd }), signal())
      network.members?.(list(bernd))
      await anna.waitFor(place.id, 'Eva left', member(mxidOf(EVA), 'leave'))
      network.members?.(list(bernd, max))
      await anna.waitFor(place.id, 'Max comes anew', event => member(mxidOf(max), 'join')(event) && event.unsigned?.prev_content !== undefined)
      assert.deepEqual(await ghostsIn(place.id), [mxidOf(bernd), mxidOf(max)].sort())
    })

    it('of other places follow a room to its successor', async () => {
      const place = await openRoom()
      const { network, inbox } = await begin([place])
      network.members?.({ place, members: [bernd], whole: true })
      await anna.waitFor(place.id, 'Bernd is there', member(mxidOf(bernd), 'join'))
      const next = String((await anna.call('POST', `v3/rooms/${encode(place.id)}/upgrade`, { new_version: '11' })).replacement_room)
      await anna.waitFor(next, 'Bernd is there too', member(mxidOf(bernd), 'join'))
      await inbox.until('who is in there', () => inbox.there.get(place.id)?.has(anna.userId) === true)
    })
  })
}
