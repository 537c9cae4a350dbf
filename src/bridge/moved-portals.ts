/**
 * Portals whose room is in a mirror of the config by now. The rooms that we made for them are dead, so people in them, and whoever comes, are sent
 * on to where the room is mirrored. What a network cannot do now is tried the next time.
 */
import type { Log } from '../lib/log'
import { addressKey, type NetworkName, type Place } from '../model/address'
import { messageOf } from '../model/errors'
import type { Network } from '../model/network'
import type { Directory } from '../plan/directory'
import { JOINED } from '../plan/joined'
import { PORTALS, portalOf, type PortalRules, readAsked } from '../plan/portals'
import type { Store } from '../store/store'

interface Parts { rules: PortalRules | undefined; networks: ReadonlyMap<NetworkName, Network>; directory: Directory; store: Store; log: Log }

export interface MovedPortals {
  /** Sends people on. Never throws. */
  tell (): Promise<void>
}

export const makeMovedPortals = ({ rules, networks, directory, store, log }: Parts): MovedPortals => {
  const namings = new Map([...networks].map(([name, { naming }]) => [name, naming]))
  let telling = false

  /** The room that we made, and where people find it now. */
  const moveOf = (name: string): { here: Place, now: Place } | undefined => {
    const portal = rules && portalOf(readAsked(name), rules, namings)
    const mirror = portal && directory.mirrorAt(portal.there)?.mirror
    if (portal === undefined || mirror === undefined || mirror.isPortal === true || directory.mirrorAt(portal.here) !== undefined) return undefined
    const now = mirror.places.find(({ place, people }) => people === undefined && place.network === portal.here.network)?.place
    return now && { here: portal.here, now }
  }

  const sendOn = async (name: string): Promise<void> => {
    const move = moveOf(name)
    const sends = move && networks.get(move.here.network)?.sendOn
    if (move === undefined || sends === undefined) return
    try {
      await sends(move.here, move.now)
      await store.run(async tx => {
        await tx.forget(PORTALS, name)
        await tx.forget(JOINED, addressKey(move.here)) // nobody is told there
      })
    } catch (error) {
      log.info({ portal: name, why: messageOf(error) }, 'people of a portal that is a mirror now are not sent on yet')
    }
  }

  return {
    async tell () {
      if (telling || rules === undefined) return
      telling = true
      const names = await store.run(tx => tx.remembered(PORTALS)).catch(() => [])
      for (const [name] of names) await sendOn(name)
      telling = false
    }
  }
}
