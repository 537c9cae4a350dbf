/**
 * Portals: rooms of one network that are mirrored because somebody asked for them on another, by a name that says which room it is. The config
 * says on which services such rooms may be.
 */
import { addressKey, type NetworkName, type Place } from '../model/address'
import type { Naming } from '../model/network'
import type { Shows } from '../model/signal'
import { fits, type Pattern } from './directs'
import type { Mirror } from './mirrored'

/** The owner of the memory that holds which portals there are. */
export const PORTALS = 'portals'

export interface PortalRules { rooms: Pattern[]; most: number; shows: Shows }

/** `asked`: where people asked for the room `there`. */
export interface Portal { asked: Place; there: Place }

/** The portal of this name; undefined if it names no room, or one that the config does not allow. */
export const portalOf = (asked: Place, rules: PortalRules, namings: ReadonlyMap<NetworkName, Naming>): Portal | undefined => {
  const there = namings.get(asked.network)?.portal?.(asked.id)
  return there !== undefined && rules.rooms.some(one => one.network === there.network && fits(one.id, there.id)) ? { asked, there } : undefined
}

export const portalMirror = ({ asked, there }: Portal, { shows }: PortalRules): Mirror =>
  ({ name: addressKey(there), places: [{ place: asked }, { place: there }], shows, isPortal: true })

/** The mirrors of those that were made before and are still allowed; none for a room that is mirrored in the config. */
export const portalMirrors = (names: string[], rules: PortalRules | undefined, namings: ReadonlyMap<NetworkName, Naming>,
  mirrors: Mirror[]): Mirror[] => {
  const taken = new Set(mirrors.flatMap(({ places }) => places.map(({ place }) => addressKey(place))))
  if (rules === undefined) return []
  return names.flatMap(name => {
    const [network = '', ...id] = name.split(' ')
    const portal = portalOf({ network, id: id.join(' ') }, rules, namings)
    return portal === undefined || taken.has(addressKey(portal.there)) ? [] : [portalMirror(portal, rules)]
  }).slice(0, rules.most)
}
