/**
 * Portals: rooms of one network that are mirrored because somebody asked for them on another, by a name that says which room it is. The config
 * says which rooms these may be, and who may ask where the network says who does.
 */
import { addressKey, type NetworkName, type Person, type Place } from '../model/address'
import type { Naming } from '../model/network'
import { isAmong, type Pattern } from './directs'
import type { Carried, Mirror } from './mirrored'

/** The owner of the memory that holds which portals there are, by the names by which they were asked for. */
export const PORTALS = 'portals'

export interface PortalRules { rooms: Pattern[]; from: Pattern[]; most: number; carried: Carried }

/** `here`: where people who asked find the room `there`. */
export interface Portal { asked: Place; here: Place; there: Place }

type Namings = ReadonlyMap<NetworkName, Naming>

/** The portal of this name; undefined if it names no room, or one that the config does not allow. */
export const portalOf = (asked: Place, rules: PortalRules, namings: Namings): Portal | undefined => {
  const wanted = namings.get(asked.network)?.portal?.(asked.id)
  if (wanted === undefined) return undefined
  const network = wanted.network ?? [...namings].find(([name, naming]) => name !== asked.network && naming.isRoom?.(wanted.room) === true)?.[0]
  const there = network === undefined ? undefined : { network, id: wanted.room }
  return there && isAmong(rules.rooms, there) ? { asked, here: { network: asked.network, id: wanted.here }, there } : undefined
}

export const mayAsk = (asked: Place, by: Person, rules: PortalRules | undefined, namings: Namings): boolean =>
  rules !== undefined && isAmong(rules.from, by) && portalOf(asked, rules, namings) !== undefined

export const portalMirror = ({ here, there }: Pick<Portal, 'here' | 'there'>, { carried }: PortalRules): Mirror =>
  ({ ...carried, name: addressKey(there), places: [{ place: here }, { place: there }], isPortal: true })

/** What was asked for, from its line in that memory. */
export const readAsked = (name: string): Place => {
  const [network = '', ...id] = name.split(' ')
  return { network, id: id.join(' ') }
}

/** The mirrors of those that were made before and are still allowed; none for a room that is mirrored in the config, or a second time. */
export const portalMirrors = (names: string[], rules: PortalRules | undefined, namings: Namings, mirrors: Mirror[]): Mirror[] => {
  const taken = new Set(mirrors.flatMap(({ places }) => places.map(({ place }) => addressKey(place))))
  if (rules === undefined) return []
  return names.flatMap(name => {
    const portal = portalOf(readAsked(name), rules, namings)
    if (portal === undefined || taken.has(addressKey(portal.there))) return []
    taken.add(addressKey(portal.there))
    return [portalMirror(portal, rules)]
  }).slice(0, rules.most)
}
