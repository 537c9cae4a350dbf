import assert from 'node:assert/strict'
import type { Network } from '../../../../src/model/network'
import type { Homeserver } from '../../../support/homeserver'
import { ADDRESS, practiceGround } from '../../../support/matrix-ground'
import { makeBridge, said, type Bridge, type Ground } from '../../../support/matrix-suite'
import { until } from '../../../support/practice'

describe('Matrix: forgetting', () => {
  let homeserver: Homeserver
  let ground: Ground
  const running: Network[] = []
  const address = (): string => `@${ADDRESS}:${ground.serverName}`

  beforeEach(async () => { ({ homeserver, ground } = await practiceGround()) })
  afterEach(async () => {
    await Promise.all(running.splice(0).map(network => network.stop()))
    await homeserver.stop()
  })

  const begin = async (more: Parameters<typeof makeBridge>[1] = {}): Promise<Bridge> => {
    const bridge = makeBridge(ground, more)
    running.push(bridge.network)
    bridge.network.serve([{ id: address(), aliases: [], profile: { name: 'Bürgerbüro', about: 'offen' } }])
    await bridge.network.start(bridge.inbox)
    await bridge.inbox.until('the address is there', () => bridge.inbox.connections.get('addresses') === true)
    return bridge
  }

  it('leaves nothing of a chat, though it is read just then', async () => {
    const eva = homeserver.person('eva')
    const first = await begin()
    const room = eva.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [address()] })
    eva.send(room, 'eins')
    await first.inbox.until('the words', () => said(first.inbox).includes('eins'))
    await first.network.stop()
    homeserver.pusher.loseNext(1)
    eva.send(room, 'zwei')
    homeserver.faults.push({ on: /\/messages/, times: 2, delayMs: 500 })
    const asked = homeserver.requests.length
    const { network, memory, inbox } = await begin(first)
    await until(() => homeserver.requests.slice(asked).some(line => line.includes('/messages')))
    await network.forget!([{ network: 'matrix', id: `${address()} ${eva.userId}` }])
    const next = eva.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [address()] })
    eva.send(next, 'drei')
    await inbox.until('what is said next', () => said(inbox).includes('drei'))
    assert.deepEqual(memory.keys('').filter(key => key.includes(room)), [])
  })
})
