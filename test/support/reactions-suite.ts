/** Reactions on any homeserver: ours, and those of others. */
import assert from 'node:assert/strict'
import type { Place } from '../../src/model/address'
import type { Delivery, Persona } from '../../src/model/message'
import type { MatrixPerson, SeenEvent } from './matrix-person'
import { matrixStage } from './matrix-stage'
import { bernd, delivery, max, type Bridge, type Ground } from './matrix-suite'

export const reactionsSuite = (ground: () => Ground): void => {
  let anna: MatrixPerson
  const { begin: beginIn, newPerson } = matrixStage(ground)
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)
  const begin = async (): Promise<Bridge & { place: Place }> => {
    const place = { network: 'matrix', id: await anna.createRoom({ preset: 'public_chat' }) }
    return { ...await beginIn([place]), place }
  }
  const reaction = (place: Place, as: Persona, event: string, emoji: string): Delivery =>
    delivery(place, '', { as, action: { kind: 'reaction', to: { arrival: event }, emojis: [emoji] } })
  const annotations = async ({ id }: Place): Promise<unknown[]> => (await anna.events(id))
    .filter(({ type, content }: SeenEvent) => type === 'm.reaction' && 'm.relates_to' in content)
    .map(({ content }) => content['m.relates_to'])

  before(async () => { anna = await newPerson('anna') })

  describe('reactions', () => {
    it('of ours are events of who reacts; the same one twice is that one; taken back it is gone', async () => {
      const { network, place } = await begin()
      const event = await anna.send(place.id, 'Kommt ihr?')
      const first = reaction(place, bernd, event, '👍')
      const sent = await network.send(first, signal())
      assert.deepEqual(await network.send({ ...first, attempt: 2 }, signal()), sent, 'tried again')
      assert.deepEqual(await network.send(reaction(place, bernd, event, '👍'), signal()), sent, 'said again')
      await network.send(reaction(place, max, event, '👍'), signal())
      await network.send(reaction(place, bernd, event, '❤'), signal())
      const annotation = (key: string) => ({ rel_type: 'm.annotation', event_id: event, key })
      assert.deepEqual(await annotations(place), [annotation('👍\uFE0F'), annotation('👍\uFE0F'), annotation('❤\uFE0F')])
      await network.send(delivery(place, '', { as: bernd, action: { kind: 'deletion', of: first.key }, target: sent.ids }), signal())
      assert.deepEqual(await annotations(place), [annotation('👍\uFE0F'), annotation('❤\uFE0F')])
    })

    it('of others come in, and so does their end', async () => {
      const { network, inbox, place } = await begin()
      const { ids: [event = ''] } = await network.send(delivery(place, 'Wir kommen'), signal())
      const key = await anna.send(place.id, { 'm.relates_to': { rel_type: 'm.annotation', event_id: event, key: '👍' } }, 'm.reaction')
      await inbox.until('the reaction', () => inbox.arrivals.some(({ kind }) => kind === 'reaction'))
      await anna.redact(place.id, key)
      await inbox.until('its end', () => inbox.arrivals.some(({ kind }) => kind === 'deletion'))
      const [reacted, back] = inbox.arrivals.filter(({ kind }) => kind === 'reaction' || kind === 'deletion')
      assert.ok(reacted?.kind === 'reaction' && back?.kind === 'deletion')
      assert.equal(back.of, key)
      assert.deepEqual([reacted.key, reacted.of, reacted.emojis, reacted.sender.id], [key, [event], ['👍'], anna.userId])
    })
  })
}
