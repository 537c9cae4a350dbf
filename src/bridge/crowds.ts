/** Where there are too many people to show them all: there, only those who speak are shown. */
import { addressKey, type Place } from '../model/address'
import type { Clock } from '../lib/clock'
import type { Mirror } from '../plan/directory'

/** For so long they must not have been too many. Otherwise all would come and go again and again around the limit. */
export const FEW_AGAIN_MS = 24 * 3_600_000

export interface Crowds {
  /** Whether the people who could be shown at this place, so many now, are too many. */
  isOne (mirror: Mirror, place: Place, count: number): boolean
  /** The mirrors in which all may be shown again by now. */
  over (): Mirror[]
}

export const makeCrowds = (clock: Clock): Crowds => {
  const crowds = new Map<string, { mirror: Mirror, fewSince?: number }>() // by place

  const isOver = ({ fewSince = Infinity }: { fewSince?: number }): boolean => fewSince + FEW_AGAIN_MS <= clock.tick()

  return {
    isOne (mirror, place, count) {
      const key = addressKey(place)
      if (count > (mirror.membersMax ?? 0)) crowds.set(key, { mirror })
      const crowd = crowds.get(key)
      if (crowd === undefined) return false
      if (count <= (mirror.membersMax ?? 0)) crowd.fewSince ??= clock.tick()
      if (isOver(crowd)) crowds.delete(key)
      return crowds.has(key)
    },
    over: () => [...crowds.values()].filter(isOver).map(({ mirror }) => mirror)
  }
}
