/**
 * Opens portals. Promises: only for those whom the config lets ask, to rooms that it allows and that are there; a portal that was opened is
 * remembered before anybody is told; a room that is in a mirror already is in no second one, and whoever asks for it finds it there; a room of a
 * team is in none. Nobody is sent to a portal whose room is closed to us: nothing would arrive there.
 */
import { makeAllowance } from '../lib/allowance'
import type { Clock } from '../lib/clock'
import type { Log } from '../lib/log'
import { makeTurns } from '../lib/turns'
import { addressKey, type NetworkName, type Place } from '../model/address'
import type { Inbox, Network } from '../model/network'
import type { Directory } from '../plan/directory'
import { join } from '../plan/joined'
import { mayAsk, type Portal, PORTALS, portalMirror, portalOf, type PortalRules } from '../plan/portals'
import type { Store } from '../store/store'

const ASKED_MAX = 60 // rooms asked for in a minute: each is a question to a server

interface Parts {
  rules: PortalRules | undefined; networks: ReadonlyMap<NetworkName, Network>; directory: Directory; store: Store; clock: Clock; log: Log
}

export const makePortals = ({ rules, networks, directory, store, clock, log }: Parts): Pick<Inbox, 'mayAsk' | 'portal'> => {
  const namings = new Map([...networks].map(([name, { naming }]) => [name, naming]))
  const allowance = makeAllowance(clock, ASKED_MAX)
  const turns = makeTurns()

  const placeFor = (room: Place, { asked }: Portal): Place | undefined =>
    directory.mirrorAt(room)?.mirror.places.find(({ place }) => place.network === asked.network)?.place

  const isClosed = ({ here, there }: Portal): boolean => {
    const mirror = (directory.mirrorAt(here) ?? directory.mirrorAt(there))?.mirror
    return mirror?.isPortal === true && mirror.places.some(({ place }) => place.network === there.network && directory.standing(place) === 'out')
  }

  const isTaken = (room: Place): boolean => directory.mirrorAt(room) !== undefined || directory.teams.isTeams(room)

  const isFull = ({ most }: PortalRules): boolean => {
    if (directory.portals() < most) return false
    log.warn({ most }, 'somebody asked for a further room, but there are as many portals as the config allows')
    return true
  }

  const open = async (portal: Portal, rules: PortalRules): Promise<Place | undefined> => {
    const { asked, here, there } = portal
    if (isTaken(here) || isFull(rules)) return undefined
    const mirror = portalMirror(portal, rules)
    const since = await store.run(async tx => {
      await tx.remember(PORTALS, addressKey(asked), '1')
      return await join(tx, mirror, clock.now())
    })
    directory.open(mirror, since)
    networks.get(there.network)?.attend([there])
    return here
  }

  return {
    mayAsk: (asked, by) => mayAsk(asked, by, rules, namings),
    async portal (asked, by) {
      const portal = rules && portalOf(asked, rules, namings)
      if (rules === undefined || portal === undefined || (by !== undefined && !mayAsk(asked, by, rules, namings))) return undefined
      const known = placeFor(portal.here, portal) ?? placeFor(portal.there, portal)
      const findRoom = networks.get(portal.there.network)?.findRoom
      if (known !== undefined && isClosed(portal)) { // it may let us in again
        return allowance.take([]) && await findRoom?.(portal.there.id) !== undefined ? known : undefined
      }
      if (known !== undefined || isTaken(portal.there) || !allowance.take([]) || isFull(rules)) return known
      const id = await findRoom?.(portal.there.id)
      if (id === undefined) return undefined
      const room = { ...portal.there, id }
      return await turns(PORTALS, async () => isTaken(room) || isTaken(portal.there)
        ? placeFor(room, portal) ?? placeFor(portal.there, portal) : await open(portal, rules))
    }
  }
}
