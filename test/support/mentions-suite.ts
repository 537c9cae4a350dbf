/** Who is called on any homeserver, in both directions. Runs on the practice homeserver and on Synapse. */
import assert from 'node:assert/strict'
import type { Place } from '../../src/model/address'
import type { Mention } from '../../src/model/mention'
import type { Action } from '../../src/model/message'
import { plain } from '../../src/model/text'
import { body, makeMatrixPerson, type Json, type MatrixPerson } from './matrix-person'
import { matrixStage } from './matrix-stage'
import { bernd, delivery, type Bridge, type Ground, max } from './matrix-suite'

const SEND_MS = 60_000
const signal = (): AbortSignal => AbortSignal.timeout(SEND_MS)

export const mentionsSuite = (ground: () => Ground): void => {
  let anna: MatrixPerson
  const { begin: beginIn } = matrixStage(ground)
  const begin = (place: Place): Promise<Bridge> => beginIn([place])
  const person = async (name: string): Promise<MatrixPerson> => {
    const { userId, accessToken } = await ground().createUser(name)
    return makeMatrixPerson(ground().url, userId, accessToken)
  }
  const openRoom = async (options: Json = {}): Promise<Place> =>
    ({ network: 'matrix', id: await anna.createRoom({ preset: 'public_chat', ...options }) })
  const saying = (text: string, mentions: Mention[], more: Partial<Action & { kind: 'message' }> = {}): { action: Action } =>
    ({ action: { kind: 'message', content: { style: 'text', text: plain(text) }, mentions, ...more } })

  before(async () => { anna = await person('anna.called') })

  it('a name is a pill, which notifies whoever it means, and nobody else', async () => {
    const place = await openRoom()
    const { network } = await begin(place)
    const who = { network: 'matrix', id: anna.userId }
    const pill = `<a href="https://matrix.to/#/${encodeURIComponent(anna.userId)}">Anna</a>`
    const called = delivery(place, '', saying('Anna (Matrix): hallo & @Max', [{ who, as: 'Anna (Matrix)' }, { who: bernd.person, as: '@Max' }]))
    const sent = await network.send(called, signal())
    const { content } = await anna.waitFor(place.id, 'it', body('Anna: hallo & @Max'))
    assert.deepEqual([content['m.mentions'], content['formatted_body']], [{ user_ids: [anna.userId] }, `${pill}: hallo &amp; @Max`])

    const words = { style: 'text' as const, text: plain('hallo, @Anna') }
    const edit = (key: string, mentions: Mention[]) => delivery(place, '', { key, action: { kind: 'edit', of: called.key, content: words, mentions },
      target: sent.ids })
    await network.send(edit('again', [{ who, as: '@Anna', again: true }]), signal())
    const again = await anna.waitFor(place.id, 'the edit', body('* hallo, Anna'))
    assert.deepEqual([again.content['m.mentions'], (again.content['m.new_content'] as Json)['m.mentions']], [{}, { user_ids: [anna.userId] }])
    await network.send(edit('new', [{ who, as: '@Anna' }, { who: 'everybody', as: '@room' }]), signal())
    const { content: { 'm.mentions': marks } } = await anna.waitFor(place.id, 'who is new',
      event => event.content['body'] === '* hallo, Anna' && event.event_id !== again.event_id)
    assert.deepEqual(marks, { user_ids: [anna.userId], room: true })

    const asked = await anna.send(place.id, 'Wer kommt?')
    const reply = { said: { arrival: asked }, by: { person: who, name: 'Anna' }, text: 'Wer kommt?' }
    await network.send(delivery(place, '', saying('Anna: ich', [{ who, as: 'Anna' }], { reply })), signal())
    const answer = await anna.waitFor(place.id, 'the answer', body('Anna: ich'))
    assert.deepEqual([answer.content['m.mentions'], answer.content['formatted_body']], [{ user_ids: [anna.userId] }, `${pill}: ich`])
  })

  it('a pill and a typed name of a ghost mean whoever is behind it, over a restart too, unless somebody else has that name', async () => {
    const place = await openRoom()
    const { network, memory } = await begin(place)
    const { ids: [id = ''] } = await network.send(delivery(place, 'Servus', { as: bernd }), signal())
    await network.send(delivery(place, 'Hallo', { as: max }), signal())
    const { sender: ghost } = await anna.waitFor(place.id, 'Bernd', ({ event_id: event }) => event === id)
    await network.stop()

    const later = await beginIn([place], { memory })
    const html = `<a href="https://matrix.to/#/${ghost}">Bernd (XMPP)</a>: ja`
    await anna.send(place.id, { msgtype: 'm.text', body: 'Bernd (XMPP): ja', format: 'org.matrix.custom.html', formatted_body: html })
    await anna.send(place.id, 'bernd, ja')
    const other = await person('max')
    await other.call('PUT', `v3/profile/${encodeURIComponent(other.userId)}/displayname`, { displayname: 'Max' })
    await other.call('POST', `v3/join/${encodeURIComponent(place.id)}`, {})
    await other.send(place.id, 'da bin ich')
    await anna.send(place.id, 'Max: ja')
    await anna.send(place.id, 'ja, @Max (SMS)')
    await later.inbox.until('all five', () => later.inbox.arrivals.filter(({ kind }) => kind === 'message').length === 5)
    const mentions = later.inbox.arrivals.flatMap(one => one.kind === 'message' ? [one.mentions] : [])
    assert.deepEqual(mentions, [
      [{ who: bernd.person, as: 'Bernd (XMPP)' }], [{ who: bernd.person, as: 'bernd' }], undefined, undefined, [{ who: max.person, as: '@Max (SMS)' }]
    ])
  })

  it('everybody is called only by those whose power allows it in that room', async () => {
    const place = await openRoom({ power_level_content_override: { notifications: { room: 60 } } })
    const { inbox } = await begin(place)
    const clara = await person('clara.called')
    await clara.call('POST', `v3/join/${encodeURIComponent(place.id)}`, {})
    const all = { msgtype: 'm.text', body: '@room hallo', 'm.mentions': { room: true } }
    await anna.send(place.id, all)
    await clara.send(place.id, all)
    await inbox.until('both', () => inbox.arrivals.filter(({ kind }) => kind === 'message').length === 2)
    assert.deepEqual(inbox.arrivals.flatMap(one => one.kind === 'message' ? [one.mentions] : []), [[{ who: 'everybody', as: '@room' }], undefined])
  })
}
