/** What suites have in common on any homeserver: bridges, which are stopped after each test, and people. */
import type { Place } from '../../src/model/address'
import type { Network } from '../../src/model/network'
import { makeMatrixPerson, type MatrixPerson } from './matrix-person'
import { type Bridge, type Ground, makeBridge, newKey } from './matrix-suite'

export interface MatrixStage {
  /** A bridge that is in these rooms. */
  begin (places: Place[], more?: Parameters<typeof makeBridge>[1]): Promise<Bridge>
  /** Somebody whose name begins so. */
  newPerson (name: string): Promise<MatrixPerson>
}

/** To be called where the suite describes its tests. */
export const matrixStage = (ground: () => Ground): MatrixStage => {
  const running: Network[] = []
  afterEach(async () => { await Promise.all(running.splice(0).map(network => network.stop())) })
  return {
    async begin (places, more) {
      const bridge = makeBridge(ground(), more)
      running.push(bridge.network)
      bridge.network.attend(places)
      await bridge.network.start(bridge.inbox)
      await bridge.inbox.until('the rooms are joined', () => bridge.inbox.connections.get('rooms') === true)
      return bridge
    },
    async newPerson (name) {
      const { userId, accessToken } = await ground().createUser(`${name}${newKey()}`.toLowerCase())
      return makeMatrixPerson(ground().url, userId, accessToken)
    }
  }
}
