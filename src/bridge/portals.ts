/**
 * Opens portals. Promises: only to rooms that the config allows and that are there; a portal that was opened is remembered before anybody is
 * told; a room that is in a mirror already, or is the team's, is in no second one.
 */
import { makeAllowance } from '../lib/allowance'
import type { Clock } from '../lib/clock'
import type { Log } from '../lib/log'
import { addressKey, type NetworkName, type Place } from '../model/address'
import type { Network } from '../model/network'
import type { Directory } from '../plan/directory'
import { PORTALS, portalMirror, portalOf, type PortalRules } from '../plan/portals'
import type { Store } from '../store/store'

const ASKED_MAX = 60 // rooms asked for in a minute: each is a question to a server

interface Parts {
  rules: PortalRules | undefined; networks: ReadonlyMap<NetworkName, Network>; directory: Directory; store: Store; clock: Clock; log: Log
}

export type OpenPortal = (asked: Place) => Promise<boolean>

export const makePortals = ({ rules, networks, directory, store, clock, log }: Parts): OpenPortal => {
  const namings = new Map([...networks].map(([name, { naming }]) => [name, naming]))
  const allowance = makeAllowance(clock, ASKED_MAX)

  return async asked => {
    const portal = rules && portalOf(asked, rules, namings)
    if (rules === undefined || portal === undefined) return false
    if (directory.mirrorAt(asked) !== undefined) return true
    const isTaken = (): boolean => directory.mirrorAt(portal.there) !== undefined || directory.teams.isTeams(portal.there)
    if (isTaken() || !allowance.take([])) return false
    if (directory.portals() >= rules.most) {
      log.warn({ most: rules.most }, 'somebody asked for a further room, but there are as many portals as the config allows')
      return false
    }
    if (await networks.get(portal.there.network)?.hasRoom?.(portal.there.id) !== true || isTaken()) return false
    await store.run(tx => tx.remember(PORTALS, addressKey(asked), '1'))
    if (isTaken()) return directory.mirrorAt(asked) !== undefined
    directory.open(portalMirror(portal, rules))
    networks.get(portal.there.network)?.attend([portal.there])
    return true
  }
}
