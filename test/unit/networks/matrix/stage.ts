/** A practice homeserver with a public room for each test, and bridges beside it that end with the test. */
import type { Place } from '../../../../src/model/address'
import type { Identity, Network } from '../../../../src/model/network'
import type { Homeserver, HsPerson } from '../../../support/homeserver'
import { practiceGround } from '../../../support/matrix-ground'
import { makeBridge, type Bridge, type Ground } from '../../../support/matrix-suite'

interface Stage { homeserver: Homeserver; ground: Ground; anna: HsPerson; place: Place }

export const stage = (set: (at: Stage) => void) => {
  const running: Network[] = []
  let at: Stage

  beforeEach(async () => {
    const { homeserver, ground } = await practiceGround()
    const anna = homeserver.person('anna')
    at = { homeserver, ground, anna, place: { network: 'matrix', id: anna.createRoom({ preset: 'public_chat' }) } }
    set(at)
  })
  afterEach(async () => {
    await Promise.all(running.splice(0).map(network => network.stop()))
    await at.homeserver.stop()
  })

  const begin = async (more: Parameters<typeof makeBridge>[1] = {}, others: Place[] = [], identities: Identity[] = []): Promise<Bridge> => {
    const bridge = makeBridge(at.ground, more)
    running.push(bridge.network)
    if (identities.length > 0) bridge.network.serve(identities)
    bridge.network.attend([at.place, ...others])
    await bridge.network.start(bridge.inbox)
    return bridge
  }
  const ready = async (more: Parameters<typeof makeBridge>[1] = {}): Promise<Bridge> => {
    const bridge = await begin(more)
    await bridge.inbox.until('it is there', () => bridge.inbox.connections.get('rooms') === true)
    return bridge
  }
  return { begin, ready }
}
