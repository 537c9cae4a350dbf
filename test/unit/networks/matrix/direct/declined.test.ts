import assert from 'node:assert/strict'
import { ghostMxid } from '../../../../../src/networks/matrix/names'
import type { Homeserver, HsPerson } from '../../../../support/homeserver'
import { type Bridge, delivery, said } from '../../../../support/matrix-suite'
import { stage } from '../stage'

describe('Matrix: an invitation that we sent', () => {
  let homeserver: Homeserver
  let anna: HsPerson
  const { ready } = stage(at => { ({ homeserver, anna } = at) })
  const emil = (): string => ghostMxid({ network: 'xmpp', id: 'emil@example.org' }, homeserver.serverName)

  /** Emil's stand-in begins a chat with Anna, and says something twice. Gives the room, and the ids. */
  const invites = async (bridge: Bridge): Promise<{ room: string, ids: string[] }> => {
    const ids: string[] = []
    for (const text of ['one', 'two']) {
      const { as, ...rest } = delivery({ network: 'matrix', id: `${emil()} ${anna.userId}` }, text)
      ids.push(...(await bridge.network.send(rest, AbortSignal.timeout(60_000))).ids)
    }
    const room = bridge.memory.keys('dm ')[0]!.slice('dm '.length)
    return { room, ids }
  }
  const undelivered = ({ inbox }: Bridge): unknown[] =>
    inbox.arrivals.flatMap(one => one.kind === 'receipt' ? [[one.outcome, one.because, ...one.of]] : [])

  it('and that is declined tells of each word that nobody has read', async () => {
    const bridge = await ready()
    const { room, ids } = await invites(bridge)
    anna.leave(room)
    await bridge.inbox.until('both', () => undelivered(bridge).length === 2)
    assert.deepEqual(undelivered(bridge), ids.map(id => ['failed', 'parted', id]))
  })

  it('and that was taken before tells of nothing', async () => {
    const bridge = await ready()
    bridge.inbox.admitting = () => true
    const { room } = await invites(bridge)
    anna.join(room)
    anna.leave(room)
    const next = anna.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [emil()] })
    anna.send(next, 'Hallo')
    await bridge.inbox.until('the words', () => said(bridge.inbox).includes('Hallo'))
    assert.deepEqual(undelivered(bridge), [])
  })
})
