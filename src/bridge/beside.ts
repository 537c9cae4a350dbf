/** What a place of a mirror is connected with, for those who are there. */
import { addressKey, type Place } from '../model/address'
import type { Beside } from '../model/network'
import { SHOWS_NOTHING } from '../model/signal'
import type { Directory } from '../plan/directory'

export const makeBesides = (directory: Directory) => (place: Place): Beside[] => {
  const found = directory.mirrorAt(place)
  if (found === undefined) return []
  const { mirror } = found
  return mirror.places.filter(one => addressKey(one.place) !== addressKey(place)).map(({ place: other, people }) => {
    const name = directory.profiles.shown(other, 'name')
    return {
      place: other, can: directory.can(other.network), shows: mirror.shows ?? SHOWS_NOTHING,
      ...people !== undefined && { people: Object.values(people) }, ...name !== undefined && name !== '' && { name }
    }
  })
}
