/** What was said before is changed and taken back, on any homeserver: whole, and where somebody still reads it, or its writer is told. */
import assert from 'node:assert/strict'
import type { Place } from '../../src/model/address'
import type { Delivery } from '../../src/model/message'
import type { Network } from '../../src/model/network'
import { plain } from '../../src/model/text'
import { makeMatrixPerson, type MatrixPerson, type SeenEvent } from './matrix-person'
import { ADDRESS } from './matrix-ground'
import { bernd, delivery, makeBridge, newKey, said, type Bridge, type Ground } from './matrix-suite'
import { until } from './practice'
import { skippingClock } from './quick'

export const takingBackSuite = (ground: () => Ground): void => {
  let anna: MatrixPerson
  const running: Network[] = []
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)
  const begin = async (place: Place, more: Parameters<typeof makeBridge>[1] = {}): Promise<Bridge> => {
    const bridge = makeBridge(ground(), more)
    running.push(bridge.network)
    bridge.network.attend([place])
    await bridge.network.start(bridge.inbox)
    await bridge.inbox.until('the rooms are joined', () => bridge.inbox.connections.get('rooms') === true)
    return bridge
  }
  const edit = (place: Place, of: string, target: string[], text: string): Delivery =>
    delivery(place, '', { action: { kind: 'edit', of, content: { style: 'text', text: plain(text) } }, target })
  const deletion = (place: Place, of: string, target: string[]): Delivery => delivery(place, '', { action: { kind: 'deletion', of }, target })
  const left = async ({ id }: Place): Promise<unknown[]> => (await anna.events(id))
    .filter(({ type, content }: SeenEvent) => type === 'm.room.message' && 'body' in content).map(({ content }) => content.body)

  before(async () => {
    const { userId, accessToken } = await ground().createUser(`anna${newKey()}`.toLowerCase())
    anna = makeMatrixPerson(ground().url, userId, accessToken)
  })
  afterEach(async () => { await Promise.all(running.splice(0).map(network => network.stop())) })

  describe('what is taken back', () => {
    it('is gone with all its edits, also after a try that was cut off, and nothing else is gone', async () => {
      const place = { network: 'matrix', id: await anna.createRoom({ preset: 'public_chat' }) }
      const { network } = await begin(place)
      const [one, other] = [delivery(place, 'geheim'), delivery(place, 'bleibt', { as: bernd })]
      const { ids } = await network.send(one, signal())
      await network.send(other, signal())
      for (let times = 1; times <= 3; times++) await network.send(edit(place, one.key, ids, `geheim ${times}`), signal())
      await anna.edit(place.id, ids[0]!, 'nicht von uns')
      const back = deletion(place, one.key, ids)
      const aborting = new AbortController()
      const cutOff = network.send(back, aborting.signal)
      aborting.abort()
      await cutOff.catch(() => {})
      const { ids: redactions } = await network.send({ ...back, attempt: 2 }, signal())
      assert.deepEqual(await left(place), ['bleibt', '* nicht von uns'])
      assert.deepEqual(await network.send({ ...back, attempt: 3 }, signal()), { ids: redactions }, 'once more changes nothing')
      const redacted = (await anna.events(place.id)).filter(({ type }) => type === 'm.room.redaction')
      assert.equal(redacted.length, 4)
    })
  })

  describe('what is corrected in a direct chat', () => {
    it('is refused if its contact no longer reads there, also when we have left that chat too', async () => {
      const clock = skippingClock()
      const bridge = makeBridge(ground(), { clock })
      running.push(bridge.network)
      const { network, inbox, memory } = bridge
      const id = `@${ADDRESS}:${ground().serverName}`
      network.serve([{ id, aliases: [], profile: { name: 'Bürgerbüro', about: 'offen' } }])
      await network.start(inbox)
      await inbox.until('the address is there', () => inbox.connections.get('addresses') === true)
      const place: Place = { network: 'matrix', id: `${id} ${anna.userId}` }
      const opens = async (text: string): Promise<string> => {
        const room = await anna.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [id] })
        await anna.send(room, text)
        await inbox.until(text, () => said(inbox).includes(text))
        return room
      }
      const first = await opens('im ersten')
      const answer = delivery(place, 'Montag um 9')
      const { ids } = await network.send(answer, signal())
      const second = await opens('im zweiten')
      await network.send(edit(place, answer.key, ids, 'Montag um 10'), signal())
      const stands = await anna.waitFor(first, 'the correction', ({ content }) => content.body === '* Montag um 10')
      await anna.call('POST', `v3/rooms/${encodeURIComponent(first)}/leave`, {})
      await until(() => memory.get('parting')?.includes(first) === true, 'they have left')
      const refused = { name: 'Refused', because: 'moved' }
      await assert.rejects(network.send(edit(place, answer.key, ids, 'Montag um 11'), signal()), refused)
      clock.skip(120_000)
      await until(() => memory.get(`dm ${first}`) === undefined, 'we have left too')
      await assert.rejects(network.send(edit(place, answer.key, ids, 'Montag um 12'), signal()), refused)
      assert.deepEqual(await left({ network: 'matrix', id: second }), ['im zweiten'])
      assert.equal(stands.sender, id)
      const now = delivery(place, 'Montag um 13')
      const sent = await network.send(now, signal())
      await network.send(edit(place, now.key, sent.ids, 'Montag um 14'), signal())
      await anna.waitFor(second, 'the correction here', ({ content }) => content.body === '* Montag um 14')
    })
  })
}
