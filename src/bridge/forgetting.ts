/** When conversations are forgotten, the networks forget their places too. */
import type { Log } from '../lib/log'
import { samePlace, type NetworkName, type Place } from '../model/address'
import { messageOf } from '../model/errors'
import type { Network } from '../model/network'
import { FORGOTTEN, noteForgotten } from '../desk/forgotten'
import type { DeskMemory } from '../desk/memory'
import type { Conversation } from '../store/desk'
import type { Store, Tx } from '../store/store'

export interface Forgetting {
  note (tx: Tx, conversations: Conversation[]): Promise<void>
  /** Tells the networks what is noted. Never throws: what a network cannot forget now is tried the next time. */
  tell (): Promise<void>
}

interface Parts { store: Store; networks: ReadonlyMap<NetworkName, Network>; desk: DeskMemory; log: Log }

export const makeForgetting = ({ store, networks, desk, log }: Parts): Forgetting => {
  let telling = false

  /** Whether somebody has written there since, or its address is back. */
  const isNeeded = (place: Place): boolean => desk.spotOf(place) !== undefined || desk.roster.all().some(address => {
    const house = desk.houseOf(address, place.network)
    return house !== undefined && samePlace(house, place)
  })

  const tellOne = async (key: string, place: Place): Promise<void> => {
    try {
      if (!isNeeded(place)) await networks.get(place.network)?.forget?.([place])
      await store.run(tx => tx.forget(FORGOTTEN, key))
    } catch (error) {
      log.info({ network: place.network, why: messageOf(error) }, 'place of a forgotten conversation is not forgotten yet')
    }
  }

  return {
    note: (tx, conversations) => noteForgotten(tx, conversations.flatMap(desk.placesFor)),
    async tell () {
      if (telling) return
      telling = true
      const noted = await store.run(tx => tx.remembered(FORGOTTEN)).catch(() => [])
      for (const [key, value] of noted) await tellOne(key, JSON.parse(value) as Place)
      telling = false
    }
  }
}
