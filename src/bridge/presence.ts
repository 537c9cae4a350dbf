/**
 * Who is away or busy, shown by their ghosts in mirrors that want it. Promises: whatever comes in, one person is shown to change at most once in
 * EVERY_MS, and ends as they are then; the same is shown again only after AGAIN_MS; only so many are remembered, and those beyond are not shown.
 */
import type { Clock, Timer } from '../lib/clock'
import { addressKey, type Person } from '../model/address'
import type { Presence } from '../model/signal'
import type { Target } from './typing'

const EVERY_MS = 10_000
const AGAIN_MS = 5 * 60_000 // a ghost that has come meanwhile shows it too
const PEOPLE_MAX = 2_000

interface Known { now: Presence; shown?: Presence; shownAt: number; timer?: Timer }

export interface PresenceHere {
  take (person: Person, presence: Presence): void
  stop (): void
}

const isSame = (one: Presence, other: Presence | undefined): boolean => one.is === other?.is && one.status === other.status

/** `targetsOf`: none where nobody may see it. */
export const makePresence = (clock: Clock, targetsOf: (person: Person) => Target[],
  show: (target: Target, presence: Presence) => void): PresenceHere => {
  const people = new Map<string, Known>()

  const look = (person: Person, known: Known): void => {
    delete known.timer
    if (isSame(known.now, known.shown) && clock.tick() - known.shownAt < AGAIN_MS) return
    const restMs = known.shownAt + EVERY_MS - clock.tick()
    if (restMs > 0) {
      known.timer = clock.after(restMs, () => look(person, known))
      return
    }
    known.shown = known.now
    known.shownAt = clock.tick()
    for (const target of targetsOf(person)) show(target, known.now)
  }

  const noted = (key: string, presence: Presence): Known | undefined => {
    const before = people.get(key)
    if (before !== undefined) {
      before.now = presence
      return before
    }
    if (people.size >= PEOPLE_MAX) return undefined
    const made = { now: presence, shownAt: -Infinity }
    people.set(key, made)
    return made
  }

  return {
    take (person, presence) {
      const key = addressKey(person)
      if (targetsOf(person).length === 0) {
        people.get(key)?.timer?.cancel()
        people.delete(key)
        return
      }
      const known = noted(key, presence)
      if (known !== undefined && known.timer === undefined) look(person, known)
    },
    stop () {
      for (const { timer } of people.values()) timer?.cancel()
      people.clear()
    }
  }
}
