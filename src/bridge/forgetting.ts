/**
 * When a conversation is forgotten, what the networks remember of its places goes too. That it has to is remembered in the same commit,
 * until they have done it.
 */
import type { Log } from '../lib/log'
import { addressKey, type NetworkName, type Place } from '../model/address'
import { messageOf } from '../model/errors'
import type { Network } from '../model/network'
import type { DeskMemory } from '../desk/memory'
import type { Conversation } from '../store/desk'
import type { Store, Tx } from '../store/store'

const FORGOTTEN = 'forgotten'

export interface Forgetting {
  note (tx: Tx, conversations: Conversation[]): Promise<void>
  /** Tells the networks what is noted. Never throws; what they cannot do now is for the next time. */
  tell (): Promise<void>
}

interface Parts { store: Store; networks: ReadonlyMap<NetworkName, Network>; desk: DeskMemory; log: Log }

export const makeForgetting = ({ store, networks, desk, log }: Parts): Forgetting => {
  let telling = false

  const tellOne = async (key: string, place: Place): Promise<void> => {
    try {
      const isNeeded = desk.spotOf(place) !== undefined // somebody has written there since
      if (!isNeeded) await networks.get(place.network)?.forget?.([place])
      await store.run(tx => tx.forget(FORGOTTEN, key))
    } catch (error) {
      log.info({ network: place.network, why: messageOf(error) }, 'what a network remembers of a forgotten conversation cannot be forgotten yet')
    }
  }

  return {
    async note (tx, conversations) {
      for (const place of conversations.flatMap(desk.placesFor)) await tx.remember(FORGOTTEN, addressKey(place), JSON.stringify(place))
    },
    async tell () {
      if (telling) return
      telling = true
      const noted = await store.run(tx => tx.remembered(FORGOTTEN)).catch(() => [])
      for (const [key, value] of noted) await tellOne(key, JSON.parse(value) as Place)
      telling = false
    }
  }
}
