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

/** What this name asks for, allowed or not; undefined if it names no room. */
const named = (asked: Place, namings: Namings): Portal | undefined => {
  const wanted = namings.get(asked.network)?.portal?.(asked.id)
  if (wanted === undefined) return undefined
  const network = wanted.network ?? [...namings].find(([name, naming]) => name !== asked.network && naming.isRoom?.(wanted.room) === true)?.[0]
  return network === undefined ? undefined : { asked, here: { network: asked.network, id: wanted.here }, there: { network, id: wanted.room } }
}

const isAllowed = ({ there: { network, id } }: Portal, rules: PortalRules | undefined): boolean =>
  rules !== undefined && isAmong(rules.rooms, { network, id })

/** The portal of this name; undefined if it names no room, or one that the config does not allow. */
export const portalOf = (asked: Place, rules: PortalRules, namings: Namings): Portal | undefined => {
  const portal = named(asked, namings)
  return portal && isAllowed(portal, rules) ? portal : undefined
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

/** What becomes of portals that were made before. `places`: of all of them, also of those that rest. `ended`: those that are not allowed any more. */
interface Before { mirrors: Mirror[]; places: Place[]; ended: Portal[] }

/** None is mirrored for a room that is mirrored in the config, or a second time. */
export const portalsBefore = (names: string[], rules: PortalRules | undefined, namings: Namings, mirrors: Mirror[]): Before => {
  const taken = new Set(mirrors.flatMap(({ places }) => places.map(({ place }) => addressKey(place))))
  const portals = names.flatMap(name => named(readAsked(name), namings) ?? [])
  const [allowed, ended] = [portals.filter(one => isAllowed(one, rules)), portals.filter(one => !isAllowed(one, rules))]
  const open = allowed.filter(({ there }) => !taken.has(addressKey(there)) && taken.add(addressKey(there)))
  return {
    mirrors: rules === undefined ? [] : open.slice(0, rules.most).map(portal => portalMirror(portal, rules)),
    places: portals.flatMap(({ here, there }) => [here, there]), ended
  }
}
