/** Threads on any homeserver. */
import assert from 'node:assert/strict'
import { plain } from '../../src/model/text'
import type { Reply } from '../../src/model/message'
import type { MatrixPerson } from './matrix-person'
import { matrixStage } from './matrix-stage'
import { delivery, type Ground } from './matrix-suite'

export const threadsSuite = (ground: () => Ground): void => {
  let anna: MatrixPerson
  const { begin, newPerson } = matrixStage(ground)

  before(async () => { anna = await newPerson('anna') })

  it('says something in a thread, and beside it where that would lie in another one, which homeservers refuse', async () => {
    const place = { network: 'matrix', id: await anna.createRoom({ preset: 'public_chat' }) }
    const { network, inbox } = await begin([place])
    const root = await anna.send(place.id, 'Wer kommt?')
    const within = await anna.send(place.id, { msgtype: 'm.text', body: 'Ich', 'm.relates_to': { rel_type: 'm.thread', event_id: root } })
    await inbox.until('both', () => inbox.arrivals.length === 2)
    const sayBelow = async (event: string): Promise<unknown> => {
      const [stands, text] = [{ arrival: event }, `below ${event}`]
      const by = { person: { network: 'matrix', id: anna.userId }, name: 'Anna' }
      const reply: Reply = { said: stands, by, text: 'x', thread: { root: stands, alone: true } }
      const action = { kind: 'message', content: { style: 'text', text: plain(text) }, reply } as const
      await network.send(delivery(place, text, { action }), AbortSignal.timeout(60_000))
      return (await anna.waitFor(place.id, text, ({ content }) => content.body === text)).content['m.relates_to']
    }
    assert.deepEqual(await sayBelow(root), { rel_type: 'm.thread', event_id: root, is_falling_back: true, 'm.in_reply_to': { event_id: root } })
    assert.deepEqual(await sayBelow(within), { 'm.in_reply_to': { event_id: within } })
  })
}
