/** Whom moderators have put out of which place, as the story and the bridge know it. All times in ms of the timeline. */
import { addressKey, type Person, type Place } from '../../src/model/address'
import type { ExpulsionArrival } from '../../src/model/message'
import { HOLDS_MS } from '../../src/plan/expelled'

/**
 * `known`, `over`: when the bridge stored that they are out, and in again. `holds`: so long nothing but an invitation can end it. `tried`: from
 * then on the bridge may try whether they still are, and what it tries may be shown once they are let in.
 */
interface Out { place: string; person: string; name: string; known: number; holds: number; tried: number; isLetIn: boolean; over: number }

export interface Outs {
  readonly all: readonly Out[]
  /** A moderator puts somebody out, who is shown there by this name; lets them in again. */
  add (place: Place, person: Person, name: string): void
  letIn (place: Place, person: Person): void
  /** The bridge stores what a moderator did. */
  stored (arrival: ExpulsionArrival): void
  /** A clock that jumps may end it. */
  doubt (): void
  /** Whether anybody, or this one, was ever out of the place. */
  ever (place: string, name?: string): boolean
  /** Whether what they said then may be missing there: it may have waited until they were out. */
  mayMiss (place: string, name: string, at: number): boolean
  /** Whether what they said then, and the bridge took at `takenAt`, must not be shown there. */
  isOut (place: string, name: string, at: number, takenAt: number): boolean
}

export const makeOuts = (now: () => number): Outs => {
  const all: Out[] = []
  const allOf = (place: Place, person: Person): Out[] => all.filter(one => one.place === addressKey(place) && one.person === addressKey(person))
  return {
    all,
    add (place, person, name) {
      const times = { known: Infinity, holds: Infinity, tried: Infinity, over: Infinity }
      all.push({ place: addressKey(place), person: addressKey(person), name, isLetIn: false, ...times })
    },
    letIn (place, person) {
      for (const one of allOf(place, person)) Object.assign(one, { isLetIn: true, holds: Math.min(one.holds, now()) })
    },
    stored ({ place, person, how }) {
      const mine = allOf(place, person)
      const one = mine.at(-1)
      if (one === undefined) return
      if (one.isLetIn && (one.known < Infinity || how === 'invited' || how === 'let in')) {
        for (const each of mine) each.over = Math.min(each.over, now())
      } else if (one.known === Infinity) {
        const tried = how === 'banned' ? now() + HOLDS_MS.banned : Infinity
        Object.assign(one, { known: now(), holds: Math.min(one.holds, now() + HOLDS_MS.kicked), tried })
      }
    },
    doubt () { for (const one of all) one.holds = Math.min(one.holds, now()) },
    ever: (place, name) => all.some(one => one.place === place && (name === undefined || one.name === name)),
    mayMiss: (place, name, at) => all.some(one => one.place === place && one.name === name && at < one.over),
    isOut: (place, name, at, takenAt) => all.some(one => one.place === place && one.name === name && at > one.known && takenAt < one.holds &&
      !(one.isLetIn && takenAt >= one.tried))
  }
}
