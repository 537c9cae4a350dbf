/** What is taken back is taken back whole, on any homeserver: also what replaced it since. */
import assert from 'node:assert/strict'
import type { Place } from '../../src/model/address'
import type { Delivery } from '../../src/model/message'
import type { Network } from '../../src/model/network'
import { plain } from '../../src/model/text'
import { makeMatrixPerson, type MatrixPerson, type SeenEvent } from './matrix-person'
import { bernd, delivery, makeBridge, newKey, type Bridge, type Ground } from './matrix-suite'

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
    it('is gone with all that replaced it, also when that was cut off in between, and nothing else is', async () => {
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
}
