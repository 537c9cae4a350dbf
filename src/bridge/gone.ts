/** Who was shown at a place and has been seen to go, while it is not known of everybody whether they belong there. */
import { addressKey, type Place } from '../model/address'
import type { Persona } from '../model/message'

const SHOWN_MAX = 5_000 // at one place; others are found to have gone when all who belong there are known

/** `there`: the keys of all persons at the other places, whether they are shown or not. */
export const makeGone = (): (place: Place, members: Persona[], there: ReadonlySet<string>, whole: boolean) => Persona[] => {
  const shown = new Map<string, Map<string, Persona>>() // by place and person, since it was not known

  return (place, members, there, whole) => {
    const here = addressKey(place)
    if (whole) {
      shown.delete(here)
      return []
    }
    const before = shown.get(here) ?? new Map<string, Persona>()
    for (const one of members) if (before.size < SHOWN_MAX) before.set(addressKey(one.person), one)
    if (before.size > 0) shown.set(here, before)
    return [...before].flatMap(([key, one]) => there.has(key) ? [] : [one])
  }
}
