/**
 * One-time codes that came masked, each with the whole text in which it stood. They are in memory alone, so that no file, backup or export has them,
 * each for its time; a restart ends them. A text is shown to the first one who is told it, and to nobody after that.
 */
import { addressKey, type ArrivalKey, type DeliveryKey, type Place } from '../model/address'
import type { Clock, Timer } from '../lib/clock'
import type { Delivery } from '../model/message'
import { plain } from '../model/text'

/** How many are kept of one place, and of all. Beyond that, the oldest is forgotten. */
export const CODES_OF_PLACE_MAX = 10
export const CODES_MAX = 500
const MINUTE_MS = 60_000

/** `isUnrouted`: it concerned nobody, so that no team can ask for it. */
export interface MaskedText { key: ArrivalKey; place: Place; text: string; isUnrouted: boolean }

export const minutesOf = (ms: number): number => Math.max(Math.round(ms / MINUTE_MS), 1)

export interface Codes {
  keep (came: MaskedText, forMs: number): void
  /** What nobody was told yet, newest first. */
  waiting (): MaskedText[]
  /** Gives those texts that nobody was told yet, and counts as having told them. */
  take (isAsked: (one: MaskedText) => boolean): MaskedText[]
  /** The delivery as it is to be sent: with the text, if it is the first one that shows it. */
  filled (delivery: Delivery): Delivery
  stop (): void
}

/** `until`: by `clock.now`. `toldTo`: the delivery that shows it, and may need more than one try. */
interface Kept extends MaskedText { until: number; toldTo?: DeliveryKey }

export const makeCodes = (clock: Pick<Clock, 'now' | 'after'>): Codes => {
  const kept = new Map<string, Kept>() // by place and key, oldest first
  let sweeping: Timer | undefined
  const idOf = ({ place, key }: Pick<MaskedText, 'place' | 'key'>): string => JSON.stringify([addressKey(place), key])

  const sweep = (): void => {
    sweeping?.cancel()
    sweeping = undefined
    for (const [id, { until }] of kept) if (until <= clock.now()) kept.delete(id)
    const next = Math.min(...[...kept.values()].map(({ until }) => until))
    if (kept.size > 0) sweeping = clock.after(next - clock.now(), sweep)
  }

  const makeRoom = (place: Place): void => {
    const ofPlace = [...kept].filter(([, one]) => addressKey(one.place) === addressKey(place)).map(([id]) => id)
    const [oldest] = ofPlace.length > CODES_OF_PLACE_MAX ? ofPlace : kept.size > CODES_MAX ? kept.keys() : []
    if (oldest !== undefined) kept.delete(oldest)
  }

  const tell = (of: Pick<MaskedText, 'place' | 'key'>, by: DeliveryKey): string | undefined => {
    const one = kept.get(idOf(of))
    if (one === undefined || one.until <= clock.now() || (one.toldTo ?? by) !== by) return undefined
    one.toldTo = by
    return one.text
  }

  const waiting = (): Kept[] => {
    sweep()
    return [...kept.values()].filter(({ toldTo }) => toldTo === undefined).toReversed()
  }

  return {
    waiting,
    keep (came, forMs) {
      if (kept.has(idOf(came))) return // brought once more
      kept.set(idOf(came), { ...came, until: clock.now() + forMs })
      makeRoom(came.place)
      sweep()
    },
    take (isAsked) {
      const asked = waiting().filter(isAsked)
      for (const one of asked) one.toldTo = 'operator'
      return asked
    },
    filled (delivery) {
      const { key, action } = delivery
      if (action.kind !== 'message' || action.code === undefined) return delivery
      const { of, gone } = action.code
      return { ...delivery, action: { ...action, content: { ...action.content, text: plain(tell(of, key) ?? gone) } } }
    },
    stop () { sweeping?.cancel() }
  }
}
