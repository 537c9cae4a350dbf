/** Polls on any homeserver: asked, answered and ended by others and by us. */
import assert from 'node:assert/strict'
import type { Place } from '../../src/model/address'
import type { Content, Delivery, Poll } from '../../src/model/message'
import { plain } from '../../src/model/text'
import type { Json, MatrixPerson, SeenEvent } from './matrix-person'
import { matrixStage } from './matrix-stage'
import { bernd, delivery, max, type Bridge, type Ground } from './matrix-suite'

const POLL = 'org.matrix.msc3381.poll'
const ENDED = 'The poll has ended. Top answer: Mo'

export const pollsSuite = (ground: () => Ground): void => {
  let anna: MatrixPerson
  const { begin: beginIn, newPerson } = matrixStage(ground)
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)
  const begin = async (): Promise<Bridge & { place: Place }> => {
    const place = { network: 'matrix', id: await anna.createRoom({ preset: 'public_chat' }) }
    return { ...await beginIn([place]), place }
  }
  const poll = (question = 'When?'): Poll =>
    ({ form: `${POLL}.start`, question, answers: [{ id: 'a', text: 'Mo' }, { id: 'b', text: 'Tu' }], most: 1, open: true })
  const asking = (asked: Poll): Content => ({ style: 'text', text: plain(`${asked.question}\n1. Mo\n2. Tu`), poll: asked })
  const ending = (place: Place, event: string, as?: Delivery['as']): Delivery => {
    const { as: _, ...ours } = delivery(place, '', { action: {
      kind: 'message', content: { style: 'text', text: plain(ENDED), ends: `${POLL}.start` },
      reply: { said: { arrival: event }, by: bernd, text: 'When?' }
    } })
    return as === undefined ? ours : { ...ours, as }
  }
  const startContent = ({ question, answers }: Poll): Json => ({
    'org.matrix.msc1767.text': `${question}\n1. Mo\n2. Tu`, [`${POLL}.start`]: {
      kind: `${POLL}.disclosed`, max_selections: 1, question: { 'org.matrix.msc1767.text': question },
      answers: answers.map(({ id, text }) => ({ id, 'org.matrix.msc1767.text': text }))
    }
  })
  /** What stands in the room of these types, without what is ours in it. */
  const standing = async ({ id }: Place, ...types: string[]): Promise<[string, string, Json][]> => (await anna.events(id))
    .filter(({ type, content }: SeenEvent) => types.includes(type) && Object.keys(content).length > 0)
    .map(({ type, sender, content: { 'org.zentrale.key': _, 'org.zentrale.hops': __, ...content } }) => [type, sender, content])
  const referring = (event: string): Json => ({ 'm.relates_to': { rel_type: 'm.reference', event_id: event } })

  before(async () => { anna = await newPerson('anna') })

  describe('polls', () => {
    it('of ours are asked, asked otherwise, answered, ended by who asked, each once; and taken back with what was asked before', async () => {
      const { network, place } = await begin()
      const first = delivery(place, '', { action: { kind: 'message', content: asking(poll()) }, as: bernd })
      const { ids } = await network.send(first, signal())
      assert.deepEqual(await network.send({ ...first, attempt: 2 }, signal()), { ids }, 'tried again')
      const edit: Delivery = delivery(place, '', { action: { kind: 'edit', of: first.key, content: asking(poll('Which?')) }, target: ids, as: bernd })
      await network.send(edit, signal())
      const vote = delivery(place, '', { as: max, action: { kind: 'vote', to: { delivery: first.key }, form: `${POLL}.start`, answers: ['b'] } })
      await network.send({ ...vote, answered: ids }, signal())
      await network.send(ending(place, ids[0]!, bernd), signal())
      const found = await standing(place, `${POLL}.start`, `${POLL}.response`, `${POLL}.end`)
      const [, ghost] = found[0]!
      assert.deepEqual(found, [
        [`${POLL}.start`, ghost, startContent(poll())],
        [`${POLL}.start`, ghost, {
          ...startContent(poll('Which?')), 'm.new_content': startContent(poll('Which?')), 'm.mentions': {},
          'm.relates_to': { rel_type: 'm.replace', event_id: ids[0] }
        }],
        [`${POLL}.response`, found[2]![1], { ...referring(ids[0]!), [`${POLL}.response`]: { answers: ['b'] } }],
        [`${POLL}.end`, ghost, { ...referring(ids[0]!), 'org.matrix.msc1767.text': ENDED, [`${POLL}.end`]: {} }]
      ])
      assert.notEqual(found[2]![1], ghost)
      await network.send(delivery(place, '', { as: bernd, action: { kind: 'deletion', of: first.key }, target: ids }), signal())
      assert.deepEqual(await standing(place, `${POLL}.start`), [])
    })

    it('of others are ended by us only with the power to; otherwise their end is told', async () => {
      const { network, place } = await begin()
      const event = await anna.send(place.id, startContent(poll()), `${POLL}.start`)
      await network.send(ending(place, event), signal())
      const bot = `@${ground().config.registration.sender_localpart}:${ground().serverName}`
      const [told] = await standing(place, 'm.room.message')
      assert.deepEqual([told?.[1], told?.[2].body, told?.[2]['m.relates_to']], [bot, ENDED, { 'm.in_reply_to': { event_id: event } }])
      assert.deepEqual(await standing(place, `${POLL}.end`), [])
      const levels = await anna.call('GET', `v3/rooms/${encodeURIComponent(place.id)}/state/m.room.power_levels/`)
      await anna.setState(place.id, 'm.room.power_levels', '', { ...levels, users: { ...levels.users as Json, [bot]: 50 } })
      await network.send(ending(place, event), signal())
      assert.deepEqual((await standing(place, `${POLL}.end`)).map(([, sender]) => sender), [bot])
    })

    it('of others come in with their votes, and their ends say who may end them', async () => {
      const { inbox, place } = await begin()
      const dora = await newPerson('dora')
      await dora.join(place.id)
      const event = await dora.send(place.id, startContent(poll()), `${POLL}.start`)
      await dora.send(place.id, { ...referring(event), [`${POLL}.response`]: { answers: ['a', 5] } }, `${POLL}.response`)
      const end = { ...referring(event), 'org.matrix.msc1767.text': ENDED, [`${POLL}.end`]: {} }
      for (const who of [dora, anna]) await who.send(place.id, end, `${POLL}.end`)
      await inbox.until('all of it', () => inbox.arrivals.length === 4)
      const [asked, vote, ...ends] = inbox.arrivals
      assert.ok(asked?.kind === 'message' && vote?.kind === 'vote')
      assert.deepEqual([asked.content.poll, vote.of, vote.answers, vote.sender.id], [poll(), [event], ['a'], dora.userId])
      assert.deepEqual(ends.map(one => one.kind === 'message' && [one.content.ends, one.replyTo, one.mayEnd]),
        [[`${POLL}.start`, [event], undefined], [`${POLL}.start`, [event], true]])
    })
  })
}
